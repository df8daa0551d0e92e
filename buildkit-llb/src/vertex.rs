//! Vertices and the outputs that point at them: how operations become a graph, and a graph
//! becomes a [`Definition`].

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkit_proto::{digest, pb};
use pb::Definition;

use crate::metadata::{Location, Metadata, SourceFile};

/// One operation, encoded. Its identity is the digest of its bytes.
#[derive(Debug)]
pub(crate) struct Vertex {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: String,
    pub(crate) inputs: Vec<Output>,
    pub(crate) metadata: pb::OpMetadata,
    pub(crate) locations: Vec<Location>,
}

/// The result of an operation: a file system that later operations can use.
///
/// Equal graphs give equal outputs, whenever and in whatever order they were built.
#[derive(Clone, Debug)]
pub struct Output {
    pub(crate) vertex: Arc<Vertex>,
    pub(crate) index: i64,
}

impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.vertex.digest == other.vertex.digest
    }
}

impl Eq for Output {}

impl Output {
    /// The digest of the vertex that gives this output (`sha256:…`). It names the vertex in
    /// progress, in source maps and in warnings.
    pub fn digest(&self) -> &str {
        &self.vertex.digest
    }

    /// The canonical bytes of the vertex that gives this output.
    pub fn op_bytes(&self) -> &[u8] {
        &self.vertex.bytes
    }

    /// The same output, with these lines added to what is known of where its vertex came from.
    #[must_use]
    pub fn with_locations(&self, locations: &[Location]) -> Self {
        let vertex = &self.vertex;
        let vertex = Vertex {
            bytes: vertex.bytes.clone(),
            digest: vertex.digest.clone(),
            inputs: vertex.inputs.clone(),
            metadata: vertex.metadata.clone(),
            locations: vertex.locations.iter().chain(locations).cloned().collect(),
        };
        Self { vertex: Arc::new(vertex), index: self.index }
    }

    /// The graph below this output, ready to be solved.
    ///
    /// Dependencies come first, each vertex once, in the order of a walk over the inputs; the
    /// last op points at this output. Every op has metadata. The same graph gives the same
    /// definition.
    pub fn marshal(&self) -> Definition {
        let mut walk = Walk::default();
        walk.visit(&self.vertex);
        walk.finish(self)
    }
}

/// Collects the operands of one operation; the same output used twice is one input.
#[derive(Default)]
pub(crate) struct Inputs(Vec<Output>);

impl Inputs {
    /// The index under which the operation refers to this output.
    pub(crate) fn index(&mut self, output: &Output) -> i64 {
        let position = self.0.iter().position(|known| known == output).unwrap_or_else(|| {
            self.0.push(output.clone());
            self.0.len() - 1
        });
        i64::try_from(position).unwrap_or(i64::MAX)
    }

    /// Likewise, with -1 for "nothing", which is how LLB says scratch.
    pub(crate) fn index_or_scratch(&mut self, output: Option<&Output>) -> i64 {
        output.map_or(-1, |output| self.index(output))
    }

    /// An input of its own, also for an output that is there already.
    ///
    /// Merge and diff need it: BuildKit takes their inputs by position, and a diff of something
    /// with itself, written with one input, makes the whole daemon panic (seen with 28.5).
    pub(crate) fn push(&mut self, output: &Output) -> i64 {
        self.0.push(output.clone());
        self.len() - 1
    }

    /// The number of inputs so far.
    pub(crate) fn len(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX)
    }

    /// Encodes the operation over these inputs.
    pub(crate) fn into_vertex(
        self,
        body: pb::op::Op,
        platform: Option<pb::Platform>,
        caps: impl IntoIterator<Item = &'static str>,
        metadata: &Metadata,
    ) -> Arc<Vertex> {
        self.into_constrained(body, platform, None, caps, metadata)
    }

    /// Likewise, with constraints on the worker.
    pub(crate) fn into_constrained(
        self,
        body: pb::op::Op,
        platform: Option<pb::Platform>,
        constraints: Option<pb::WorkerConstraints>,
        caps: impl IntoIterator<Item = &'static str>,
        metadata: &Metadata,
    ) -> Arc<Vertex> {
        let op = pb::Op {
            inputs: self
                .0
                .iter()
                .map(|output| pb::Input { digest: output.vertex.digest.clone(), index: output.index })
                .collect(),
            platform,
            constraints,
            op: Some(body),
        };
        let bytes = op.to_canonical_bytes();
        Arc::new(Vertex {
            digest: digest(&bytes),
            bytes,
            inputs: self.0,
            metadata: metadata.to_pb(caps),
            locations: metadata.locations.clone(),
        })
    }
}

