//! The image configuration: the base's, what the stage's steps set, and what the plan declares.
//!
//! `oci-spec` has the OCI part; what Docker adds to it (health check, shell, on-build) is kept
//! beside. Nothing comes from the clock, and the bytes do not depend on the order of a map.

use std::collections::BTreeMap;

use oci_spec::image::{Arch, Config, HistoryBuilder, ImageConfiguration, Os};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::{Health, Image};
use buildkit_llb::Platform;

/// `PATH` where the base sets none, as BuildKit has it.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The comment of the entries in an image's history that are ours.
pub const HISTORY: &str = "slipway";

/// An image configuration in the making.
#[derive(Clone, Debug)]
pub struct ImageConfig {
    oci: ImageConfiguration,
    docker: DockerConfig,
}

/// What Docker's `config` has beyond OCI's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DockerConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<Healthcheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shell: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_build: Option<Vec<String>>,
}

/// Times are in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Healthcheck {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    test: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_period: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_interval: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<u32>,
}

impl ImageConfig {
    /// The configuration of an image that starts from nothing.
    pub fn scratch() -> Self {
        Self { oci: ImageConfiguration::default(), docker: DockerConfig::default() }
    }

    /// The configuration that an image built on this one starts with. The time at which the
    /// base was made is not that of the new image.
    pub fn from_base(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Extended {
            config: Option<DockerConfig>,
        }
        let mut value: Value = serde_json::from_slice(bytes)?;
        // Docker writes null where it means empty.
        if let Some(object) = value.as_object_mut() {
            object.retain(|_, value| !value.is_null());
            if let Some(config) = object.get_mut("config").and_then(Value::as_object_mut) {
                config.retain(|_, value| !value.is_null());
            }
            if let Some(rootfs) = object.get_mut("rootfs").and_then(Value::as_object_mut)
                && rootfs.get("diff_ids").is_some_and(Value::is_null)
            {
                rootfs.insert("diff_ids".to_owned(), Value::Array(Vec::new()));
            }
        }
        let docker = serde_json::from_value::<Extended>(value.clone())?.config.unwrap_or_default();
        // Triggers are for whoever builds on the base with a Dockerfile; they are not handed on.
        let docker = DockerConfig { on_build: None, ..docker };
        let mut oci: ImageConfiguration = serde_json::from_value(value)?;
        oci.set_created(None);
        // The exporter writes the layers that the result really has.
        oci.set_rootfs(ImageConfiguration::default().rootfs().clone());
        Ok(Self { oci, docker })
    }

    /// The platform that the configuration says; none if it says none.
    pub fn platform(&self) -> Option<Platform> {
        let (os, architecture) = (self.oci.os().to_string(), self.oci.architecture().to_string());
        let platform: Platform = format!("{os}/{architecture}").parse().ok()?;
        Some(platform.normalized())
    }

    /// Reads and changes OCI's `config` object.
    fn update(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = self.oci.config().clone().unwrap_or_default();
        change(&mut config);
        self.oci.set_config(Some(config));
    }

    fn config(&self) -> Config {
        self.oci.config().clone().unwrap_or_default()
    }

    /// The environment, in the order in which it was set.
    pub fn env(&self) -> Vec<(String, String)> {
        let config = self.config();
        let pairs = config.env().iter().flatten();
        pairs
            .map(|pair| {
                pair.split_once('=')
                    .map_or((pair.clone(), String::new()), |(k, v)| (k.to_owned(), v.to_owned()))
            })
            .collect()
    }

    /// The working directory; `/` if none is set.
    pub fn working_dir(&self) -> String {
        self.config().working_dir().clone().filter(|path| !path.is_empty()).unwrap_or_else(|| "/".to_owned())
    }

    /// The user; root if none is set.
    pub fn user(&self) -> Option<String> {
        self.config().user().clone().filter(|user| !user.is_empty())
    }

    /// The signal that asks to stop; SIGTERM if none is set.
    pub fn stop_signal(&self) -> String {
        self.config().stop_signal().clone().unwrap_or_else(|| "SIGTERM".to_owned())
    }

    /// How many words of [`ImageConfig::program`] are the entrypoint's.
    pub fn entrypoint_length(&self) -> usize {
        self.config().entrypoint().as_ref().map_or(0, Vec::len)
    }

