//! Weighs an image and refuses one that is too heavy.
//!
//! The weight is that of the files, uncompressed; a file with several names counts once. What
//! weighs most is named, so that a person knows where to begin.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;

/// See the module.
#[derive(Debug, Args)]
pub struct Size {
    /// The image's file system
    #[arg(long)]
    root: PathBuf,
    /// The most that it may weigh, in bytes
    #[arg(long)]
    limit: u64,
}

/// How many of the heaviest files are named.
const NAMED: usize = 5;

impl Size {
    pub(super) fn run(&self) -> Result<(), String> {
        let mut files = weigh(&self.root)?;
        let total: u64 = files.iter().map(|(_, size)| size).sum();
        if total <= self.limit {
            return Ok(());
        }
        files.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let heaviest =
            files.iter().take(NAMED).map(|(path, size)| format!("\n  {:>9}  {path}", mebibytes(*size)));
        Err(format!(
            "the image holds {}, which is more than the {} that its contract allows; the heaviest files:{}",
            mebibytes(total),
            mebibytes(self.limit),
            heaviest.collect::<String>()
        ))
    }
}

#[allow(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// All files below a folder with their sizes, by their path in it. Links are not followed.
fn weigh(root: &Path) -> Result<Vec<(String, u64)>, String> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let metadata = entry.metadata().map_err(failed)?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if metadata.is_file() && seen.insert((metadata.dev(), metadata.ino())) {
                let path = entry.path();
                let inside = path.strip_prefix(root).unwrap_or(&path);
                found.push((format!("/{}", inside.display()), metadata.len()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_are_named_and_hard_links_count_once() {
        let root = std::env::temp_dir().join(format!("slipway-size-{}", std::process::id()));
        fs::create_dir_all(root.join("a/b")).expect("a folder");
        fs::write(root.join("a/b/large"), vec![0; 3 << 20]).expect("a file");
        fs::write(root.join("small"), vec![0; 1 << 20]).expect("a file");
        fs::hard_link(root.join("a/b/large"), root.join("again")).expect("a link");
        let size = |limit| Size { root: root.clone(), limit }.run();
        assert_eq!(size(4 << 20), Ok(()));
        let refused = size((4 << 20) - 1).expect_err("too heavy");
        fs::remove_dir_all(&root).expect("it was there");
        assert!(refused.starts_with("the image holds 4.0 MiB, which is more than the 4.0 MiB"), "{refused}");
        assert!(refused.ends_with("1.0 MiB  /small"), "{refused}");
    }
}
