//! `contract`: what an image promises. `:verify` proves it inside the build. What Compose says
//! already (health check, ports, user, `tmpfs`, stop signal, `${VAR:?}`) need not be said again.

use std::time::Duration;

use serde_json::Value as Json;

use super::reader::{FromNode, Located, Reader, record, short_or_mapping};
use super::schema::{self, Definitions};
use super::values::{Bytes, OneOrMany, Pairs, Words};
use super::yaml::Node;

record! {
    /// What the image promises.
    closed "`contract`" struct Contract {
        /// Files that may be there or be set-uid though a rule would forbid them; patterns.
        allow: OneOrMany,
        /// Environment of the program while it is verified, beside that of the service.
        env: Pairs,
        /// Paths that must exist.
        exists: OneOrMany,
        /// What must not be there.
        forbid: Option<ForbidContract>,
        /// How to tell that it works.
        health: Option<HealthContract>,
        /// What its logs say.
        logs: Option<LogsContract>,
        /// Variables that it runs without, with the values that it then takes.
        optional: Pairs,
        /// Whether it runs on a root file system that refuses writes; it does unless this says no.
        read_only: Option<Located<bool>>,
        /// Variables without which it must not start, beside those that the service gives as
        /// `${NAME:?}`.
        required: OneOrMany,
        /// Whether it may run as root.
        root: Option<Located<bool>>,
        /// Calls that end by themselves: of a command-line program, of a job.
        runs: Vec<RunContract>,
        /// Variables whose values must not be in the image, beside those that are required.
        secrets: OneOrMany,
        /// The most that it may weigh.
        size: Option<SizeContract>,
        /// How it stops. Compose has the signal (`stop_signal`) and the time (`stop_grace_period`).
        stop: Option<StopContract>,
        /// Services that have to run beside it.
        with: Vec<WithSpec>,
        /// Paths that it writes to, beside the service's `tmpfs` and volumes.
        writable: OneOrMany,
    }
}

record! {
    /// How to tell that a component works. Compose's `healthcheck` has the times.
    closed "`health`" struct HealthContract {
        /// A path that answers GET with a status of 200 to 299, redirects followed.
        http: Option<Located<String>>,
        /// A port that accepts connections.
        tcp: Option<Located<PortChoice>>,
        /// The port of `http`; by default the only one that the service exposes.
        port: Option<Located<PortChoice>>,
        /// The statuses that are well, such as `200-299,304`.
        status: Option<Located<String>>,
        /// A text that the answer holds.
        contains: Option<Located<String>>,
        /// A command that exits with 0.
        command: Option<Words>,
        /// How long it may take from its start until it is well; 30s unless set.
        within: Option<Duration>,
    }
}

record! {
    /// What must not be in an image.
    closed "`forbid`" struct ForbidContract {
        /// Files; patterns.
        files: OneOrMany,
        /// Packages of the distribution, of npm or of Python; patterns.
        packages: OneOrMany,
        /// Programs, by kind: `compilers`, `package_managers` (the default), `system_package_managers`,
        /// `shells`, `downloaders`; `none`.
        tools: OneOrMany,
        /// Paths that must not answer with a status of 200 to 299, such as `/@vite/client`.
        urls: OneOrMany,
    }
}

record! {
    /// What its logs say until it is well.
    closed "`logs`" struct LogsContract {
        /// A text on stdout.
        stdout: Option<Located<String>>,
        /// A text on stderr.
        stderr: Option<Located<String>>,
    }
}

record! {
    /// A call that ends by itself.
    closed "an entry of `runs`" struct RunContract {
        /// Its arguments, in place of the image's command.
        args: Option<Words>,
        /// Further environment.
        env: Pairs,
        /// The exit status; 0 unless set.
        exit: Option<Located<u32>>,
        /// A text that it prints.
        prints: Option<Located<String>>,
        /// Whether a second run says the same.
        twice: Option<Located<bool>>,
        /// How long it may take; 60s unless set.
        within: Option<Duration>,
    }
}

record! {
    /// The most that an image may weigh.
    closed "`size`" struct SizeMapping {
        /// All files.
        uncompressed: Option<Located<Bytes>>,
        /// As one layer in gzip, about what a registry stores.
        compressed: Option<Located<Bytes>>,
    }
}

/// `size`: the most that all files may weigh, or settings.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeContract(SizeMapping);

short_or_mapping!(SizeContract, SizeMapping, uncompressed);

record! {
    /// A service that has to run beside a component.
    closed "an entry of `with`" struct WithMapping {
        /// Its name.
        service: Located<String>,
        /// Environment for the time of the check, beside that of the service.
        env: Pairs,
    }
}

/// An entry of `with`: a service's name, or settings.
#[derive(Clone, Debug, PartialEq)]
pub struct WithSpec(WithMapping);

short_or_mapping!(WithSpec, WithMapping, service);

record! {
    /// How a program stops.
    closed "`stop`" struct StopContract {
        /// The exit statuses that are well; 0 unless set.
        exit: OneOrMany,
        /// A path whose answer takes a second or more: it is asked for before the signal, and has
        /// to be answered after it.
        in_flight: Option<Located<String>>,
    }
}

/// A port: a number, or a variable that is read when the program runs, with a number as default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortChoice {
    /// As it is written into the health check.
    pub text: String,
    /// The number, or the variable's default.
    pub number: u16,
}

impl FromNode for PortChoice {
    fn schema(_: &mut Definitions) -> Json {
        schema::pattern("^[0-9]+$")
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "a port")?;
        let variable = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let number = match variable.and_then(|variable| variable.split_once(":-")) {
            Some((_, default)) => default,
            None => &text,
        };
        let number = number.parse().ok().filter(|number| *number > 0);
        if number.is_none() {
            reader.bad_value(
                &node.span,
                format!("`{text}` is no port"),
                Some("a number, or `$${PORT:-3000}` for a variable that is read when the program runs"),
            );
        }
        Some(Self { number: number?, text })
    }
}