    /// The labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.config().labels().iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// What runs: the entrypoint with the command behind it.
    pub fn program(&self) -> Vec<String> {
        let config = self.config();
        let entrypoint = config.entrypoint().iter().flatten();
        entrypoint.chain(config.cmd().iter().flatten()).cloned().collect()
    }

    /// Sets an environment variable, in the place of an older one of the same name.
    pub fn set_env(&mut self, name: &str, value: &str) {
        let mut env = self.env();
        match env.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => env.push((name.to_owned(), value.to_owned())),
        }
        let pairs = env.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.update(|config| {
            config.set_env(Some(pairs));
        });
    }

    /// Sets `PATH` if nothing has.
    pub fn ensure_path(&mut self) {
        if !self.env().iter().any(|(name, _)| name == "PATH") {
            self.set_env("PATH", DEFAULT_PATH);
        }
    }

    /// Sets the working directory.
    pub fn set_working_dir(&mut self, path: &str) {
        self.update(|config| {
            config.set_working_dir(Some(path.to_owned()));
        });
    }

    /// Sets the user.
    pub fn set_user(&mut self, user: &str) {
        self.update(|config| {
            config.set_user(Some(user.to_owned()));
        });
    }

    /// Adds an entry for a layer that a step made.
    pub fn add_history(&mut self, created_by: &str) {
        let mut history = self.oci.history().clone().unwrap_or_default();
        let entry = HistoryBuilder::default().created_by(created_by).comment(HISTORY).build();
        // A builder without mandatory fields does not fail; losing an entry would harm nobody.
        history.extend(entry.ok());
        self.oci.set_history(Some(history));
    }

    /// What the history says of the steps so far, those of the base included.
    pub fn history(&self) -> Vec<String> {
        self.oci.history().iter().flatten().filter_map(|entry| entry.created_by().clone()).collect()
    }

    /// Lays what a plan declares over it.
    pub fn apply(&mut self, image: &Image) {
        for (name, value) in &image.env {
            self.set_env(name, value);
        }
        if let Some(path) = &image.working_dir {
            self.set_working_dir(path);
        }
        if let Some(user) = &image.user {
            self.set_user(&user.config());
        }
        self.update(|config| {
            if let Some(entrypoint) = &image.entrypoint {
                // As in a Dockerfile: another entrypoint has no use for the base's arguments.
                config.set_cmd(None);
                config.set_entrypoint(Some(entrypoint.clone()).filter(|words| !words.is_empty()));
            }
            if let Some(command) = &image.command {
                config.set_cmd(Some(command.clone()).filter(|words| !words.is_empty()));
            }
            if let Some(ports) = &image.ports {
                let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
                config.set_exposed_ports(Some(ports).filter(|ports| !ports.is_empty()));
            }
            if let Some(signal) = &image.stop_signal {
                config.set_stop_signal(Some(signal.clone()));
            }
            if !image.volumes.is_empty() {
                let all = config.volumes().iter().flatten().chain(&image.volumes);
                let all: std::collections::BTreeSet<String> = all.cloned().collect();
                config.set_volumes(Some(all.into_iter().collect()));
            }
            let labels: std::collections::HashMap<String, String> =
                image.labels.clone().into_iter().collect();
            config.set_labels(Some(labels).filter(|labels| !labels.is_empty()));
        });
        if let Some(health) = &image.health {
            self.docker.healthcheck = Some(Healthcheck::from(health));
        }
    }

    /// Adds labels.
    pub fn add_labels(&mut self, labels: &BTreeMap<String, String>) {
        if labels.is_empty() {
            return;
        }
        self.update(|config| {
            let mut all = config.labels().clone().unwrap_or_default();
            all.extend(labels.clone());
            config.set_labels(Some(all));
        });
    }

    /// The JSON for an image of this platform.
    pub fn to_json(&self, platform: &Platform) -> Result<Vec<u8>, serde_json::Error> {
        let mut oci = self.oci.clone();
        oci.set_architecture(Arch::from(platform.architecture.as_str()));
        oci.set_os(Os::from(platform.os.as_str()));
        oci.set_variant(Some(platform.variant.clone()).filter(|variant| !variant.is_empty()));
        // Through a Value: its maps are sorted, those of oci-spec are not.
        let mut value = serde_json::to_value(&oci)?;
        let docker = serde_json::to_value(&self.docker)?;
        if let (Some(object), Value::Object(docker)) = (value.as_object_mut(), docker) {
            let config = object.entry("config").or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Some(config) = config.as_object_mut() {
                config.extend(docker);
            }
        }
        serde_json::to_vec(&value)
    }
}

