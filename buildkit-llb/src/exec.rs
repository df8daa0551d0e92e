//! Exec: a process that runs in a root file system, with mounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use buildkit_proto::pb;
use pb::{CacheSharingOpt, MountType, NetMode, SecurityMode};

use crate::vertex::{Inputs, Vertex};
use crate::{Metadata, Output, Platform};

/// A process to run. It needs a mount at `/`.
#[derive(Clone, Debug, Default)]
pub struct Exec {
    meta: pb::Meta,
    mounts: Vec<Mount>,
    secret_env: Vec<pb::SecretEnv>,
    network: Network,
    security: Security,
    platform: Option<Platform>,
    caps: BTreeSet<&'static str>,
}

/// The network of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// A network of its own, with a way out.
    #[default]
    Sandbox,
    /// The host's; needs the entitlement `network.host`.
    Host,
    /// Loopback alone.
    None,
}

/// What a process may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// The default seccomp profile and capabilities.
    #[default]
    Sandbox,
    /// Everything; needs the entitlement `security.insecure`.
    Insecure,
}

/// How processes share a cache mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheSharing {
    /// All at once.
    #[default]
    Shared,
    /// Each its own; a second user gets a new one.
    Private,
    /// One after the other.
    Locked,
}

/// Proxy settings; in the environment, but no part of the cache key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// `HTTP_PROXY`
    pub http: String,
    /// `HTTPS_PROXY`
    pub https: String,
    /// `FTP_PROXY`
    pub ftp: String,
    /// `NO_PROXY`
    pub no: String,
    /// `ALL_PROXY`
    pub all: String,
}

/// Something mounted into a process's file system.
#[derive(Clone, Debug)]
pub struct Mount {
    dest: String,
    input: Option<Output>,
    selector: String,
    output: bool,
    readonly: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Bind,
    Cache { id: String, sharing: CacheSharing },
    Tmpfs { size: Option<i64> },
    Secret(pb::SecretOpt),
    Ssh(pb::SshOpt),
}

impl Mount {
    fn new(dest: impl Into<String>, input: Option<&Output>, kind: Kind) -> Self {
        let (input, dest) = (input.cloned(), dest.into());
        Self { dest, input, selector: String::new(), output: false, readonly: false, kind }
    }

    /// A file system at `dest`. Writes are lost unless [`Mount::with_output`] keeps them.
    pub fn bind(dest: impl Into<String>, input: &Output) -> Self {
        Self::new(dest, Some(input), Kind::Bind)
    }

    /// An empty folder at `dest`.
    pub fn scratch(dest: impl Into<String>) -> Self {
        Self::new(dest, None, Kind::Bind)
    }

    /// A folder that stays from build to build, by its id.
    pub fn cache(dest: impl Into<String>, id: impl Into<String>, sharing: CacheSharing) -> Self {
        Self::new(dest, None, Kind::Cache { id: id.into(), sharing })
    }

    /// A folder in memory, with at most `size` bytes if given.
    pub fn tmpfs(dest: impl Into<String>, size: Option<i64>) -> Self {
        Self::new(dest, None, Kind::Tmpfs { size })
    }

    /// The client's secret `id` as a file with mode 0400, owned by root. An optional one that the
    /// client does not have is left out.
    pub fn secret(dest: impl Into<String>, id: impl Into<String>, optional: bool) -> Self {
        let option = pb::SecretOpt { id: id.into(), uid: 0, gid: 0, mode: 0o400, optional };
        Self::new(dest, None, Kind::Secret(option))
    }

    /// A socket of the client's ssh agent `id` (`default`) with mode 0600, owned by root.
    pub fn ssh(dest: impl Into<String>, id: impl Into<String>, optional: bool) -> Self {
        let option = pb::SshOpt { id: id.into(), uid: 0, gid: 0, mode: 0o600, optional };
        Self::new(dest, None, Kind::Ssh(option))
    }

    /// Keeps what the process leaves here as an output; see [`Executed::at`].
    #[must_use]
    pub fn with_output(mut self) -> Self {
        self.output = true;
        self
    }

    /// Refuses writes.
    #[must_use]
    pub fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// Mounts only this path of the input.
    #[must_use]
    pub fn selector(mut self, path: impl Into<String>) -> Self {
        self.selector = path.into();
        self
    }

    /// What an empty cache mount starts with.
    #[must_use]
    pub fn initial(mut self, input: &Output) -> Self {
        self.input = Some(input.clone());
        self
    }

