//! What is said about a vertex without being part of it: its name, whether its cache may be
//! used, and the lines of the file that asked for it. None of it changes the vertex's digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkit_proto::pb;

/// The description key under which BuildKit finds a vertex's display name.
const CUSTOM_NAME: &str = "llb.customname";

/// Facts about one vertex; see the fields' setters.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    description: BTreeMap<String, String>,
    ignore_cache: bool,
    progress_group: Option<ProgressGroup>,
    resources: Option<pb::LinuxResources>,
    pub(crate) locations: Vec<Location>,
}

impl Metadata {
    /// A vertex that progress shows under this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self::default().describe(CUSTOM_NAME, name)
    }

    /// Adds a description entry, such as `com.docker.dockerfile.v1.command`.
    #[must_use]
    pub fn describe(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.description.insert(key.into(), value.into());
        self
    }

    /// Runs the vertex even if its result is cached; cache mounts of an exec start empty.
    #[must_use]
    pub fn ignore_cache(mut self, ignore: bool) -> Self {
        self.ignore_cache = ignore;
        self
    }

    /// Shows the vertex as part of a group in progress output.
    #[must_use]
    pub fn progress_group(mut self, group: ProgressGroup) -> Self {
        self.progress_group = Some(group);
        self
    }

    /// Limits an exec's resources (BuildKit v0.31); no part of its cache key.
    #[must_use]
    pub fn resources(mut self, resources: pb::LinuxResources) -> Self {
        self.resources = Some(resources);
        self
    }

    /// Names the lines that the vertex came from. BuildKit shows them when the vertex fails.
    #[must_use]
    pub fn location(mut self, location: Location) -> Self {
        self.locations.push(location);
        self
    }

    pub(crate) fn to_pb(&self, caps: impl IntoIterator<Item = &'static str>) -> pb::OpMetadata {
        let mut caps: BTreeMap<String, bool> = caps.into_iter().map(|cap| (cap.to_owned(), true)).collect();
        let mut need = |cap: &str| caps.insert(cap.to_owned(), true);
        if self.ignore_cache {
            need("meta.ignorecache");
        }
        if !self.description.is_empty() {
            need("meta.description");
        }
        if self.resources.is_some() {
            need("exec.meta.linux.resources");
        }
        pb::OpMetadata {
            ignore_cache: self.ignore_cache,
            description: self.description.clone(),
            export_cache: None,
            caps,
            progress_group: self.progress_group.clone().map(|group| pb::ProgressGroup {
                id: group.id,
                name: group.name,
                weak: group.weak,
            }),
            linux_resources: self.resources.clone(),
        }
    }
}

/// A group of vertices that progress shows as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgressGroup {
    /// What the vertices of a group share.
    pub id: String,
    /// What the group is called in progress output.
    pub name: String,
    /// A weak member does not open the group by itself.
    pub weak: bool,
}

/// A file that a graph was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceFile {
    /// The name that snippets carry.
    pub filename: String,
    /// The whole file: clients cut snippets out of it.
    pub data: Vec<u8>,
    /// Its language as GitHub's linguist calls it, such as `YAML`.
    pub language: String,
    /// The graph that loads the file, if one does.
    pub definition: Option<pb::Definition>,
}

impl SourceFile {
    /// The file as errors, warnings and source maps carry it.
    pub fn to_pb(&self) -> pb::SourceInfo {
        pb::SourceInfo {
            filename: self.filename.clone(),
            data: self.data.clone(),
            definition: self.definition.clone(),
            language: self.language.clone(),
        }
    }
}

/// Lines of a file, both ends included, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineRange {
    /// The first line.
    pub first: i32,
    /// The last line; the first one again for a single line.
    pub last: i32,
}

impl LineRange {
    /// Both ends are always set: clients dereference them.
    pub fn to_pb(self) -> pb::Range {
        let position = |line| Some(pb::Position { line, character: 0 });
        pb::Range { start: position(self.first), end: position(self.last) }
    }
}

/// Where a vertex came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The lines in it; at least one range.
    pub ranges: Vec<LineRange>,
}

impl Location {
    pub(crate) fn to_pb(&self, source_index: i32) -> pb::Location {
        pb::Location { source_index, ranges: self.ranges.iter().map(|range| range.to_pb()).collect() }
    }
}
