//! Platforms: parsing, normal form and printing, by the rules of containerd's `platforms`
//! package, which every part of BuildKit uses.

use std::fmt;
use std::str::FromStr;

use buildkit_proto::pb;

/// An operating system and architecture, in normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64` or `arm64`.
    pub architecture: String,
    /// Such as `v7` for `arm`; empty where there is only one.
    pub variant: String,
    /// Windows' build number; empty elsewhere.
    pub os_version: String,
    /// Sorted, each once.
    pub os_features: Vec<String>,
}

/// Why a text is no platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError(String);

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no platform: expected os[/arch[/variant]], such as linux/arm64", self.0)
    }
}

impl std::error::Error for PlatformError {}

const SYSTEMS: [&str; 13] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "netbsd",
    "openbsd",
    "windows",
];

impl Platform {
    /// Linux on this architecture.
    pub fn linux(architecture: &str) -> Self {
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), ..Self::default() }.normalized()
    }

    /// The platform in normal form: lower case, architectures under their Go names, variants
    /// that say nothing dropped.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        self.os = match self.os.to_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let variant = self.variant.to_lowercase();
        let (architecture, variant) = match (self.architecture.to_lowercase().as_str(), variant.as_str()) {
            ("i386" | "386", _) => ("386", ""),
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
            ("x86_64" | "x86-64" | "amd64", other) => ("amd64", other),
            ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
            ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
            ("aarch64" | "arm64", other) => ("arm64", other),
            ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "8") => ("arm", "v8"),
            (other, variant) => {
                self.architecture = other.to_owned();
                self.variant = variant.to_owned();
                return self.with_sorted_features();
            }
        };
        self.architecture = architecture.to_owned();
        self.variant = variant.to_owned();
        self.with_sorted_features()
    }

    fn with_sorted_features(mut self) -> Self {
        self.os_features.sort();
        self.os_features.dedup();
        self
    }

    /// As LLB and the gateway carry it.
    pub fn to_pb(&self) -> pb::Platform {
        pb::Platform {
            architecture: self.architecture.clone(),
            os: self.os.clone(),
            variant: self.variant.clone(),
            os_version: self.os_version.clone(),
            os_features: self.os_features.clone(),
        }
    }

    /// The reverse of [`Platform::to_pb`], normalised.
    pub fn from_pb(platform: pb::Platform) -> Self {
        Self {
            os: platform.os,
            architecture: platform.architecture,
            variant: platform.variant,
            os_version: platform.os_version,
            os_features: platform.os_features,
        }
        .normalized()
    }
}

/// Reads `os`, `arch`, `os/arch` or `os/arch/variant`, with an optional `(version+feature…)`
/// behind the system. A lone architecture means Linux; a lone system means `amd64`.
impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let error = || PlatformError(text.to_owned());
        let mut parts = text.trim().split('/');
        let first = parts.next().unwrap_or_default();
        let (os, details) = match first.split_once('(') {
            Some((os, rest)) => (os, rest.strip_suffix(')').ok_or_else(error)?),
            None => (first, ""),
        };
        let rest: Vec<&str> = parts.collect();
        let valid = |part: &&str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
        };
        if rest.len() > 2 || !valid(&os) || !rest.iter().all(valid) {
            return Err(error());
        }
        let mut details = details.split('+').map(str::to_owned);
        let mut platform = Self {
            os: os.to_owned(),
            os_version: details.next().unwrap_or_default(),
            os_features: details.collect(),
            ..Self::default()
        };
        match rest.as_slice() {
            [] => {
                let lower = os.to_lowercase();
                if SYSTEMS.contains(&lower.as_str()) || lower == "macos" {
                    platform.architecture = "amd64".to_owned();
                } else {
                    platform.os = "linux".to_owned();
                    platform.architecture = lower;
                }
            }
            [architecture] => platform.architecture = (*architecture).to_owned(),
            [architecture, variant] => {
                platform.architecture = (*architecture).to_owned();
                platform.variant = (*variant).to_owned();
            }
            _ => return Err(error()),
        }
        Ok(platform.normalized())
    }
}

/// `os[(version[+feature…])]/arch[/variant]`, the form that identifies a platform in results.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.os)?;
        if !self.os_version.is_empty() || !self.os_features.is_empty() {
            write!(f, "({}", self.os_version)?;
            for feature in &self.os_features {
                write!(f, "+{feature}")?;
            }
            f.write_str(")")?;
        }
        write!(f, "/{}", self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_form() {
        for (given, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("LINUX/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64/9", "linux/arm64/v9"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/arm/5", "linux/arm/v5"),
            ("linux/i386", "linux/386"),
            ("macos/arm64", "darwin/arm64"),
            ("arm64", "linux/arm64"),
            ("windows(10.0.17763+win32k)/amd64", "windows(10.0.17763+win32k)/amd64"),
            ("linux/riscv64", "linux/riscv64"),
        ] {
            assert_eq!(given.parse::<Platform>().map(|p| p.to_string()), Ok(expected.to_owned()), "{given}");
        }
    }

    #[test]
    fn refused() {
        for text in ["", "linux/", "linux/amd64/v1/x", "linux(10/amd64", "li nux/amd64", "*/amd64"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
