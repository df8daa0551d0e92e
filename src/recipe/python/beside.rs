//! A Python beside another language: its packages in `/opt/venv`, and the interpreter with what it
//! loads.

use super::super::draft::{Draft, layer, run, shell, stage};
use super::super::{DEBIAN, Request};
use super::install::QUIET_PIP;
use super::manager::supported;
use super::not_installed;
use crate::diagnostic::Diagnostics;
use crate::plan::{Action, Copy, From, Network, Rootfs, Run, RuntimeKind, Scan, Sharing, Stage};
use crate::recipe::runtime::{self, Choice};
use crate::spec::component::PythonSpec;

/// Where a Python beside another language has its packages.
const BESIDE: &str = "/opt/venv";

fn beside_image(spec: &PythonSpec) -> String {
    // Its libraries join those of the runtime's base, so it is of the same release of Debian.
    let version = spec.version.as_ref().map_or("3.11", |version| version.value.as_str());
    format!("python:{version}-slim-{DEBIAN}")
}

/// The stages that install a Python beside another language.
pub(in crate::recipe) fn stages(
    request: &Request<'_>,
    spec: &PythonSpec,
    problems: &mut Diagnostics,
) -> Vec<Stage> {
    if let Some(version) = &spec.version {
        supported(version, problems);
    }
    let origin = &spec.span;
    let copy = |draft: Draft| {
        let copy = Copy {
            sources: vec![request.path(&spec.requirements.value)],
            target: "/requirements.txt".to_owned(),
            ..Copy::default()
        };
        draft.copy_at(copy, &spec.requirements.span)
    };
    let process = |command: String| -> Run { run(shell(command)).with_env(QUIET_PIP) };
    let wheels = process("pip wheel --wheel-dir /wheels -r /requirements.txt".to_owned()).cached(
        "/root/.cache/pip",
        "pip",
        Sharing::Shared,
    );
    let install = process(format!(
        "python -m venv --without-pip {BESIDE} && pip --python {BESIDE}/bin/python install --no-index \
         --find-links /wheels --no-compile --root-user-action=ignore -r /requirements.txt"
    ))
    .bound(stage("python-wheels"), "/wheels", "/wheels")
    .on_network(Network::None);
    let on = |name: &str| copy(Draft::on_image(request, name, beside_image(spec)).chosen_at(origin));
    vec![
        on("python-wheels").run_at(wheels, origin).done(),
        on("python-packages").run_at(install, origin).done(),
    ]
}

/// Adds the interpreter and the packages to a runtime stage.
pub(in crate::recipe) fn add(request: &Request<'_>, draft: Draft) -> Draft {
    let Some(spec) = &request.service.component.python else { return draft };
    let rootfs = Rootfs {
        from: From::Image(beside_image(spec)),
        runtime: RuntimeKind::Python,
        program: Some("python3".to_owned()),
        keep: Vec::new(),
        packages: Vec::new(),
        scan: vec![Scan { from: stage("python-packages"), path: BESIDE.to_owned() }],
    };
    let copy = Copy {
        exclude: not_installed(runtime::choice(request) == Choice::Minimal),
        ..layer(stage("python-packages"), format!("{BESIDE}/"), format!("{BESIDE}/"))
    };
    let path = format!("{BESIDE}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    draft
        .step_at(Action::Rootfs(Box::new(rootfs)), &spec.span)
        .copy_at(copy, &spec.requirements.span)
        .env("PATH", &path)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1")
}
