//! Stages written by hand: what may stand under `stages`, and under `files`.

use serde_json::Value as Json;

use super::mounts::{BindSpec, CacheSpec, Mounts, SecretSpec, SshSpec, TmpfsSpec};
use super::reader::{Entries, FromNode, Located, Reader, record, short_or_mapping};
use super::schema::{self, Definitions};
use super::values::{Command, OneOrMany, Pairs};
use super::yaml::Node;
use crate::diagnostic::{Code, Diagnostic};

record! {
    /// A stage written by hand.
    closed "a stage" struct StageSpec {
        /// An image, another stage, or `scratch`.
        from: Located<String>,
        /// Whose platform the stage has: `target` (the default) or `build`.
        platform: Option<Located<String>>,
        /// What happens, in order.
        steps: Vec<StepSpec>,
    }
}

/// One step of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSpec {
    /// What it does.
    pub action: ActionSpec,
    /// Its place.
    pub span: crate::diagnostic::Span,
}

/// What a step does. Each is the key that its mapping starts with.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionSpec {
    /// `collect`
    Collect(CollectSpec),
    /// `copy`
    Copy(CopySpec),
    /// `env`
    Env(Pairs),
    /// `mkdir`
    MakeDir(DirSpec),
    /// `run`
    Run(RunSpec),
    /// `symlink`
    Symlink(LinkSpec),
    /// `user`
    User(Located<String>),
    /// `workdir`
    Workdir(Located<String>),
    /// `write`
    Write(WriteSpec),
}

const ACTIONS: [&str; 9] = ["collect", "copy", "env", "mkdir", "run", "symlink", "user", "workdir", "write"];

impl FromNode for StepSpec {
    fn schema(definitions: &mut Definitions) -> Json {
        // One of the actions, by the key that its mapping has.
        let alone = |key: &str, schema: Json| {
            serde_json::json!({
                "type": "object", "properties": { key: schema }, "required": [key], "additionalProperties": false,
            })
        };
        schema::any([
            alone("collect", CollectSpec::schema(definitions)),
            alone("copy", CopySpec::schema(definitions)),
            alone("env", Pairs::schema(definitions)),
            alone("mkdir", DirSpec::schema(definitions)),
            RunSpec::schema(definitions),
            alone("symlink", LinkSpec::schema(definitions)),
            alone("user", String::schema(definitions)),
            alone("workdir", String::schema(definitions)),
            alone("write", WriteSpec::schema(definitions)),
        ])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let entries = reader.mapping(node, "a step")?;
        let actions: Vec<&str> = ACTIONS.into_iter().filter(|action| node.get(action).is_some()).collect();
        let action = match actions.as_slice() {
            // `env` and `user` beside `run` belong to it.
            actions if actions.contains(&"run") => ActionSpec::Run(RunSpec::from_node(node, reader)?),
            [only] => {
                beside(entries, only, reader);
                action(only, node.get(only)?, reader)?
            }
            [] => {
                reader.only_known_keys(entries, "a step", &ACTIONS);
                if entries.is_empty() {
                    reader.bad_value(
                        &node.span,
                        "the step is empty",
                        Some(
                            "a step is one of: collect, copy, env, mkdir, run, symlink, user, workdir, write",
                        ),
                    );
                }
                return None;
            }
            [first, second, ..] => {
                let message = format!("a step does one thing; this one has `{first}` and `{second}`");
                reader.bad_value(&node.span, message, Some("make them two steps"));
                return None;
            }
        };
        Some(Self { action, span: node.span.clone() })
    }
}

/// Keys that stand beside an action belong inside of it, most likely.
fn beside(entries: &[(super::yaml::Key, Node)], only: &str, reader: &mut Reader<'_>) {
    for (key, _) in entries {
        if key.name != only && !key.name.starts_with("x-") {
            reader.report(
                Diagnostic::new(Code::UnknownKey, format!("unknown key `{}` beside `{only}`", key.name))
                    .at(&key.span)
                    .label("nothing reads this")
                    .help(format!("does it belong inside: `{only}: {{ {}: … }}`?", key.name)),
            );
        }
    }
}

fn action(name: &str, value: &Node, reader: &mut Reader<'_>) -> Option<ActionSpec> {
    Some(match name {
        "collect" => ActionSpec::Collect(CollectSpec::from_node(value, reader)?),
        "copy" => ActionSpec::Copy(CopySpec::from_node(value, reader)?),
        "env" => ActionSpec::Env(Pairs::from_node(value, reader)?),
        "mkdir" => ActionSpec::MakeDir(DirSpec::from_node(value, reader)?),
        "symlink" => ActionSpec::Symlink(LinkSpec::from_node(value, reader)?),
        "user" => ActionSpec::User(Located::from_node(value, reader)?),
        "workdir" => ActionSpec::Workdir(Located::from_node(value, reader)?),
        _ => ActionSpec::Write(WriteSpec::from_node(value, reader)?),
    })
}

