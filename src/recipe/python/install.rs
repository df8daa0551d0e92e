//! Installing into the virtual environment, by each of the package managers.

use super::super::draft::{Draft, layer, run, shell, stage};
use super::manager::Manager;
use super::{APP, Project, VENV};
use crate::plan::{Copy, From, Network, Run, Sharing, Stage};
use crate::recipe::runtime;

/// pip's news are none of a build's.
pub(super) const QUIET_PIP: [(&str, &str); 2] =
    [("PIP_DISABLE_PIP_VERSION_CHECK", "1"), ("PIP_PROGRESS_BAR", "off")];

const UV: &str = "ghcr.io/astral-sh/uv:0.9";
const POETRY: &str = "poetry==2.5.1 poetry-plugin-export==1.10.0";

impl Project<'_, '_> {
    pub(super) fn image(&self) -> String {
        let variant = if runtime::is_alpine(self.request) { "alpine" } else { "slim" };
        format!("python:{}-{variant}", self.version)
    }

    /// The start of a stage that installs: the interpreter, the spec's packages, the manager.
    pub(super) fn builder(&self, name: &str) -> Draft {
        let draft = Draft::on_image(self.request, name, self.image()).chosen_at(self.request.version_span());
        let draft = draft.build_packages(self.request);
        match self.manager {
            Manager::Uv => draft.copy(layer(From::Image(UV.to_owned()), "/uv", "/usr/local/bin/uv")),
            Manager::Poetry | Manager::Pip => draft,
        }
        .workdir(APP)
    }

    /// The stages that install into the environment, the last one under this name.
    pub(super) fn install(&self, name: &str, dev: bool) -> Vec<Stage> {
        let request = self.request;
        let manifests = |names: &[&str]| Copy {
            sources: names.iter().map(|name| request.path(name)).collect(),
            target: format!("{APP}/"),
            ..Copy::default()
        };
        let copied = |draft: Draft, names: &[&str]| draft.copy_at(manifests(names), request.source_span());
        match self.manager {
            Manager::Uv => {
                let groups = if dev { "" } else { " --no-dev" };
                let process = self.uv(&format!("uv sync --locked --no-install-project{groups}"));
                vec![copied(self.builder(name), &["pyproject.toml", "uv.lock"]).run(process).done()]
            }
            // Poetry says what is locked; pip, which is there already, installs it.
            Manager::Poetry => {
                let groups = if dev { " --all-groups" } else { " --only main" };
                let export = format!(
                    "pip install -q --no-compile --root-user-action=ignore {POETRY} && \
                     mkdir -p /requirements && poetry export --no-interaction{groups} -o /requirements/requirements.txt"
                );
                let export = run(shell(export))
                    .titled(format!("poetry export{groups}"))
                    .with_env(QUIET_PIP)
                    .with_build_env(request)
                    .cached("/root/.cache/pip", "pip", Sharing::Shared);
                let exported = if dev { "dev-requirements" } else { "requirements" };
                let first =
                    copied(self.builder(exported), &["pyproject.toml", "poetry.lock"]).run(export).done();
                let bound = |process: Run| process.bound(stage(exported), "/requirements", "/requirements");
                let [wheels, packages] = self.wheels(dev, " -r /requirements/requirements.txt");
                let wheels = self.builder(wheels_name(dev)).run(bound(wheels)).done();
                vec![first, wheels, self.builder(name).run(bound(packages)).done()]
            }
            Manager::Pip => {
                let has_dev = request.facts.has(&request.path("requirements-dev.txt"));
                let files: &[&str] = if dev && has_dev {
                    &["requirements.txt", "requirements-dev.txt"]
                } else {
                    &["requirements.txt"]
                };
                // Requirements may name further files of theirs.
                let names = request.facts.names(&request.source).iter().map(|name| name.name.as_str());
                let theirs = names.filter(|name| {
                    (name.starts_with("requirements") || name.starts_with("constraints"))
                        && name.ends_with(".txt")
                });
                let beside: Vec<&str> = files
                    .iter()
                    .copied()
                    .chain(theirs.filter(|name| dev || !name.contains("dev")))
                    .collect::<std::collections::BTreeSet<_>>()
                    .into_iter()
                    .collect();
                let listed: String = files.iter().map(|file| format!(" -r {file}")).collect();
                let [wheels, packages] = self.wheels(dev, &listed);
                vec![
                    copied(self.builder(wheels_name(dev)), &beside).run(wheels).done(),
                    copied(self.builder(name), files).run(packages).done(),
                ]
            }
        }
    }

    /// The process that builds wheels, and the one that installs from them, without network.
    pub(super) fn wheels(&self, dev: bool, listed: &str) -> [Run; 2] {
        let build = run(shell(format!("mkdir -p /wheels && pip wheel --wheel-dir /wheels{listed}")))
            .titled(format!("pip wheel{listed}"))
            .with_env(QUIET_PIP)
            .with_build_env(self.request)
            .cached("/root/.cache/pip", "pip", Sharing::Shared);
        let install = run(shell(format!(
            "python -m venv --without-pip {VENV} && if ls /wheels/*.whl >/dev/null 2>&1; then \
             pip --python {VENV}/bin/python install --no-index --no-deps --no-compile \
             --root-user-action=ignore /wheels/*.whl; fi"
        )))
        .titled("install the wheels")
        .with_env(QUIET_PIP)
        .bound(stage(wheels_name(dev)), "/wheels", "/wheels")
        .on_network(Network::None);
        [build, install]
    }

    pub(super) fn uv(&self, command: &str) -> Run {
        run(shell(command))
            .with_env([
                ("UV_LINK_MODE", "copy"),
                ("UV_PYTHON_DOWNLOADS", "never"),
                ("UV_PROJECT_ENVIRONMENT", VENV),
                ("UV_NO_PROGRESS", "1"),
            ])
            .with_build_env(self.request)
            .cached("/root/.cache/uv", "uv", Sharing::Shared)
    }

    /// A project that is a package itself is installed like the others.
    pub(super) fn with_package(&self) -> Stage {
        let process = match self.manager {
            Manager::Uv => self.uv("uv sync --locked --no-dev --no-editable"),
            // What builds the wheel is fetched for it alone, and does not stay.
            Manager::Poetry | Manager::Pip => run(shell(format!(
                "pip wheel -q --no-deps --wheel-dir /tmp/wheel . && pip --python {VENV}/bin/python install \
                 --no-index --no-deps --no-compile --root-user-action=ignore /tmp/wheel/*.whl && rm -r /tmp/wheel"
            )))
            .titled("install the project")
            .with_env(QUIET_PIP),
        };
        Draft::on_stage(self.request, "build", "deps")
            .copy_at(self.source(&[]), self.request.source_span())
            .run(process)
            .done()
    }
}

fn wheels_name(dev: bool) -> &'static str {
    if dev { "dev-wheels" } else { "wheels" }
}
