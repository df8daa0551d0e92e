//! An independent reading of the same wire format judges ours: every field of every message
//! is set to a value of its own, encoded by us, decoded by `bollard-buildkit-proto`, and must
//! come out there under the same name; then the way back must give what we started with.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Debug;

use bollard_buildkit_proto as oracle;
use buildkit_proto::{Any, frontend, pb, rpc};
use oracle::moby::buildkit::v1::frontend as oracle_frontend;
use prost::Message;

/// Both ways through the oracle. A pretty-printed message has one line a scalar, `name: value`,
/// and the values are unique, so a field under another number or name shows as a missing line.
fn agree<Ours, Theirs>(ours: &Ours)
where
    Ours: Message + Default + PartialEq + Debug,
    Theirs: Message + Default + Debug,
{
    let theirs = Theirs::decode(ours.encode_to_vec().as_slice()).expect("the oracle decodes");
    let expected = format!("{ours:#?}");
    let read = format!("{theirs:#?}");
    let read_lines: Vec<&str> = read.lines().map(str::trim).collect();
    let says_something = |line: &&str| !line.ends_with(": None,") && !line.ends_with(": [],");
    for line in expected.lines().map(str::trim).filter(says_something) {
        assert!(read_lines.contains(&line), "`{line}` is missing in {read}");
    }
    let back = Ours::decode(theirs.encode_to_vec().as_slice()).expect("we decode");
    assert_eq!(*ours, back);
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn map<V>(key: &str, value: V) -> BTreeMap<String, V> {
    BTreeMap::from([(text(key), value)])
}

fn platform() -> pb::Platform {
    pb::Platform {
        architecture: text("arm64"),
        os: text("linux"),
        variant: text("v8"),
        os_version: text("10.0"),
        os_features: vec![text("feature")],
    }
}

fn chown() -> Option<pb::ChownOpt> {
    use pb::user_opt::User;
    Some(pb::ChownOpt {
        user: Some(pb::UserOpt { user: Some(User::ById(1001)) }),
        group: Some(pb::UserOpt {
            user: Some(User::ByName(pb::NamedUserOpt { name: text("group"), input: -1 })),
        }),
    })
}

fn op(body: pb::op::Op) -> pb::Op {
    pb::Op {
        inputs: vec![pb::Input { digest: text("sha256:input"), index: 7 }],
        platform: Some(platform()),
        constraints: Some(pb::WorkerConstraints { filter: vec![text("filter")] }),
        op: Some(body),
    }
}

fn mount() -> pb::Mount {
    pb::Mount {
        input: -1,
        selector: text("/selector"),
        dest: text("/dest"),
        output: 3,
        readonly: true,
        mount_type: pb::MountType::Cache.into(),
        tmpfs_opt: Some(pb::TmpfsOpt { size: 4096 }),
        cache_opt: Some(pb::CacheOpt { id: text("cache-id"), sharing: pb::CacheSharingOpt::Locked.into() }),
        secret_opt: Some(pb::SecretOpt {
            id: text("secret-id"),
            uid: 11,
            gid: 12,
            mode: 0o400,
            optional: true,
        }),
        ssh_opt: Some(pb::SshOpt { id: text("ssh-id"), uid: 21, gid: 22, mode: 0o600, optional: true }),
        result_id: text("result-id"),
        content_cache: pb::MountContentCache::Off.into(),
    }
}

#[test]
fn exec() {
    agree::<_, oracle::pb::Op>(&op(pb::op::Op::Exec(pb::ExecOp {
        meta: Some(pb::Meta {
            args: vec![text("argument")],
            env: vec![text("K=V")],
            cwd: text("/cwd"),
            user: text("someone"),
            proxy_env: Some(pb::ProxyEnv {
                http_proxy: text("http"),
                https_proxy: text("https"),
                ftp_proxy: text("ftp"),
                no_proxy: text("no"),
                all_proxy: text("all"),
            }),
            extra_hosts: vec![pb::HostIp { host: text("host"), ip: text("10.0.0.1") }],
            hostname: text("hostname"),
            ulimit: vec![pb::Ulimit { name: text("nofile"), soft: 5, hard: 6 }],
            cgroup_parent: text("cgroup"),
            remove_mount_stubs_recursive: true,
            valid_exit_codes: vec![3, 4],
        }),
        mounts: vec![mount()],
        network: pb::NetMode::None.into(),
        security: pb::SecurityMode::Insecure.into(),
        secretenv: vec![pb::SecretEnv { id: text("env-id"), name: text("ENV_NAME"), optional: true }],
        cdi_devices: vec![pb::CdiDevice { name: text("device"), optional: true }],
    })));
}

#[test]
fn file() {
    use pb::file_action::Action;
    let actions = [
        Action::Copy(pb::FileActionCopy {
            src: text("/src"),
            dest: text("/dest"),
            owner: chown(),
            mode: -1,
            follow_symlink: true,
            dir_copy_contents: true,
            attempt_unpack_docker_compatibility: true,
            create_dest_path: true,
            allow_wildcard: true,
            allow_empty_wildcard: true,
            timestamp: -1,
            include_patterns: vec![text("include")],
            exclude_patterns: vec![text("exclude")],
            always_replace_existing_dest_paths: true,
            mode_str: text("u+x"),
            required_paths: vec![text("required")],
        }),
        Action::Mkfile(pb::FileActionMkFile {
            path: text("/file"),
            mode: 0o644,
            data: b"data".to_vec(),
            owner: chown(),
            timestamp: 12,
        }),
        Action::Mkdir(pb::FileActionMkDir {
            path: text("/dir"),
            mode: 0o755,
            make_parents: true,
            owner: chown(),
            timestamp: 13,
        }),
        Action::Rm(pb::FileActionRm { path: text("/rm"), allow_not_found: true, allow_wildcard: true }),
        Action::Symlink(pb::FileActionSymlink {
            oldpath: text("/target"),
            newpath: text("/link"),
            owner: chown(),
            timestamp: 14,
        }),
    ];
    for action in actions {
        agree::<_, oracle::pb::Op>(&op(pb::op::Op::File(pb::FileOp {
            actions: vec![pb::FileAction {
                input: 31,
                secondary_input: 32,
                output: 33,
                action: Some(action),
            }],
        })));
    }
}

#[test]
fn merge_and_diff() {
    agree::<_, oracle::pb::Op>(&op(pb::op::Op::Merge(pb::MergeOp {
        inputs: vec![pb::MergeInput { input: 41 }, pb::MergeInput { input: 42 }],
    })));
    agree::<_, oracle::pb::Op>(&op(pb::op::Op::Diff(pb::DiffOp {
        lower: Some(pb::LowerDiffInput { input: 51 }),
        upper: Some(pb::UpperDiffInput { input: 52 }),
    })));
}

/// Maps that we write as entries come out of the oracle as maps, empty keys and values included.
#[test]
fn source_and_build() {
    let entry = |key: &str, value: &str| pb::AttrEntry { key: Some(text(key)), value: Some(text(value)) };
    let source = op(pb::op::Op::Source(pb::SourceOp {
        identifier: text("local://context"),
        attrs: vec![entry("", "x"), entry("local.session", ""), entry("z", "y")],
    }));
    let read = oracle::pb::Op::decode(source.to_canonical_bytes().as_slice()).expect("decodes");
    assert_eq!(read.platform.map(|p| p.architecture), Some(text("arm64")));
    let Some(oracle::pb::op::Op::Source(read)) = read.op else { panic!("no source") };
    assert_eq!(read.identifier, "local://context");
    let read: BTreeMap<_, _> = read.attrs.into_iter().collect();
    assert_eq!(
        read,
        BTreeMap::from([(text(""), text("x")), (text("local.session"), text("")), (text("z"), text("y"))])
    );

    let build = op(pb::op::Op::Build(pb::BuildOp {
        builder: -1,
        inputs: vec![pb::BuildInputEntry {
            key: Some(text("buildkit.llb.definition")),
            value: Some(pb::BuildInput { input: 61 }),
        }],
        def: Some(pb::Definition { def: vec![b"op".to_vec()], ..Default::default() }),
        attrs: vec![entry("llbbuild.filename", "file")],
    }));
    let read = oracle::pb::Op::decode(build.to_canonical_bytes().as_slice()).expect("decodes");
    let Some(oracle::pb::op::Op::Build(read)) = read.op else { panic!("no build") };
    assert_eq!((read.builder, read.inputs["buildkit.llb.definition"].input), (-1, 61));
    assert_eq!(read.attrs["llbbuild.filename"], "file");
    assert_eq!(read.def.map(|d| d.def), Some(vec![b"op".to_vec()]));
}

fn definition() -> pb::Definition {
    pb::Definition {
        def: vec![b"op".to_vec()],
        metadata: map(
            "sha256:meta",
            pb::OpMetadata {
                ignore_cache: true,
                description: map("llb.customname", text("name")),
                export_cache: Some(pb::ExportCache { value: true }),
                caps: map("exec.meta.base", true),
                progress_group: Some(pb::ProgressGroup {
                    id: text("group"),
                    name: text("group-name"),
                    weak: true,
                }),
                linux_resources: Some(pb::LinuxResources {
                    memory: 71,
                    memory_swap: 72,
                    cpu_shares: 73,
                    cpu_period: 74,
                    cpu_quota: 75,
                    cpuset_cpus: text("0-1"),
                    cpuset_mems: text("0"),
                }),
            },
        ),
        source: Some(pb::Source {
            locations: map(
                "sha256:location",
                pb::Locations { locations: vec![pb::Location { source_index: 81, ranges: vec![range()] }] },
            ),
            infos: vec![info()],
        }),
    }
}

fn range() -> pb::Range {
    pb::Range {
        start: Some(pb::Position { line: 91, character: 92 }),
        end: Some(pb::Position { line: 93, character: 94 }),
    }
}

fn info() -> pb::SourceInfo {
    pb::SourceInfo {
        filename: text("spec.yaml"),
        data: b"content".to_vec(),
        definition: Some(pb::Definition { def: vec![b"inner".to_vec()], ..Default::default() }),
        language: text("YAML"),
    }
}

/// The oracle was made from an older BuildKit, which has no `linux_resources` (field 7, v0.31).
#[test]
fn definition_with_metadata_and_source() {
    let mut definition = definition();
    if let Some(metadata) = definition.metadata.get_mut("sha256:meta") {
        metadata.linux_resources = None;
    }
    agree::<_, oracle::pb::Definition>(&definition);
}

fn status() -> rpc::Status {
    rpc::Status {
        code: 2,
        message: text("message"),
        details: vec![Any { type_url: text("type"), value: b"value".to_vec() }],
    }
}

fn reference() -> frontend::Ref {
    frontend::Ref {
        id: text("ref-id"),
        def: Some(pb::Definition { def: vec![b"ref".to_vec()], ..Default::default() }),
    }
}

fn result(body: frontend::result::Result) -> frontend::Result {
    frontend::Result {
        result: Some(body),
        metadata: map("containerimage.config", b"{}".to_vec()),
        attestations: map(
            "linux/amd64",
            frontend::Attestations {
                attestation: vec![frontend::Attestation {
                    kind: frontend::AttestationKind::Bundle.into(),
                    metadata: map("reason", b"sbom".to_vec()),
                    r#ref: Some(reference()),
                    path: text("/path"),
                    in_toto_predicate_type: text("predicate"),
                    in_toto_subjects: vec![frontend::InTotoSubject {
                        kind: frontend::InTotoSubjectKind::Raw.into(),
                        digest: vec![text("sha256:subject")],
                        name: text("subject"),
                    }],
                }],
            },
        ),
    }
}

#[test]
fn results() {
    use frontend::result::Result as Body;
    let bodies = [
        Body::RefDeprecated(text("old")),
        Body::RefsDeprecated(frontend::RefMapDeprecated { refs: map("p", text("old-ref")) }),
        Body::Ref(reference()),
        Body::Refs(frontend::RefMap { refs: map("linux/amd64", reference()) }),
    ];
    for body in bodies {
        agree::<_, oracle_frontend::ReturnRequest>(&frontend::ReturnRequest {
            result: Some(result(body.clone())),
            error: Some(status()),
        });
        agree::<_, oracle_frontend::SolveResponse>(&frontend::SolveResponse {
            r#ref: text("legacy"),
            result: Some(result(body)),
        });
    }
    agree::<_, oracle_frontend::InputsResponse>(&frontend::InputsResponse {
        definitions: map("context", pb::Definition { def: vec![b"in".to_vec()], ..Default::default() }),
    });
}

#[test]
fn calls() {
    agree::<_, oracle_frontend::SolveRequest>(&frontend::SolveRequest {
        definition: Some(pb::Definition { def: vec![b"solve".to_vec()], ..Default::default() }),
        frontend: text("dockerfile.v0"),
        frontend_opt: map("target", text("api")),
        allow_result_return: true,
        allow_result_array_ref: true,
        cache_imports: vec![frontend::CacheOptionsEntry {
            r#type: text("registry"),
            attrs: map("ref", text("r")),
        }],
        frontend_inputs: map("input", pb::Definition { def: vec![b"input".to_vec()], ..Default::default() }),
        evaluate: true,
    });
    agree::<_, oracle_frontend::ReadFileRequest>(&frontend::ReadFileRequest {
        r#ref: text("ref"),
        file_path: text("/file"),
        range: Some(frontend::FileRange { offset: 1, length: 2 }),
    });
    agree::<_, oracle_frontend::ReadFileResponse>(&frontend::ReadFileResponse { data: b"data".to_vec() });
    agree::<_, oracle_frontend::ReadDirRequest>(&frontend::ReadDirRequest {
        r#ref: text("ref"),
        dir_path: text("/dir"),
        include_pattern: text("*.json"),
    });
    let stat = frontend::Stat {
        path: text("path"),
        mode: 101,
        uid: 102,
        gid: 103,
        size: 104,
        mod_time: 105,
        linkname: text("link"),
        devmajor: 106,
        devminor: 107,
        xattrs: map("user.x", b"attr".to_vec()),
    };
    agree::<_, oracle_frontend::ReadDirResponse>(&frontend::ReadDirResponse { entries: vec![stat.clone()] });
    agree::<_, oracle_frontend::StatFileRequest>(&frontend::StatFileRequest {
        r#ref: text("ref"),
        path: text("p"),
    });
    agree::<_, oracle_frontend::StatFileResponse>(&frontend::StatFileResponse { stat: Some(stat) });
    agree::<_, oracle_frontend::EvaluateRequest>(&frontend::EvaluateRequest { r#ref: text("ref") });
    agree::<_, oracle_frontend::WarnRequest>(&frontend::WarnRequest {
        digest: text("sha256:vertex"),
        level: 1,
        short: b"short".to_vec(),
        detail: vec![b"detail".to_vec()],
        url: text("url"),
        info: Some(info()),
        ranges: vec![range()],
    });
}

#[test]
fn capabilities() {
    let cap = |id: &str| frontend::ApiCap {
        id: text(id),
        enabled: true,
        deprecated: true,
        disabled_reason: text("reason"),
        disabled_reason_msg: text("reason-message"),
        disabled_alternative: text("alternative"),
    };
    agree::<_, oracle_frontend::PongResponse>(&frontend::PongResponse {
        frontend_api_caps: vec![cap("solve.base")],
        llb_caps: vec![cap("exec.meta.base")],
        workers: vec![frontend::WorkerRecord {
            id: text("worker"),
            labels: map("label", text("value")),
            platforms: vec![platform()],
        }],
    });
}

#[test]
fn source_metadata() {
    agree::<_, oracle_frontend::ResolveImageConfigRequest>(&frontend::ResolveImageConfigRequest {
        r#ref: text("docker.io/library/busybox:latest"),
        platform: Some(platform()),
        resolve_mode: text("local"),
        log_name: text("log"),
        resolver_type: 1,
        session_id: text("session"),
        store_id: text("store"),
    });
    agree::<_, oracle_frontend::ResolveImageConfigResponse>(&frontend::ResolveImageConfigResponse {
        digest: text("sha256:digest"),
        config: b"{}".to_vec(),
        r#ref: text("ref"),
    });
    agree::<_, oracle_frontend::ResolveSourceMetaRequest>(&frontend::ResolveSourceMetaRequest {
        source: Some(pb::SourceOp { identifier: text("docker-image://x"), attrs: vec![] }),
        platform: Some(platform()),
        log_name: text("log"),
        resolve_mode: text("pull"),
        git: Some(frontend::ResolveSourceGitRequest { return_object: true }),
    });
    agree::<_, oracle_frontend::ResolveSourceMetaResponse>(&frontend::ResolveSourceMetaResponse {
        source: Some(pb::SourceOp { identifier: text("docker-image://x@sha256:1"), attrs: vec![] }),
        image: Some(frontend::ResolveSourceImageResponse {
            digest: text("sha256:image"),
            config: b"config".to_vec(),
        }),
        git: Some(frontend::ResolveSourceGitResponse {
            checksum: text("checksum"),
            r#ref: text("refs/heads/main"),
            commit_checksum: text("commit"),
            commit_object: b"commit-object".to_vec(),
            tag_object: b"tag-object".to_vec(),
        }),
        http: Some(frontend::ResolveSourceHttpResponse {
            checksum: text("http-checksum"),
            filename: text("file"),
            last_modified: None,
        }),
    });
}
