//! What an image declares about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::spec::values::Port;

/// Root's number.
pub const ROOT: u32 = 0;

/// The user that runs in an image. It owns nothing there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuntimeUser {
    /// Its name, also that of its group.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
}

impl RuntimeUser {
    /// As an image configuration says it: by numbers, so that nothing has to be looked up.
    pub fn config(&self) -> String {
        format!("{}:{}", self.uid, self.gid)
    }
}

/// What the configuration says beyond that of the base. What is `None` stays as the base has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Image {
    /// The user that runs.
    pub user: Option<RuntimeUser>,
    /// The program.
    pub entrypoint: Option<Vec<String>>,
    /// Its arguments, or the program if there is no entrypoint.
    pub command: Option<Vec<String>>,
    /// The working directory.
    pub working_dir: Option<String>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Ports. Set, they replace those of the base.
    pub ports: Option<BTreeSet<Port>>,
    /// The health check.
    pub health: Option<Health>,
    /// The signal that asks it to stop.
    pub stop_signal: Option<String>,
    /// Labels; those of the base are left out.
    pub labels: BTreeMap<String, String>,
    /// Annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
    /// Where volumes are mounted.
    pub volumes: BTreeSet<String>,
    /// Where the program writes when it runs, as far as its recipe knows.
    pub writes: BTreeSet<String>,
}

/// A health check.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Health {
    /// `["CMD", …]`, `["CMD-SHELL", text]` or `["NONE"]`.
    pub test: Vec<String>,
    /// Between two checks.
    pub interval: Option<Duration>,
    /// For one check.
    pub timeout: Option<Duration>,
    /// During which failures do not count.
    pub start_period: Option<Duration>,
    /// Between two checks during the start period.
    pub start_interval: Option<Duration>,
    /// Failures in a row that make it unhealthy.
    pub retries: Option<u32>,
}
