//! What lowering has to know beside the plan: the images that were found, the platforms, and
//! what the build's own options say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkit_llb::pb::LinuxResources;
use buildkit_llb::{Exec, Mount, Network, Output, Platform, Proxy, SourceFile};

use super::config::ImageConfig;

/// An image that was found: where it is in the graph, and its configuration.
#[derive(Clone, Debug)]
pub struct FoundImage {
    /// Its file system; none for an image without layers.
    pub output: Option<Output>,
    /// Its configuration.
    pub config: ImageConfig,
    /// Its configuration as it was found, JSON; none for what is no image.
    pub raw_config: Option<Vec<u8>>,
    /// Its digest; none for what is no image of a registry.
    pub digest: Option<String>,
}

/// Images by name and platform.
pub type FoundImages = BTreeMap<(String, Platform), FoundImage>;

/// What lowering has to know beside the plan.
pub struct Setting<'a> {
    /// The images that the plan uses.
    pub images: &'a FoundImages,
    /// The build context; none if nothing of it is used.
    pub context: Option<&'a Output>,
    /// The frontend's own image, from which build steps run our binary.
    pub helper: Option<&'a Output>,
    /// The spec file, for source maps.
    pub file: &'a Arc<SourceFile>,
    /// The platform of the machine that builds.
    pub build_platform: &'a Platform,
    /// The platform of the image.
    pub target_platform: &'a Platform,
    /// Whether names say for which platform they are: with several platforms in one build.
    pub name_platform: bool,
    /// What cache mounts' names start with.
    pub cache_namespace: &'a str,
    /// Which stages ignore the cache.
    pub no_cache: NoCache,
    /// What `--network`, `--add-host` and the like say about all processes.
    pub processes: &'a ProcessOptions,
    /// The time on files that Slipway writes, in seconds since 1970.
    pub epoch: i64,
    /// Whether the engine can merge.
    pub can_merge: bool,
    /// What proving the contract takes; none if nobody asks for the proof.
    pub proof: Option<&'a ProofSetting>,
}

/// What proving a contract takes beside the image.
#[derive(Clone, Debug, Default)]
pub struct ProofSetting {
    /// The names of all services, which lead to loopback.
    pub hosts: Vec<String>,
    /// The services that run beside it.
    pub neighbours: Vec<NeighbourSetting>,
}

/// A service that runs beside the one that is verified.
#[derive(Clone, Debug)]
pub struct NeighbourSetting {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: FoundImage,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// Its TCP ports.
    pub ports: BTreeSet<u16>,
    /// Its command and its entrypoint, where they are not the image's.
    pub words: [Option<Vec<String>>; 2],
}

/// Which stages ignore the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NoCache {
    /// None.
    #[default]
    No,
    /// All.
    All,
    /// Those of these names: `stage`, `component` or `component:stage`.
    Stages(Vec<String>),
}

impl NoCache {
    pub(super) fn covers(&self, component: &str, stage: &str) -> bool {
        match self {
            Self::No => false,
            Self::All => true,
            Self::Stages(names) => {
                let full = format!("{component}:{stage}");
                names.iter().any(|name| {
                    [stage, component, full.as_str()].iter().any(|known| known.eq_ignore_ascii_case(name))
                })
            }
        }
    }
}

/// What the build says about all processes.
#[derive(Clone, Debug, Default)]
pub struct ProcessOptions {
    /// The network of processes that do not choose one.
    pub network: Option<Network>,
    /// Entries for `/etc/hosts`.
    pub extra_hosts: Vec<(String, String)>,
    /// The host name.
    pub hostname: Option<String>,
    /// Resource limits: name, soft, hard.
    pub ulimits: Vec<(String, i64, i64)>,
    /// The parent cgroup.
    pub cgroup_parent: Option<String>,
    /// The size of `/dev/shm` in bytes.
    pub shm_size: Option<i64>,
    /// Proxies.
    pub proxy: Option<Proxy>,
    /// Limits of memory and processors.
    pub resources: Option<LinuxResources>,
}

impl ProcessOptions {
    /// The process with these options.
    pub(super) fn apply(&self, mut exec: Exec) -> Exec {
        for (host, ip) in &self.extra_hosts {
            exec = exec.extra_host(host, ip);
        }
        if let Some(name) = &self.hostname {
            exec = exec.hostname(name);
        }
        for (name, soft, hard) in &self.ulimits {
            exec = exec.ulimit(name, *soft, *hard);
        }
        if let Some(parent) = &self.cgroup_parent {
            exec = exec.cgroup_parent(parent);
        }
        if let Some(size) = self.shm_size {
            exec = exec.mount(Mount::tmpfs("/dev/shm", Some(size)));
        }
        if let Some(proxy) = &self.proxy {
            exec = exec.proxy(proxy.clone());
        }
        exec
    }
}
