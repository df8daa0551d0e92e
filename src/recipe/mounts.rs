//! What a hand-written step mounts, as the plan has it.

use super::stages::{Named, choice, from, plain_mode};
use super::{Request, stages};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::{From, Mount, MountOwner, Sharing};
use crate::spec::Located;
use crate::spec::mounts::{BindSpec, CacheSpec, SecretSpec, SshSpec};
use crate::spec::stages::{Mode, RunSpec};

/// The mounts of a step.
pub(super) fn mounts(
    request: &Request<'_>,
    named: &Named<'_>,
    spec: &RunSpec,
    problems: &mut Diagnostics,
) -> Vec<Mount> {
    let mut mounts: Vec<Mount> =
        spec.cache.0.iter().map(|cache| self::cache(request, named, cache, problems)).collect();
    mounts.extend(spec.secret.0.iter().map(|secret| self::secret(secret, problems)));
    mounts.extend(spec.ssh.0.iter().map(|agent| ssh(agent, problems)));
    for tmpfs in &spec.tmpfs.0 {
        below_root(&tmpfs.target, problems);
        mounts.push(Mount::Tmpfs { target: tmpfs.target.value.clone(), size: tmpfs.size.map(|size| size.0) });
    }
    mounts.extend(spec.bind.iter().map(|bind| self::bind(request, named, bind, problems)));
    for (number, mount) in mounts.iter().enumerate() {
        let Some(target) = mount.target() else { continue };
        let same = |other: &Mount| {
            other.target().map(|other| other.trim_end_matches('/')) == Some(target.trim_end_matches('/'))
        };
        if mounts.iter().take(number).any(same) {
            problems.push(
                Diagnostic::new(
                    Code::Value,
                    format!("two things are mounted at `{target}`: the first would be hidden"),
                )
                .at(&spec.span)
                .help("give each a place of its own"),
            );
        }
    }
    mounts
}

fn cache(request: &Request<'_>, named: &Named<'_>, cache: &CacheSpec, problems: &mut Diagnostics) -> Mount {
    below_root(&cache.target, problems);
    let sharings = [("shared", Sharing::Shared), ("private", Sharing::Private), ("locked", Sharing::Locked)];
    let initial = cache.from.as_ref().map(|name| {
        let from = from(Some(name), Some(named));
        let source = in_source(request, &from, cache.source.as_ref());
        (from, source)
    });
    if let (None, Some(source)) = (&cache.from, &cache.source) {
        problems.push(
            Diagnostic::new(Code::MissingKey, "`source` of a cache is a path in `from`, which is not given")
                .at(&source.span),
        );
    }
    let owner = owner(cache.uid, cache.gid, cache.mode.as_ref(), problems);
    if let (Some(name), true) = (&cache.from, owner != MountOwner::default()) {
        problems.push(
            Diagnostic::new(Code::Value, "a cache that starts with something has that owner and mode")
                .at(&name.span)
                .help("remove `from`, or `uid`, `gid` and `mode`"),
        );
    }
    Mount::Cache {
        id: cache.id.clone().unwrap_or_else(|| cache.target.value.trim_matches('/').to_owned()),
        target: cache.target.value.clone(),
        sharing: choice(cache.sharing.as_ref(), "sharing", &sharings, problems),
        initial,
        owner,
    }
}

fn secret(secret: &SecretSpec, problems: &mut Diagnostics) -> Mount {
    if let Some(target) = &secret.target {
        below_root(target, problems);
    }
    let target = match (&secret.target, &secret.env) {
        (None, None) => Some(format!("/run/secrets/{}", secret.id.value)),
        (target, _) => target.as_ref().map(|target| target.value.clone()),
    };
    let owner = owner(secret.uid, secret.gid, secret.mode.as_ref(), problems);
    if target.is_none() && owner != MountOwner::default() {
        problems.push(
            Diagnostic::new(Code::Value, "a secret in the environment has no owner and no mode")
                .at(&secret.span)
                .help("give it a `target` as well, or remove `uid`, `gid` and `mode`"),
        );
    }
    Mount::Secret {
        id: secret.id.value.clone(),
        target,
        env: secret.env.clone(),
        required: secret.required.unwrap_or(true),
        owner,
        version: secret.version.clone(),
    }
}

fn ssh(agent: &SshSpec, problems: &mut Diagnostics) -> Mount {
    if let Some(target) = &agent.target {
        below_root(target, problems);
    }
    Mount::Ssh {
        id: agent.id.value.clone(),
        target: agent.target.as_ref().map(|target| target.value.clone()),
        required: agent.required.unwrap_or(true),
        owner: owner(agent.uid, agent.gid, agent.mode.as_ref(), problems),
    }
}

fn bind(request: &Request<'_>, named: &Named<'_>, bind: &BindSpec, problems: &mut Diagnostics) -> Mount {
    below_root(&bind.target, problems);
    let from = from(bind.from.as_ref(), Some(named));
    Mount::Bind {
        source: in_source(request, &from, bind.source.as_ref()),
        from,
        target: bind.target.value.clone(),
        writable: bind.writable.unwrap_or(false),
    }
}

/// A path in the context is one in the component's folder.
fn in_source(request: &Request<'_>, from: &From, path: Option<&Located<String>>) -> String {
    let path = path.map_or("", |path| path.value.as_str());
    if *from == From::Context { crate::paths::in_folder(&request.source, path) } else { path.to_owned() }
}

fn owner(
    uid: Option<u32>,
    gid: Option<u32>,
    mode: Option<&Located<Mode>>,
    problems: &mut Diagnostics,
) -> MountOwner {
    MountOwner {
        uid: uid.unwrap_or(0),
        gid: gid.unwrap_or(0),
        mode: mode.map(|mode| plain_mode(Some(mode), stages::FOLDER_MODE, problems)),
    }
}

/// What is mounted over the root hides the program that is to run.
fn below_root(target: &Located<String>, problems: &mut Diagnostics) {
    if target.value.trim_matches('/').is_empty() || target.value.split('/').any(|part| part == "..") {
        problems.push(
            Diagnostic::new(Code::Value, format!("nothing can be mounted at `{}`", target.value))
                .at(&target.span)
                .help("name a folder or file below the root"),
        );
    }
}
