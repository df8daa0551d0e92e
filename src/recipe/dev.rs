//! The stage `:dev`: what every recipe's has in common. Tools are installed below the source, and
//! the stage is an image of its own, with the command that reloads and a debugger's port.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::{Request, packages};
use crate::diagnostic::Span;
use crate::plan::{Image, Stage};
use crate::spec::component::{DevChoice, DevSpec};
use crate::spec::values::Port;

/// What a recipe brings for development.
pub(super) struct Dev<'a> {
    /// The stage with everything installed.
    pub(super) below: &'a str,
    /// The command, where the spec does not say one.
    pub(super) command: Option<Vec<String>>,
    /// The port of the language's debugger.
    pub(super) debugger: Option<u16>,
    /// Environment.
    pub(super) env: BTreeMap<String, String>,
    /// The stage with the source on top of what is installed.
    pub(super) source: Stage,
    /// Where the command runs.
    pub(super) folder: Option<String>,
}

/// The stage, if anybody says what runs there.
pub(super) fn stage(request: &Request<'_>, dev: Dev<'_>) -> Option<Stage> {
    let settings: Option<&DevSpec> = match &request.service.component.dev {
        Some(DevChoice::No) => return None,
        Some(DevChoice::Stage(settings)) => Some(settings),
        None => None,
    };
    let given = settings.and_then(|settings| settings.command.as_ref());
    let command = given.map(|command| command.words.clone()).or(dev.command)?;
    let mut names = vec!["git".to_owned()];
    let mut ports: Vec<u16> = dev.debugger.into_iter().collect();
    let mut env = dev.env;
    let mut origin: &Span = request.recipe_span();
    if let Some(settings) = settings {
        names.extend(settings.packages.0.iter().map(|package| package.value.clone()));
        ports.extend(settings.ports.iter().filter_map(|port| u16::try_from(port.value).ok()));
        env.extend(settings.env.with_values().map(|(name, value)| (name.to_owned(), value.to_owned())));
        origin = &settings.span;
    }
    let ports = ports.into_iter().map(|number| Port { number, protocol: "tcp".to_owned() });
    let image = Image {
        entrypoint: Some(vec![]),
        command: Some(command),
        env,
        ports: Some(ports.chain(super::image::ports(request.service)).collect()),
        ..Image::default()
    };
    let draft = Draft::on_stage(request, "dev", dev.below)
        .run_at(packages::install(&names), origin)
        .steps(dev.source.steps)
        .image(image);
    Some(match dev.folder {
        Some(folder) => draft.workdir(&folder).done(),
        None => draft.done(),
    })
}
