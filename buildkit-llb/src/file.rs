//! File: copies, new files and folders, removals and links, without running a process.

use buildkit_proto::pb;
use pb::file_action::Action;
use pb::user_opt::User as PbUser;

use crate::vertex::Inputs;
use crate::{Metadata, Output};

/// When a file says it was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timestamp {
    /// A copy keeps its source's; a new file gets the time of the build.
    #[default]
    Unset,
    /// Nanoseconds since 1970.
    Nanoseconds(i64),
}

impl Timestamp {
    fn to_pb(self) -> i64 {
        match self {
            Self::Unset => -1,
            Self::Nanoseconds(nanoseconds) => nanoseconds,
        }
    }
}

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// By number.
    Id(u32),
    /// By its name in `/etc/passwd` or `/etc/group` of the file system that is worked on. A name
    /// that is not there is root's number, silently: prefer numbers.
    Name(String),
}

/// The owner of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chown {
    /// The user.
    pub user: User,
    /// The group; with none, the group of the user's number.
    pub group: Option<User>,
}

impl Chown {
    /// User and group by number.
    pub fn ids(uid: u32, gid: u32) -> Self {
        Self { user: User::Id(uid), group: Some(User::Id(gid)) }
    }

    fn to_pb(&self, base: i64) -> pb::ChownOpt {
        let option = |user: &User| pb::UserOpt {
            user: Some(match user {
                User::Id(id) => PbUser::ById(*id),
                User::Name(name) => PbUser::ByName(pb::NamedUserOpt { name: name.clone(), input: base }),
            }),
        };
        pb::ChownOpt { user: Some(option(&self.user)), group: self.group.as_ref().map(option) }
    }
}

/// Copies from one file system to another. The setting is that of a Dockerfile's `COPY`:
/// links in the source path are followed, a folder's content is copied, the target's parents
/// are made, and wildcards may match nothing.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the wire format")]
pub struct Copy {
    /// The path in the source; may have wildcards.
    pub src: String,
    /// The path in the target. A trailing `/` means: into this folder.
    pub dest: String,
    /// The new owner; unset keeps the source's. (Files of a local source belong to root.)
    pub owner: Option<Chown>,
    /// New permission bits; unset keeps the source's.
    pub mode: Option<u32>,
    /// Copies only what matches.
    pub include: Vec<String>,
    /// Copies nothing that matches.
    pub exclude: Vec<String>,
    /// Follows a link at the end of `src`.
    pub follow_symlinks: bool,
    /// Copies a folder's content, not the folder.
    pub contents_only: bool,
    /// Unpacks a tar archive as `ADD` does.
    pub unpack: bool,
    /// Makes the folders above `dest`.
    pub create_parents: bool,
    /// Takes `*`, `?` and `[…]` in `src` for patterns.
    pub wildcards: bool,
    /// A pattern that matches nothing is no error.
    pub allow_no_match: bool,
    /// The time on the copies.
    pub timestamp: Timestamp,
}

impl Copy {
    /// A copy from `src` to `dest`.
    pub fn new(src: impl Into<String>, dest: impl Into<String>) -> Self {
        Self {
            src: src.into(),
            dest: dest.into(),
            owner: None,
            mode: None,
            include: Vec::new(),
            exclude: Vec::new(),
            follow_symlinks: true,
            contents_only: true,
            unpack: false,
            create_parents: true,
            wildcards: true,
            allow_no_match: true,
            timestamp: Timestamp::Unset,
        }
    }
}

/// A new file.
#[derive(Clone, Debug)]
pub struct MakeFile {
    /// Where; absolute.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Content; it travels inside the graph, so keep it small.
    pub data: Vec<u8>,
    /// The owner; root if unset.
    pub owner: Option<Chown>,
    /// The time on it.
    pub timestamp: Timestamp,
}

/// A new folder.
#[derive(Clone, Debug)]
pub struct MakeDir {
    /// Where; absolute.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Makes the folders above it; without, they must be there and it must not.
    pub parents: bool,
    /// The owner; root if unset.
    pub owner: Option<Chown>,
    /// The time on it.
    pub timestamp: Timestamp,
}

/// A removal, folders with their content. A link is removed, not followed.
#[derive(Clone, Debug)]
pub struct Remove {
    /// What; absolute.
    pub path: String,
    /// Nothing there is no error.
    pub allow_not_found: bool,
    /// Takes `*`, `?` and `[…]` for patterns.
    pub wildcards: bool,
}

/// A symbolic link.
#[derive(Clone, Debug)]
pub struct Symlink {
    /// What it points at.
    pub target: String,
    /// Where it is; absolute.
    pub link: String,
    /// The owner; root if unset.
    pub owner: Option<Chown>,
    /// The time on it.
    pub timestamp: Timestamp,
}

