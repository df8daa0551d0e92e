//! The target `:dockerfiles`: each component as a Dockerfile with its ignore file, as files.

use std::collections::BTreeMap;

use buildkit_llb::{File, MakeDir, MakeFile, Metadata, Timestamp};
use buildkit_proto::frontend::Result as BuildResult;

use super::errors::Failure;
use super::graph::{Graph, Wanted};
use super::result::{Solved, result};
use super::session::Session;
use super::warnings::warn_and_stop;
use crate::lower::dockerfile::{Setting, eject};
use crate::plan::Report;
use crate::spec::Service;

/// The name of each Dockerfile, in a folder of the component's name.
const NAME: &str = "Dockerfile.compose";
/// What the first line of a spec names, unless it names another.
const FRONTEND: &str = "slipway/frontend:0";

/// Writes them.
pub(super) async fn build(session: Session<'_>, services: &[&Service]) -> Result<BuildResult, Failure> {
    let Session { gateway, caps, project, .. } = session;
    let timestamp = Timestamp::Nanoseconds(0);
    let mut files = File::on_scratch();
    let mut platform = None;
    for service in services {
        let planned = project.plan(service).await?;
        warn_and_stop(gateway, caps, &project.file, project.problems_of(service)).await?;
        let plan = planned.plan.clone();
        let stage = plan.runtime.clone();
        let wanted = Wanted { planned, stage, proves: false };
        let graph = Graph::of(session, service, wanted, None).await?;
        let setting = Setting {
            spec: &project.file.source.filename,
            frontend: frontend(&project.spec.file.text),
            lock: project.spec.lock.as_ref(),
            paths: &graph.search_paths(&graph.host)?,
            ignore: &project.ignore,
        };
        let ejected = eject(&plan, &setting);
        let path = format!("/{}", plan.component);
        files = files.make_dir(MakeDir {
            path: path.clone(),
            mode: 0o755,
            parents: true,
            owner: None,
            timestamp,
        });
        for (name, content) in
            [(NAME.to_owned(), ejected.dockerfile), (format!("{NAME}.dockerignore"), ejected.ignore)]
        {
            let data = content.into_bytes();
            files = files.make_file(MakeFile {
                path: format!("{path}/{name}"),
                mode: 0o644,
                data,
                owner: None,
                timestamp,
            });
        }
        platform = Some(graph.host.clone());
    }
    let host = platform.unwrap_or_else(|| buildkit_llb::Platform::linux("amd64"));
    let output = files.build(&Metadata::named("[dockerfiles] write"));
    let reference = gateway.solve(output.as_ref(), &[]).await?.0;
    let solved = Solved::files(reference, &host);
    let lines: Vec<String> = services
        .iter()
        .map(|service| format!("docker buildx build -f {}/{NAME} .", service.name.value))
        .collect();
    let report = Report { text: lines.join("\n"), details: serde_json::json!(lines) };
    Ok(result(&[host], vec![solved], false, Some(report), &BTreeMap::new(), None))
}

/// The image that the spec's first line names.
fn frontend(text: &str) -> &str {
    let first = text.lines().next().unwrap_or_default();
    let named = first.trim_start_matches('#').trim().strip_prefix("syntax=").map(str::trim);
    named.and_then(|named| named.split_whitespace().next()).unwrap_or(FRONTEND)
}