    /// The owner and mode of a secret or an ssh socket; no effect on other kinds.
    #[must_use]
    pub fn owned(mut self, uid: u32, gid: u32, mode: u32) -> Self {
        match &mut self.kind {
            Kind::Secret(option) => (option.uid, option.gid, option.mode) = (uid, gid, mode),
            Kind::Ssh(option) => (option.uid, option.gid, option.mode) = (uid, gid, mode),
            Kind::Bind | Kind::Cache { .. } | Kind::Tmpfs { .. } => {}
        }
        self
    }

    fn caps(&self) -> Vec<&'static str> {
        let mut caps = match &self.kind {
            Kind::Bind => vec![],
            Kind::Cache { .. } => vec!["exec.mount.cache", "exec.mount.cache.sharing"],
            Kind::Tmpfs { size: None } => vec!["exec.mount.tmpfs"],
            Kind::Tmpfs { size: Some(_) } => vec!["exec.mount.tmpfs", "exec.mount.tmpfs.size"],
            Kind::Secret(_) => vec!["exec.mount.secret"],
            Kind::Ssh(_) => vec!["exec.mount.ssh"],
        };
        if self.input.is_some() {
            caps.push("exec.mount.bind");
        }
        if self.discards_writes() {
            caps.push("exec.mount.bind.readwrite-nooutput");
        }
        if !self.selector.is_empty() {
            caps.push("exec.mount.selector");
        }
        caps
    }

    fn discards_writes(&self) -> bool {
        matches!(self.kind, Kind::Bind) && !self.output && !self.readonly
    }

    fn to_pb(&self, inputs: &mut Inputs, outputs: &mut i64) -> pb::Mount {
        let output = if self.output {
            *outputs += 1;
            *outputs - 1
        } else {
            -1
        };
        let mut mount = pb::Mount {
            input: inputs.index_or_scratch(self.input.as_ref()),
            selector: self.selector.clone(),
            dest: self.dest.clone(),
            output,
            readonly: self.readonly,
            ..pb::Mount::default()
        };
        match &self.kind {
            Kind::Bind => {}
            Kind::Cache { id, sharing } => {
                mount.mount_type = MountType::Cache.into();
                let sharing = match sharing {
                    CacheSharing::Shared => CacheSharingOpt::Shared,
                    CacheSharing::Private => CacheSharingOpt::Private,
                    CacheSharing::Locked => CacheSharingOpt::Locked,
                };
                mount.cache_opt = Some(pb::CacheOpt { id: id.clone(), sharing: sharing.into() });
            }
            Kind::Tmpfs { size } => {
                mount.mount_type = MountType::Tmpfs.into();
                mount.tmpfs_opt = Some(pb::TmpfsOpt { size: size.unwrap_or(0) });
            }
            Kind::Secret(option) => {
                mount.mount_type = MountType::Secret.into();
                mount.secret_opt = Some(option.clone());
            }
            Kind::Ssh(option) => {
                mount.mount_type = MountType::Ssh.into();
                mount.ssh_opt = Some(option.clone());
            }
        }
        mount
    }
}

