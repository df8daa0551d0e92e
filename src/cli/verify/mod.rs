//! `docker slipway verify`: an image in an engine is held to its contract, with what a build step
//! cannot show: Compose's own network, and the health check as the engine runs it.
//!
//! The image is looked at by [`crate::probe::inspect`], as in a build; it is started by Compose
//! from the spec itself. The report is the same.

mod calls;
mod engine;
mod layers;
mod running;

use std::path::PathBuf;

use clap::Args;

use self::engine::Image;
use super::check::show;
use super::project::{Place, Planned, Project};
use super::{say, unreadable};
use crate::plan::{Archetype, Plan};
use crate::probe::Part;
use crate::probe::report::{Component, Report};

/// Holds an image in an engine to its contract.
#[derive(Debug, Args)]
#[command(after_help = "\
Without IMAGE, each component's `image` of the spec is taken. It has to be built already:

  docker buildx bake -f app.spec.yaml && docker slipway verify -f app.spec.yaml
  docker slipway verify -f app.spec.yaml --all      builds it, and looks at the layer cache, too

Inside a build, `docker buildx build -f app.spec.yaml --target :verify .` proves the same but for the
network of Compose and the engine's health check, and needs no image.

Exit status: 0 if all promises hold, 1 if one does not, 2 if it could not be tried.")]
pub(super) struct Verify {
    /// The image, if not the one that the spec names
    image: Option<String>,
    /// The spec file
    #[arg(short, long, default_value = "compose.yaml")]
    file: PathBuf,
    /// A component; all of them without it
    #[arg(long)]
    target: Option<String>,
    /// A variable, as in `docker buildx build`
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_args: Vec<String>,
    /// The build context
    #[arg(long, default_value = ".")]
    context: PathBuf,
    /// A folder for the report: JSON, `JUnit` XML, text and a page
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Instead of that, build twice with a touched source, and show that the dependencies' layer is
    /// cached
    #[arg(long)]
    layer_cache: bool,
    /// Build the image, hold it to its contract, and look at the layer cache
    #[arg(long, conflicts_with_all = ["image", "layer_cache"])]
    all: bool,
}

impl Verify {
    pub(super) fn run(self) -> i32 {
        let place = self.place();
        let project = match place.open() {
            Ok(project) => project,
            Err(error) => return unreadable(&place, &error),
        };
        let errors: Vec<_> = project.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
        if !errors.is_empty() {
            show(&errors);
            return 1;
        }
        let planned: Vec<&Planned> =
            project.planned.iter().filter(|planned| planned.plan.archetype != Archetype::Library).collect();
        if let (Some(_), [_, _, ..]) = (&self.image, planned.as_slice()) {
            eprintln!("slipway: the file has several components; say with --target whose image this is");
            return 2;
        }
        let mut report = Report::default();
        for planned in planned {
            match self.component(&project, planned) {
                Ok(component) => report.components.push(component),
                Err(why) => {
                    eprintln!("slipway: {}: {why}", planned.plan.component);
                    return 2;
                }
            }
        }
        say(report.text().trim_end());
        if let Some(folder) = &self.output
            && let Err(why) = std::fs::create_dir_all(folder)
                .map_err(|error| error.to_string())
                .and_then(|()| report.write(folder))
        {
            eprintln!("slipway: {}: {why}", folder.display());
            return 2;
        }
        i32::from(report.components.iter().any(|component| component.failed > 0))
    }

    /// Where the spec and its context are.
    fn place(&self) -> Place {
        Place {
            file: self.file.clone(),
            target: self.target.clone(),
            build_args: self.build_args.clone(),
            context: self.context.clone(),
        }
    }

    fn component(&self, project: &Project, planned: &Planned) -> Result<Component, String> {
        let plan: &Plan = &planned.plan;
        let places = plan.contract.places();
        if self.layer_cache {
            let mut part = Part::silent();
            layers::check(self, plan, &mut part)?;
            return Ok(Component::new(&plan.component, "", vec![part], places));
        }
        let service = project.service(planned).ok_or("the component is not in the spec")?;
        let named = service.compose.image.as_ref().map(|image| image.value.clone());
        let name = self.image.clone().or(named).ok_or("the spec names no image of it; give one")?;
        if self.all {
            engine::build(self, plan, &name)?;
        }
        let image = Image::find(&name)?;
        let inspected = image.inspect(plan)?;
        let mut started = Part::silent();
        running::check(self, project, plan, &image, &mut started)?;
        let mut parts = vec![inspected, started];
        if self.all {
            let mut part = Part::silent();
            layers::check(self, plan, &mut part)?;
            parts.push(part);
        }
        Ok(Component::new(&plan.component, &image.program.platform, parts, places))
    }
}
