//! What an image declares.

use std::time::Duration;

use super::Making;
use super::text::{quoted, words};
use crate::plan::Image;

impl Making<'_> {
    pub(super) fn declare(&mut self, image: &Image) {
        for (name, value) in &image.env {
            self.text.line(&format!("ENV {name}={}", quoted(value)));
        }
        if let Some(path) = &image.working_dir {
            self.text.line(&format!("WORKDIR {}", quoted(path)));
        }
        if let Some(user) = &image.user {
            self.text.line(&format!("USER {}", user.config()));
        }
        for port in image.ports.iter().flatten() {
            self.text.line(&format!("EXPOSE {port}"));
        }
        if !image.volumes.is_empty() {
            self.text.line(&format!("VOLUME {}", words(&image.volumes)));
        }
        if let Some(signal) = &image.stop_signal {
            self.text.line(&format!("STOPSIGNAL {signal}"));
        }
        if let Some(health) = &image.health {
            let mut line = "HEALTHCHECK".to_owned();
            for (flag, time) in [
                ("interval", health.interval),
                ("timeout", health.timeout),
                ("start-period", health.start_period),
                ("start-interval", health.start_interval),
            ] {
                line += &time.map(|time| format!(" --{flag}={}", duration(time))).unwrap_or_default();
            }
            line += &health.retries.map(|retries| format!(" --retries={retries}")).unwrap_or_default();
            let test = match health.test.as_slice() {
                [kind, rest @ ..] if kind == "CMD" => format!(" CMD {}", words(rest)),
                [kind, text] if kind == "CMD-SHELL" => format!(" CMD {text}"),
                _ => " NONE".to_owned(),
            };
            self.text.line(&(if test == " NONE" { "HEALTHCHECK NONE".to_owned() } else { line + &test }));
        }
        if let Some(entrypoint) = &image.entrypoint {
            self.text.line(&format!("ENTRYPOINT {}", words(entrypoint)));
        }
        if let Some(command) = &image.command {
            self.text.line(&format!("CMD {}", words(command)));
        }
        for (name, value) in &image.labels {
            self.text.line(&format!("LABEL {}={}", quoted(name), quoted(value)));
        }
    }
}

/// As Go writes it, in the largest unit that leaves no rest.
fn duration(time: Duration) -> String {
    let nanoseconds = time.as_nanos();
    for (unit, name) in [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")] {
        if nanoseconds.is_multiple_of(unit) {
            return format!("{}{name}", nanoseconds / unit);
        }
    }
    format!("{nanoseconds}ns")
}
