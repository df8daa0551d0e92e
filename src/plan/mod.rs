//! The plan: what has to happen to make a component's image, in terms that are neither YAML
//! nor LLB. Everything that Slipway can say about a component is a function of its plan.
//!
//! A plan is a list of [`Stage`]s, each with a base and [`Step`]s, and the [`Image`] that the
//! last word is about. Every step has the place in the spec that asked for it and a name that
//! a person understands.

mod image;
mod print;

use std::fmt;

pub use image::{Health, Image, ROOT, RuntimeUser};

use crate::diagnostic::Span;
use crate::spec::values::CommandLine;

/// How a component's image is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The component's name.
    pub component: String,
    /// In an order in which each stage comes after those that it uses.
    pub stages: Vec<Stage>,
    /// The stage that is the image.
    pub runtime: String,
    /// What the image declares.
    pub image: Image,
    /// The most that the image may weigh, in bytes uncompressed, with the place that says so.
    pub size_limit: Option<(u64, Span)>,
    /// The component's folder in the build context; empty for the context itself.
    pub source: String,
}

impl Plan {
    /// The stage of this name.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }
}

/// A file system in the making.
#[derive(Clone, Debug, PartialEq)]
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
}

impl Stage {
    /// Everything that it copies or mounts from, with the place that asked.
    pub fn sources(&self) -> Vec<(&From, &Span)> {
        let mut found = Vec::new();
        for step in &self.steps {
            match &step.action {
                Action::Copy(copy) => found.push((&copy.from, &step.origin)),
                Action::Run(run) => found.extend(run.mounts.iter().filter_map(|mount| match mount {
                    Mount::Bind { from, .. } => Some((from, &step.origin)),
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StagePlatform {
    /// The machine's that builds.
    Build,
    /// The image's.
    #[default]
    Target,
}

/// One thing that happens in a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub action: Action,
    /// The place that asked for it.
    pub origin: Span,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
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
                for source in &copy.sources {
                    write!(f, "{source} ")?;
                }
                match &copy.from {
                    From::Context => {}
                    From::Stage(name) | From::Image(name) => write!(f, "from {name} ")?,
                }
                write!(f, "to {}", copy.target)
            }
            Self::Env { name, .. } => write!(f, "set {name}"),
            Self::MakeDir(dir) => write!(f, "make folder {}", dir.path),
            Self::Run(run) => write!(f, "{}", run.command),
            Self::Symlink { target, path } => write!(f, "link {path} to {target}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Workdir(path) => write!(f, "work in {path}"),
            Self::Write(file) => write!(f, "write {}", file.path),
        }
    }
}

/// Where files come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// The build context.
    #[default]
    Context,
    /// Another stage of the component.
    Stage(String),
    /// An image.
    Image(String),
}

/// Owner of files, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// A copy.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Patterns of what stays behind.
    pub exclude: Vec<String>,
    /// As a layer of its own, which does not depend on what lies below.
    pub link: bool,
}

/// A new folder.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What runs.
    pub command: CommandLine,
    /// Environment for it alone.
    pub env: Vec<(String, String)>,
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
            env: Vec::new(),
            mounts: Vec::new(),
            network: Network::Default,
            insecure: false,
            user: None,
        }
    }
}

/// A process's network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    },
    /// An ssh agent of the client's.
    Ssh {
        /// The client's name for it.
        id: String,
    },
    /// A folder in memory.
    Tmpfs {
        /// Where to.
        target: String,
    },
}

/// How several processes share a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// All at once.
    #[default]
    Shared,
    /// Each its own.
    Private,
    /// One after the other.
    Locked,
}
