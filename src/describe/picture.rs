//! A plan as a picture: boxes for images, the context and stages, arrows for what goes where.

mod svg;

use std::collections::BTreeSet;

use crate::diagnostic::Span;
use crate::plan::{Action, Base, From, Mount, Plan};
use crate::spec::{SourceName, Spec};

pub use svg::svg;

/// Boxes and arrows.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The boxes, each after those from which arrows lead to it.
    pub boxes: Vec<Node>,
    /// The arrows.
    pub arrows: Vec<Arrow>,
}

/// A box.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, unique in the picture.
    pub id: String,
    /// What stands in it, a line each.
    pub label: Vec<String>,
    /// What it is.
    pub kind: Kind,
    /// The component that it belongs to; none for what components share.
    pub component: Option<String>,
    /// Where the spec asks for it.
    pub place: Option<Span>,
}

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An image that is pulled.
    Image,
    /// The build context, or Slipway's tools.
    Source,
    /// A stage on the way.
    Stage,
    /// The stage that is the image.
    Result,
}

/// An arrow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// From this box.
    pub from: String,
    /// To that one.
    pub to: String,
    /// What goes there.
    pub kind: Way,
}

/// What an arrow means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It starts from it.
    Base,
    /// Files are copied.
    Copy,
    /// Files are mounted while a process runs.
    Mount,
    /// It has to succeed first.
    Gate,
}

impl Way {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "from",
            Self::Copy => "copy",
            Self::Mount => "mount",
            Self::Gate => "require",
        }
    }
}

impl Picture {
    /// The picture of these plans. Other components that a plan uses are no images.
    pub fn of(spec: &Spec, plans: &[&Plan]) -> Self {
        let mut picture = Self::default();
        let source = |from: &From, component: &str| match from {
            From::Context => "context".to_owned(),
            From::Tools => "tools".to_owned(),
            From::Url { url, .. } => format!("url {url}"),
            From::Stage(name) => format!("{component}:{name}"),
            From::Image(name) => image(spec, component, name, plans),
        };
        let mut arrows = BTreeSet::new();
        for plan in plans {
            let component = &plan.component;
            for stage in &plan.stages {
                let id = format!("{component}:{}", stage.name);
                let mut arrow = |from: String, kind| {
                    arrows.insert(Arrow { from, to: id.clone(), kind });
                };
                match &stage.from {
                    Base::Scratch => {}
                    Base::Image(name) => arrow(image(spec, component, name, plans), Way::Base),
                    Base::Stage(name) => arrow(format!("{component}:{name}"), Way::Base),
                }
                for step in &stage.steps {
                    match &step.action {
                        Action::Copy(copy) => arrow(source(&copy.from, component), Way::Copy),
                        Action::Rootfs(rootfs) => {
                            arrow(source(&rootfs.from, component), Way::Copy);
                            for scan in &rootfs.scan {
                                arrow(source(&scan.from, component), Way::Mount);
                            }
                        }
                        Action::Run(run) => {
                            for mount in &run.mounts {
                                if let Mount::Bind { from, .. }
                                | Mount::Cache { initial: Some((from, _)), .. } = mount
                                {
                                    arrow(source(from, component), Way::Mount);
                                }
                            }
                        }
                        _ => {}
                    }
                }
                let is_result = stage.name == plan.runtime;
                if is_result {
                    for (required, _) in &plan.requires {
                        arrow(format!("{component}:{required}"), Way::Gate);
                    }
                }
                picture.boxes.push(Node {
                    id: id.clone(),
                    label: vec![stage.name.clone()],
                    kind: if is_result { Kind::Result } else { Kind::Stage },
                    component: Some(component.clone()),
                    place: Some(stage.origin.clone()),
                });
            }
        }
        let known: BTreeSet<String> = picture.boxes.iter().map(|known| known.id.clone()).collect();
        let outer: BTreeSet<&String> =
            arrows.iter().map(|arrow| &arrow.from).filter(|from| !known.contains(*from)).collect();
        let outer = outer.into_iter().map(|id| Node {
            id: id.clone(),
            label: vec![match id.as_str() {
                "context" => "build context".to_owned(),
                "tools" => "Slipway's tools".to_owned(),
                name => name.trim_start_matches("image ").trim_start_matches("url ").to_owned(),
            }],
            kind: if id.starts_with("image ") { Kind::Image } else { Kind::Source },
            component: None,
            place: None,
        });
        picture.boxes.splice(0..0, outer);
        picture.arrows = arrows.into_iter().filter(|arrow| arrow.from != arrow.to).collect();
        picture
    }
}

fn image(spec: &Spec, component: &str, name: &str, plans: &[&Plan]) -> String {
    match spec.source(component, name) {
        SourceName::Image(name) => format!("image {name}"),
        SourceName::Files(value) => format!("url {value}"),
        SourceName::Component(other) => match plans.iter().find(|plan| plan.component == other) {
            Some(plan) => format!("{other}:{}", plan.runtime),
            None => format!("url {other}"),
        },
    }
}
