//! Questions that are none of building (`--call`). One table gives the dispatch, the answer to
//! `describe` and the list in the docs, so none can forget the other. What is answered is the
//! business of [`crate::describe`]; here it is asked for and sent.

mod answers;

use std::collections::BTreeMap;
use std::fmt::Write;

use buildkit_proto::frontend::{Ref, Result as BuildResult, result::Result as Body};
use serde_json::{Value, json};

use super::errors::Failure;
use super::gateway::Gateway;
use super::options::Options;
use crate::describe::Said;

/// A question.
pub(crate) struct Request {
    pub(crate) name: &'static str,
    version: &'static str,
    pub(crate) description: &'static str,
    /// Whether `--target` narrows the answer.
    takes_target: bool,
    question: Question,
}

/// What is asked.
#[derive(Clone, Copy)]
enum Question {
    Describe,
    Graph,
    Images,
    Lint,
    Llb,
    Outline,
    Plan,
    Schema,
    Targets,
}

/// All questions.
pub(crate) const REQUESTS: [Request; 9] = [
    Request {
        name: "frontend.outline",
        // Newer than what clients know, so that they show our text, which says more.
        version: "1.1.0",
        description: "List all parameters current build target supports",
        takes_target: true,
        question: Question::Outline,
    },
    Request {
        name: "frontend.targets",
        version: "1.0.0",
        description: "List all targets current build supports",
        takes_target: false,
        question: Question::Targets,
    },
    Request {
        name: "frontend.lint",
        version: "1.0.0",
        description: "Check the spec, without building anything",
        takes_target: true,
        question: Question::Lint,
    },
    Request {
        name: "frontend.convertllb",
        version: "0.1.0",
        description: "Convert the spec to LLB",
        takes_target: true,
        question: Question::Llb,
    },
    Request {
        name: "frontend.slipway.plan",
        version: "0.1.0",
        description: "Show every step that a build would take",
        takes_target: true,
        question: Question::Plan,
    },
    Request {
        name: "frontend.slipway.graph",
        version: "0.1.0",
        description: "Draw the stages, as Mermaid and as DOT",
        takes_target: true,
        question: Question::Graph,
    },
    Request {
        name: "frontend.slipway.images",
        version: "0.1.0",
        description: "List every image that builds need",
        takes_target: true,
        question: Question::Images,
    },
    Request {
        name: "frontend.slipway.schema",
        version: "0.1.0",
        description: "Give the JSON schema of a spec",
        takes_target: false,
        question: Question::Schema,
    },
    Request {
        name: "frontend.subrequests.describe",
        version: "1.0.0",
        description: "List available subrequest types",
        takes_target: false,
        question: Question::Describe,
    },
];

/// An answer, and whether it means that something is wrong.
struct Answer {
    said: Said,
    /// The exit status that clients take; none for answers without one.
    status: Option<u8>,
}

impl From<Said> for Answer {
    fn from(said: Said) -> Self {
        Self { said, status: None }
    }
}

/// Answers a question.
pub(super) async fn answer(gateway: &Gateway, options: &Options, id: &str) -> Result<BuildResult, Failure> {
    let Some(request) = REQUESTS.iter().find(|request| request.name == id) else {
        return Err(Failure::unsupported_request(id));
    };
    let Answer { said, status } = match request.question {
        Question::Describe => describe().into(),
        Question::Schema => answers::schema().into(),
        Question::Targets => answers::targets(gateway, options).await?.into(),
        Question::Lint => answers::lint(gateway, options).await?,
        Question::Outline => answers::outline(gateway, options).await?.into(),
        Question::Plan => answers::plan(gateway, options).await?.into(),
        Question::Graph => answers::graph(gateway, options).await?.into(),
        Question::Images => answers::images(gateway, options).await?.into(),
        Question::Llb => answers::llb(gateway, options).await?.into(),
    };
    let json = serde_json::to_vec_pretty(&said.json).unwrap_or_default();
    let mut metadata = BTreeMap::from([
        ("result.json".to_owned(), json),
        ("result.txt".to_owned(), said.text.into_bytes()),
        ("version".to_owned(), request.version.as_bytes().to_vec()),
    ]);
    if let Some(status) = status {
        metadata.insert("result.statuscode".to_owned(), status.to_string().into_bytes());
    }
    Ok(BuildResult { result: Some(Body::Ref(Ref::default())), metadata, ..BuildResult::default() })
}

fn describe() -> Said {
    let mut text = String::from("NAME VERSION DESCRIPTION\n");
    let mut list = Vec::new();
    for request in &REQUESTS {
        let short = request.name.trim_start_matches("frontend.");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{short} {} {}", request.version, request.description);
        let target = json!([{ "name": "target", "description": "Target component or stage" }]);
        list.push(json!({
            "name": request.name,
            "version": request.version,
            "type": "rpc",
            "description": request.description,
            "opts": if request.takes_target { target } else { Value::Null },
            "inputs": null,
            "metadata": [{ "name": "result.json", "description": "" }, { "name": "result.txt", "description": "" }],
            "refs": null,
        }));
    }
    Said { json: Value::Array(list), text }
}

#[cfg(test)]
mod tests {
    use super::REQUESTS;

    #[test]
    fn the_docs_list_every_request() {
        let docs = include_str!("../../../docs/requests.md");
        for request in &REQUESTS {
            let short = request.name.trim_start_matches("frontend.");
            assert!(docs.contains(&format!("| `--call={short}` |")), "{short}");
        }
    }
}
