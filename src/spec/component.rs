//! `x-slipway`: how a service's image is made.

use serde_json::Value as Json;

use super::contract::Contract;
use super::reader::{Entries, FromNode, Located, Reader, record, short_or_mapping};
use super::routes::{ApiSpec, RouteSpec};
use super::schema::{self, Definitions};
use super::stages::{CopySpec, StageSpec};
use super::system::{BundleSpec, DeploySpec, KubernetesSpec, StateSpec, WorkflowsSpec};
use super::values::{Command, OneOrMany, Pairs, Words};
use super::yaml::{Node, Value};

record! {
    /// The top level's `x-slipway`: what all components share.
    closed "the top level's `x-slipway`" struct Project {
        /// Taken by every component that does not say otherwise.
        defaults: Option<Defaults>,
        /// What `:bundle` is to know beyond the services.
        bundle: Option<BundleSpec>,
        /// Where the system is deployed.
        deploy: Option<DeploySpec>,
        /// What Kubernetes' manifests are to know.
        kubernetes: Option<KubernetesSpec>,
        /// Levels of lint rules: `off`, `info`, `warn` or `error`.
        lint: Entries<Located<String>>,
        /// Of which state of a line of systems this one is.
        state: Option<StateSpec>,
        /// What workflows are to know.
        workflows: Option<WorkflowsSpec>,
    }
}

record! {
    /// What every component takes unless it says otherwise.
    closed "`defaults`" struct Defaults {
        /// The user that runs.
        user: Option<UserSpec>,
        /// Annotations of every image's manifest.
        annotations: Pairs,
        /// Labels of every image.
        labels: Pairs,
        /// Environment of every image.
        env: Pairs,
        /// Stages that must succeed before there is an image; `verify` for its contract.
        require: OneOrMany,
    }
}

record! {
    /// How a service's image is made.
    closed "`x-slipway`" struct Component {
        /// Annotations of the image's manifest.
        annotations: Pairs,
        /// The API that it has, for the explorer of an ingress.
        api: Option<ApiSpec>,
        /// What kind of program it is: `service` (the default), `cli`, `job` or `library`.
        archetype: Option<Located<String>>,
        /// The base image of the runtime stage, instead of the recipe's own; `slim` is the
        /// family's slim image, `minimal` only what the program loads.
        base: Option<Located<String>>,
        /// The command that builds; `false` for none.
        build: Option<BuildChoice>,
        /// Environment of the commands that install and build; not part of the image.
        build_env: Pairs,
        /// Packages of the distribution that installing and building need; not part of the image.
        build_packages: OneOrMany,
        /// Whether Python's modules are compiled when the image is built.
        bytecode: Option<Located<bool>>,
        /// What the image promises; the target `:verify` proves it.
        contract: Option<Contract>,
        /// The stage for development: its command, or settings; `false` for none.
        dev: Option<DevChoice>,
        /// Environment that is part of the image.
        env: Pairs,
        /// Further files of the build context that the image holds.
        files: Vec<CopySpec>,
        /// A process that starts the program, passes signals on and reaps: `true`, `tini` or
        /// `dumb-init`.
        init: Option<Located<String>>,
        /// A Java runtime with the modules that the application uses, and no others.
        jlink: Option<Located<bool>>,
        /// Labels of the image.
        labels: Pairs,
        /// Levels of lint rules for this component: `off`, `info`, `warn` or `error`.
        lint: Entries<Located<String>>,
        /// The file or package that is the program's start.
        main: Option<Located<String>>,
        /// The package manager, where the folder leaves it open.
        manager: Option<Located<String>>,
        /// The network of the build command: `none` or `default`.
        network: Option<Located<String>>,
        /// What of the source, or of the build's result, goes into the image.
        output: OneOrMany,
        /// Packages of the distribution that the program needs when it runs.
        packages: OneOrMany,
        /// A Python beside the recipe's own language.
        python: Option<PythonSpec>,
        /// Evidence that has to be there before an image is built.
        readiness: Option<ReadinessSpec>,
        /// The recipe that makes the stages.
        recipe: Option<Located<String>>,
        /// Stages that must succeed before there is an image, such as `test`; `verify` for its contract. An
        /// empty list takes nothing of the project's defaults.
        require: Option<OneOrMany>,
        /// The paths of an ingress, and what answers there; instead of a `template`.
        routes: Vec<RouteSpec>,
        /// When a job runs, as cron writes it: `0 3 * * *`.
        schedule: Option<Located<String>>,
        /// The component's folder in the build context.
        source: Option<Located<String>>,
        /// A single-page application: paths that are no file get `index.html`.
        spa: Option<Located<bool>>,
        /// Stages written by hand, instead of a recipe.
        stages: Option<Entries<StageSpec>>,
        /// Which of the stages is the image; the last one unless said.
        target: Option<Located<String>>,
        /// A configuration template for nginx.
        template: Option<Located<String>>,
        /// The command that tests; `false` for none.
        test: Option<BuildChoice>,
        /// The user that runs.
        user: Option<UserSpec>,
        /// The version of the language or server.
        version: Option<Located<String>>,
    }
}

