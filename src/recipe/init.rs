//! `init`: a small process that starts the program, passes signals on to it and reaps what it
//! leaves behind. It comes from the distribution, which maintains it.

use super::draft::{Draft, layer, stage};
use super::{Made, Request, packages};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::{Action, Base, Step};

/// Adds the init that the spec asks for.
pub(super) fn add(request: &Request<'_>, made: &mut Made, problems: &mut Diagnostics) {
    let Some(init) = &request.service.component.init else { return };
    // tini has a static build, which needs nothing of the base; dumb-init loads the C library.
    let (package, file, name) = match init.value.as_str() {
        "false" => return,
        "true" | "tini" => ("tini", "/usr/bin/tini-static", "tini"),
        "dumb-init" => ("dumb-init", "/usr/bin/dumb-init", "dumb-init"),
        other => {
            problems.push(
                Diagnostic::new(Code::Value, format!("there is no init `{other}`"))
                    .at(&init.span)
                    .help("`true` or `tini` (static, for any base), or `dumb-init` (for bases with glibc)"),
            );
            return;
        }
    };
    let Some(runtime) = made.stages.iter_mut().find(|stage| stage.name == made.runtime) else { return };
    if name == "dumb-init" && matches!(&runtime.from, Base::Image(image) if image.contains("alpine")) {
        problems.push(
            Diagnostic::new(Code::Value, "Debian's dumb-init loads glibc, which an Alpine base has not")
                .at(&init.span)
                .help("`init: tini` is static and works on any base"),
        );
    }
    let copy = layer(stage("init"), file, format!("/usr/bin/{name}"));
    runtime.steps.push(Step { action: Action::Copy(copy), origin: init.span.clone() });
    let source = Draft::on_image(request, "init", format!("debian:{}-slim", super::DEBIAN))
        .chosen_at(&init.span)
        .run_at(packages::install(&[package.to_owned()]), &init.span)
        .done();
    made.stages.insert(0, source);
    // Being ended by the signal that asks for it is an orderly end, for programs that do not listen.
    let remap: &[&str] = if name == "tini" { &["-e", "143"] } else { &[] };
    made.init = Some([&[name], remap, &["--"]].concat().into_iter().map(str::to_owned).collect());
}
