//! What went wrong, in the form that clients show: `google.rpc.Status` with BuildKit's typed
//! details. A detail is JSON under a type URL; the one for sources makes the client print the
//! spec's lines.

use std::any::Any;

use buildkit_proto::{Any as Detail, rpc};
use prost::Message;
use serde_json::json;
use tokio::task::JoinError;

use crate::diagnostic::{Code, Diagnostic, Span, Style, render_all, summary};

const TYPE_PREFIX: &str = "github.com/moby/buildkit/errdefs.";
/// `Unknown`: its message is shown as it is; any other code is put in front of it.
const UNKNOWN: i32 = 2;
const UNIMPLEMENTED: i32 = 12;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The spec, or what it asks for.
    Spec(Vec<Diagnostic>),
    /// BuildKit said no; its words, code and details are handed on.
    Rpc(rpc::Status),
}

impl Failure {
    /// One thing is wrong.
    pub(super) fn spec(diagnostic: Diagnostic) -> Self {
        Self::Spec(vec![diagnostic])
    }

    /// A call failed. The details travel in a trailer, as a `Status` of their own.
    #[allow(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
    pub(super) fn from_rpc(status: tonic::Status) -> Self {
        let details =
            rpc::Status::decode(status.details()).ok().map(|status| status.details).unwrap_or_default();
        let code = if status.code() == tonic::Code::Ok { UNKNOWN } else { i32::from(status.code()) };
        Self::Rpc(rpc::Status { code, message: status.message().to_owned(), details })
    }

    /// The same, at this place if it has none of its own. Without a place, clients blame the
    /// `# syntax=` line.
    pub(super) fn located(mut self, span: &Span) -> Self {
        match &mut self {
            Self::Spec(diagnostics) => {
                for diagnostic in diagnostics {
                    diagnostic.span.get_or_insert_with(|| span.clone());
                }
            }
            Self::Rpc(status) => {
                if !status.details.iter().any(|detail| detail.type_url.ends_with("errdefs.Source+json")) {
                    let place = Diagnostic::new(Code::Engine, "").at(span);
                    status.details.extend(source(&place));
                }
            }
        }
        self
    }

    /// The words, without their place.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Spec(diagnostics) => summary(diagnostics),
            Self::Rpc(status) => status.message.clone(),
        }
    }

    /// Our own code broke. The person who sees it should be able to report it.
    pub(super) fn panicked(stopped: JoinError) -> Self {
        let words = match stopped.try_into_panic() {
            Ok(panic) => panic_words(panic.as_ref()),
            Err(error) => error.to_string(),
        };
        Self::Rpc(rpc::Status {
            code: UNKNOWN,
            message: format!(
                "Slipway {} failed in a way that it should not: {words}\nThis is a defect of Slipway; please report it with your spec.",
                env!("CARGO_PKG_VERSION")
            ),
            details: Vec::new(),
        })
    }

    /// The client needs something that we do not have.
    pub(super) fn unsupported_capability(cap: &str) -> Self {
        let detail = detail("FrontendCap", &json!({ "name": cap }));
        let message = format!("unsupported frontend capability {cap}");
        Self::Rpc(rpc::Status { code: UNIMPLEMENTED, message, details: vec![detail] })
    }

    /// The client asks a question that we do not know.
    pub(super) fn unsupported_request(id: &str) -> Self {
        let detail = detail("Subrequest", &json!({ "name": id }));
        let message = format!("unsupported request {id}");
        Self::Rpc(rpc::Status { code: UNKNOWN, message, details: vec![detail] })
    }
}

fn panic_words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no words".to_owned())
}

impl From<Failure> for rpc::Status {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Rpc(status) => status,
            Failure::Spec(diagnostics) => Self {
                code: UNKNOWN,
                message: if shows_lines() {
                    summary(&diagnostics)
                } else {
                    render_all(&diagnostics, Style::Plain)
                },
                // One only: of several, clients show one, and not always the same.
                details: diagnostics.iter().find_map(source).into_iter().collect(),
            },
        }
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Spec(diagnostics)
    }
}

/// Whether clients of this engine show the lines that an error is about. Those before BuildKit 0.10
/// do not, and those leave no graph of the frontend's own image either.
fn shows_lines() -> bool {
    cfg!(test) || std::path::Path::new(super::graph::OWN_IMAGE).exists()
}

/// The lines of the file, as clients print them.
fn source(diagnostic: &Diagnostic) -> Option<Detail> {
    let span = diagnostic.span.as_ref()?;
    // A client that is told of a line beyond the file shows nothing at all.
    let lines = span.file.text.lines().count();
    if lines == 0 {
        return None;
    }
    let first = span.line().min(lines);
    // A mapping may be long; its first line is what a person looks for.
    let last = if diagnostic.code == Code::Syntax {
        first
    } else {
        span.last_line().clamp(first, lines).min(first + 5)
    };
    Some(detail(
        "Source",
        &json!({
            "info": {
                "filename": span.file.name,
                "language": "YAML",
                "data": base64(span.file.text.as_bytes()),
            },
            "ranges": [{ "start": { "line": first }, "end": { "line": last } }],
        }),
    ))
}

fn detail(name: &str, value: &serde_json::Value) -> Detail {
    Detail { type_url: format!("{TYPE_PREFIX}{name}+json"), value: value.to_string().into_bytes() }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
