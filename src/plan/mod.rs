//! The plan: what has to happen to make a component's image, in terms that are neither YAML
//! nor LLB. Everything that Slipway can say about a component is a function of its plan.
//!
//! A plan is a list of [`Stage`]s, each with a base and [`Step`]s, and the [`Image`] that the
//! last word is about. Every step has the place in the spec that asked for it and a name that
//! a person understands.

pub mod contract;
mod image;
mod print;
pub mod reach;
mod report;

use std::fmt;

pub use image::{Health, Image, ROOT, RuntimeUser};
pub use report::Report;

use serde::Serialize;

use crate::diagnostic::Span;
use crate::spec::values::CommandLine;

/// The target that proves a component's contract, where a stage's name stands.
pub const VERIFY: &str = "verify";

/// How a component's image is made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The component's name.
    pub component: String,
    /// In an order in which each stage comes after those that it uses.
    pub stages: Vec<Stage>,
    /// The stage that is the image.
    pub runtime: String,
    /// What the image declares.
    pub image: Image,
    /// What the image promises; `:verify` proves it.
    pub contract: Box<contract::Contract>,
    /// The component's folder in the build context; empty for the context itself.
    pub source: String,
    /// Stages that have to succeed before there is an image, though nothing of them is in it.
    pub requires: Vec<(String, Span)>,
    /// What kind of program it is.
    pub archetype: Archetype,
    /// What was found out about the component, and why.
    pub found: Vec<Finding>,
}

/// What kind of program a component is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Archetype {
    /// Runs until it is stopped, and answers.
    #[default]
    Service,
    /// Started by a person, with arguments.
    Cli,
    /// Runs once and ends.
    Job,
    /// Not run at all: there is no image.
    Library,
}

impl fmt::Display for Archetype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Cli => "cli",
            Self::Job => "job",
            Self::Library => "library",
        })
    }
}

/// Something that the spec left open, how it was settled, and what settled it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was open, such as `package manager`.
    pub what: String,
    /// How it was settled.
    pub value: String,
    /// What settled it: a file and its key, or a default.
    pub because: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.what, self.value, self.because)
    }
}

impl Plan {
    /// The most that the image may weigh, in bytes uncompressed, with the place that says so.
    pub fn size_limit(&self) -> Option<(u64, &Span)> {
        Some((self.contract.promise.size?, self.contract.place(contract::Rule::Size, None)))
    }

    /// Whether there is no image before its contract is proven.
    pub fn requires_proof(&self) -> Option<&Span> {
        self.requires.iter().find(|(name, _)| name == VERIFY).map(|(_, span)| span)
    }

    /// The stage of this name.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }
}

/// A file system in the making.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// Its name within the component.
    pub name: String,
    /// What it starts from.
    pub from: Base,
    /// Whose platform it has.
    pub platform: StagePlatform,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The place that asked for its base.
    pub origin: Span,
    /// What an image of this stage declares, where it is more than a step on the way.
    pub image: Option<Image>,
}

impl Stage {
    /// Everything that it copies or mounts from, with the place that asked.
    pub fn sources(&self) -> Vec<(&From, &Span)> {
        let mut found = Vec::new();
        for step in &self.steps {
            match &step.action {
                Action::Copy(copy) => found.push((&copy.from, &step.origin)),
                Action::Rootfs(rootfs) => {
                    found.push((&rootfs.from, &step.origin));
                    found.extend(rootfs.scan.iter().map(|scan| (&scan.from, &step.origin)));
                }
                Action::Run(run) => found.extend(run.mounts.iter().filter_map(|mount| match mount {
                    Mount::Bind { from, .. } | Mount::Cache { initial: Some((from, _)), .. } => {
                        Some((from, &step.origin))
                    }
                    _ => None,
                })),
                _ => {}
            }
        }
        found
    }

    /// The names of the stages that it uses.
    pub fn uses(&self) -> Vec<&str> {
        let base = match &self.from {
            Base::Stage(name) => Some(name.as_str()),
            _ => None,
        };
        let copied = self.sources().into_iter().filter_map(|(from, _)| match from {
            From::Stage(name) => Some(name.as_str()),
            _ => None,
        });
        base.into_iter().chain(copied).collect()
    }
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// Nothing.
    Scratch,
    /// An image, by the name that the spec or the recipe gives it.
    Image(String),
    /// Another stage.
    Stage(String),
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scratch => f.write_str("scratch"),
            Self::Image(name) | Self::Stage(name) => f.write_str(name),
        }
    }
}

/// Whose platform a stage has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StagePlatform {
    /// The machine's that builds.
    Build,
    /// The image's.
    #[default]
    Target,
}

