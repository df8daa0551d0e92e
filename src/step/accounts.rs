//! Adds the user that runs to `/etc/passwd` and `/etc/group`, whatever base there is.
//!
//! The base's entries stay, except those that would contradict ours: the same name with
//! another number, or the same number with another name.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;

/// See the module.
#[derive(Debug, Args)]
pub struct Accounts {
    /// The file system to read from; it may be missing
    #[arg(long, default_value = "/base")]
    base: PathBuf,
    /// The folder to write to
    #[arg(long)]
    out: PathBuf,
    /// The user's name, also that of its group
    #[arg(long)]
    name: String,
    /// The user's number
    #[arg(long)]
    uid: u32,
    /// The group's number
    #[arg(long)]
    gid: u32,
    /// The time on the files, in seconds since 1970
    #[arg(long, default_value_t = 0)]
    epoch: u64,
}

const ROOT_USER: &str = "root:x:0:0:root:/root:/sbin/nologin";
const ROOT_GROUP: &str = "root:x:0:";

impl Accounts {
    pub(super) fn run(&self) -> Result<(), String> {
        let etc = self.out.join("etc");
        fs::create_dir_all(&etc).map_err(|error| format!("{}: {error}", etc.display()))?;
        let passwd = passwd(&self.read("passwd")?, &self.name, self.uid, self.gid);
        let group = group(&self.read("group")?, &self.name, self.gid);
        self.write(&etc.join("passwd"), &passwd)?;
        self.write(&etc.join("group"), &group)?;
        for folder in [&etc, &self.out] {
            self.stamp(folder, 0o755)?;
        }
        Ok(())
    }

    /// A file of the base's `/etc`. Links are followed within the base only.
    fn read(&self, name: &str) -> Result<String, String> {
        let mut path = self.base.join("etc").join(name);
        for _ in 0..8 {
            let Ok(target) = fs::read_link(&path) else { break };
            path = match target.strip_prefix("/") {
                Ok(absolute) => self.base.join(absolute),
                Err(_) => path.parent().unwrap_or(&self.base).join(target),
            };
        }
        match fs::read(&path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    fn write(&self, path: &Path, content: &str) -> Result<(), String> {
        let written = File::create(path).and_then(|mut file| file.write_all(content.as_bytes()));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        self.stamp(path, 0o644)
    }

    /// Mode and time, so that the same input gives the same layer.
    fn stamp(&self, path: &Path, mode: u32) -> Result<(), String> {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.epoch);
        let stamped = File::open(path).and_then(|file| {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.set_times(FileTimes::new().set_accessed(time).set_modified(time))
        });
        stamped.map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn fields(line: &str) -> (&str, Option<u32>) {
    let mut fields = line.split(':');
    let name = fields.next().unwrap_or_default();
    (name, fields.nth(1).and_then(|number| number.parse().ok()))
}

/// The lines that do not contradict an entry of this name and number.
fn without<'l>(lines: &'l str, name: &str, number: u32) -> impl Iterator<Item = &'l str> {
    let lines = lines.lines().filter(|line| !line.trim().is_empty());
    lines.filter(move |line| {
        let (other, other_number) = fields(line);
        other != name && other_number != Some(number)
    })
}

fn passwd(base: &str, name: &str, uid: u32, gid: u32) -> String {
    let base = if base.trim().is_empty() { ROOT_USER } else { base };
    if uid == 0 {
        return whole(base.lines());
    }
    // No home of its own: what it may write is in /tmp.
    let own = format!("{name}:x:{uid}:{gid}:{name}:/tmp:/sbin/nologin");
    whole(without(base, name, uid).chain([own.as_str()]))
}

fn group(base: &str, name: &str, gid: u32) -> String {
    let base = if base.trim().is_empty() { ROOT_GROUP } else { base };
    if gid == 0 {
        return whole(base.lines());
    }
    let own = format!("{name}:x:{gid}:");
    whole(without(base, name, gid).chain([own.as_str()]))
}

fn whole<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    lines.fold(String::new(), |text, line| text + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/bash\napp:x:1654:1654::/home/app:/bin/sh\n";

    #[test]
    fn ours_is_added_and_nothing_contradicts_it() {
        assert_eq!(
            passwd(BASE, "app", 1000, 1001),
            "root:x:0:0:root:/root:/bin/bash\napp:x:1000:1001:app:/tmp:/sbin/nologin\n"
        );
        assert_eq!(group("root:x:0:\nnode:x:1000:\n", "app", 1001), "root:x:0:\nnode:x:1000:\napp:x:1001:\n");
    }

    #[test]
    fn nothing_to_start_from() {
        assert_eq!(
            passwd("", "app", 1001, 1001),
            format!("{ROOT_USER}\napp:x:1001:1001:app:/tmp:/sbin/nologin\n")
        );
        assert_eq!(group("", "app", 1001), "root:x:0:\napp:x:1001:\n");
    }

    #[test]
    fn the_group_of_root_stays_its_own() {
        assert_eq!(group("root:x:0:\n", "app", 0), "root:x:0:\n");
    }
}
