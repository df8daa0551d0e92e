//! What the runtime stage stands on: the recipe's own choice, the family's slim image, any image,
//! or nothing but what the program loads (`base: minimal`).

use super::draft::{Draft, layer, stage};
use super::{Request, packages};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::plan::{Action, Base, Copy, From, Image, Rootfs, RuntimeKind, Scan, Stage};

/// A language's runtime: where it is, and what the runtime stage stands on unless the spec says
/// otherwise.
pub(super) struct Family<'a> {
    /// The image or stage that has the runtime.
    pub(super) from: Base,
    /// Which files beside the program belong to it.
    pub(super) kind: RuntimeKind,
    /// The program.
    pub(super) program: &'a str,
    /// What `slim` means.
    pub(super) slim: String,
    /// What no `base` means: an image, or otherwise the minimal one.
    pub(super) otherwise: Option<String>,
}

/// What `base` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice<'a> {
    /// Nothing.
    Default,
    /// `slim`
    Slim,
    /// `minimal`
    Minimal,
    /// An image.
    Image(&'a str),
}

/// What `base` says.
pub(super) fn choice<'a>(request: &'a Request<'_>) -> Choice<'a> {
    match request.service.component.base.as_ref().map(|base| base.value.as_str()) {
        None => Choice::Default,
        Some("slim") => Choice::Slim,
        Some("minimal") => Choice::Minimal,
        Some(image) => Choice::Image(image),
    }
}

/// The place of `base`, or of the recipe.
pub(super) fn base_span<'a>(request: &'a Request<'_>) -> &'a Span {
    request.service.component.base.as_ref().map_or(request.recipe_span(), |base| &base.span)
}

/// The beginning of the runtime stage, after the stages that it takes from. `scan` are folders of
/// the application with native modules.
pub(super) fn start(request: &Request<'_>, family: &Family<'_>, scan: Vec<Scan>) -> (Vec<Stage>, Draft) {
    match (choice(request), &family.otherwise) {
        (Choice::Image(base), _) => (Vec::new(), on_image(request, base, base_span(request))),
        (Choice::Slim, _) => (Vec::new(), on_image(request, &family.slim, base_span(request))),
        (Choice::Default, Some(image)) => (Vec::new(), on_image(request, image, request.version_span())),
        (Choice::Default, None) | (Choice::Minimal, _) => {
            let (files, draft) = minimal(request, family, scan);
            (vec![files], draft)
        }
    }
}

/// On an image, with the spec's packages.
pub(super) fn on_image(request: &Request<'_>, image: &str, origin: &Span) -> Draft {
    let draft = Draft::on_image(request, "runtime", image).chosen_at(origin);
    match wanted(request) {
        Some((names, span)) => draft.run_at(packages::install(&names), &span),
        None => draft,
    }
}

/// On nothing but what a program loads, and the stage from which that is taken.
fn minimal(request: &Request<'_>, family: &Family<'_>, scan: Vec<Scan>) -> (Stage, Draft) {
    let (names, span) = wanted(request).unwrap_or_else(|| (Vec::new(), request.recipe_span().clone()));
    let source = Draft::new(request, "runtime-files", family.from.clone())
        .chosen_at(request.version_span())
        .run_at(packages::install_with_system_files(&names), &span)
        .done();
    let rootfs = Rootfs {
        from: From::Stage(source.name.clone()),
        runtime: family.kind,
        program: Some(family.program.to_owned()),
        keep: Vec::new(),
        packages: names,
        scan,
    };
    let draft = Draft::new(request, "runtime", Base::Scratch)
        .chosen_at(base_span(request))
        .step_at(Action::Rootfs(Box::new(rootfs)), base_span(request));
    (source, draft)
}

/// The runtime stage of a static program, `/out/NAME` of the stage `build`, and its image.
pub(super) fn static_program(request: &Request<'_>, name: &str) -> (Stage, Image) {
    let draft = match choice(request) {
        Choice::Image(base) => on_image(request, base, base_span(request)),
        Choice::Slim => on_image(request, &super::slim_base(), base_span(request)),
        Choice::Default | Choice::Minimal => {
            Draft::new(request, "runtime", Base::Scratch).chosen_at(base_span(request)).rootfs(Rootfs {
                from: stage("build"),
                runtime: RuntimeKind::Plain,
                program: None,
                keep: Vec::new(),
                packages: Vec::new(),
                scan: Vec::new(),
            })
        }
    };
    let target = format!("/usr/local/bin/{name}");
    let program = Copy { mode: Some(0o755), ..layer(stage("build"), format!("/out/{name}"), target.clone()) };
    let runtime = draft.step(Action::Accounts(request.user.clone())).copy(program).done();
    (runtime, Image { entrypoint: Some(vec![target]), command: Some(vec![]), ..Image::default() })
}

/// Whether the runtime stands on Alpine. What is installed for it has to be of its C library, so it
/// is installed there, too.
pub(super) fn is_alpine(request: &Request<'_>) -> bool {
    matches!(choice(request), Choice::Image(base) if base.contains("alpine"))
}

/// On nothing, nothing can be installed.
pub(super) fn no_packages_on_nothing(request: &Request<'_>, problems: &mut Diagnostics) {
    if let (Choice::Default | Choice::Minimal, Some((_, span))) = (choice(request), wanted(request)) {
        problems.push(
            Diagnostic::new(
                Code::Value,
                "a static program stands on nothing, where no package can be installed",
            )
            .at(&span)
            .help("set `base: slim` or another image"),
        );
    }
}

fn wanted(request: &Request<'_>) -> Option<(Vec<String>, Span)> {
    let packages = &request.service.component.packages.0;
    let first = packages.first()?;
    Some((packages.iter().map(|package| package.value.clone()).collect(), first.span.clone()))
}
