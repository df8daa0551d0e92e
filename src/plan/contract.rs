//! What an image promises, and where the spec says so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;

/// A promise, with the place of each of its parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contract {
    /// What is promised.
    pub promise: Promise,
    /// The services that have to run beside the component while it is verified.
    pub with: Vec<Beside>,
    /// Where a rule's part of the promise is written.
    pub origins: BTreeMap<Rule, Span>,
    /// Where one of several names of a rule is written: a variable, a run.
    pub names: BTreeMap<(Rule, String), Span>,
    /// The place for everything else.
    pub origin: Span,
}

/// A service that has to run beside a component while it is verified.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beside {
    /// Its name.
    pub service: String,
    /// Its environment, beside what the service itself says.
    pub env: BTreeMap<String, String>,
    /// The place.
    pub origin: Span,
}

impl Contract {
    /// A contract that promises nothing.
    pub fn nothing(origin: Span) -> Self {
        let (with, origins, names) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { promise: Promise::default(), with, origins, names, origin }
    }

    /// All places, by the rule's name and what it is about; that of everything else under no name.
    pub fn places(&self) -> BTreeMap<String, String> {
        let place = |span: &Span| format!("{}:{}", span.file.name, span.line());
        let rules = self.origins.iter().map(|(rule, span)| (rule.name().to_owned(), place(span)));
        let names =
            self.names.iter().map(|((rule, name), span)| (format!("{} {name}", rule.name()), place(span)));
        rules.chain(names).chain([(String::new(), place(&self.origin))]).collect()
    }

    /// The place that a finding is about.
    pub fn place(&self, rule: Rule, subject: Option<&str>) -> &Span {
        let named = subject.and_then(|subject| self.names.get(&(rule, subject.to_owned())));
        named.or_else(|| self.origins.get(&rule)).unwrap_or(&self.origin)
    }
}

/// What is promised. This is what the program in the build step gets, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a promise of its own")]
pub struct Promise {
    /// Whether it runs until it is stopped; a command-line program and a job do not.
    pub serves: bool,
    /// How to tell that it works; none for what has neither a health check nor a port.
    pub health: Option<Question>,
    /// How long it may take until it is well.
    pub well_within: Duration,
    /// The TCP ports on which others reach it.
    pub ports: BTreeSet<u16>,
    /// Its environment while it is verified, beside that of the image.
    pub env: BTreeMap<String, String>,
    /// The variables without which it must not start.
    pub required: BTreeSet<String>,
    /// The variables that it runs without, and the values that it then takes, where they are known.
    pub optional: BTreeMap<String, Option<String>>,
    /// The variables whose values must not be in the image.
    pub secrets: BTreeSet<String>,
    /// Whether it may run as root.
    pub may_be_root: bool,
    /// Whether it runs on a root file system that refuses writes.
    pub read_only: bool,
    /// Folders that are its own to write to and empty at the start.
    pub tmpfs: BTreeSet<String>,
    /// Likewise, with what the image has there at the start.
    pub volumes: BTreeSet<String>,
    /// Whether set-uid files give it nothing.
    pub no_new_privileges: bool,
    /// How it stops.
    pub stop: Stop,
    /// Paths that must exist.
    pub exists: BTreeSet<String>,
    /// Patterns of files to which the rules do not apply.
    pub allow: Vec<String>,
    /// Patterns of files that must not be there.
    pub forbidden_files: Vec<String>,
    /// Patterns of packages that must not be there.
    pub forbidden_packages: Vec<String>,
    /// Kinds of programs that must not be there.
    pub forbidden_tools: BTreeSet<Tools>,
    /// Paths that must not answer.
    pub forbidden_urls: BTreeSet<String>,
    /// The most that all files may weigh, in bytes.
    pub size: Option<u64>,
    /// The most that they may weigh as one gzip layer, in bytes.
    pub compressed_size: Option<u64>,
    /// Calls that end by themselves.
    pub runs: Vec<Call>,
    /// A text that it writes to stdout until it is well.
    pub stdout: Option<String>,
    /// A text that it writes to stderr.
    pub stderr: Option<String>,
}

/// How to tell that a program works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// An answer over HTTP. The port may be a variable of the program's environment.
    Http {
        /// The port.
        port: String,
        /// The path.
        path: String,
        /// The statuses that are well.
        status: Option<String>,
        /// A text that the answer holds.
        contains: Option<String>,
    },
    /// A port that accepts connections.
    Tcp {
        /// The port.
        port: String,
    },
    /// A command that exits with 0.
    Command(Vec<String>),
}

