//! Processes with what they mount.

use super::Making;
use super::text::{shell, words};
use crate::plan::{From, Mount, MountOwner, Network, PlatformFact, Run, Sharing};
use crate::spec::values::CommandLine;

impl Making<'_> {
    pub(super) fn run(&mut self, run: &Run) {
        if !run.platform_env.is_empty() {
            self.platform();
        }
        let user = run.user.clone().filter(|user| *user != self.user);
        if let Some(user) = &user {
            self.text.line(&format!("USER {user}"));
        }
        let mut flags = Vec::new();
        match run.network {
            Network::None => flags.push("--network=none".to_owned()),
            Network::Host => flags.push("--network=host".to_owned()),
            Network::Default => {}
        }
        flags.extend(run.insecure.then(|| "--security=insecure".to_owned()));
        flags.extend(run.mounts.iter().map(|mount| format!("--mount={}", self.mount(mount))));
        let flags: String = flags.iter().map(|flag| format!("{flag} \\\n    ")).collect();
        let mut env: Vec<String> =
            run.platform_env.iter().map(|(name, fact)| format!("{name}=\"{}\"", variable(*fact))).collect();
        env.extend(run.env.iter().map(|(name, value)| format!("{name}={}", shell(value))));
        let command = match &run.command {
            CommandLine::Shell(text) if !text.contains('\n') => {
                let export =
                    if env.is_empty() { String::new() } else { format!("export {}; ", env.join(" ")) };
                export + text
            }
            CommandLine::Shell(text) => {
                let export =
                    if env.is_empty() { String::new() } else { format!("export {}\n", env.join(" ")) };
                words(&["/bin/sh".to_owned(), "-c".to_owned(), export + text])
            }
            CommandLine::Exec(args) if env.is_empty() => words(args),
            CommandLine::Exec(args) => {
                let args: Vec<String> = args.iter().map(|arg| shell(arg)).collect();
                format!("{} {}", env.join(" "), args.join(" "))
            }
        };
        self.text.line(&format!("RUN {flags}{command}"));
        if user.is_some() {
            let back = if self.user.is_empty() { "0:0" } else { &self.user };
            self.text.line(&format!("USER {back}"));
        }
    }

    fn mount(&self, mount: &Mount) -> String {
        match mount {
            Mount::Bind { from, source, target, writable } => {
                let writable = if *writable { ",rw" } else { "" };
                format!("type=bind{}{},target={target}{writable}", self.mounted_from(from), path(source))
            }
            Mount::Cache { target, id, sharing, initial, owner } => {
                let sharing = match sharing {
                    Sharing::Shared => "",
                    Sharing::Private => ",sharing=private",
                    Sharing::Locked => ",sharing=locked",
                };
                let initial = initial.as_ref().map(|(from, source)| self.mounted_from(from) + &path(source));
                format!(
                    "type=cache,id={id},target={target}{sharing}{}{}",
                    initial.unwrap_or_default(),
                    owned(*owner)
                )
            }
            Mount::Secret { id, target, env, required, owner, .. } => {
                let target = target.as_ref().map(|target| format!(",target={target}")).unwrap_or_default();
                let env = env.as_ref().map(|env| format!(",env={env}")).unwrap_or_default();
                let required = if *required { ",required=true" } else { "" };
                format!("type=secret,id={id}{target}{env}{required}{}", owned(*owner))
            }
            Mount::Ssh { id, target, required, owner } => {
                let target = target.as_ref().map(|target| format!(",target={target}")).unwrap_or_default();
                let required = if *required { ",required=true" } else { "" };
                format!("type=ssh,id={id}{target}{required}{}", owned(*owner))
            }
            Mount::Tmpfs { target, size } => {
                let size = size.map(|size| format!(",size={size}")).unwrap_or_default();
                format!("type=tmpfs,target={target}{size}")
            }
        }
    }

    fn mounted_from(&self, from: &From) -> String {
        self.from(from).map(|from| format!(",from={from}")).unwrap_or_default()
    }
}

fn path(source: &str) -> String {
    match source.trim_matches('/') {
        "" | "." => String::new(),
        source => format!(",source={source}"),
    }
}

fn owned(owner: MountOwner) -> String {
    let mut text = String::new();
    if owner.uid != 0 || owner.gid != 0 {
        text = format!(",uid={},gid={}", owner.uid, owner.gid);
    }
    match owner.mode {
        Some(mode) => format!("{text},mode={mode:04o}"),
        None => text,
    }
}

/// What a Dockerfile calls it.
fn variable(fact: PlatformFact) -> &'static str {
    match fact {
        PlatformFact::Platform => "$TARGETPLATFORM",
        PlatformFact::Os => "$TARGETOS",
        PlatformFact::Arch => "$TARGETARCH",
        PlatformFact::Variant => "$TARGETVARIANT",
        PlatformFact::Arm => "${TARGETVARIANT#v}",
        PlatformFact::BuildPlatform => "$BUILDPLATFORM",
        PlatformFact::BuildArch => "$BUILDARCH",
    }
}
