//! A build: the spec is read, the target chosen, its plan made and lowered, the graph solved.

use std::collections::BTreeMap;

use buildkit_llb::Platform;
use buildkit_proto::frontend::Result as BuildResult;
use futures_util::future::try_join_all;

use super::bundle;
use super::dockerfiles;
use super::epoch;
use super::errors::Failure;
use super::gateway::{Capabilities, Gateway};
use super::graph::{Graph, Wanted};
use super::lock;
use super::options::Options;
use super::project::Project;
use super::proof;
use super::result::{Solved, result};
use super::sbom::Scanner;
use super::session::Session;
use super::warnings::warn_and_stop;
use crate::bundle::Kind;
use crate::diagnostic::{Code, Diagnostic, Level};
use crate::target::{Files, Goal, Target};

/// Builds what the client asked for.
pub(super) async fn build(gateway: &Gateway, options: &Options) -> Result<BuildResult, Failure> {
    let (caps, project) = tokio::try_join!(gateway.ping(), Project::open(gateway, options))?;
    can_build(&caps)?;
    let session = Session { gateway, options, caps: &caps, project: &project };
    match Goal::choose(&project.spec, &project.problems, options.target())? {
        Goal::Stage(target) => {
            build_target(session, &target).await.map_err(|failure| failure.located(&target.service.name.span))
        }
        Goal::All => bundle::build(session, Kind::Bundle, true).await,
        Goal::Files(services, files) => {
            let built = match files {
                Files::Dockerfiles => dockerfiles::build(session, &services).await,
                Files::Lock => lock::build(session, &services).await,
                Files::Verify => proof::build(session, &services, false).await,
                Files::Report => proof::build(session, &services, true).await,
                Files::Project(kind) => bundle::build(session, kind, false).await,
            };
            built.map_err(|failure| match services.as_slice() {
                [only] => failure.located(&only.name.span),
                _ => failure,
            })
        }
    }
}

/// Below this, nothing works.
pub(super) fn can_build(caps: &Capabilities) -> Result<(), Failure> {
    if caps.llb("file.base") {
        return Ok(());
    }
    Err(Failure::spec(
        Diagnostic::new(Code::Engine, "this engine is too old to build with")
            .help("BuildKit 0.5 or newer is needed"),
    ))
}

async fn build_target(session: Session<'_>, target: &Target<'_>) -> Result<BuildResult, Failure> {
    let Session { gateway, options, caps, project } = session;
    let service = target.service;
    let problems = project.problems_of(service);
    // What is wrong with the file is said before anything is asked of its folders.
    if problems.iter().any(Diagnostic::is_error) {
        warn_and_stop(gateway, caps, &project.file, problems).await?;
        return Err(Failure::spec(Diagnostic::new(Code::Value, "the spec has errors")));
    }
    let planned = project.plan(service).await?;
    let stage = target.stage(&planned.plan)?;
    let mut problems = problems;
    problems.extend(project.lint(service, &planned));
    let is_image = stage == planned.plan.runtime;

    let epoch = epoch::find(gateway, options, caps).await?;
    let graph = Graph::of(session, service, Wanted { planned, stage, proves: false }, epoch).await?;
    problems.extend(project.levelled(graph.foreign_bases()));
    let findings = problems.iter().filter(|problem| problem.level == Level::Warn).count();
    warn_and_stop(gateway, caps, &project.file, problems).await?;

    let scanner = Scanner::of(gateway, options, caps, &graph).await?;
    let solve = |platform: &Platform| {
        let (graph, scanner, platform) = (&graph, scanner.as_ref(), platform.clone());
        async move {
            let mut lowered = graph.lowered(&platform)?;
            lowered.config.add_labels(&options.labels());
            let json = lowered.config.to_json(&platform).map_err(|error| {
                Failure::spec(Diagnostic::new(
                    Code::Engine,
                    format!("the image configuration cannot be written: {error}"),
                ))
            })?;
            let reference = match &lowered.output {
                None => String::new(),
                Some(output) => {
                    let definition = graph.definition(output)?;
                    gateway.solve_definition(definition, &options.cache_imports()?).await?.0
                }
            };
            let sbom = match (scanner, &lowered.output) {
                (Some(scanner), Some(output)) => scanner.scan(gateway, graph, output, &platform).await?,
                _ => None,
            };
            let proof = match &lowered.proof {
                Some(proof) => Some(proof::required(gateway, graph, proof, options).await?),
                None => None,
            };
            let (found, proof) =
                proof.map_or((None, None), |(found, reference)| (Some(found), Some(reference.0)));
            let proof = proof.filter(|_| options.wants_attestations());
            let solved = Solved { reference, config: json, base_config: lowered.base_config, sbom, proof };
            Ok::<_, Failure>((solved, found))
        }
    };
    let solved = try_join_all(graph.platforms.iter().map(solve)).await?;
    let (solved, found): (Vec<_>, Vec<_>) = solved.into_iter().unzip();
    let found: Vec<_> = found.into_iter().flatten().collect();
    let plan = graph.plan().filter(|_| is_image);
    let report = plan.map(|plan| plan.report(findings, &graph.digests(), &proof::summaries(&found)));
    let none = BTreeMap::new();
    let annotations = plan.map_or(&none, |plan| &plan.image.annotations);
    Ok(result(&graph.platforms, solved, graph.multi, report, annotations, epoch))
}
