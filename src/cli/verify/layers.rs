//! The layer cache: with a source touched, what installs the dependencies is not run again. BuildKit's
//! own records say so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use super::Verify;
use super::engine::Scratch;
use crate::ignore;
use crate::plan::Plan;
use crate::plan::contract::Rule;
use crate::probe::Part;

/// Whether a stage of this name installs what the lock file names: recipes have `deps`, and `prod-deps` where
/// production needs fewer.
fn installs(stage: &str) -> bool {
    stage == "deps" || stage.ends_with("-deps")
}

/// So many sources are tried until one is of consequence.
const TRIES: usize = 8;
/// Ends of files that are sources, and in which blank lines at the end mean nothing.
const SOURCES: [&str; 19] = [
    "ts", "tsx", "js", "mjs", "cjs", "jsx", "py", "go", "rs", "java", "kt", "cs", "html", "css", "scss",
    "vue", "svelte", "sh", "template",
];

/// Builds twice with a touched source between.
pub(super) fn check(verify: &Verify, plan: &Plan, part: &mut Part) -> Result<(), String> {
    let since = Instant::now();
    if !plan.stages.iter().any(|stage| installs(&stage.name)) {
        part.not_verified(Rule::LayerCache, format!("`{}` has no stage `deps`", plan.component));
        return Ok(());
    }
    let scratch = Scratch::new()?;
    let ignore = verify.place().ignore();
    copy(&verify.context, &scratch.0, "", &ignore).map_err(|error| format!("the build context: {error}"))?;
    let spec = scratch.0.join("slipway-verify.spec.yaml");
    fs::copy(&verify.file, &spec).map_err(|error| format!("{}: {error}", verify.file.display()))?;
    build(verify, plan, &scratch.0)?;
    let sources = sources(&scratch.0.join(&plan.source)).map_err(|error| error.to_string())?;
    for source in sources.iter().take(TRIES) {
        let mut text = fs::read(source).map_err(|error| error.to_string())?;
        text.extend(blank());
        fs::write(source, text).map_err(|error| error.to_string())?;
        let vertices = build(verify, plan, &scratch.0)?;
        let own = format!("[{} ", plan.component);
        let own: Vec<(&String, &bool)> = vertices.iter().filter(|(name, _)| name.starts_with(&own)).collect();
        let cached = own.iter().filter(|(_, cached)| **cached).count();
        if cached == own.len() {
            // Nothing of the image depends on this file.
            continue;
        }
        let name = source.strip_prefix(&scratch.0).unwrap_or(source).display().to_string();
        let start = format!("[{} ", plan.component);
        let of_dependencies = |name: &str| {
            name.strip_prefix(&start).and_then(|rest| rest.split(']').next()).is_some_and(installs)
        };
        if !own.iter().any(|(name, _)| of_dependencies(name)) {
            part.not_verified(Rule::LayerCache, "the image is not made from a stage `deps`");
            return Ok(());
        }
        let ran: Vec<String> = own
            .iter()
            .filter(|(name, cached)| of_dependencies(name) && !**cached)
            .map(|(name, _)| (*name).clone())
            .collect();
        let percent = 100 * cached / own.len().max(1);
        part.figure("cached_steps", u64::try_from(cached).unwrap_or_default());
        part.figure("steps", u64::try_from(own.len()).unwrap_or_default());
        if ran.is_empty() {
            let message = format!(
                "with {name} touched the dependencies are cached: {cached} of {} steps, {percent} %",
                own.len()
            );
            part.passed(Rule::LayerCache, message, since);
        } else {
            part.failed(
                Rule::LayerCache,
                format!("with {name} touched the dependencies are installed again"),
                since,
            )
            .details(ran)
            .help("copy manifests and lock file first, the sources after the installation");
        }
        return Ok(());
    }
    part.not_verified(Rule::LayerCache, "no source was found that the image depends on");
    Ok(())
}

/// Empty lines and blanks that no earlier run wrote: an engine may have the steps of that one cached.
fn blank() -> impl Iterator<Item = u8> {
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos());
    std::iter::once(b'\n').chain((0..64).map(move |bit| if now >> bit & 1 == 1 { b'\n' } else { b' ' }))
}

/// Copies a build context, without what is kept out of it.
fn copy(from: &Path, to: &Path, inside: &str, ignored: &[String]) -> std::io::Result<()> {
    for entry in fs::read_dir(from.join(inside))? {
        let entry = entry?;
        let path = crate::paths::in_folder(inside, &entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        let skipped = matches!(entry.file_name().to_str(), Some("node_modules" | ".git"));
        if skipped || ignore::is_ignored(&path, ignored) {
            continue;
        }
        let target = to.join(&path);
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
            copy(from, to, &path, ignored)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Builds the component, and gives its steps by name with whether they were cached.
fn build(verify: &Verify, plan: &Plan, folder: &Path) -> Result<BTreeMap<String, bool>, String> {
    let mut command = Command::new("docker");
    command.args(["buildx", "build", "--progress=rawjson", "--file", "slipway-verify.spec.yaml"]);
    command.args(["--target", &plan.component, "--output=type=cacheonly"]);
    for arg in &verify.build_args {
        command.args(["--build-arg", arg]);
    }
    let output = command
        .arg(".")
        .current_dir(folder)
        .output()
        .map_err(|error| format!("docker cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last: Vec<&str> = said.lines().filter(|line| !line.starts_with('{')).collect();
        return Err(format!("the build fails: {}", last.join("\n")));
    }
    Ok(vertices(&said))
}

/// The vertices of BuildKit's raw progress: `vertexes` with `digest`, `name`, `cached` and `completed`.
/// The last word about a vertex counts.
fn vertices(progress: &str) -> BTreeMap<String, bool> {
    let mut last: BTreeMap<String, (String, bool)> = BTreeMap::new();
    let updates = progress.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for vertex in updates.flat_map(|update| update["vertexes"].as_array().cloned().unwrap_or_default()) {
        if let (Some(digest), Some(name), true) =
            (vertex["digest"].as_str(), vertex["name"].as_str(), vertex["completed"].is_string())
        {
            let cached = vertex["cached"].as_bool().unwrap_or(false);
            last.insert(digest.to_owned(), (name.to_owned(), cached));
        }
    }
    let mut found: BTreeMap<String, bool> = BTreeMap::new();
    for (name, cached) in last.into_values() {
        // Of several with one name, all have to be cached.
        found.entry(name).and_modify(|known| *known &= cached).or_insert(cached);
    }
    found
}

/// The sources in a folder, those near its top first.
fn sources(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![(0, folder.to_owned())];
    while let Some((depth, folder)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_test = ["test", "spec", "config", "setup"].iter().any(|word| name.contains(word));
            if path.is_dir() && !is_test {
                folders.push((depth + 1, path));
            } else if !is_test
                && path.extension().is_some_and(|end| SOURCES.iter().any(|known| end == *known))
            {
                found.insert((depth, path));
            }
        }
    }
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::vertices;

    #[test]
    fn raw_progress() {
        let progress = r#"{"vertexes":[{"digest":"1","name":"[api deps] npm ci","started":"x"}]}
{"vertexes":[{"digest":"1","name":"[api deps] npm ci","completed":"y"}]}
{"vertexes":[{"digest":"1","name":"[api deps] npm ci","completed":"y","cached":true}]}
not json
{"vertexes":[{"digest":"2","name":"[api build] tsc","completed":"y"}]}"#;
        let found: Vec<(String, bool)> = vertices(progress).into_iter().collect();
        assert_eq!(found, [("[api build] tsc".to_owned(), false), ("[api deps] npm ci".to_owned(), true)]);
    }
}
