//! `init`: looks at a repository and writes a spec for it, with comments that say where everything
//! came from.
//!
//! The way: [`scan`] and [`port`] look at folders; [`dockerfile`], [`shell`], [`layout`] and [`told`]
//! read what Dockerfiles tell; [`compose`] reads a Compose file and edits its [`lines`];
//! [`mod@component`] makes components of all that, with [`mod@kind`], [`packages`], [`service`] and
//! [`start`] for parts of it, and asks the recipes through [`plans`] what they find by themselves;
//! [`mod@write`] writes YAML. Nothing is written over unless that is asked for.

mod component;
mod compose;
mod dockerfile;
mod kind;
mod layout;
mod lines;
mod packages;
mod plans;
mod port;
mod scan;
mod service;
mod shell;
mod start;
#[cfg(test)]
mod tests;
mod told;
mod write;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::check::show;
use super::project::Place;
use crate::diagnostic::{Diagnostic, Level};
use crate::paths::{in_folder, parent};
use component::{Seen, component, from_root};
use compose::{Change, ComposeFile};
use plans::Plans;
use scan::Tree;
use service::compose_question;
use told::Told;
use write::{name_of, spec};

/// Looks at a repository and writes a spec for it.
#[derive(Debug, Args)]
#[command(after_help = "\
What it looks for, and takes the first of: a Compose file, whose services with `build` become
components and whose text stays as it is; Dockerfiles; folders with an ecosystem's files. What a
Dockerfile says and a spec cannot is listed in comments.

Exit status: 0 if a spec was written that builds, 1 if the spec has errors or there is nothing to
write one for, 2 if a file cannot be read or would be overwritten.

Examples:
  docker slipway init
  docker slipway init shop -f shop.spec.yaml
  docker slipway init --compose compose.prod.yaml --print")]
pub(super) struct Init {
    /// The repository, which is the build context
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The spec to write, in that folder
    #[arg(short, long, value_name = "NAME", default_value = "app.spec.yaml")]
    file: String,
    /// The Compose file to start from, where it is not one of the usual names
    #[arg(long, value_name = "FILE")]
    compose: Option<PathBuf>,
    /// Write to stdout instead
    #[arg(long)]
    print: bool,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// Why there is no spec: what to say, and the exit status.
type Failed = (String, i32);

/// The names that Compose looks for, in its order.
const COMPOSE: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// What was made of a folder.
#[derive(Debug, Default)]
struct Made {
    /// The spec.
    text: String,
    /// What was found, a line each.
    found: Vec<String>,
    /// What a person has to know.
    notes: Vec<String>,
}

impl Init {
    pub(super) fn run(&self) -> i32 {
        match self.make() {
            Ok(status) => status,
            Err((message, status)) => {
                eprintln!("slipway: {message}");
                status
            }
        }
    }

    fn make(&self) -> Result<i32, Failed> {
        let name = self.name()?;
        let here = self.folder == Path::new(".");
        let target = if here { PathBuf::from(&name) } else { self.folder.join(&name) };
        if !self.print && !self.force && target.exists() {
            let message = format!("{} is there already; --force writes over it", target.display());
            return Err((message, 2));
        }
        let unreadable = |path: &Path, error: &std::io::Error| (format!("{}: {error}", path.display()), 2);
        let tree = Tree::read(&self.folder).map_err(|error| unreadable(&self.folder, &error))?;
        let made = self.look(&tree, &name)?;
        for line in made.found.iter().chain(&made.notes) {
            eprintln!("{line}");
        }
        if self.print {
            super::say(made.text.trim_end());
            return Ok(0);
        }
        fs::write(&target, &made.text).map_err(|error| unreadable(&target, &error))?;
        eprintln!("wrote {}", target.display());
        let status = check(&target, &self.folder).map_err(|error| unreadable(&target, &error))?;
        let cd = if here { String::new() } else { format!("cd {} && ", self.folder.display()) };
        eprintln!("\nNext, after a look at the comments in it:");
        eprintln!("  {cd}docker slipway check -f {name} .");
        eprintln!("  {cd}docker buildx bake -f {name}");
        eprintln!("  {cd}docker slipway schema > slipway.schema.json  # for your editor");
        Ok(status)
    }

    /// The spec's file name; a bare word gets the usual ending.
    fn name(&self) -> Result<String, Failed> {
        if self.file.contains('/') || self.file.is_empty() {
            return Err((format!("{}: a name in the folder, not a path", self.file), 2));
        }
        let known = [".yaml", ".yml"].iter().any(|end| self.file.ends_with(end));
        Ok(if known { self.file.clone() } else { format!("{}.spec.yaml", self.file) })
    }

