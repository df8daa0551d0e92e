//! Copies, written files, and what a program needs to run.

use super::Making;
use super::text::{quoted, words};
use crate::lower::TOOLS;
use crate::plan::{Copy, From, Owner, Rootfs, Write};

impl Making<'_> {
    /// A copy with a mode gives that to the folders that it makes as well, which nobody could enter then.
    fn parents(&mut self, target: &str, mode: Option<u32>) {
        let parent = crate::paths::parent(target.trim_end_matches('/'));
        let missing = mode.is_some_and(|mode| mode & 0o111 != 0o111) && !parent.is_empty();
        if missing && self.made.insert(parent.to_owned()) {
            self.own(&[], &["make".to_owned(), "--parents".to_owned(), parent.to_owned()]);
        }
    }

    pub(super) fn copy(&mut self, copy: &Copy) {
        self.parents(&copy.target, copy.mode);
        if matches!(copy.from, From::Tools) {
            self.platform();
        }
        let is_add = copy.unpack || matches!(copy.from, From::Url { .. });
        let mut flags = Vec::new();
        if let From::Url { checksum: Some(checksum), .. } = &copy.from {
            flags.push(format!("--checksum={checksum}"));
        }
        flags.extend(self.from(&copy.from).map(|from| format!("--from={from}")));
        flags.extend(copy.link.then(|| "--link".to_owned()));
        flags.extend(ownership(copy.owner, copy.mode));
        if !copy.include.is_empty() {
            // Everything stays behind but what is named.
            flags.push("--exclude=**".to_owned());
            flags.extend(
                copy.include.iter().map(|pattern| format!("--exclude=!{}", pattern.trim_end_matches("/**"))),
            );
        }
        flags.extend(copy.exclude.iter().map(|pattern| format!("--exclude={pattern}")));
        let sources = copy.sources.iter().map(|source| match &copy.from {
            From::Url { url, .. } => url.clone(),
            From::Tools => format!("{TOOLS}/${{TARGETOS}}/${{TARGETARCH}}/{source}"),
            _ => source.clone(),
        });
        let mut paths: Vec<String> = sources.collect();
        paths.push(copy.target.clone());
        let verb = if is_add { "ADD" } else { "COPY" };
        let plain = paths.iter().all(|path| !path.contains([' ', '"', '\'', '\\']));
        let paths = if plain { paths.join(" ") } else { words(&paths) };
        self.text.line(&format!("{verb} {} {paths}", joined(&flags)).replace("  ", " "));
    }

    pub(super) fn write(&mut self, write: &Write) {
        self.parents(&write.path, Some(write.mode));
        let mut flags = Vec::new();
        flags.extend(write.link.then(|| "--link".to_owned()));
        flags.extend(ownership(write.owner, Some(write.mode)));
        // A heredoc ends with a line break; a text that does not is written by Slipway's own binary.
        let Some(content) = write.content.strip_suffix('\n') else {
            let made = format!("{}:{:04o}:{}:{}", write.path, write.mode, write.owner.uid, write.owner.gid);
            let args =
                ["make".to_owned(), "--file".to_owned(), made, "--content".to_owned(), write.content.clone()];
            self.own(&[], &args);
            return;
        };
        let mut end = "EOF".to_owned();
        while content.lines().any(|line| line.trim() == end) {
            end.push('_');
        }
        self.text.line(&format!(
            "COPY {} <<\"{end}\" {}\n{content}\n{end}\n",
            joined(&flags),
            quoted_path(&write.path)
        ));
    }

    /// What a program needs to run, collected from another file system.
    pub(super) fn rootfs(&mut self, rootfs: &Rootfs) {
        let Some(from) = self.from(&rootfs.from) else { return };
        let mut args: Vec<String> = ["rootfs", "--runtime", rootfs.runtime.name()].map(str::to_owned).into();
        let mut argument = |flag: &str, value: &str| args.extend([flag.to_owned(), value.to_owned()]);
        let key = match &rootfs.from {
            From::Image(name) | From::Stage(name) => name.as_str(),
            _ => "",
        };
        if let Some(path) = self.setting.paths.get(key) {
            argument("--path", path);
        }
        if let Some(program) = &rootfs.program {
            argument("--program", program);
        }
        for path in &rootfs.keep {
            argument("--keep", path);
        }
        for package in &rootfs.packages {
            argument("--package", package);
        }
        let mut mounts = vec![format!("type=bind,from={from},target=/.base")];
        for (index, scan) in rootfs.scan.iter().enumerate() {
            let Some(from) = self.from(&scan.from) else { continue };
            let place = format!("/.scan/{index}");
            argument("--scan", &format!("{}={place}", scan.path));
            mounts.push(format!("type=bind,from={from},source={},target={place}", scan.path));
        }
        argument("--base", "/.base");
        argument("--out", "/");
        self.own(&mounts, &args);
    }
}

fn ownership(owner: Owner, mode: Option<u32>) -> Vec<String> {
    let mut flags = Vec::new();
    if owner != Owner::default() {
        flags.push(format!("--chown={}:{}", owner.uid, owner.gid));
    }
    flags.extend(mode.map(|mode| format!("--chmod={mode:o}")));
    flags
}

/// Flags, a line each if there are many.
fn joined(flags: &[String]) -> String {
    if flags.iter().map(String::len).sum::<usize>() < 90 {
        return flags.join(" ");
    }
    flags.join(" \\\n    ") + " \\\n   "
}

fn quoted_path(path: &str) -> String {
    if path.contains([' ', '$', '"', '\\']) { quoted(path) } else { path.to_owned() }
}