/// How a program stops.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The time that it has.
    pub within: Duration,
    /// The exit statuses that are well.
    pub exit: BTreeSet<i32>,
    /// A path that takes a while to answer.
    pub in_flight: Option<String>,
}

/// A call that ends by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its arguments, in place of the image's command.
    pub args: Option<Vec<String>>,
    /// Further environment.
    pub env: BTreeMap<String, String>,
    /// The exit status.
    pub exit: i32,
    /// A text that it prints.
    pub prints: Option<String>,
    /// Whether a second run says the same.
    pub twice: bool,
    /// How long it may take.
    pub within: Duration,
}

/// A kind of programs that an image which only has to run had better not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tools {
    /// What makes programs.
    Compilers,
    /// What installs a language's packages.
    PackageManagers,
    /// What installs the distribution's packages.
    SystemPackageManagers,
    /// Shells.
    Shells,
    /// What fetches files.
    Downloaders,
}

impl Tools {
    /// All of them, by the words of a spec.
    pub const ALL: [(&'static str, Self); 5] = [
        ("compilers", Self::Compilers),
        ("package_managers", Self::PackageManagers),
        ("system_package_managers", Self::SystemPackageManagers),
        ("shells", Self::Shells),
        ("downloaders", Self::Downloaders),
    ];

    /// The names of the programs.
    pub fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Compilers => &[
                "gcc", "cc", "g++", "c++", "cpp", "clang", "clang++", "tcc", "ld", "as", "make", "cmake",
                "ninja", "rustc", "cargo", "go", "javac", "tsc", "ghc", "swiftc",
            ],
            Self::PackageManagers => &[
                "npm", "npx", "pnpm", "pnpx", "yarn", "corepack", "uv", "uvx", "poetry", "pipx", "pdm",
                "bundle", "gem", "composer", "mvn", "gradle", "nuget",
            ],
            Self::SystemPackageManagers => {
                &["apt", "apt-get", "dpkg", "apk", "dnf", "yum", "microdnf", "rpm", "zypper"]
            }
            Self::Shells => &["sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"],
            Self::Downloaders => &["curl", "wget", "git", "scp", "ftp", "nc", "telnet"],
        }
    }
}

/// A rule of a contract. What is checked has one, and a place in the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// It weighs no more than it may.
    Size,
    /// Nor as a layer of a registry.
    CompressedSize,
    /// What must exist does, the program and its working directory among it.
    Files,
    /// What must not exist does not.
    ForbiddenFiles,
    /// No tools are left over.
    Tools,
    /// No packages that are forbidden.
    Packages,
    /// No file gives its caller another user's rights.
    SetUid,
    /// No layer holds a secret.
    Secrets,
    /// It does not run as root, and has the user that is declared.
    User,
    /// It does not start without a variable that it needs.
    Variables,
    /// It starts without those that it does not need.
    Defaults,
    /// It starts in time.
    Start,
    /// It says that it is well.
    Health,
    /// Others reach its ports.
    Ports,
    /// It writes nowhere but where it may.
    ReadOnly,
    /// Its ended children are reaped.
    Zombies,
    /// Paths that must not answer do not.
    Urls,
    /// Its logs go where they belong.
    Logs,
    /// What was asked before the stop is answered, and nothing after it is accepted.
    InFlight,
    /// It stops when it is asked to.
    Stop,
    /// Its calls do what they should.
    Runs,
    /// A touched source does not install the dependencies again.
    LayerCache,
}

impl Rule {
    /// As reports and errors name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::CompressedSize => "compressed-size",
            Self::Files => "files",
            Self::ForbiddenFiles => "forbidden-files",
            Self::Tools => "tools",
            Self::Packages => "packages",
            Self::SetUid => "set-uid",
            Self::Secrets => "secrets",
            Self::User => "user",
            Self::Variables => "variables",
            Self::Defaults => "defaults",
            Self::Start => "start",
            Self::Health => "health",
            Self::Ports => "ports",
            Self::ReadOnly => "read-only",
            Self::Zombies => "zombies",
            Self::Urls => "urls",
            Self::Logs => "logs",
            Self::InFlight => "in-flight",
            Self::Stop => "stop",
            Self::Runs => "runs",
            Self::LayerCache => "layer-cache",
        }
    }
}
