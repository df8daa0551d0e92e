//! What an image weighs, as files and as a registry stores it, and what of it weighs most.

use std::io::Write;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::too_heavy;
use super::tree::{Files, Tree};
use crate::plan::contract::{Promise, Rule};
use crate::probe::{Part, megabytes};

pub(super) fn check(promise: &Promise, image: &Tree, files: &Files, part: &mut Part) -> Result<(), String> {
    let since = Instant::now();
    let total: u64 = files.sizes().map(|(_, size)| size).sum();
    part.figure("bytes", total);
    part.figure("files", u64::try_from(files.sizes().count()).unwrap_or(u64::MAX));
    for (path, size) in files.sizes() {
        *part.folders.entry(top(path)).or_default() += size;
    }
    if let Some(limit) = promise.size {
        if total > limit {
            let mut heaviest: Vec<_> = files.sizes().collect();
            heaviest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            let lines: Vec<String> = heaviest
                .iter()
                .take(5)
                .map(|(path, size)| format!("{:>9}  {path}", megabytes(*size)))
                .collect();
            part.failed(Rule::Size, too_heavy(total, limit), since).details(lines);
        } else {
            part.passed(Rule::Size, format!("{} of {}", megabytes(total), megabytes(limit)), since);
        }
    }
    if let Some(limit) = promise.compressed_size {
        let since = Instant::now();
        let packed = compressed(image)?;
        part.figure("compressed_bytes", packed);
        if packed > limit {
            part.failed(Rule::CompressedSize, format!("compressed, {}", too_heavy(packed, limit)), since);
        } else {
            let message = format!("compressed, {} of {}", megabytes(packed), megabytes(limit));
            part.passed(Rule::CompressedSize, message, since);
        }
    }
    Ok(())
}

/// The folder at the top that a file is in; those with much below them by their second name.
fn top(path: &str) -> String {
    let depth = if path.starts_with("/usr/") || path.starts_with("/opt/") { 3 } else { 2 };
    let parts: Vec<&str> = path.split('/').collect();
    let folder = parts.get(..depth.min(parts.len() - 1)).unwrap_or_default().join("/");
    if folder.is_empty() { "/".to_owned() } else { folder }
}

/// Counts, and keeps nothing.
#[derive(Default)]
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The bytes of all files as one layer in gzip.
fn compressed(image: &Tree) -> Result<u64, String> {
    let mut packed = GzEncoder::new(Count::default(), Compression::default());
    image.each(&mut |path, entry, content| {
        // A header, and the name, which is what packs.
        packed
            .write_all(&[0; 400])
            .and_then(|()| packed.write_all(path.as_bytes()))
            .map_err(|error| error.to_string())?;
        if entry.size > 0 {
            std::io::copy(content, &mut packed).map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(())
    })?;
    Ok(packed.finish().map_err(|error| error.to_string())?.0)
}

#[cfg(test)]
mod tests {
    use super::top;

    #[test]
    fn folders_at_the_top() {
        assert_eq!(["/app/a/b", "/usr/lib/x/y", "/x", "/usr/x"].map(top), ["/app", "/usr/lib", "/", "/usr"]);
    }
}
