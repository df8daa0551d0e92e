//! A definition as JSON, for people and for programs that read no protobuf: the form of BuildKit's
//! `convertllb` answer. Operations are in protobuf's own JSON mapping: field names in camel case,
//! 64-bit numbers as texts, enums by name, and nothing that has its default value.

use base64::Engine;
use buildkit_proto::pb::{self, Definition};
use prost::Message;
use serde_json::{Map, Value, json as value};

/// The definition as JSON: `def` (operations by digest), `metadata` and `source`.
pub fn json(definition: &Definition) -> Value {
    let ops: Map<String, Value> = definition
        .def
        .iter()
        .map(|bytes| {
            let op = pb::Op::decode(bytes.as_slice()).map_or(Value::Null, op);
            (buildkit_proto::digest(bytes), op)
        })
        .collect();
    let metadata: Map<String, Value> =
        definition.metadata.iter().map(|(digest, data)| (digest.clone(), metadata(data))).collect();
    value!({ "def": ops, "metadata": metadata, "source": definition.source.as_ref().map(source) })
}

/// Drops what has its default value, as protobuf's JSON does.
fn message(fields: Value) -> Value {
    let Value::Object(fields) = fields else { return fields };
    let is_default = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "0",
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(true) => false,
    };
    Value::Object(fields.into_iter().filter(|(_, value)| !is_default(value)).collect())
}