/// A walk over a graph that visits each vertex once, after its inputs.
#[derive(Default)]
struct Walk<'a> {
    order: Vec<&'a Vertex>,
    /// By digest; vertices that are equal but were described differently are joined here.
    metadata: BTreeMap<&'a str, pb::OpMetadata>,
    locations: BTreeMap<&'a str, Vec<&'a Location>>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, top: &'a Arc<Vertex>) {
        // A stack of our own: a graph may be deeper than a thread's stack.
        let mut stack = vec![(top, false)];
        while let Some((vertex, inputs_done)) = stack.pop() {
            if inputs_done {
                self.order.push(vertex);
                continue;
            }
            let seen = self.describe(vertex);
            if seen {
                continue;
            }
            stack.push((vertex, true));
            stack.extend(vertex.inputs.iter().rev().map(|input| (&input.vertex, false)));
        }
    }

    /// Adds what is said about the vertex; whether it had been met before.
    fn describe(&mut self, vertex: &'a Vertex) -> bool {
        let digest = vertex.digest.as_str();
        let known = self.locations.entry(digest).or_default();
        for location in &vertex.locations {
            if !known.contains(&location) {
                known.push(location);
            }
        }
        let Some(metadata) = self.metadata.get_mut(digest) else {
            self.metadata.insert(digest, vertex.metadata.clone());
            return false;
        };
        metadata.caps.extend(vertex.metadata.caps.clone());
        metadata.ignore_cache |= vertex.metadata.ignore_cache;
        true
    }

    fn finish(self, result: &Output) -> Definition {
        let terminal = pb::Op {
            inputs: vec![pb::Input { digest: result.vertex.digest.clone(), index: result.index }],
            ..pb::Op::default()
        }
        .to_canonical_bytes();

        let mut metadata: BTreeMap<String, pb::OpMetadata> =
            self.metadata.into_iter().map(|(digest, metadata)| (digest.to_owned(), metadata)).collect();
        let caps = ["constraints", "platform"].map(|cap| (cap.to_owned(), true)).into();
        metadata.insert(digest(&terminal), pb::OpMetadata { caps, ..pb::OpMetadata::default() });

        let mut def: Vec<Vec<u8>> = self.order.iter().map(|vertex| vertex.bytes.clone()).collect();
        def.push(terminal);
        let mut order: Vec<&str> = self.order.iter().map(|vertex| vertex.digest.as_str()).collect();
        order.reverse();
        Definition { def, metadata, source: source(&order, &self.locations) }
    }
}

/// The source map: each file once, each vertex with the lines that it came from.
fn source(order: &[&str], locations: &BTreeMap<&str, Vec<&Location>>) -> Option<pb::Source> {
    let mut files: Vec<&SourceFile> = Vec::new();
    let mut source = pb::Source::default();
    for digest in order {
        let of_vertex: Vec<pb::Location> = locations[digest]
            .iter()
            .map(|location| {
                let file = location.file.as_ref();
                let index = files.iter().position(|known| *known == file).unwrap_or_else(|| {
                    files.push(file);
                    files.len() - 1
                });
                location.to_pb(i32::try_from(index).unwrap_or(i32::MAX))
            })
            .collect();
        if !of_vertex.is_empty() {
            source.locations.insert((*digest).to_owned(), pb::Locations { locations: of_vertex });
        }
    }
    source.infos = files.into_iter().map(SourceFile::to_pb).collect();
    (!source.infos.is_empty()).then_some(source)
}
