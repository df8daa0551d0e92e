//! The picture as SVG: a column for each step from the sources, a row for each box in it.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Kind, Picture, Way};

const COLUMN: usize = 260;
const ROW: usize = 56;
const WIDTH: usize = 200;
const HEIGHT: usize = 36;
const MARGIN: usize = 20;

/// A drawing that needs nothing beside it.
pub fn svg(picture: &Picture) -> String {
    let columns = columns(picture);
    let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for drawn in &picture.boxes {
        let column = columns.get(drawn.id.as_str()).copied().unwrap_or(0);
        let row = rows.entry(column).or_default();
        places.insert(&drawn.id, (MARGIN + column * COLUMN, MARGIN + *row * ROW));
        *row += 1;
    }
    let width = 2 * MARGIN + columns.values().max().map_or(0, |last| last * COLUMN) + WIDTH;
    let height = 2 * MARGIN + rows.values().max().map_or(0, |rows| rows * ROW);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"#57606a\"/></marker></defs>\n"
    );
    for arrow in &picture.arrows {
        let (Some((x, y)), Some((to_x, to_y))) =
            (places.get(arrow.from.as_str()), places.get(arrow.to.as_str()))
        else {
            continue;
        };
        let (x, y, to_y) = (x + WIDTH, y + HEIGHT / 2, to_y + HEIGHT / 2);
        let bend = COLUMN / 4;
        let dash = match arrow.kind {
            Way::Base => "",
            Way::Copy => " stroke-dasharray=\"6 3\"",
            Way::Mount => " stroke-dasharray=\"2 3\"",
            Way::Gate => " stroke-dasharray=\"8 3 2 3\"",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<path d=\"M{x} {y} C{} {y} {} {to_y} {to_x} {to_y}\" fill=\"none\" stroke=\"#57606a\"{dash} marker-end=\"url(#end)\"><title>{}</title></path>",
            x + bend,
            to_x.saturating_sub(bend),
            arrow.kind.name()
        );
    }
    for drawn in &picture.boxes {
        let Some((x, y)) = places.get(drawn.id.as_str()) else { continue };
        let fill = match drawn.kind {
            Kind::Image => "#ddf4ff",
            Kind::Source => "#fff8c5",
            Kind::Stage => "#f6f8fa",
            Kind::Result => "#dafbe1",
        };
        let label = match &drawn.component {
            Some(component) => format!("{component}:{}", drawn.label.join(" ")),
            None => drawn.label.join(" "),
        };
        let _ = writeln!(
            text,
            "<g><title>{0}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"{fill}\" stroke=\"#57606a\"/>\
             <text x=\"{1}\" y=\"{2}\" text-anchor=\"middle\">{3}</text></g>",
            escaped(&label),
            x + WIDTH / 2,
            y + HEIGHT / 2 + 4,
            escaped(&shortened(&label))
        );
    }
    text + "</svg>\n"
}

/// How far each box is from the sources, by the longest way.
fn columns(picture: &Picture) -> BTreeMap<&str, usize> {
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    // As often as there are boxes at most: by then even a chain of all of them has settled.
    for _ in 0..picture.boxes.len() {
        let mut moved = false;
        for arrow in &picture.arrows {
            let after = columns.get(arrow.from.as_str()).copied().unwrap_or(0) + 1;
            let column = columns.entry(&arrow.to).or_default();
            if *column < after && after <= picture.boxes.len() {
                *column = after;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    columns
}

fn shortened(label: &str) -> String {
    const LONGEST: usize = 30;
    if label.chars().count() <= LONGEST {
        return label.to_owned();
    }
    label.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
