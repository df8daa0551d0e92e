//! Probes, which ask what the health check asks.

use std::time::Duration;

use super::number;
use crate::bundle::Part;
use crate::plan::contract::Question;
use crate::spec::document::Written;
use crate::spec::filled;

/// Startup, readiness and liveness ask the same question as the health check.
pub(super) fn probes(part: &Part<'_>) -> Vec<(&'static str, Written)> {
    let promise = &part.plan.contract.promise;
    let env = |text: &str| filled(text, &promise.env);
    let asked = match &promise.health {
        Some(Question::Http { port, path, .. }) => {
            let Ok(port) = env(port).parse::<u16>() else { return Vec::new() };
            let get = Written::map([("path", Written::text(path.clone())), ("port", number(port.into()))]);
            ("httpGet", get)
        }
        Some(Question::Tcp { port }) => {
            let Ok(port) = env(port).parse::<u16>() else { return Vec::new() };
            ("tcpSocket", Written::map([("port", number(port.into()))]))
        }
        Some(Question::Command(words)) => {
            ("exec", Written::map([("command", Written::texts(words.iter().map(String::as_str)))]))
        }
        None => return Vec::new(),
    };
    let health = part.plan.image.health.as_ref();
    let seconds = |time: Option<Duration>, default: u64| time.map_or(default, |time| time.as_secs().max(1));
    let interval = seconds(health.and_then(|health| health.interval), 30);
    let timeout = seconds(health.and_then(|health| health.timeout), 30);
    let retries = u64::from(health.and_then(|health| health.retries).unwrap_or(3)).max(1);
    let start = seconds(health.and_then(|health| health.start_period), 0);
    let probe = |period: u64, failures: u64| {
        Written::map([
            (asked.0, asked.1.clone()),
            ("periodSeconds", number(period)),
            ("timeoutSeconds", number(timeout)),
            ("failureThreshold", number(failures)),
        ])
    };
    // As long as Compose would wait until it says unhealthy, asked more often.
    let allowed = start + interval * retries;
    let period = interval.min(5);
    vec![
        ("startupProbe", probe(period, allowed.div_ceil(period))),
        ("readinessProbe", probe(interval, 1)),
        ("livenessProbe", probe(interval, retries)),
    ]
}
