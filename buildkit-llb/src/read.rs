//! Reading a definition back: graphs that others made, to be used as part of one's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use buildkit_proto::{digest, pb};
use pb::Definition;
use prost::Message;

use crate::metadata::{LineRange, Location, SourceFile};
use crate::{Output, vertex::Vertex};

/// Why a definition is no graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The op at this place does not decode.
    Malformed(usize),
    /// An op uses a vertex that is not in the definition, or is part of a circle.
    UnknownInput(String),
    /// The last op is none that points at a result.
    NoResult,
    /// An input's index is negative.
    NegativeIndex,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(place) => write!(f, "op {place} of the definition is malformed"),
            Self::UnknownInput(digest) => {
                write!(f, "the definition uses {digest}, which it does not contain")
            }
            Self::NoResult => f.write_str("the definition's last op does not point at a result"),
            Self::NegativeIndex => f.write_str("the definition has an input with a negative index"),
        }
    }
}

impl std::error::Error for ReadError {}

/// The result that a definition points at, with the graph below it. An empty definition is
/// scratch: `None`.
///
/// Bytes, metadata and source locations are kept as they are, so that marshalling gives an
/// equal graph.
pub fn read(definition: &Definition) -> Result<Option<Output>, ReadError> {
    let Some((terminal, rest)) = definition.def.split_last() else { return Ok(None) };
    let ops = rest
        .iter()
        .enumerate()
        .map(|(place, bytes)| {
            let op = pb::Op::decode(bytes.as_slice()).map_err(|_| ReadError::Malformed(place))?;
            Ok((digest(bytes), (bytes, op)))
        })
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let terminal = pb::Op::decode(terminal.as_slice()).map_err(|_| ReadError::Malformed(rest.len()))?;
    let (None, [result]) = (&terminal.op, terminal.inputs.as_slice()) else {
        return Err(ReadError::NoResult);
    };

    let mut reader = Reader { definition, ops, files: files(definition), done: BTreeMap::new() };
    reader.vertices(&result.digest)?;
    reader.output(result).map(Some)
}

fn files(definition: &Definition) -> Vec<Arc<SourceFile>> {
    let infos = definition.source.iter().flat_map(|source| &source.infos);
    infos
        .map(|info| {
            Arc::new(SourceFile {
                filename: info.filename.clone(),
                data: info.data.clone(),
                language: info.language.clone(),
                definition: info.definition.clone(),
            })
        })
        .collect()
}

struct Reader<'a> {
    definition: &'a Definition,
    ops: BTreeMap<String, (&'a Vec<u8>, pb::Op)>,
    files: Vec<Arc<SourceFile>>,
    done: BTreeMap<String, Arc<Vertex>>,
}

impl Reader<'_> {
    /// Makes the vertex and all below it, inputs first, without recursion.
    fn vertices(&mut self, top: &str) -> Result<(), ReadError> {
        let mut open = BTreeSet::new();
        let mut stack = vec![top.to_owned()];
        while let Some(digest) = stack.last().cloned() {
            if self.done.contains_key(&digest) {
                stack.pop();
                continue;
            }
            let Some((bytes, op)) = self.ops.get(&digest) else {
                return Err(ReadError::UnknownInput(digest));
            };
            let missing: Vec<String> = op
                .inputs
                .iter()
                .map(|input| &input.digest)
                .filter(|input| !self.done.contains_key(*input))
                .cloned()
                .collect();
            if missing.is_empty() {
                let inputs = op.inputs.iter().map(|input| self.output(input)).collect::<Result<_, _>>()?;
                let vertex = Vertex {
                    bytes: (*bytes).clone(),
                    digest: digest.clone(),
                    inputs,
                    metadata: self.definition.metadata.get(&digest).cloned().unwrap_or_default(),
                    locations: self.locations(&digest),
                };
                self.done.insert(digest, Arc::new(vertex));
                stack.pop();
            } else if open.insert(digest.clone()) {
                stack.extend(missing);
            } else {
                return Err(ReadError::UnknownInput(digest));
            }
        }
        Ok(())
    }

    fn output(&self, input: &pb::Input) -> Result<Output, ReadError> {
        if input.index < 0 {
            return Err(ReadError::NegativeIndex);
        }
        let vertex =
            self.done.get(&input.digest).ok_or_else(|| ReadError::UnknownInput(input.digest.clone()))?;
        Ok(Output { vertex: vertex.clone(), index: input.index })
    }

    fn locations(&self, digest: &str) -> Vec<Location> {
        let source = self.definition.source.as_ref();
        let locations = source.and_then(|source| source.locations.get(digest));
        let line = |position: &Option<pb::Position>| position.as_ref().map_or(0, |position| position.line);
        locations
            .iter()
            .flat_map(|locations| &locations.locations)
            .filter_map(|location| {
                let file = self.files.get(usize::try_from(location.source_index).ok()?)?.clone();
                let ranges = location
                    .ranges
                    .iter()
                    .map(|range| LineRange { first: line(&range.start), last: line(&range.end) });
                Some(Location { file, ranges: ranges.collect() })
            })
            .collect()
    }
}
