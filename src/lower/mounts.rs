//! What a process mounts, as LLB.

use buildkit_llb::{CacheSharing, Chown, Exec, File, MakeDir, Mount as LlbMount, Output};

use super::llb::Lowering;
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::{Mount, MountOwner, Run, Sharing};

impl Lowering<'_> {
    /// The process with everything that it mounts.
    pub(super) fn mounts(&self, mut exec: Exec, run: &Run, origin: &Span) -> Result<Exec, Diagnostic> {
        for mount in &run.mounts {
            exec = self.mount(exec, mount, origin)?;
        }
        Ok(exec)
    }

    fn mount(&self, exec: Exec, mount: &Mount, origin: &Span) -> Result<Exec, Diagnostic> {
        Ok(match mount {
            Mount::Bind { from, source, target, writable } => {
                let bound = match self.source(from, origin)? {
                    Some(output) => LlbMount::bind(target, &output),
                    None => LlbMount::scratch(target),
                };
                let bound = selected(bound, source);
                exec.mount(if *writable { bound } else { bound.readonly() })
            }
            Mount::Cache { target, id, sharing, initial, owner } => {
                let id = format!("{}/{}/{id}", self.setting.cache_namespace, self.platform());
                let sharing = match sharing {
                    Sharing::Shared => CacheSharing::Shared,
                    Sharing::Private => CacheSharing::Private,
                    Sharing::Locked => CacheSharing::Locked,
                };
                let cache = LlbMount::cache(target, id, sharing);
                let start = match initial {
                    Some((from, source)) => {
                        self.source(from, origin)?.map(|output| (output, source.as_str()))
                    }
                    None => self.owned(*owner, origin).map(|output| (output, "cache")),
                };
                exec.mount(match start {
                    Some((output, source)) => selected(cache.initial(&output), source),
                    None => cache,
                })
            }
            Mount::Secret { id, target, env, required, owner, version } => {
                let mut exec = exec;
                if let Some(version) = version {
                    // Part of the cache's key, which the secret itself is not.
                    exec = exec.env(&format!("SLIPWAY_SECRET_VERSION_{}", variable(id)), version);
                }
                if let Some(name) = env {
                    exec = exec.secret_env(name, id, !required);
                }
                match target {
                    Some(target) => exec.mount(LlbMount::secret(target, id, !required).owned(
                        owner.uid,
                        owner.gid,
                        owner.mode.unwrap_or(0o400),
                    )),
                    None => exec,
                }
            }
            Mount::Ssh { id, target, required, owner } => exec.mount(
                LlbMount::ssh(target.clone().unwrap_or_else(|| ssh_socket(id)), id, !required).owned(
                    owner.uid,
                    owner.gid,
                    owner.mode.unwrap_or(0o600),
                ),
            ),
            Mount::Tmpfs { target, size } => {
                exec.mount(LlbMount::tmpfs(target, size.and_then(|size| i64::try_from(size).ok())))
            }
        })
    }

    /// What an empty cache of a certain owner starts with: a folder of that owner. (Found in the
    /// graphs that Dockerfiles give: the folder is called `cache`.)
    fn owned(&self, owner: MountOwner, origin: &Span) -> Option<Output> {
        if owner == MountOwner::default() {
            return None;
        }
        File::on_scratch()
            .make_dir(MakeDir {
                path: "/cache".to_owned(),
                mode: owner.mode.unwrap_or(0o755),
                parents: false,
                owner: Some(Chown::ids(owner.uid, owner.gid)),
                timestamp: self.timestamp(),
            })
            .build(&self.metadata("prepare a cache", origin))
    }
}

fn selected(mount: LlbMount, path: &str) -> LlbMount {
    let path = path.trim_matches('/');
    if path.is_empty() { mount } else { mount.selector(format!("/{path}")) }
}

/// An id as part of a variable's name.
fn variable(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Where an agent's socket is.
pub(super) fn ssh_socket(id: &str) -> String {
    format!("/run/buildkit/ssh_agent.{id}")
}