    fn look(&self, tree: &Tree, name: &str) -> Result<Made, Failed> {
        let plans = Plans::new(&self.folder.join(name), &self.folder);
        let usual = || COMPOSE.into_iter().map(|name| self.folder.join(name)).find(|path| path.is_file());
        if let Some(path) = self.compose.clone().or_else(usual) {
            let text =
                fs::read_to_string(&path).map_err(|error| (format!("{}: {error}", path.display()), 2))?;
            let folder = self.folder_of(&path)?;
            let shown = in_folder(&folder, &path.file_name().unwrap_or_default().to_string_lossy());
            return from_compose(tree, &plans, &text, &shown, name);
        }
        let project = fs::canonicalize(&self.folder).ok();
        let project = project.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
        let project = name_of(project.as_deref().unwrap_or("app"));
        let dockerfiles = tree.dockerfiles();
        if dockerfiles.is_empty() {
            from_folders(tree, &plans, &project, name)
        } else {
            from_dockerfiles(tree, &plans, &dockerfiles, &project, name)
        }
    }

    /// The folder of a Compose file, from the root.
    fn folder_of(&self, path: &Path) -> Result<String, Failed> {
        let absolute =
            |path: &Path| fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path });
        let beside = absolute(path.parent().unwrap_or(Path::new(".")));
        let root = absolute(&self.folder);
        let (Ok(beside), Ok(root)) = (beside, root) else {
            return Err((format!("{}: its folder cannot be read", path.display()), 2));
        };
        match beside.strip_prefix(&root) {
            Ok(folder) => Ok(folder.to_string_lossy().into_owned()),
            Err(_) => Err((format!("{} lies outside of {}", path.display(), self.folder.display()), 2)),
        }
    }
}

/// Services of a Compose file that are built become components; its text stays.
fn from_compose(tree: &Tree, plans: &Plans, text: &str, path: &str, name: &str) -> Result<Made, Failed> {
    let file = ComposeFile::read(text).map_err(|why| (format!("{path}: {why}"), 2))?;
    let folder = parent(path);
    let mut made = Made::default();
    let mut changes = Vec::new();
    let (mut built, mut others) = (0, 0);
    for service in file.services() {
        let json = file.service(&service);
        let Some(build) = file.build(&service) else {
            others += 1;
            continue;
        };
        if json.get(crate::spec::EXTENSION).is_some() {
            made.notes.push(format!("  {service}: is a component already"));
            continue;
        }
        built += 1;
        let Some(context) = from_root(folder, &build.context) else {
            made.notes.push(format!(
                "  {service}: stays as it is; its context {} is no folder in here",
                build.context
            ));
            continue;
        };
        let (shown, content) = match &build.inline {
            Some(inline) => (format!("{path} ({service})"), Some(inline.clone())),
            None => {
                let given = build.dockerfile.as_deref().unwrap_or("Dockerfile");
                let path = from_root(&context, given).unwrap_or_default();
                (path.clone(), tree.text(&path))
            }
        };
        let told = content
            .as_ref()
            .and_then(|text| Told::read(text, &shown, &context, build.target.as_deref(), &build.args));
        if let (Some(_), None, Some(target)) = (&content, &told, &build.target) {
            made.notes.push(format!("  {service}: {shown} has no stage {target}"));
        }
        let asks = compose_question(&json).filter(|_| file.owns_test(&service));
        let seen = Seen { name: &service, context, told, compose: Some(&json), asks };
        match component(&seen, tree, plans) {
            Ok(component) => {
                made.found.push(found(&component, &shown));
                changes.push(Change { component, without_test: seen.asks.is_some() });
            }
            Err(why) => made.notes.push(format!("  {service}: stays as it is; {why}")),
        }
    }
    if changes.is_empty() {
        let notes = made.notes.join("\n");
        let notes = if notes.is_empty() { notes } else { format!("\n{notes}") };
        return Err((format!("{path}: no service can become a component{notes}"), 1));
    }
    let count = changes.len();
    made.found.insert(
        0,
        format!(
            "{path}: {} with `build`, {others} without; {count} made components",
            counted(built, "service")
        ),
    );
    if !folder.is_empty() {
        made.notes.push(format!(
            "  paths in {path} were those of {folder}/: look through volumes, env_file, secrets and configs"
        ));
    }
    made.notes.extend(ignore_files(tree));
    made.text = file.edited(&changes, name).map_err(|why| (format!("{path}: {why}"), 2))?;
    Ok(made)
}

