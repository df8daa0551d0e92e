//! A recipe's stages in YAML: what it stands for, to be read, or to be taken over and changed.
//!
//! What every component gets whatever made its stages (the user's accounts, the health probe, an
//! init, `files`) is left out: the printed stages get it as well.

use serde_json::{Value, json};

use super::{Diagnostics, Facts, Made, Request};
use crate::diagnostic::Diagnostic;
use crate::plan::{
    Action, Base, Copy, From, Image, Mount, MountOwner, Network, Owner, PlatformFact, Rootfs, Run, Sharing,
    Stage, StagePlatform,
};
use crate::spec::Service;
use crate::spec::values::CommandLine;

/// The component with its stages in YAML, to stand below `services`.
pub fn printed(service: &Service, facts: &Facts) -> Result<String, Vec<Diagnostic>> {
    let mut problems = Diagnostics::default();
    let user = super::user::user(service, &mut problems);
    let mut request = Request::new(service, facts, &user);
    let evidence = super::readiness::check(&request, &mut problems);
    request.archetype = super::archetype(&request, &evidence, &mut problems);
    match super::make(&request, &mut problems) {
        Some(made) if problems.is_empty() => Ok(text(&service.name.value, &made)),
        _ => Err(problems.into_sorted()),
    }
}

fn text(name: &str, made: &Made) -> String {
    let mut lines = vec![format!("  {name}:")];
    let mut key = |indent: usize, key: &str, value: &Value| {
        lines.push(format!("{:indent$}{key}: {}", "", flow(value)));
    };
    let Image { entrypoint, command, working_dir, env, ports, stop_signal, .. } = &made.image;
    for (name, value) in [
        ("entrypoint", entrypoint.as_ref().filter(|words| !words.is_empty()).map(|words| json!(words))),
        ("command", command.as_ref().filter(|words| !words.is_empty()).map(|words| json!(words))),
        ("working_dir", working_dir.as_ref().map(|path| json!(path))),
        ("stop_signal", stop_signal.as_ref().map(|signal| json!(signal))),
        (
            "expose",
            ports.as_ref().map(|ports| json!(ports.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ),
    ] {
        if let Some(value) = value {
            key(4, name, &value);
        }
    }
    lines.push("    x-slipway:".to_owned());
    if !env.is_empty() {
        lines.push(format!("      env: {}", flow(&json!(env))));
    }
    lines.push(format!("      target: {}", made.runtime));
    lines.push("      stages:".to_owned());
    for stage in &made.stages {
        lines.extend(self::stage(stage));
    }
    lines.join("\n") + "\n"
}

fn stage(stage: &Stage) -> Vec<String> {
    let from = match &stage.from {
        Base::Scratch => "scratch",
        Base::Image(name) | Base::Stage(name) => name,
    };
    let mut lines =
        vec![format!("        {}:", stage.name), format!("          from: {}", flow(&json!(from)))];
    if stage.platform == StagePlatform::Build {
        lines.push("          platform: build".to_owned());
    }
    let steps: Vec<String> = stage.steps.iter().filter_map(|step| self::step(&step.action)).collect();
    if steps.is_empty() {
        lines.push("          steps: []".to_owned());
        return lines;
    }
    lines.push("          steps:".to_owned());
    lines.extend(steps.into_iter().map(|step| format!("            - {step}")));
    lines
}

/// A step on a line, or with a line per key; none for what is added to any stages.
fn step(action: &Action) -> Option<String> {
    let one = |key: &str, value: Value| Some(format!("{key}: {}", flow(&value)));
    match action {
        Action::Accounts(_) => None,
        Action::Copy(copy) => one("copy", self::copy(copy)),
        Action::Env { name, value } => one("env", json!({ name: value })),
        Action::MakeDir(dir) => {
            one("mkdir", json!({ "path": dir.path, "mode": mode(dir.mode), "owner": owner(dir.owner) }))
        }
        Action::Rootfs(rootfs) => one("collect", collect(rootfs)),
        Action::Run(run) => Some(self::run(run)),
        Action::Symlink { target, path } => one("symlink", json!({ "target": target, "path": path })),
        Action::User(user) => one("user", json!(user)),
        Action::Workdir(path) => one("workdir", json!(path)),
        Action::Write(file) => {
            let mut value = json!({ "path": file.path, "mode": mode(file.mode), "content": file.content });
            if file.link {
                value["link"] = json!(true);
            }
            one("write", value)
        }
    }
}

/// With the owner, where there is more to say than the default.
fn owned(mut value: Value, owner: MountOwner) -> Value {
    if owner != MountOwner::default() {
        value["uid"] = json!(owner.uid);
        value["gid"] = json!(owner.gid);
        value["mode"] = owner.mode.map_or(Value::Null, |bits| json!(mode(bits)));
    }
    value
}

fn copy(copy: &Copy) -> Value {
    let mut value = json!({ "source": copy.sources, "target": copy.target });
    if copy.from != From::Context {
        value["from"] = json!(source(&copy.from));
    }
    if let From::Url { checksum: Some(checksum), .. } = &copy.from {
        value["checksum"] = json!(checksum);
    }
    if copy.unpack {
        value["unpack"] = json!(true);
    }
    if copy.owner != Owner::default() {
        value["owner"] = json!(owner(copy.owner));
    }
    if let Some(bits) = copy.mode {
        value["mode"] = json!(mode(bits));
    }
    for (key, patterns) in [("include", &copy.include), ("exclude", &copy.exclude)] {
        if !patterns.is_empty() {
            value[key] = json!(patterns);
        }
    }
    if copy.link {
        value["link"] = json!(true);
    }
    value
}

fn collect(rootfs: &Rootfs) -> Value {
    let mut value = json!({ "from": source(&rootfs.from), "runtime": rootfs.runtime.name() });
    if let Some(program) = &rootfs.program {
        value["program"] = json!(program);
    }
    if !rootfs.keep.is_empty() {
        value["keep"] = json!(rootfs.keep);
    }
    if !rootfs.packages.is_empty() {
        value["packages"] = json!(rootfs.packages);
    }
    if !rootfs.scan.is_empty() {
        let scan = rootfs.scan.iter().map(|scan| json!({ "from": source(&scan.from), "path": scan.path }));
        value["scan"] = scan.collect();
    }
    value
}

fn run(run: &Run) -> String {
    let command = match &run.command {
        CommandLine::Shell(text) => json!(text),
        CommandLine::Exec(words) => json!(words),
    };
    let mut lines = vec![format!("run: {}", flow(&command))];
    let mut key = |name: &str, value: Value| lines.push(format!("{name}: {}", flow(&value)));
    if !run.env.is_empty() {
        // A later value of the same name counts.
        let env: serde_json::Map<String, Value> =
            run.env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        key("env", Value::Object(env));
    }
    if !run.platform_env.is_empty() {
        let word = |fact| PlatformFact::ALL.iter().find(|(_, known)| *known == fact).map(|(word, _)| *word);
        let facts: serde_json::Map<String, Value> =
            run.platform_env.iter().map(|(name, fact)| (name.clone(), json!(word(*fact)))).collect();
        key("platform_env", Value::Object(facts));
    }
    let (mut cache, mut secret, mut ssh, mut bind, mut tmpfs) = (vec![], vec![], vec![], vec![], vec![]);
    for mount in &run.mounts {
        match mount {
            Mount::Cache { target, id, sharing, initial, owner } => {
                let sharing = match sharing {
                    Sharing::Shared => "shared",
                    Sharing::Private => "private",
                    Sharing::Locked => "locked",
                };
                let mut value = json!({ "target": target, "id": id, "sharing": sharing });
                if let Some((from, path)) = initial {
                    value["from"] = json!(source(from));
                    value["source"] = json!(path);
                }
                cache.push(owned(value, *owner));
            }
            Mount::Bind { from, source, target, writable } => {
                let from = self::source(from);
                bind.push(json!({ "from": from, "source": source, "target": target, "writable": writable }));
            }
            Mount::Secret { id, target, env, required, owner, version } => {
                let value = json!({
                    "id": id, "target": target, "env": env, "required": required, "version": version,
                });
                secret.push(owned(value, *owner));
            }
            Mount::Ssh { id, target, required, owner } => {
                ssh.push(owned(json!({ "id": id, "target": target, "required": required }), *owner));
            }
            Mount::Tmpfs { target, size } => tmpfs.push(json!({ "target": target, "size": size })),
        }
    }
    for (name, values) in
        [("cache", cache), ("secret", secret), ("ssh", ssh), ("bind", bind), ("tmpfs", tmpfs)]
    {
        if !values.is_empty() {
            key(name, Value::Array(values));
        }
    }
    match run.network {
        Network::Default => {}
        Network::None => key("network", json!("none")),
        Network::Host => key("network", json!("host")),
    }
    if run.insecure {
        key("security", json!("insecure"));
    }
    if let Some(user) = &run.user {
        key("user", json!(user));
    }
    lines.join("\n              ")
}

fn source(from: &From) -> &str {
    match from {
        From::Context => "context",
        From::Stage(name) | From::Image(name) => name,
        From::Tools => "slipway",
        From::Url { url, .. } => url,
    }
}

fn mode(bits: u32) -> String {
    format!("{bits:04o}")
}

fn owner(owner: Owner) -> String {
    format!("{}:{}", owner.uid, owner.gid)
}

/// A value on one line. A dollar sign has to be doubled, for Compose would see a variable.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text without quotes where YAML takes it for the same text, or as JSON, which is YAML.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '=');
    let starts = |c: char| c.is_ascii_alphabetic() || c == '/';
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if text.starts_with(starts) && text.chars().all(plain) && !word {
        text.to_owned()
    } else {
        Value::from(text).to_string().replace('$', "$$")
    }
}
