//! Questions that are none of building (`--call`). One table gives both the dispatch and the
//! answer to `describe`, so neither can forget the other.

use std::collections::BTreeMap;
use std::fmt::Write;

use buildkit_proto::frontend::{Ref, Result as BuildResult, result::Result as Body};
use serde_json::{Value, json};

use super::build::{plan_alone, spec_alone};
use super::errors::Failure;
use super::gateway::Gateway;
use super::options::Options;
use super::outline;
use crate::spec::Spec;

/// A question.
struct Request {
    name: &'static str,
    version: &'static str,
    description: &'static str,
    answer: Answer,
}

/// How a question is answered: for programs, and for people.
enum Answer {
    /// From nothing.
    Alone(fn() -> (Value, String)),
    /// From the spec.
    Spec(fn(&Spec, &[u8]) -> (Value, String)),
    /// From the plan of the target.
    Plan(fn(&outline::Planned<'_>) -> (Value, String)),
}

const REQUESTS: [Request; 3] = [
    Request {
        name: "frontend.outline",
        // Newer than what clients know, so that they show our text, which says more.
        version: "1.1.0",
        description: "List all parameters current build target supports",
        answer: Answer::Plan(outline::outline),
    },
    Request {
        name: "frontend.targets",
        version: "1.0.0",
        description: "List all targets current build supports",
        answer: Answer::Spec(targets),
    },
    Request {
        name: "frontend.subrequests.describe",
        version: "1.0.0",
        description: "List available subrequest types",
        answer: Answer::Alone(describe),
    },
];

/// Answers a question.
pub(super) async fn answer(gateway: &Gateway, options: &Options, id: &str) -> Result<BuildResult, Failure> {
    let Some(request) = REQUESTS.iter().find(|request| request.name == id) else {
        return Err(Failure::unsupported_request(id));
    };
    let (json, text) = match request.answer {
        Answer::Alone(answer) => answer(),
        Answer::Spec(answer) => {
            let (spec, file) = spec_alone(gateway, options).await?;
            answer(&spec, &file.data)
        }
        Answer::Plan(answer) => plan_alone(gateway, options, answer).await?,
    };
    let json = serde_json::to_vec_pretty(&json).unwrap_or_default();
    let metadata = BTreeMap::from([
        ("result.json".to_owned(), json),
        ("result.txt".to_owned(), text.into_bytes()),
        ("version".to_owned(), request.version.as_bytes().to_vec()),
    ]);
    Ok(BuildResult { result: Some(Body::Ref(Ref::default())), metadata, ..BuildResult::default() })
}

fn describe() -> (Value, String) {
    let mut text = String::from("NAME VERSION DESCRIPTION\n");
    let mut list = Vec::new();
    for request in &REQUESTS {
        let short = request.name.trim_start_matches("frontend.");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{short} {} {}", request.version, request.description);
        list.push(json!({
            "name": request.name,
            "version": request.version,
            "type": "rpc",
            "description": request.description,
            "opts": null,
            "inputs": null,
            "metadata": [{ "name": "result.json", "description": "" }, { "name": "result.txt", "description": "" }],
            "refs": null,
        }));
    }
    (Value::Array(list), text)
}

fn targets(spec: &Spec, data: &[u8]) -> (Value, String) {
    use base64::Engine;
    let only = spec.components.len() == 1;
    let mut text = String::from("TARGET DESCRIPTION\n");
    let mut list = Vec::new();
    for service in &spec.components {
        let made_by = match (&service.component.recipe, &service.component.stages) {
            (Some(recipe), _) => format!("recipe {}", recipe.value),
            (None, Some(_)) => "hand-written stages".to_owned(),
            (None, None) => "by what its folder holds".to_owned(),
        };
        let line = service.name.span.line();
        let _ = writeln!(text, "{}{} {made_by}", service.name.value, if only { " (default)" } else { "" });
        let mut target = json!({
            "name": service.name.value,
            "description": made_by,
            "location": { "sourceIndex": 0, "ranges": [{ "start": { "line": line }, "end": { "line": line } }] },
        });
        if only {
            target["default"] = json!(true);
        }
        list.push(target);
    }
    let source = base64::engine::general_purpose::STANDARD.encode(data);
    (json!({ "targets": list, "sources": [source] }), text)
}