/// One service for each Dockerfile's folder.
fn from_dockerfiles(
    tree: &Tree,
    plans: &Plans,
    paths: &[String],
    project: &str,
    name: &str,
) -> Result<Made, Failed> {
    let mut made = Made::default();
    let mut components = Vec::new();
    let mut names = BTreeSet::new();
    for path in paths {
        let folder = parent(path);
        let Some(text) = tree.text(path) else { continue };
        let service = service_name(folder, project, &mut names);
        // The context is not written anywhere: it is the folder that has what is copied.
        let read = |context: &str| Told::read(&text, path, context, None, &std::collections::BTreeMap::new());
        let missing = |told: &Told| {
            told.context_sources()
                .iter()
                .filter(|path| !path.contains('*') && !tree.on_disk(path).exists())
                .count()
        };
        let contexts = [read(folder), read("")].into_iter().flatten();
        let Some(told) = contexts.min_by_key(missing) else {
            made.notes.push(format!("  {path}: has no stage"));
            continue;
        };
        let seen = Seen {
            name: &service,
            context: told.context.clone(),
            told: Some(told),
            compose: None,
            asks: None,
        };
        match component(&seen, tree, plans) {
            Ok(component) => {
                made.found.push(found(&component, path));
                components.push(component);
            }
            Err(why) => made.notes.push(format!("  {path}: {why}")),
        }
    }
    made.found.insert(
        0,
        format!("{}, {}", counted(paths.len(), "Dockerfile"), counted(components.len(), "component")),
    );
    made.notes.extend(ignore_files(tree));
    finish(made, &components, project, name)
}

/// Every folder that is a program.
fn from_folders(tree: &Tree, plans: &Plans, project: &str, name: &str) -> Result<Made, Failed> {
    let mut made = Made::default();
    let mut components = Vec::new();
    let mut names = BTreeSet::new();
    let (folders, passed) = tree.programs();
    for folder in folders {
        let service = service_name(&folder, project, &mut names);
        let seen = Seen { name: &service, context: folder.clone(), told: None, compose: None, asks: None };
        match component(&seen, tree, plans) {
            Ok(component) => {
                let shown = if folder.is_empty() { "." } else { &folder };
                made.found.push(found(&component, shown));
                components.push(component);
            }
            Err(why) => made.notes.push(format!("  {folder}: {why}")),
        }
    }
    made.notes.extend(passed.into_iter().map(|passed| format!("  {passed}")));
    made.found.insert(0, format!("no Compose file, no Dockerfile, {}", counted(components.len(), "program")));
    finish(made, &components, project, name)
}

fn finish(
    mut made: Made,
    components: &[write::Component],
    project: &str,
    name: &str,
) -> Result<Made, Failed> {
    if components.is_empty() {
        let notes: String = made.notes.iter().map(|note| format!("\n{note}")).collect();
        return Err((
            format!(
                "nothing to write a spec for: no Compose file, no Dockerfile, no folder with a program{notes}"
            ),
            1,
        ));
    }
    made.text = spec(project, name, components);
    Ok(made)
}

/// A line about a component for the summary.
fn found(component: &write::Component, from: &str) -> String {
    let recipe = component.own.iter().find(|entry| entry.key == "recipe");
    let recipe = match recipe.map(|recipe| &recipe.value) {
        Some(write::Value::Text(recipe)) => recipe.as_str(),
        _ => "",
    };
    let mut line = format!("  {}: recipe {recipe}, from {from}", component.name);
    for (count, what) in [
        (component.lost.len(), "not carried over"),
        (component.todo.len() + component.own_todo.len(), "to do"),
    ] {
        if count > 0 {
            let _ = write!(line, ", {count} {what}");
        }
    }
    line
}

/// A name for a folder's service that no other has.
fn service_name(folder: &str, project: &str, taken: &mut BTreeSet<String>) -> String {
    let last = folder.rsplit('/').next().filter(|last| !last.is_empty());
    let short = last.map_or_else(|| project.to_owned(), name_of);
    let name = if taken.contains(&short) { name_of(&folder.replace('/', "-")) } else { short };
    taken.insert(name.clone());
    name
}

/// Ignore files that counted while their folder was the context.
fn ignore_files(tree: &Tree) -> Vec<String> {
    let folders = tree.folders().filter(|folder| !folder.is_empty());
    let found = folders.map(|folder| in_folder(folder, ".dockerignore")).filter(|path| tree.is_file(path));
    found.map(|path| format!("  {path} is read no more: the context is the whole repository now")).collect()
}

/// What `check` does, with the number of errors and warnings.
fn check(file: &Path, context: &Path) -> std::io::Result<i32> {
    let place =
        Place { file: file.to_owned(), target: None, build_args: Vec::new(), context: context.to_owned() };
    let problems = place.open()?.problems;
    let shown: Vec<Diagnostic> =
        problems.iter().filter(|problem| problem.level > Level::Info).cloned().collect();
    show(&shown);
    let count = |level| shown.iter().filter(|problem| problem.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warn));
    eprintln!("{}: {}, {}", file.display(), counted(errors, "error"), counted(warnings, "warning"));
    Ok(i32::from(errors > 0))
}

/// `1 error`, `2 errors`.
fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