record! {
    /// What a program needs to run, out of an image or stage: its runtime's own files, the shared
    /// libraries that they load, CA certificates and time zones.
    closed "`collect`" struct CollectSpec {
        /// The image or stage that has it.
        from: Located<String>,
        /// Which files beside the program belong to it: `plain` (the default), `libraries`,
        /// `node`, `python`, `java` or `nginx`.
        runtime: Option<Located<String>>,
        /// The program, as a path or a name on PATH; by default nothing but certificates and zones.
        program: Option<Located<String>>,
        /// Further files and folders.
        keep: OneOrMany,
        /// Packages of the distribution whose files are taken along.
        packages: OneOrMany,
        /// Folders with native modules of the application, whose libraries are taken along.
        scan: Vec<ScanSpec>,
    }
}

record! {
    /// A folder with native modules.
    closed "`scan`" struct ScanSpec {
        /// The stage that has it.
        from: Located<String>,
        /// The folder, there and in the image.
        path: Located<String>,
    }
}

record! {
    /// A copy.
    closed "`copy`" struct CopySpec {
        /// Where from: a stage, another component, an image, an http or git URL, the build context
        /// (`context`, the default), or the programs that Slipway brings along (`slipway`).
        from: Option<Located<String>>,
        /// What; several need a folder as target. Of a URL, all of it by default.
        source: OneOrMany,
        /// What a file from a URL must have as digest (`sha256:…`), or a repository as commit.
        checksum: Option<Located<String>>,
        /// Whether an archive is unpacked.
        unpack: Option<bool>,
        /// Where to. A trailing `/` means: into this folder.
        target: Located<String>,
        /// The owner, as `uid` or `uid:gid`; root by default.
        owner: Option<Located<String>>,
        /// Permission bits, octal.
        mode: Option<Located<Mode>>,
        /// Patterns of what is copied, relative to the source; all of it by default.
        include: OneOrMany,
        /// Patterns of what stays behind.
        exclude: OneOrMany,
        /// A layer of its own, which a new base does not rebuild. The target must not lie
        /// behind a link of the base.
        link: Option<bool>,
    }
}

record! {
    /// A process.
    closed "a `run` step" struct RunSpec {
        /// What runs: a text for `/bin/sh -c`, or a list of words.
        run: Command,
        /// Environment for it alone.
        env: Pairs,
        /// Environment that says for which platform the image is: `platform`, `os`, `arch`,
        /// `variant`, `arm`; or on which it is built: `build_platform`, `build_arch`.
        platform_env: Entries<Located<String>>,
        /// Folders that stay from build to build.
        cache: Mounts<CacheSpec>,
        /// The client's secrets.
        secret: Mounts<SecretSpec>,
        /// The client's ssh agents.
        ssh: Mounts<SshSpec>,
        /// Files of another stage, an image or the context, for this process alone.
        bind: Vec<BindSpec>,
        /// Folders in memory.
        tmpfs: Mounts<TmpfsSpec>,
        /// `default`, `none` or `host`.
        network: Option<Located<String>>,
        /// `sandbox` or `insecure`.
        security: Option<Located<String>>,
        /// The user that runs it.
        user: Option<Located<String>>,
    }
}

record! {
    /// A new file.
    closed "`write`" struct WriteSpec {
        /// Where.
        path: Located<String>,
        /// What it holds.
        content: String,
        /// Permission bits, octal; 0644 by default.
        mode: Option<Located<Mode>>,
        /// The owner, as `uid` or `uid:gid`; root by default.
        owner: Option<Located<String>>,
        /// A layer of its own, which a new base does not rebuild.
        link: Option<bool>,
    }
}

/// A new folder: its path alone, or with settings.
#[derive(Clone, Debug, PartialEq)]
pub struct DirSpec(DirMapping);

record! {
    /// A new folder with settings.
    closed "`mkdir`" struct DirMapping {
        /// Where.
        path: Located<String>,
        /// Permission bits; 0755 by default.
        mode: Option<Located<Mode>>,
        /// The owner, as `uid` or `uid:gid`; root by default.
        owner: Option<Located<String>>,
    }
}

short_or_mapping!(DirSpec, DirMapping, path);

record! {
    /// A symbolic link.
    closed "`symlink`" struct LinkSpec {
        /// What it points at.
        target: Located<String>,
        /// Where it is.
        path: Located<String>,
    }
}

/// Permission bits, written in octal whether quoted or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u32);

impl FromNode for Mode {
    fn schema(_: &mut Definitions) -> Json {
        schema::pattern("^(0o)?[0-7]{1,5}$")
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "permission bits such as `\"0755\"`")?;
        let bits = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok().filter(|bits| *bits <= 0o7777);
        if bits.is_none() {
            reader.bad_value(
                &node.span,
                format!("`{text}` are no permission bits"),
                Some("write them in octal, like `\"0755\"`"),
            );
        }
        bits.map(Self)
    }
}