record! {
    /// The user that runs in the image. It owns no files there.
    closed "`user`" struct UserSpec {
        /// Its name; `app` by default.
        name: Option<Located<String>>,
        /// Its number; 1001 by default.
        uid: Option<Located<u32>>,
        /// The number of its group; that of the user by default.
        gid: Option<Located<u32>>,
    }
}

record! {
    /// A Python beside another language: its packages are installed into `/opt/venv`.
    closed "`python`" struct PythonSpec {
        /// Its version.
        version: Option<Located<String>>,
        /// The pinned packages, a file in the component's folder.
        requirements: Located<String>,
    }
}

record! {
    /// Evidence that has to be there before an image is built.
    closed "`readiness`" struct ReadinessMapping {
        /// The file with the assertions, in the component's folder.
        assertions: Located<String>,
        /// The file with the results of formal verification, in the component's folder.
        verification: Option<Located<String>>,
    }
}

/// `readiness`: the file with the assertions, or settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadinessSpec(ReadinessMapping);

short_or_mapping!(ReadinessSpec, ReadinessMapping, assertions);

record! {
    /// The stage for development.
    closed "`dev`" struct DevSpec {
        /// What runs there.
        command: Option<Words>,
        /// Further packages of the distribution, such as `git`.
        packages: OneOrMany,
        /// Ports beside those of the service, such as a debugger's.
        ports: Vec<Located<u32>>,
        /// Environment.
        env: Pairs,
    }
}

/// `dev`: a command, settings, or `false`.
#[derive(Clone, Debug, PartialEq)]
pub enum DevChoice {
    /// There is no such stage.
    No,
    /// The stage's settings.
    Stage(DevSpec),
}

impl FromNode for DevChoice {
    fn schema(definitions: &mut Definitions) -> Json {
        let no = serde_json::json!({ "const": false });
        schema::any([no, Words::schema(definitions), DevSpec::schema(definitions)])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::Bool(false) => Some(Self::No),
            Value::Mapping(_) => DevSpec::from_node(node, reader).map(Self::Stage),
            _ => {
                let command = Words::from_node(node, reader)?;
                Some(Self::Stage(DevSpec {
                    command: Some(command),
                    packages: OneOrMany::default(),
                    ports: Vec::new(),
                    env: Pairs::default(),
                    span: node.span.clone(),
                }))
            }
        }
    }
}

/// `build`: a command, or `false`.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildChoice {
    /// Nothing is built.
    No,
    /// This builds.
    Command(Command),
}

impl FromNode for BuildChoice {
    fn schema(definitions: &mut Definitions) -> Json {
        let no = serde_json::json!({ "const": false });
        schema::any([no, Command::schema(definitions)])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::Bool(false) => Some(Self::No),
            Value::Bool(true) => {
                reader.wrong_type(node, "a command, or `false`");
                None
            }
            _ => Command::from_node(node, reader).map(Self::Command),
        }
    }
}