impl Exec {
    /// The process's arguments; the first one is the program.
    pub fn new<S: Into<String>>(args: impl IntoIterator<Item = S>) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        let meta =
            pb::Meta { args, cwd: "/".to_owned(), remove_mount_stubs_recursive: true, ..pb::Meta::default() };
        Self { meta, ..Self::default() }
    }

    /// Other arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.meta.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a mount. One at `/` is mandatory.
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.meta.env.push(format!("{key}={value}"));
        self
    }

    /// The client's secret `id` as an environment variable.
    #[must_use]
    pub fn secret_env(mut self, name: &str, id: &str, optional: bool) -> Self {
        self.secret_env.push(pb::SecretEnv { id: id.to_owned(), name: name.to_owned(), optional });
        self
    }

    /// The working directory, absolute; `/` by default.
    #[must_use]
    pub fn cwd(mut self, path: &str) -> Self {
        path.clone_into(&mut self.meta.cwd);
        self
    }

    /// The user, by name or number, with an optional `:group`; root by default.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        user.clone_into(&mut self.meta.user);
        self
    }

    /// The network; a sandbox by default.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// The security mode; a sandbox by default.
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// The platform that the process is for.
    #[must_use]
    pub fn platform(mut self, platform: &Platform) -> Self {
        self.platform = Some(platform.clone());
        self
    }

    /// Exit codes that count as success, instead of 0 alone.
    #[must_use]
    pub fn valid_exit_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.meta.valid_exit_codes = codes.into_iter().collect();
        self
    }

    /// Adds an entry to `/etc/hosts`.
    #[must_use]
    pub fn extra_host(mut self, host: &str, ip: &str) -> Self {
        self.meta.extra_hosts.push(pb::HostIp { host: host.to_owned(), ip: ip.to_owned() });
        self
    }

    /// The host name that the process sees.
    #[must_use]
    pub fn hostname(mut self, name: &str) -> Self {
        name.clone_into(&mut self.meta.hostname);
        self
    }

    /// Limits a resource by its ulimit name.
    #[must_use]
    pub fn ulimit(mut self, name: &str, soft: i64, hard: i64) -> Self {
        self.meta.ulimit.push(pb::Ulimit { name: name.to_owned(), soft, hard });
        self
    }

    /// The cgroup under which the process's own is made. Check `exec.meta.cgroup.parent` first.
    #[must_use]
    pub fn cgroup_parent(mut self, parent: &str) -> Self {
        parent.clone_into(&mut self.meta.cgroup_parent);
        self
    }

    /// Proxy settings for the process.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.meta.proxy_env = Some(pb::ProxyEnv {
            http_proxy: proxy.http,
            https_proxy: proxy.https,
            ftp_proxy: proxy.ftp,
            no_proxy: proxy.no,
            all_proxy: proxy.all,
        });
        self
    }

    /// Names a capability without which the daemon must refuse this process.
    #[must_use]
    pub fn needs(mut self, cap: &'static str) -> Self {
        self.caps.insert(cap);
        self
    }

    /// Makes it a vertex.
    pub fn build(mut self, metadata: &Metadata) -> Executed {
        // Outputs are numbered in mount order; sorted by path, the root comes first.
        self.mounts.sort_by(|a, b| a.dest.cmp(&b.dest));
        let mut caps = std::mem::take(&mut self.caps);
        caps.insert("exec.meta.base");
        caps.extend(self.mounts.iter().flat_map(Mount::caps));
        caps.extend((self.network != Network::Sandbox).then_some("exec.meta.network"));
        caps.extend((self.security == Security::Insecure).then_some("exec.meta.security"));
        caps.extend(self.meta.proxy_env.is_some().then_some("exec.meta.proxyenv"));
        caps.extend((!self.meta.ulimit.is_empty()).then_some("exec.meta.ulimit"));
        caps.extend((!self.meta.valid_exit_codes.is_empty()).then_some("exec.validexitcode"));
        caps.extend((!self.secret_env.is_empty()).then_some("exec.secretenv"));

        let mut inputs = Inputs::default();
        let mut outputs = 0;
        let mounts: Vec<pb::Mount> =
            self.mounts.iter().map(|mount| mount.to_pb(&mut inputs, &mut outputs)).collect();
        let results = self
            .mounts
            .iter()
            .zip(&mounts)
            .map(|(mount, encoded)| Place {
                dest: mount.dest.clone(),
                input: mount.input.clone(),
                output: (encoded.output >= 0).then_some(encoded.output),
            })
            .collect();
        let body = pb::op::Op::Exec(pb::ExecOp {
            meta: Some(self.meta),
            mounts,
            network: match self.network {
                Network::Sandbox => NetMode::Unset,
                Network::Host => NetMode::Host,
                Network::None => NetMode::None,
            }
            .into(),
            security: match self.security {
                Security::Sandbox => SecurityMode::Sandbox,
                Security::Insecure => SecurityMode::Insecure,
            }
            .into(),
            secretenv: self.secret_env,
            cdi_devices: Vec::new(),
        });
        let vertex = inputs.into_vertex(body, self.platform.as_ref().map(Platform::to_pb), caps, metadata);
        Executed { vertex, places: results }
    }
}

/// A process that is part of the graph, with what it leaves behind.
#[derive(Clone, Debug)]
pub struct Executed {
    vertex: Arc<Vertex>,
    places: Vec<Place>,
}

#[derive(Clone, Debug)]
struct Place {
    dest: String,
    input: Option<Output>,
    output: Option<i64>,
}

impl Executed {
    /// The root file system after the process; with a root that has no output, what was
    /// mounted there, or the process itself where nothing was.
    pub fn root(&self) -> Output {
        self.at("/").unwrap_or_else(|| Output { vertex: self.vertex.clone(), index: 0 })
    }

    /// What the process left in the mount at `dest`: its output, or its input if it has none.
    pub fn at(&self, dest: &str) -> Option<Output> {
        let place = self.places.iter().find(|place| place.dest == dest)?;
        match place.output {
            Some(index) => Some(Output { vertex: self.vertex.clone(), index }),
            None => place.input.clone(),
        }
    }
}
