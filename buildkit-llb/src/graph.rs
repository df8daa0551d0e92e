//! Operations on whole file systems: merge, diff, nested builds and pure dependencies.

use std::collections::BTreeMap;

use buildkit_proto::pb;

use crate::{Metadata, Output, vertex::Inputs};

/// The name of the input that holds the graph of a nested build.
pub const SOLVE_INPUT: &str = "buildkit.llb.definition";

/// Lays file systems over each other, lowest first. Each stays a layer of its own, so that a
/// new lower one leaves the upper ones as they are.
///
/// One file system is given back as it is; none is scratch (`None`).
pub fn merge(layers: &[Output], metadata: &Metadata) -> Option<Output> {
    let [first, rest @ ..] = layers else { return None };
    if rest.is_empty() {
        return Some(first.clone());
    }
    let mut inputs = Inputs::default();
    let layers = layers.iter().map(|layer| pb::MergeInput { input: inputs.push(layer) }).collect();
    let body = pb::op::Op::Merge(pb::MergeOp { inputs: layers });
    Some(Output { vertex: inputs.into_vertex(body, None, ["mergeop"], metadata), index: 0 })
}

/// What `upper` adds to `lower`; no lower one means scratch.
pub fn diff(lower: Option<&Output>, upper: Option<&Output>, metadata: &Metadata) -> Output {
    let mut inputs = Inputs::default();
    let body = pb::op::Op::Diff(pb::DiffOp {
        lower: Some(pb::LowerDiffInput { input: lower.map_or(-1, |lower| inputs.push(lower)) }),
        upper: Some(pb::UpperDiffInput { input: upper.map_or(-1, |upper| inputs.push(upper)) }),
    });
    Output { vertex: inputs.into_vertex(body, None, ["diffop"], metadata), index: 0 }
}

/// Builds the graph that is stored in a file of `definition` (by default the file
/// `buildkit.llb.definition`).
pub fn build(definition: &Output, filename: Option<&str>, metadata: &Metadata) -> Output {
    let mut inputs = Inputs::default();
    let input = pb::BuildInputEntry {
        key: Some(SOLVE_INPUT.to_owned()),
        value: Some(pb::BuildInput { input: inputs.index(definition) }),
    };
    let attrs: BTreeMap<&str, &str> = filename.map(|name| ("llbbuild.filename", name)).into_iter().collect();
    let body = pb::op::Op::Build(pb::BuildOp {
        builder: -1,
        inputs: vec![input],
        def: None,
        attrs: attrs
            .into_iter()
            .map(|(key, value)| pb::AttrEntry { key: Some(key.to_owned()), value: Some(value.to_owned()) })
            .collect(),
    });
    let caps = filename.map(|_| "source.buildop.llbfilename");
    Output { vertex: inputs.into_vertex(body, None, caps, metadata), index: 0 }
}

/// `result`, unchanged, once `others` are done too (BuildKit v0.31).
pub fn passthrough(id: &str, result: &Output, others: &[Output], metadata: &Metadata) -> Output {
    let mut inputs = Inputs::default();
    let index = inputs.index(result);
    for other in others {
        inputs.index(other);
    }
    let body = pb::op::Op::Passthrough(pb::PassthroughOp { id: id.to_owned(), outputs: vec![index] });
    Output { vertex: inputs.into_vertex(body, None, ["passthroughop"], metadata), index: 0 }
}
