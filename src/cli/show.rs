//! `plan`, `stages`, `graph`, `outline`, `images`, `targets`: what a spec comes to, without an
//! engine.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};

use super::check::show;
use super::project::{Place, Project};
use super::{say, say_json, unreadable};
use crate::describe::{self, Component, Said, svg};
use crate::diagnostic::Diagnostic;

/// Where the spec is, and the form of the answer.
#[derive(Debug, Args)]
pub(super) struct Ask {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The forms of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For Markdown on many platforms
    Mermaid,
    /// For Graphviz
    Dot,
    /// A drawing
    Svg,
    /// Nodes and edges
    Json,
}

/// Draws the stages of the components.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  docker slipway graph -f app.spec.yaml --target api .
  docker slipway graph -f app.spec.yaml --format svg . > app.svg")]
pub(super) struct Graph {
    #[command(flatten)]
    place: Place,
    /// The picture's form
    #[arg(long, value_enum, default_value = "mermaid")]
    format: Form,
}

impl Ask {
    pub(super) fn plan(&self) -> i32 {
        self.answer(|project| describe::plans(&project.plans()))
    }

    pub(super) fn targets(&self) -> i32 {
        self.answer(|project| match &project.spec {
            Some(spec) => describe::targets(spec),
            None => Said { json: serde_json::Value::Null, text: String::new() },
        })
    }

    pub(super) fn images(&self) -> i32 {
        self.answer(|project| {
            // Digests are the registry's to tell; the frontend's own answer has them.
            match &project.spec {
                Some(spec) => describe::images(spec, &project.plans(), &BTreeMap::new()),
                None => Said { json: serde_json::Value::Null, text: String::new() },
            }
        })
    }

    pub(super) fn outline(&self) -> i32 {
        self.answer(|project| {
            let (mut texts, mut list) = (Vec::new(), Vec::new());
            for planned in &project.planned {
                let (Some(spec), Some(service)) = (&project.spec, project.service(planned)) else { continue };
                let stage = planned.stage.clone();
                let said = describe::outline(&Component { spec, service, plan: &planned.plan, stage });
                texts.push(said.text);
                list.push(said.json);
            }
            let json = if self.place.target.is_some() { list.pop().unwrap_or_default() } else { list.into() };
            Said { json, text: texts.join("\n") }
        })
    }

    /// Shows the stages that recipes stand for, in YAML.
    pub(super) fn stages(&self) -> i32 {
        match self.place.printed() {
            Err(error) => unreadable(&self.place, &error),
            Ok((texts, problems)) => {
                show(&problems);
                let text = format!("services:\n{}", texts.join("\n"));
                if self.json {
                    say_json(&text.into());
                } else {
                    say(text.trim_end());
                }
                i32::from(problems.iter().any(Diagnostic::is_error))
            }
        }
    }

    fn answer(&self, describe: impl FnOnce(&Project) -> Said) -> i32 {
        with(&self.place, |project| {
            let said = describe(project);
            if self.json {
                say_json(&said.json);
            } else {
                say(said.text.trim_end());
            }
        })
    }
}

impl Graph {
    pub(super) fn run(&self) -> i32 {
        with(&self.place, |project| {
            let plans = project.plans();
            let Some(spec) = &project.spec else { return };
            let said = describe::graph(spec, &plans);
            match self.format {
                Form::Mermaid => say(said.text.trim_end()),
                Form::Dot => say(said.json["dot"].as_str().unwrap_or_default().trim_end()),
                Form::Svg => say(svg(&describe::Picture::of(spec, &plans)).trim_end()),
                Form::Json => say_json(&said.json),
            }
        })
    }
}

/// Errors are shown and end it; warnings are `check`'s business.
pub(super) fn with(place: &Place, show_it: impl FnOnce(&Project)) -> i32 {
    let project = match place.open() {
        Ok(project) => project,
        Err(error) => return unreadable(place, &error),
    };
    let errors: Vec<Diagnostic> =
        project.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
    if !errors.is_empty() {
        show(&errors);
        return 1;
    }
    show_it(&project);
    0
}
