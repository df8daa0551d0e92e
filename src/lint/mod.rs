//! Lint: what a spec can do and had better not. One rule, one file, one page in `docs/rules`; the
//! table below is the only place that lists them.
//!
//! A rule is a function from a component, as it was written and as it is planned, to diagnostics.
//! Builds show what it finds as warnings, `--check` fails with it. How serious a rule is, a spec
//! may say for itself (`x-slipway.lint`, for the project and per component).

mod levels;
mod rules;
mod subject;

pub use levels::Levels;
pub(crate) use rules::open_cors::is_of_origins;
pub(crate) use rules::secret_in_plain_text::is_secret_name;
pub use rules::unused_argument::unused_arguments;
pub use subject::Subject;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Level};

/// A rule.
pub struct Rule {
    /// Its name, by which specs and people call it.
    pub name: &'static str,
    /// How serious it is unless the spec says otherwise.
    pub level: Level,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Its page of documentation, Markdown.
    pub page: &'static str,
    /// The page's file name in `docs/rules`, without its ending.
    file: &'static str,
    /// How it looks.
    check: Check,
}

impl Rule {
    /// Where its page is, from the project's folder.
    pub fn url(&self) -> String {
        format!("docs/rules/{}.md", self.file)
    }
}

/// How a rule looks for what it finds.
enum Check {
    /// At one component.
    Component(fn(&Subject<'_>, &mut Found<'_>)),
    /// Whoever reads variables and options finds it on the way.
    Elsewhere,
}

/// What a rule finds, as it goes.
struct Found<'d> {
    rule: &'static str,
    diagnostics: &'d mut Diagnostics,
}

impl Found<'_> {
    /// A finding without a place; whoever reports it gives one.
    fn finding(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::Rule(self.rule), message)
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

macro_rules! table {
    ($($module:ident $name:literal $level:ident $check:expr, $summary:literal, $page:literal;)*) => {
        /// All rules, by name.
        pub static RULES: &[Rule] = &[$(Rule {
            name: $name,
            level: Level::$level,
            summary: $summary,
            page: include_str!(concat!("../../docs/rules/", $page, ".md")),
            file: $page,
            check: $check,
        }),*];
    };
}

use Check::{Component, Elsewhere};
table! {
    base_platform "BasePlatform" Warn Elsewhere,
        "a base image is of another platform than the one that is built", "base-platform";
    build_not_this_file "BuildNotThisFile" Warn Component(rules::build_not_this_file::check),
        "`build` does not lead back to this file and component", "build-not-this-file";
    copy_of_ignored "CopyOfIgnored" Warn Component(rules::copy_of_ignored::check),
        "a copy names a path that .dockerignore keeps out", "copy-of-ignored";
    dev_server_leftover "DevServerLeftover" Warn Component(rules::dev_server_leftover::check),
        "something of a development server in an image for production", "dev-server-leftover";
    health_tool_missing "HealthToolMissing" Warn Component(rules::health_tool_missing::check),
        "the health check runs a tool that the image does not have", "health-tool-missing";
    healthy_without_check "HealthyWithoutCheck" Warn Component(rules::healthy_without_check::check),
        "waiting until a service is healthy that has no health check", "healthy-without-check";
    host_access "HostAccess" Warn Component(rules::host_access::check),
        "privileges that reach beyond the container", "host-access";
    lock_file_ignored "LockFileIgnored" Warn Component(rules::lock_file_ignored::check),
        "packages are installed without regard to a lock file", "lock-file-ignored";
    moving_tag "MovingTag" Warn Component(rules::moving_tag::check),
        "a base image by a tag that moves between versions", "moving-tag";
    no_limits "NoLimits" Warn Component(rules::no_limits::check),
        "a service of a production profile without a limit for memory or processors", "no-limits";
    open_cors "OpenCors" Warn Component(rules::open_cors::check),
        "a CORS allow-list of everything, or of localhost alone", "open-cors";
    port_not_exposed "PortNotExposed" Warn Component(rules::port_not_exposed::check),
        "the contract's port is none that the service exposes", "port-not-exposed";
    root_user "RootUser" Warn Component(rules::root_user::check),
        "the image runs as root, or nobody can tell as whom", "root-user";
    secret_in_plain_text "SecretInPlainText" Warn Component(rules::secret_in_plain_text::check),
        "a value that looks like a secret, where everybody can read it", "secret-in-plain-text";
    secret_not_passed "SecretNotPassed" Warn Component(rules::secret_not_passed::check),
        "a step wants a secret that `build.secrets` does not pass on", "secret-not-passed";
    stale_lock "StaleLock" Warn Component(rules::stale_lock::check),
        "an image that the lock beside the spec does not know", "stale-lock";
    undeclared_writes "UndeclaredWrites" Warn Component(rules::undeclared_writes::check),
        "a read-only service whose program writes where nothing is mounted", "undeclared-writes";
    unknown_upstream "UnknownUpstream" Warn Component(rules::unknown_upstream::check),
        "an nginx upstream that is no service, or a port that it does not have", "unknown-upstream";
    unpinned_base "UnpinnedBase" Info Component(rules::unpinned_base::check),
        "a base image by tag alone, without a digest", "unpinned-base";
    unset_variable "UnsetVariable" Warn Elsewhere,
        "a variable without a value and without a default", "unset-variable";
    unused_argument "UnusedArgument" Warn Elsewhere,
        "a build argument that nothing uses", "unused-argument";
    unused_secret "UnusedSecret" Warn Component(rules::unused_secret::check),
        "a secret that `build.secrets` passes on and no step reads", "unused-secret";
    variable_not_passed "VariableNotPassed" Warn Component(rules::variable_not_passed::check),
        "a variable that `build.args` does not pass on", "variable-not-passed";
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// What all rules find in a component.
pub fn component(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::default();
    diagnostics.about(Some(&subject.service.name.value));
    for rule in RULES {
        if let Check::Component(check) = rule.check {
            check(subject, &mut Found { rule: rule.name, diagnostics: &mut diagnostics });
        }
    }
    diagnostics.into_sorted()
}

#[cfg(test)]
mod tests;