/// One thing that happens in a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What.
    pub action: Action,
    /// The place that asked for it.
    pub origin: Span,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Adds the runtime user and its group to the base's own.
    Accounts(RuntimeUser),
    /// Copies files.
    Copy(Copy),
    /// Sets an environment variable, for later steps and for the image.
    Env {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Makes a folder.
    MakeDir(MakeDir),
    /// Collects what a program needs to run from another file system.
    Rootfs(Box<Rootfs>),
    /// Runs a process.
    Run(Box<Run>),
    /// Makes a symbolic link.
    Symlink {
        /// What it points at.
        target: String,
        /// Where it is.
        path: String,
    },
    /// Changes the user of later steps and of the image.
    User(String),
    /// Changes the working directory of later steps and of the image, and makes it.
    Workdir(String),
    /// Writes a file.
    Write(Write),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accounts(user) => write!(f, "add user {}", user.name),
            Self::Copy(copy) => {
                f.write_str("copy ")?;
                if !copy.include.is_empty() {
                    write!(f, "{} in ", copy.include.join(", "))?;
                }
                for source in &copy.sources {
                    write!(f, "{source} ")?;
                }
                match &copy.from {
                    From::Context => {}
                    From::Stage(name) | From::Image(name) => write!(f, "from {name} ")?,
                    From::Tools => f.write_str("from Slipway's tools ")?,
                    From::Url { url, .. } => write!(f, "from {url} ")?,
                }
                write!(f, "to {}", copy.target)
            }
            Self::Env { name, .. } => write!(f, "set {name}"),
            Self::MakeDir(dir) => write!(f, "make folder {}", dir.path),
            Self::Rootfs(rootfs) => match &rootfs.program {
                Some(program) => write!(f, "collect what {program} needs from {}", rootfs.from),
                None => write!(f, "collect certificates and time zones from {}", rootfs.from),
            },
            Self::Run(run) => match &run.title {
                Some(title) => f.write_str(title),
                None => write!(f, "{}", run.command),
            },
            Self::Symlink { target, path } => write!(f, "link {path} to {target}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Workdir(path) => write!(f, "work in {path}"),
            Self::Write(file) => write!(f, "write {}", file.path),
        }
    }
}

/// Where files come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// The build context.
    #[default]
    Context,
    /// Another stage of the component.
    Stage(String),
    /// An image.
    Image(String),
    /// The small static programs that Slipway brings along, for the stage's platform.
    Tools,
    /// A git repository, or a file behind an http URL.
    Url {
        /// Where it is.
        url: String,
        /// The digest that the file has to have, or the commit.
        checksum: Option<String>,
    },
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context => f.write_str("the context"),
            Self::Stage(name) | Self::Image(name) => f.write_str(name),
            Self::Tools => f.write_str("Slipway's tools"),
            Self::Url { url, .. } => f.write_str(url),
        }
    }
}

/// What a program needs to run: its runtime's own files, the shared libraries that they load, CA
/// certificates and time zones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rootfs {
    /// The image or stage that has the program.
    pub from: From,
    /// What kind of runtime it is: which files beside the binary belong to it.
    pub runtime: RuntimeKind,
    /// The program, as a path or a name on PATH; without one, only what every program reads.
    pub program: Option<String>,
    /// Further files and folders.
    pub keep: Vec<String>,
    /// Packages of the distribution whose files are taken along.
    pub packages: Vec<String>,
    /// Folders with native modules of the application, whose libraries are taken along as well.
    pub scan: Vec<Scan>,
}

/// A folder with native modules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// The stage that has it.
    pub from: From,
    /// The folder, there and in the image.
    pub path: String,
}

/// A kind of language runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeKind {
    /// A program and its libraries.
    #[default]
    Plain,
    /// A program's libraries alone; the program itself is put elsewhere.
    Libraries,
    /// Node.
    Node,
    /// Python with its standard library.
    Python,
    /// A Java runtime.
    Java,
    /// nginx with its modules and configuration.
    Nginx,
}

impl RuntimeKind {
    /// What the build step's program calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Libraries => "libraries",
            Self::Node => "node",
            Self::Python => "python",
            Self::Java => "java",
            Self::Nginx => "nginx",
        }
    }
}

/// Owner of files, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// A copy.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Copy {
    /// Where from.
    pub from: From,
    /// Paths there; patterns allowed.
    pub sources: Vec<String>,
    /// Where to. With a trailing `/`: into this folder.
    pub target: String,
    /// The owner of the copies.
    pub owner: Owner,
    /// Their permission bits; those of the source if unset.
    pub mode: Option<u32>,
    /// Patterns of what is copied, all of it if there are none. A pattern that nothing matches is
    /// no error.
    pub include: Vec<String>,
    /// Patterns of what stays behind.
    pub exclude: Vec<String>,
    /// As a layer of its own, which does not depend on what lies below.
    pub link: bool,
    /// Whether an archive is unpacked.
    pub unpack: bool,
}

