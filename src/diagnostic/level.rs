//! How serious a diagnostic is.

use std::fmt;
use std::str::FromStr;

/// From what nobody is told to what ends a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not reported.
    Off,
    /// Shown by `docker slipway check --info` alone, and no reason for it to fail.
    Info,
    /// Shown by builds, which go on; `check` fails.
    Warn,
    /// Ends a build.
    Error,
}

impl Level {
    /// All levels, in their order.
    pub const ALL: [Self; 4] = [Self::Off, Self::Info, Self::Warn, Self::Error];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|level| level.to_string() == text).ok_or(())
    }
}