impl std::convert::From<&Health> for Healthcheck {
    fn from(health: &Health) -> Self {
        let nanoseconds = |time: Option<std::time::Duration>| {
            time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
        };
        Self {
            test: health.test.clone(),
            interval: nanoseconds(health.interval),
            timeout: nanoseconds(health.timeout),
            start_period: nanoseconds(health.start_period),
            start_interval: nanoseconds(health.start_interval),
            retries: health.retries,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::RuntimeUser;
    use crate::spec::values::Port;

    const BASE: &[u8] = br#"{"architecture":"amd64","os":"linux","created":"2025-01-01T00:00:00Z","variant":null,
        "config":{"Env":["PATH=/bin","A=1"],"Cmd":["sh"],"Labels":{"maintainer":"x"},"ExposedPorts":{"80/tcp":{}},
        "Volumes":null,"Healthcheck":{"Test":["CMD","old"]},"Shell":["/bin/ash","-c"]},
        "rootfs":{"type":"layers","diff_ids":["sha256:1"]},"history":[{"created_by":"base"}]}"#;

    fn image() -> Image {
        Image {
            user: Some(RuntimeUser { name: "app".to_owned(), uid: 1001, gid: 1002 }),
            entrypoint: Some(vec![]),
            command: Some(vec!["node".to_owned(), "x.js".to_owned()]),
            env: [("A".to_owned(), "2".to_owned()), ("B".to_owned(), "3".to_owned())].into(),
            ports: Some(BTreeSet::from([Port { number: 8080, protocol: "tcp".to_owned() }])),
            health: Some(Health {
                test: vec!["CMD".to_owned(), "x".to_owned()],
                interval: Some(std::time::Duration::from_secs(15)),
                retries: Some(3),
                ..Health::default()
            }),
            labels: (0..9).map(|n| (format!("label{n}"), "x".to_owned())).collect(),
            ..Image::default()
        }
    }

    #[test]
    fn base_steps_and_plan_together() {
        let mut config = ImageConfig::from_base(BASE).expect("valid");
        config.add_history("copy");
        config.apply(&image());
        assert_eq!(config.history().len(), 2);
        let json: Value =
            serde_json::from_slice(&config.to_json(&Platform::linux("arm64")).expect("json")).expect("json");
        assert_eq!(json["architecture"], "arm64");
        assert!(json.get("created").is_none());
        let config = &json["config"];
        assert_eq!(config["User"], "1001:1002");
        assert_eq!(config["Env"], serde_json::json!(["PATH=/bin", "A=2", "B=3"]));
        assert_eq!(config["Cmd"], serde_json::json!(["node", "x.js"]));
        assert!(config.get("Entrypoint").is_none());
        assert_eq!(config["ExposedPorts"], serde_json::json!({"8080/tcp": {}}));
        assert_eq!(
            config["Healthcheck"],
            serde_json::json!({"Test": ["CMD", "x"], "Interval": 15_000_000_000_u64, "Retries": 3})
        );
        assert_eq!(config["Shell"], serde_json::json!(["/bin/ash", "-c"]));
        assert!(config["Labels"].get("maintainer").is_none());
    }

    #[test]
    fn the_same_image_has_the_same_bytes() {
        let json = || {
            let mut config = ImageConfig::from_base(BASE).expect("valid");
            config.apply(&image());
            config.to_json(&Platform::linux("amd64")).expect("json")
        };
        let first = json();
        for _ in 0..20 {
            assert_eq!(json(), first);
        }
    }

    #[test]
    fn scratch_has_a_platform_and_layers() {
        let mut config = ImageConfig::scratch();
        config.ensure_path();
        let json: Value =
            serde_json::from_slice(&config.to_json(&Platform::linux("arm")).expect("json")).expect("json");
        assert_eq!(
            (json["os"].as_str(), json["architecture"].as_str(), json["variant"].as_str()),
            (Some("linux"), Some("arm"), Some("v7"))
        );
        assert_eq!(json["rootfs"]["type"], "layers");
    }
}