/// File actions on one file system, one after the other, as one vertex.
#[derive(Default)]
pub struct File {
    inputs: Inputs,
    base: i64,
    actions: Vec<Pending>,
    caps: Vec<&'static str>,
}

struct Pending {
    secondary: i64,
    action: Action,
}

impl File {
    /// Actions on this file system.
    pub fn on(base: &Output) -> Self {
        let mut inputs = Inputs::default();
        let base = inputs.index(base);
        Self { inputs, base, ..Self::default() }
    }

    /// Actions that start from nothing.
    pub fn on_scratch() -> Self {
        Self { base: -1, ..Self::default() }
    }

    /// Copies from `source`.
    #[must_use]
    pub fn copy(mut self, source: &Output, copy: Copy) -> Self {
        let secondary = self.inputs.index(source);
        if !copy.include.is_empty() || !copy.exclude.is_empty() {
            self.caps.push("file.copy.includeexcludepatterns");
        }
        let action = Action::Copy(pb::FileActionCopy {
            src: copy.src,
            dest: copy.dest,
            owner: copy.owner.map(|owner| owner.to_pb(self.base)),
            mode: copy.mode.map_or(-1, mode),
            follow_symlink: copy.follow_symlinks,
            dir_copy_contents: copy.contents_only,
            attempt_unpack_docker_compatibility: copy.unpack,
            create_dest_path: copy.create_parents,
            allow_wildcard: copy.wildcards,
            allow_empty_wildcard: copy.allow_no_match,
            timestamp: copy.timestamp.to_pb(),
            include_patterns: copy.include,
            exclude_patterns: copy.exclude,
            ..pb::FileActionCopy::default()
        });
        self.push(secondary, action)
    }

    /// Writes a file.
    #[must_use]
    pub fn make_file(self, file: MakeFile) -> Self {
        let action = Action::Mkfile(pb::FileActionMkFile {
            path: file.path,
            mode: mode(file.mode),
            data: file.data,
            owner: file.owner.map(|owner| owner.to_pb(self.base)),
            timestamp: file.timestamp.to_pb(),
        });
        self.push(-1, action)
    }

    /// Makes a folder.
    #[must_use]
    pub fn make_dir(self, dir: MakeDir) -> Self {
        let action = Action::Mkdir(pb::FileActionMkDir {
            path: dir.path,
            mode: mode(dir.mode),
            make_parents: dir.parents,
            owner: dir.owner.map(|owner| owner.to_pb(self.base)),
            timestamp: dir.timestamp.to_pb(),
        });
        self.push(-1, action)
    }

    /// Removes.
    #[must_use]
    pub fn remove(mut self, remove: Remove) -> Self {
        if remove.wildcards {
            self.caps.push("file.rm.wildcard");
        }
        let action = Action::Rm(pb::FileActionRm {
            path: remove.path,
            allow_not_found: remove.allow_not_found,
            allow_wildcard: remove.wildcards,
        });
        self.push(-1, action)
    }

    /// Makes a symbolic link.
    #[must_use]
    pub fn symlink(mut self, symlink: Symlink) -> Self {
        self.caps.push("file.symlink.create");
        let action = Action::Symlink(pb::FileActionSymlink {
            oldpath: symlink.target,
            newpath: symlink.link,
            owner: symlink.owner.map(|owner| owner.to_pb(self.base)),
            timestamp: symlink.timestamp.to_pb(),
        });
        self.push(-1, action)
    }

    fn push(mut self, secondary: i64, action: Action) -> Self {
        self.actions.push(Pending { secondary, action });
        self
    }

    /// Makes them a vertex. With no action there is no vertex to make: `None`.
    pub fn build(mut self, metadata: &Metadata) -> Option<Output> {
        self.caps.push("file.base");
        let inputs = self.inputs.len();
        let last = self.actions.len().checked_sub(1)?;
        let actions = (0..)
            .zip(self.actions)
            .map(|(index, pending)| pb::FileAction {
                // Each action works on what the one before it gave; those follow the inputs.
                input: if index == 0 { self.base } else { inputs + index - 1 },
                secondary_input: pending.secondary,
                output: if usize::try_from(index) == Ok(last) { 0 } else { -1 },
                action: Some(pending.action),
            })
            .collect();
        let vertex =
            self.inputs.into_vertex(pb::op::Op::File(pb::FileOp { actions }), None, self.caps, metadata);
        Some(Output { vertex, index: 0 })
    }
}

fn mode(bits: u32) -> i32 {
    i32::try_from(bits).unwrap_or(i32::MAX)
}
