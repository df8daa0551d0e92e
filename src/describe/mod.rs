//! What can be said about a spec without building anything, for people and for programs. The
//! frontend answers questions with it (`--call`), the command line its subcommands; both say the
//! same.

mod graph;
mod images;
mod lint;
mod outline;
mod picture;
mod plan;
mod targets;

use std::sync::Arc;

use base64::Engine;
use serde_json::{Value, json};

pub use graph::graph;
pub use images::images;
pub use lint::{Checked, checked, findings};
pub use outline::outline;
pub use picture::{Picture, svg};
pub use plan::plans;
pub use targets::targets;

use crate::diagnostic::{SourceText, Span};
use crate::plan::Plan;
use crate::spec::{Service, Spec};

/// An answer.
pub struct Said {
    /// For programs.
    pub json: Value,
    /// For people.
    pub text: String,
}

/// A component and its plan.
pub struct Component<'a> {
    /// The whole file.
    pub spec: &'a Spec,
    /// The component.
    pub service: &'a Service,
    /// How its image is made.
    pub plan: &'a Plan,
    /// The stage that is asked about; its image if none.
    pub stage: Option<String>,
}

impl Component<'_> {
    /// The stage that would be built.
    fn stage(&self) -> &str {
        self.stage.as_deref().unwrap_or(&self.plan.runtime)
    }
}

/// The files that locations point into, in the form of BuildKit's answers.
struct Places(Vec<Arc<SourceText>>);

impl Places {
    fn of(spec: &Spec) -> Self {
        Self(vec![spec.file.clone()])
    }

    /// A location: the file by its number, and the lines.
    fn location(&mut self, span: &Span) -> Value {
        let index = self.0.iter().position(|file| *file == span.file).unwrap_or_else(|| {
            self.0.push(span.file.clone());
            self.0.len() - 1
        });
        json!({ "sourceIndex": index, "ranges": [range(span)] })
    }

    /// The files' contents.
    fn sources(&self) -> Vec<String> {
        self.0.iter().map(|file| base64::engine::general_purpose::STANDARD.encode(&file.text)).collect()
    }

    /// The files with their names.
    fn infos(&self) -> Vec<Value> {
        let info = |file: &Arc<SourceText>| {
            let data = base64::engine::general_purpose::STANDARD.encode(&file.text);
            json!({ "filename": file.name, "language": "YAML", "data": data })
        };
        self.0.iter().map(info).collect()
    }
}

fn range(span: &Span) -> Value {
    let first = span.line();
    // A mapping may be long; its first lines are what a person looks for.
    let last = span.last_line().clamp(first, first + 5);
    json!({ "start": { "line": first }, "end": { "line": last } })
}
