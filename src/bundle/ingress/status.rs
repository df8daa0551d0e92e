//! Whether each service is well, as it is asked through the ingress.

use serde_json::json;

use super::super::{Part, System};
use crate::plan::contract::Question;
use crate::spec::routes::{Answer, Route};

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bundle) struct Check {
    /// The service.
    pub(in crate::bundle) service: String,
    /// The path at the ingress.
    pub(in crate::bundle) path: String,
    /// The statuses that are well.
    pub(in crate::bundle) expected: Vec<u16>,
}

/// A check for every service that can be asked through the ingress.
pub(in crate::bundle) fn checks(system: &System<'_>, ingress: &Part<'_>) -> Vec<Check> {
    let own = system.parts.iter().filter_map(|part| {
        if part.name() == ingress.name() {
            return question(part).map(|(path, expected)| Check {
                service: part.name().to_owned(),
                path,
                expected,
            });
        }
        of(part.name(), question(part).as_ref(), &ingress.routes)
    });
    let others = system.others().filter_map(|name| of(name, None, &ingress.routes));
    own.chain(others).collect()
}

/// Its health check, asked through the first route that leads to it.
fn of(service: &str, asked: Option<&(String, Vec<u16>)>, routes: &[Route]) -> Option<Check> {
    routes.iter().find_map(|route| {
        let Answer::Proxy { service: target, strip, .. } = &route.answer else { return None };
        if target != service {
            return None;
        }
        let (path, expected) = match asked {
            Some((path, expected)) if *strip => {
                (format!("{}{path}", route.path.trim_end_matches('/')), expected.clone())
            }
            Some((path, expected)) if path.starts_with(&route.path) => (path.clone(), expected.clone()),
            // Socket.IO's handshake; see its protocol's "HTTP long-polling".
            _ if route.path == "/socket.io/" => ("/socket.io/?EIO=4&transport=polling".to_owned(), vec![200]),
            // It answers, whatever it is.
            _ => (route.path.clone(), vec![200, 204, 301, 302, 307, 308, 400, 401, 403, 404, 405, 426]),
        };
        Some(Check { service: service.to_owned(), path, expected })
    })
}

/// The path that its health check asks, and the statuses that are well.
fn question(part: &Part<'_>) -> Option<(String, Vec<u16>)> {
    let Some(Question::Http { path, status, .. }) = &part.plan.contract.promise.health else { return None };
    let numbers = status.as_deref().unwrap_or("200").split(',').flat_map(|range| {
        let (from, to) = range.trim().split_once('-').unwrap_or((range.trim(), range.trim()));
        match (from.parse::<u16>(), to.parse::<u16>()) {
            (Ok(from), Ok(to)) if from <= to => (from..=to).collect(),
            _ => Vec::new(),
        }
    });
    Some((path.clone(), numbers.collect()))
}

/// All checks, for programs and pages.
pub(super) fn file(checks: &[Check]) -> String {
    let all: Vec<_> = checks.iter().map(as_json).collect();
    format!("{:#}\n", json!({ "statusChecks": all }))
}

/// One check, for programs and pages.
pub(in crate::bundle) fn as_json(check: &Check) -> serde_json::Value {
    json!({
        "id": check.service,
        "name": check.service,
        "url": check.path,
        "expectedStatuses": check.expected,
    })
}
