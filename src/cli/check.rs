//! `check` and `plan`: what a build would find wrong, and what it would do.

use clap::Args;

use super::project::Project;
use super::say;
use crate::diagnostic::render_all;
use crate::plan::Plan;

/// Reads a spec and makes every component's plan.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    project: Project,
}

/// Likewise, and shows the plans.
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    project: Project,
}

impl Check {
    /// 0 if nothing is wrong, 1 if something is, 2 if the file cannot be read.
    pub(super) fn run(&self) -> i32 {
        let file = self.project.file.display();
        run(&self.project, |plans| say(&format!("{file}: {} components, nothing wrong", plans.len())))
    }
}

impl Show {
    /// As for [`Check`].
    pub(super) fn run(&self) -> i32 {
        run(&self.project, |plans| {
            let texts: Vec<String> = plans.iter().map(Plan::to_string).collect();
            say(texts.join("\n").trim_end());
        })
    }
}

/// Shows the recipes of a spec as the stages that they stand for.
#[derive(Debug, Args)]
pub(super) struct Stages {
    #[command(flatten)]
    project: Project,
}

impl Stages {
    /// As for [`Check`].
    pub(super) fn run(&self) -> i32 {
        match self.project.printed() {
            Err(error) => {
                eprintln!("slipway: {}: {error}", self.project.file.display());
                2
            }
            Ok((texts, problems)) => {
                if !problems.is_empty() {
                    eprintln!("{}", render_all(&problems));
                }
                say(format!("services:\n{}", texts.join("\n")).trim_end());
                i32::from(problems.iter().any(|problem| !problem.code.is_warning()))
            }
        }
    }
}

fn run(project: &Project, show: impl FnOnce(&[Plan])) -> i32 {
    let (plans, problems) = match project.plans() {
        Ok(read) => read,
        Err(error) => {
            eprintln!("slipway: {}: {error}", project.file.display());
            return 2;
        }
    };
    if !problems.is_empty() {
        eprintln!("{}", render_all(&problems));
    }
    if problems.iter().any(|problem| !problem.code.is_warning()) {
        return 1;
    }
    show(&plans);
    0
}