/// A message that is there even if all of it is default.
fn present(fields: Value) -> Option<Value> {
    Some(message(fields)).filter(|fields| *fields != value!({}))
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn long(number: i64) -> String {
    number.to_string()
}

fn attrs(entries: &[pb::AttrEntry]) -> Value {
    let pair = |entry: &pb::AttrEntry| {
        (entry.key.clone().unwrap_or_default(), Value::from(entry.value.clone().unwrap_or_default()))
    };
    Value::Object(entries.iter().map(pair).collect())
}

#[allow(clippy::needless_pass_by_value, reason = "the shape that map wants")]
fn op(op: pb::Op) -> Value {
    use pb::op::Op;
    let inputs: Vec<Value> = op
        .inputs
        .iter()
        .map(|input| message(value!({ "digest": input.digest, "index": long(input.index) })))
        .collect();
    let platform = op.platform.as_ref().and_then(|platform| {
        present(value!({
            "Architecture": platform.architecture, "OS": platform.os, "Variant": platform.variant,
            "OSVersion": platform.os_version, "OSFeatures": platform.os_features,
        }))
    });
    let constraints =
        op.constraints.as_ref().map(|constraints| message(value!({ "filter": constraints.filter })));
    let mut json = message(value!({ "inputs": inputs, "platform": platform }));
    let (name, body) = match &op.op {
        None => ("", None),
        Some(Op::Exec(exec)) => ("exec", Some(self::exec(exec))),
        Some(Op::Source(source)) => (
            "source",
            Some(message(value!({ "identifier": source.identifier, "attrs": attrs(&source.attrs) }))),
        ),
        Some(Op::File(file)) => {
            let actions: Vec<Value> = file.actions.iter().map(action).collect();
            ("file", Some(value!({ "actions": actions })))
        }
        Some(Op::Build(build)) => {
            let input = |entry: &pb::BuildInputEntry| {
                let input = entry.value.as_ref().map_or(0, |input| input.input);
                (entry.key.clone().unwrap_or_default(), message(value!({ "input": long(input) })))
            };
            let inputs: Map<String, Value> = build.inputs.iter().map(input).collect();
            let body = value!({
                "builder": long(build.builder), "inputs": inputs, "attrs": attrs(&build.attrs),
                "def": build.def.as_ref().map(self::json),
            });
            ("build", Some(message(body)))
        }
        Some(Op::Merge(merge)) => {
            let input = |merged: &pb::MergeInput| message(value!({ "input": long(merged.input) }));
            ("merge", Some(value!({ "inputs": merge.inputs.iter().map(input).collect::<Vec<_>>() })))
        }
        Some(Op::Diff(diff)) => {
            let side = |input: Option<i64>| input.map(|input| message(value!({ "input": long(input) })));
            let body = value!({
                "lower": side(diff.lower.as_ref().map(|lower| lower.input)),
                "upper": side(diff.upper.as_ref().map(|upper| upper.input)),
            });
            ("diff", Some(body))
        }
        Some(Op::Passthrough(through)) => {
            let outputs: Vec<String> = through.outputs.iter().copied().map(long).collect();
            ("passthrough", Some(message(value!({ "id": through.id, "outputs": outputs }))))
        }
    };
    if let (Value::Object(fields), Some(body)) = (&mut json, body) {
        fields.insert(name.to_owned(), body);
    }
    if let (Value::Object(fields), Some(constraints)) = (&mut json, constraints) {
        fields.insert("constraints".to_owned(), constraints);
    }
    json
}

fn exec(exec: &pb::ExecOp) -> Value {
    let meta = exec.meta.as_ref().map(|meta| {
        let proxy = meta.proxy_env.as_ref().map(|proxy| {
            message(value!({
                "httpProxy": proxy.http_proxy, "httpsProxy": proxy.https_proxy, "ftpProxy": proxy.ftp_proxy,
                "noProxy": proxy.no_proxy, "allProxy": proxy.all_proxy,
            }))
        });
        let hosts: Vec<Value> =
            meta.extra_hosts.iter().map(|host| message(value!({ "Host": host.host, "IP": host.ip }))).collect();
        let limits: Vec<Value> = meta
            .ulimit
            .iter()
            .map(|limit| message(value!({ "Name": limit.name, "Soft": long(limit.soft), "Hard": long(limit.hard) })))
            .collect();
        message(value!({
            "args": meta.args, "env": meta.env, "cwd": meta.cwd, "user": meta.user, "proxyEnv": proxy,
            "extraHosts": hosts, "hostname": meta.hostname, "ulimit": limits, "cgroupParent": meta.cgroup_parent,
            "removeMountStubsRecursive": meta.remove_mount_stubs_recursive,
            "validExitCodes": meta.valid_exit_codes,
        }))
    });
    let secrets: Vec<Value> = exec
        .secretenv
        .iter()
        .map(|secret| message(value!({ "ID": secret.id, "name": secret.name, "optional": secret.optional })))
        .collect();
    let devices: Vec<Value> = exec
        .cdi_devices
        .iter()
        .map(|device| message(value!({ "name": device.name, "optional": device.optional })))
        .collect();
    let network = pb::NetMode::try_from(exec.network).unwrap_or_default();
    let security = pb::SecurityMode::try_from(exec.security).unwrap_or_default();
    message(value!({
        "meta": meta,
        "mounts": exec.mounts.iter().map(mount).collect::<Vec<_>>(),
        "network": named(network.as_str_name(), "UNSET"),
        "security": named(security.as_str_name(), "SANDBOX"),
        "secretenv": secrets,
        "cdiDevices": devices,
    }))
}

/// An enum by name; nothing for its default.
fn named(name: &str, default: &str) -> Value {
    if name == default { Value::Null } else { name.into() }
}

fn mount(mount: &pb::Mount) -> Value {
    let kind = pb::MountType::try_from(mount.mount_type).unwrap_or_default();
    let content = pb::MountContentCache::try_from(mount.content_cache).unwrap_or_default();
    let cache = mount.cache_opt.as_ref().map(|cache| {
        let sharing = pb::CacheSharingOpt::try_from(cache.sharing).unwrap_or_default();
        message(value!({ "ID": cache.id, "sharing": named(sharing.as_str_name(), "SHARED") }))
    });
    let secret = mount.secret_opt.as_ref().map(|secret| {
        message(value!({
            "ID": secret.id, "uid": secret.uid, "gid": secret.gid, "mode": secret.mode, "optional": secret.optional,
        }))
    });
    let ssh = mount.ssh_opt.as_ref().map(|ssh| {
        message(value!({
            "ID": ssh.id, "uid": ssh.uid, "gid": ssh.gid, "mode": ssh.mode, "optional": ssh.optional,
        }))
    });
    message(value!({
        "input": long(mount.input), "selector": mount.selector, "dest": mount.dest,
        "output": long(mount.output), "readonly": mount.readonly,
        "mountType": named(kind.as_str_name(), "BIND"),
        "TmpfsOpt": mount.tmpfs_opt.as_ref().map(|tmpfs| message(value!({ "size": long(tmpfs.size) }))),
        "cacheOpt": cache, "secretOpt": secret, "SSHOpt": ssh, "resultID": mount.result_id,
        "contentCache": named(content.as_str_name(), "DEFAULT"),
    }))
}

fn action(file: &pb::FileAction) -> Value {
    use pb::file_action::Action;
    let mut json = message(value!({
        "input": long(file.input), "secondaryInput": long(file.secondary_input), "output": long(file.output),
    }));
    let (name, body) = match &file.action {
        None => return json,
        Some(Action::Copy(copy)) => (
            "copy",
            value!({
                "src": copy.src, "dest": copy.dest, "owner": copy.owner.as_ref().map(owner), "mode": copy.mode,
                "followSymlink": copy.follow_symlink, "dirCopyContents": copy.dir_copy_contents,
                "attemptUnpackDockerCompatibility": copy.attempt_unpack_docker_compatibility,
                "createDestPath": copy.create_dest_path, "allowWildcard": copy.allow_wildcard,
                "allowEmptyWildcard": copy.allow_empty_wildcard, "timestamp": long(copy.timestamp),
                "includePatterns": copy.include_patterns, "excludePatterns": copy.exclude_patterns,
                "alwaysReplaceExistingDestPaths": copy.always_replace_existing_dest_paths,
                "modeStr": copy.mode_str, "requiredPaths": copy.required_paths,
            }),
        ),
        Some(Action::Mkfile(made)) => (
            "mkfile",
            value!({
                "path": made.path, "mode": made.mode, "data": base64(&made.data),
                "owner": made.owner.as_ref().map(owner), "timestamp": long(made.timestamp),
            }),
        ),
        Some(Action::Mkdir(made)) => (
            "mkdir",
            value!({
                "path": made.path, "mode": made.mode, "makeParents": made.make_parents,
                "owner": made.owner.as_ref().map(owner), "timestamp": long(made.timestamp),
            }),
        ),
        Some(Action::Rm(removed)) => (
            "rm",
            value!({
                "path": removed.path, "allowNotFound": removed.allow_not_found,
                "allowWildcard": removed.allow_wildcard,
            }),
        ),
        Some(Action::Symlink(link)) => (
            "symlink",
            value!({
                "oldpath": link.oldpath, "newpath": link.newpath, "owner": link.owner.as_ref().map(owner),
                "timestamp": long(link.timestamp),
            }),
        ),
    };
    if let Value::Object(fields) = &mut json {
        fields.insert(name.to_owned(), message(body));
    }
    json
}

fn owner(owner: &pb::ChownOpt) -> Value {
    use pb::user_opt::User;
    let who = |user: &pb::UserOpt| match &user.user {
        Some(User::ById(id)) => value!({ "byID": id }),
        Some(User::ByName(named)) => {
            value!({ "byName": message(value!({ "name": named.name, "input": long(named.input) })) })
        }
        None => value!({}),
    };
    let (user, group) = (owner.user.as_ref().map(who), owner.group.as_ref().map(who));
    message(value!({ "user": user, "group": group }))
}

/// In the names of Go's own encoder, as BuildKit answers.
fn metadata(data: &pb::OpMetadata) -> Value {
    let group = data
        .progress_group
        .as_ref()
        .map(|group| message(value!({ "id": group.id, "name": group.name, "weak": group.weak })));
    message(value!({
        "ignore_cache": data.ignore_cache,
        "description": data.description,
        "export_cache": data.export_cache.as_ref().map(|cache| value!({ "Value": cache.value })),
        "caps": data.caps,
        "progress_group": group,
    }))
}

fn source(source: &pb::Source) -> Value {
    let position = |position: &Option<pb::Position>| {
        position.as_ref().map(|at| message(value!({ "line": at.line, "character": at.character })))
    };
    let range = |range: &pb::Range| value!({ "start": position(&range.start), "end": position(&range.end) });
    let place = |place: &pb::Location| {
        let ranges: Vec<Value> = place.ranges.iter().map(range).collect();
        message(value!({ "sourceIndex": place.source_index, "ranges": ranges }))
    };
    let locations: Map<String, Value> = source
        .locations
        .iter()
        .map(|(digest, places)| {
            let places: Vec<Value> = places.locations.iter().map(place).collect();
            (digest.clone(), value!({ "locations": places }))
        })
        .collect();
    let infos: Vec<Value> = source
        .infos
        .iter()
        .map(|info| {
            message(
                value!({ "filename": info.filename, "language": info.language, "data": base64(&info.data) }),
            )
        })
        .collect();
    value!({ "locations": locations, "infos": infos })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exec, Metadata, Mount, Platform, source};

    #[test]
    fn an_exec_of_an_image() {
        let image = source::image("docker.io/library/busybox:latest")
            .platform(&Platform::linux("amd64"))
            .build(&Metadata::named("from busybox"));
        let done = Exec::new(["/bin/true"])
            .mount(Mount::bind("/", &image).with_output())
            .build(&Metadata::named("run true"))
            .root();
        let json = json(&done.marshal());
        let op = &json["def"][done.digest()]["exec"];
        assert_eq!(op["meta"]["args"], value!(["/bin/true"]));
        assert_eq!(op["mounts"], value!([{ "dest": "/" }]), "defaults are left out");
        let from = &json["def"][image.digest()];
        assert_eq!(from["source"]["identifier"], "docker-image://docker.io/library/busybox:latest");
        assert_eq!(from["platform"], value!({ "Architecture": "amd64", "OS": "linux" }));
        assert_eq!(json["metadata"][done.digest()]["description"]["llb.customname"], "run true");
    }
}
