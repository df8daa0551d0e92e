//! What the top level's `x-slipway` says about the system as a whole: how it is deployed, of which
//! state it is, and what its workflows and manifests are to know.

use super::component::Project;
use super::reader::{Located, Reader, record};
use super::running::Running;
use super::values::{OneOrMany, Pairs};
use crate::diagnostic::did_you_mean;

/// The kinds of places that there are files for: one host with Docker and nginx, such as an EC2 instance.
pub const PROFILES: [&str; 1] = ["aws-ec2-compose"];

record! {
    /// What `:bundle` is to know beyond the services.
    closed "`bundle`" struct BundleSpec {
        /// The most that a service gets which says nothing itself (`deploy.resources.limits`).
        limits: Option<LimitsSpec>,
        /// What the variables of a deployment begin with; the project's name in capitals by default.
        prefix: Option<Located<String>>,
        /// What the scripts are called: `scripts/start-NAME.sh` and so on, with `start-env.sh` that leads
        /// to it.
        scripts: Option<Located<String>>,
    }
}

record! {
    /// The most that a container gets.
    closed "`limits`" struct LimitsSpec {
        /// Processors, such as `"0.5"`.
        cpus: Option<Located<String>>,
        /// Memory, such as `512M`.
        memory: Option<Located<String>>,
        /// Processes and threads.
        pids: Option<Located<u32>>,
    }
}

record! {
    /// Where the system is deployed.
    closed "`deploy`" struct DeploySpec {
        /// The branch that a deployment from source takes.
        branch: Option<Located<String>>,
        /// The domain under which the system is reached.
        domain: Option<Located<String>>,
        /// The variable that has the domain; `PREFIX_FQDN` by default.
        domain_variable: Option<Located<String>>,
        /// What the environment is called, such as `demo`.
        environment: Option<Located<String>>,
        /// The kind of place: `aws-ec2-compose`.
        profile: Option<Located<String>>,
        /// The repository that a deployment from source clones, over https and without a token.
        repository: Option<Located<String>>,
    }
}

record! {
    /// Of which state of a line of systems this one is.
    closed "`state`" struct StateSpec {
        /// How far it stands for all that came before: `none`, or a level such as `C0`.
        convergence: Option<Located<String>>,
        /// Further facts about it, by their names.
        facts: Pairs,
        /// Its name: a number, and words.
        id: Located<String>,
        /// The states that may follow it.
        next: OneOrMany,
        /// The states that it follows.
        previous: OneOrMany,
        /// Components of earlier states that must be gone: their services, and their folders.
        removed: OneOrMany,
        /// Whether it is to be used, such as `implemented`.
        status: Option<Located<String>>,
        /// What it is about.
        title: Option<Located<String>>,
    }
}

record! {
    /// What Kubernetes' manifests are to know.
    closed "`kubernetes`" struct KubernetesSpec {
        /// The class of the Ingress.
        ingress_class: Option<Located<String>>,
        /// The namespace.
        namespace: Option<Located<String>>,
        /// How many of each service run.
        replicas: Option<Located<u32>>,
        /// The secret with the domain's certificate.
        tls_secret: Option<Located<String>>,
    }
}

record! {
    /// What workflows are to know.
    closed "`workflows`" struct WorkflowsSpec {
        /// The branches whose pushes are published; the first is the one that `latest` follows.
        branches: OneOrMany,
        /// How many old images are kept.
        keep: Option<Located<u32>>,
        /// The platforms that images are built for.
        platforms: OneOrMany,
    }
}

/// What a state says is gone must not be among its services.
pub(super) fn gone(state: &StateSpec, running: &[Running], reader: &mut Reader<'_>) {
    for removed in &state.removed.0 {
        if let Some(service) = running.iter().find(|service| service.name.value == removed.value) {
            let message =
                format!("`{}` is removed in this state, and there is a service of this name", removed.value);
            reader.bad_value(
                &service.name.span,
                message,
                Some("remove the service, or the name from `state.removed`"),
            );
        }
    }
}

/// What makes no sense in these, or could not stand in a script.
pub(super) fn check(project: &Project, reader: &mut Reader<'_>) {
    let bundle = project.bundle.as_ref();
    let deploy = project.deploy.as_ref();
    let state = project.state.as_ref();
    let is_variable = |text: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !text.starts_with(|c: char| c.is_ascii_digit())
    };
    let variables = [
        bundle.and_then(|bundle| bundle.prefix.as_ref()),
        deploy.and_then(|deploy| deploy.domain_variable.as_ref()),
    ];
    for text in variables.into_iter().flatten() {
        if text.value.is_empty() || !is_variable(&text.value) {
            let message = format!("`{}` is no name of a variable", text.value);
            reader.bad_value(&text.span, message, Some("capitals, digits and `_`"));
        }
    }
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@+~".contains(c));
    let texts = [
        bundle.and_then(|bundle| bundle.scripts.as_ref()),
        deploy.and_then(|deploy| deploy.branch.as_ref()),
        deploy.and_then(|deploy| deploy.domain.as_ref()),
        deploy.and_then(|deploy| deploy.environment.as_ref()),
        deploy.and_then(|deploy| deploy.repository.as_ref()),
        state.map(|state| &state.id),
    ];
    for text in texts.into_iter().flatten() {
        if text.value.is_empty() || !is_plain(&text.value) {
            let message = format!("`{}` cannot stand in a script", text.value);
            reader.bad_value(&text.span, message, Some("letters, digits and `-_./:@+~`"));
        }
    }
    if let Some(scripts) =
        bundle.and_then(|bundle| bundle.scripts.as_ref()).filter(|name| name.value.contains('/'))
    {
        reader.bad_value(
            &scripts.span,
            "the name of scripts is part of a file's name",
            Some("without a slash"),
        );
    }
    if let Some(repository) =
        deploy.and_then(|deploy| deploy.repository.as_ref()).filter(|url| url.value.contains('@'))
    {
        let help = "give the address that everybody clones from, such as https://github.com/acme/shop.git";
        reader.bad_value(
            &repository.span,
            "the repository's address has a name or a token in it",
            Some(help),
        );
    }
    if let Some(profile) = deploy
        .and_then(|deploy| deploy.profile.as_ref())
        .filter(|name| !PROFILES.contains(&name.value.as_str()))
    {
        let message = format!("there is no deployment profile `{}`", profile.value);
        let help = match did_you_mean(&profile.value, PROFILES) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known: {}", PROFILES.join(", ")),
        };
        reader.bad_value(&profile.span, message, Some(&help));
    }
}
