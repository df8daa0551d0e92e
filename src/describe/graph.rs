//! `--call=slipway.graph`: how a component's stages hang together, as Mermaid (text) and as DOT.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::picture::{Kind, Node, Picture, Way};
use super::{Said, range};
use crate::plan::Plan;
use crate::spec::Spec;

/// The picture as text that other programs draw, and as boxes and arrows.
pub fn graph(spec: &Spec, plans: &[&Plan]) -> Said {
    let picture = Picture::of(spec, plans);
    let boxes: Vec<Value> = picture
        .boxes
        .iter()
        .map(|drawn| {
            json!({
                "id": drawn.id,
                "label": drawn.label.join(" "),
                "kind": kind(drawn.kind),
                "component": drawn.component,
                "lines": drawn.place.as_ref().map(range),
            })
        })
        .collect();
    let arrows: Vec<Value> = picture
        .arrows
        .iter()
        .map(|arrow| json!({ "from": arrow.from, "to": arrow.to, "kind": arrow.kind.name() }))
        .collect();
    let text = mermaid(&picture);
    let json = json!({ "mermaid": text, "dot": dot(&picture), "nodes": boxes, "edges": arrows });
    Said { json, text }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "image",
        Kind::Source => "source",
        Kind::Stage => "stage",
        Kind::Result => "result",
    }
}

/// Boxes by component; what components share comes first.
fn grouped(picture: &Picture) -> BTreeMap<Option<&str>, Vec<(usize, &Node)>> {
    let mut groups: BTreeMap<Option<&str>, Vec<(usize, &Node)>> = BTreeMap::new();
    for (number, drawn) in picture.boxes.iter().enumerate() {
        groups.entry(drawn.component.as_deref()).or_default().push((number, drawn));
    }
    groups
}

fn number(picture: &Picture, id: &str) -> usize {
    picture.boxes.iter().position(|drawn| drawn.id == id).unwrap_or_default()
}

fn mermaid(picture: &Picture) -> String {
    let mut text = String::from("flowchart LR\n");
    for (group, (component, boxes)) in grouped(picture).into_iter().enumerate() {
        if let Some(component) = component {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  subgraph c{group}[\"{component}\"]");
        }
        for (number, drawn) in boxes {
            let label = drawn.label.join("<br/>").replace('"', "#quot;");
            let (open, close) = match drawn.kind {
                Kind::Image => ("[(\"", "\")]"),
                Kind::Source => ("[/\"", "\"/]"),
                Kind::Stage => ("[\"", "\"]"),
                Kind::Result => ("([\"", "\"])"),
            };
            let _ = writeln!(text, "    n{number}{open}{label}{close}");
        }
        if component.is_some() {
            text.push_str("  end\n");
        }
    }
    for arrow in &picture.arrows {
        let (from, to) = (number(picture, &arrow.from), number(picture, &arrow.to));
        let line = match arrow.kind {
            Way::Base => "-->",
            Way::Copy => "-- copy -->",
            Way::Mount => "-. mount .->",
            Way::Gate => "-. require .->",
        };
        let _ = writeln!(text, "  n{from} {line} n{to}");
    }
    text
}

fn dot(picture: &Picture) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = String::from("digraph slipway {\n  rankdir=LR;\n  node [shape=box, fontname=sans];\n");
    for (group, (component, boxes)) in grouped(picture).into_iter().enumerate() {
        if let Some(component) = component {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  subgraph cluster_{group} {{\n    label={};", quoted(component));
        }
        for (_, drawn) in boxes {
            let shape = match drawn.kind {
                Kind::Image => "cylinder",
                Kind::Source => "folder",
                Kind::Stage => "box",
                Kind::Result => "box3d",
            };
            let _ = writeln!(
                text,
                "    {} [label={}, shape={shape}];",
                quoted(&drawn.id),
                quoted(&drawn.label.join("\n")).replace('\n', "\\n")
            );
        }
        if component.is_some() {
            text.push_str("  }\n");
        }
    }
    for arrow in &picture.arrows {
        let style = match arrow.kind {
            Way::Base => "solid",
            Way::Copy => "dashed",
            Way::Mount | Way::Gate => "dotted",
        };
        let _ = writeln!(
            text,
            "  {} -> {} [label={}, style={style}];",
            quoted(&arrow.from),
            quoted(&arrow.to),
            quoted(arrow.kind.name())
        );
    }
    text + "}\n"
}