/// A new folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MakeDir {
    /// Where.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// The owner.
    pub owner: Owner,
    /// As a layer of its own.
    pub link: bool,
}

/// A new file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Write {
    /// Where.
    pub path: String,
    /// What it holds.
    pub content: String,
    /// Permission bits.
    pub mode: u32,
    /// The owner.
    pub owner: Owner,
    /// As a layer of its own.
    pub link: bool,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// What runs.
    pub command: CommandLine,
    /// What people see instead of a long command.
    pub title: Option<String>,
    /// Environment for it alone.
    pub env: Vec<(String, String)>,
    /// Environment that says for which platform the image is, or on which it is built.
    pub platform_env: Vec<(String, PlatformFact)>,
    /// What is mounted for it alone.
    pub mounts: Vec<Mount>,
    /// Its network.
    pub network: Network,
    /// Whether it may do everything.
    pub insecure: bool,
    /// Its user, if not the stage's.
    pub user: Option<String>,
}

impl Run {
    /// A process with nothing special.
    pub fn new(command: CommandLine) -> Self {
        Self {
            command,
            title: None,
            env: Vec::new(),
            platform_env: Vec::new(),
            mounts: Vec::new(),
            network: Network::Default,
            insecure: false,
            user: None,
        }
    }
}

/// Something about a platform that a process may want to know. The first four are the image's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformFact {
    /// `linux/arm/v7`
    #[default]
    Platform,
    /// `linux`
    Os,
    /// `arm64`
    Arch,
    /// `v7`; empty for most.
    Variant,
    /// `7`: the variant as Go's GOARM wants it.
    Arm,
    /// The platform of the machine that builds.
    BuildPlatform,
    /// Its architecture.
    BuildArch,
}

impl PlatformFact {
    /// All of them, by the words of a spec.
    pub const ALL: [(&'static str, Self); 7] = [
        ("platform", Self::Platform),
        ("os", Self::Os),
        ("arch", Self::Arch),
        ("variant", Self::Variant),
        ("arm", Self::Arm),
        ("build_platform", Self::BuildPlatform),
        ("build_arch", Self::BuildArch),
    ];
}

/// A process's network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// What the build says; the sandbox's unless told otherwise.
    #[default]
    Default,
    /// Loopback alone.
    None,
    /// The host's.
    Host,
}

/// Something mounted for one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mount {
    /// Files of the context, a stage or an image.
    Bind {
        /// Where from.
        from: From,
        /// The path there.
        source: String,
        /// Where to.
        target: String,
        /// Whether writes are allowed; they are lost.
        writable: bool,
    },
    /// A folder that stays from build to build.
    Cache {
        /// Where to.
        target: String,
        /// Its name within project and platform.
        id: String,
        /// How several processes share it.
        sharing: Sharing,
        /// What it starts with: from where, and the path there.
        initial: Option<(From, String)>,
        /// The owner of an empty one.
        owner: MountOwner,
    },
    /// A secret of the client's.
    Secret {
        /// The client's name for it.
        id: String,
        /// The file.
        target: Option<String>,
        /// The environment variable.
        env: Option<String>,
        /// Whether the build fails without it.
        required: bool,
        /// The owner of the file.
        owner: MountOwner,
        /// A text that runs the process again when it changes.
        version: Option<String>,
    },
    /// An ssh agent of the client's.
    Ssh {
        /// The client's name for it.
        id: String,
        /// The socket, if not at the usual place.
        target: Option<String>,
        /// Whether the build fails without it.
        required: bool,
        /// The owner of the socket.
        owner: MountOwner,
    },
    /// A folder in memory.
    Tmpfs {
        /// Where to.
        target: String,
        /// The most that it holds, in bytes.
        size: Option<u64>,
    },
}

impl Mount {
    /// Where it is mounted; none for what is in the environment alone, or has its usual place.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Bind { target, .. } | Self::Cache { target, .. } | Self::Tmpfs { target, .. } => {
                Some(target)
            }
            Self::Secret { target, .. } | Self::Ssh { target, .. } => target.as_deref(),
        }
    }
}

/// Whose a mount is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MountOwner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Permission bits; those usual for its kind if unset.
    pub mode: Option<u32>,
}

/// How several processes share a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// All at once.
    #[default]
    Shared,
    /// Each its own.
    Private,
    /// One after the other.
    Locked,
}
