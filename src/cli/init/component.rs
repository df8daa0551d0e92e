//! From what was seen to a component: the folder's own files, what a Dockerfile tells, and what the
//! service says in Compose. What the recipe finds by itself is left out.

use serde_json::Value as Json;

use super::kind::{HTML, family, kind, source, version_of};
use super::layout::Brought;
use super::plans::Plans;
use super::scan::{self, Tree};
use super::shell::Question;
use super::start;
use super::told::{At, Told};
use super::write::{Component, Value, quoted, scalar, words};
use crate::paths::{in_folder, inside, parent};
use crate::recipe::RECIPES;

/// What a component is made of.
pub(super) struct Seen<'a> {
    /// The service's name.
    pub(super) name: &'a str,
    /// The build context, from the root.
    pub(super) context: String,
    /// What its Dockerfile tells.
    pub(super) told: Option<Told>,
    /// The service, in a Compose file that was there.
    pub(super) compose: Option<&'a Json>,
    /// What its health check in Compose asks, where that can be asked without a tool.
    pub(super) asks: Option<Question>,
}

/// A component, with what becomes of it in Compose.
pub(super) struct Maker<'a> {
    pub(super) seen: &'a Seen<'a>,
    pub(super) tree: &'a Tree,
    pub(super) recipe: &'static str,
    pub(super) source: String,
    pub(super) component: Component,
    /// What stays behind, with the Dockerfile's line.
    pub(super) lost: Vec<(usize, String)>,
    /// Whether the distribution's packages are those of the image that the Dockerfile names.
    pub(super) on_own_base: bool,
}

/// Makes a component. An error says why it cannot be one.
pub(super) fn component(seen: &Seen<'_>, tree: &Tree, plans: &Plans) -> Result<Component, String> {
    let source = source(seen, tree);
    let kind = kind(seen, tree, &source)?;
    let component = Component { name: seen.name.to_owned(), ..Component::default() };
    let mut maker =
        Maker { seen, tree, recipe: kind.recipe, source, component, lost: Vec::new(), on_own_base: false };
    maker.component.own("recipe", Value::Text(kind.recipe.to_owned()), kind.why);
    let source = if maker.source.is_empty() { ".".to_owned() } else { scalar(&maker.source) };
    maker.component.own.push(super::write::Entry {
        key: "source".to_owned(),
        value: Value::Text(source),
        why: None,
    });
    maker.archetype();
    maker.version();
    maker.template();
    maker.base_and_packages();
    maker.build();
    maker.image();
    maker.ports();
    maker.health();
    maker.start(plans);
    maker.remarks();
    let mut component = maker.component;
    if let Some(told) = &seen.told {
        let mut lost = maker.lost;
        lost.extend(told.lost.iter().map(|lost| (lost.line, lost.value.clone())));
        lost.sort_by_key(|(line, _)| *line);
        let path = &told.path;
        let words = |(line, what)| format!("from {path} line {line}, not carried over: {what}");
        component.lost = lost.into_iter().map(words).collect();
    }
    component.todo.extend(plans.errors(&component, seen.compose));
    Ok(component)
}

impl Maker<'_> {
    pub(super) fn reads(&self, key: &str) -> bool {
        RECIPES.iter().any(|recipe| recipe.name() == self.recipe && recipe.keys().contains(&key))
    }

    pub(super) fn line(&self, line: usize) -> String {
        let path = self.seen.told.as_ref().map(|told| told.path.as_str()).unwrap_or_default();
        format!("{path} line {line}")
    }

    pub(super) fn lose(&mut self, line: usize, what: &str) {
        self.lost.push((line, what.to_owned()));
    }

    /// Whether the service says this itself in Compose.
    pub(super) fn says(&self, key: &str) -> bool {
        let said = self.seen.compose.and_then(|service| service.get(key));
        said.is_some_and(|said| !said.is_null())
    }

    /// A package of Bun that is a command is compiled into one.
    fn archetype(&mut self) {
        let manifest = self.tree.json(&in_folder(&self.source, "package.json")).unwrap_or_default();
        let start = manifest.get("scripts").is_some_and(|scripts| scripts.get("start").is_some());
        if self.recipe == "bun" && self.seen.told.is_none() && manifest.get("bin").is_some() && !start {
            self.component.own("archetype", Value::Text("cli".to_owned()), "`bin` in package.json");
        }
    }

    /// Whether it is a program that answers nobody.
    pub(super) fn is_tool(&self) -> bool {
        self.component.own.iter().any(|entry| entry.key == "archetype")
    }

    fn version(&mut self) {
        let Some(told) = &self.seen.told else { return };
        // A site's version is that of the Node that builds it.
        let language = if self.recipe == "static" { "node" } else { self.recipe };
        let images = [(told.runtime_line, &told.runtime)].into_iter();
        let images = images.chain(told.builders.iter().map(|image| (image.line, &image.value)));
        let mut found = images.filter(|(_, image)| family(image) == Some(language));
        let found = found.find_map(|(line, image)| Some((line, image.clone(), version_of(image)?)));
        let builds = self.recipe != "static" || self.has("package.json");
        if let Some((line, image, version)) = found.filter(|_| self.reads("version") && builds) {
            let why = format!("FROM {image}, {}", self.line(line));
            self.component.own("version", Value::Text(quoted(&version)), why);
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tree.is_file(&in_folder(&self.source, name))
    }

    /// A file of nginx's server blocks, for an ingress; a site has its own.
    fn template(&mut self) {
        let Some(told) = self.seen.told.as_ref().filter(|_| ["nginx", "static"].contains(&self.recipe))
        else {
            return;
        };
        for At { line, value } in told.elsewhere(self.tree) {
            let Brought::File(path, target) = value else { continue };
            if !target.starts_with("/etc/nginx") {
                continue;
            }
            let blocks = self.recipe == "nginx" && !target.ends_with("/nginx.conf");
            if let Some(relative) = relative(&path, &self.source).filter(|_| blocks) {
                let why = self.line(line);
                self.component.own("template", Value::Text(scalar(&relative)), why);
                continue;
            }
            let text = self.tree.text(&path).unwrap_or_default();
            if self.recipe == "static"
                && text.contains("try_files")
                && !self.has("package.json")
                && text.contains("/index.html")
            {
                let why = format!("try_files in {path}");
                self.component.own("spa", Value::Text("true".to_owned()), why);
            }
            self.lose(
                line,
                &format!("{path}: the recipe brings a configuration of its own; `template` takes server blocks, with `root /srv/www`"),
            );
        }
    }

    /// Whether the program itself is this tool.
    pub(super) fn starts_with_tool(&self, tool: &str) -> bool {
        let Some(told) = &self.seen.told else { return false };
        [&told.entrypoint, &told.command].into_iter().flatten().any(|start| {
            start::words(&start.value).iter().any(|word| word.split([' ', '/']).any(|part| part == tool))
        })
    }

    /// `tini` or `dumb-init` in front of the program.
    pub(super) fn init(&self) -> Option<(&'static str, usize)> {
        let told = self.seen.told.as_ref()?;
        let at = told.entrypoint.as_ref().or(told.command.as_ref())?;
        let words = start::words(&at.value);
        let first = words.first()?.rsplit('/').next()?;
        match first {
            "tini" | "tini-static" => Some(("true", at.line)),
            "dumb-init" => Some(("dumb-init", at.line)),
            _ => None,
        }
    }

    fn build(&mut self) {
        if let Some((init, line)) = self.init() {
            self.component.own("init", Value::Text(init.to_owned()), self.line(line));
        }
        if self.recipe == "static" {
            self.site();
        }
        let Some(told) = self.seen.told.as_ref() else { return };
        if let Some(main) = told.main.clone().filter(|_| self.recipe == "go") {
            self.component.own("main", Value::Text(scalar(&main.value)), self.line(main.line));
        }
        let builds = told.builds.clone();
        match builds.as_slice() {
            [only] if self.reads("build") => {
                self.component.own("build", Value::Text(scalar(&only.value)), self.line(only.line));
            }
            several => {
                for build in several {
                    self.lose(build.line, &format!("RUN {}", build.value));
                }
            }
        }
        if self.recipe == "node" {
            self.outputs();
        }
    }

    /// The folder of a site.
    fn site(&mut self) {
        let told = self.seen.told.as_ref();
        if self.has("package.json") {
            let built = told.into_iter().flat_map(Told::outputs).find(|output| !output.value.is_empty());
            match built {
                Some(output) if output.value != "dist" => {
                    self.component.own("output", Value::Text(scalar(&output.value)), self.line(output.line));
                }
                Some(_) => {}
                None => {
                    if let Some(output) = scan::site_output(self.tree, &self.source) {
                        self.component.own("output", Value::Text(output.to_owned()), "package.json");
                    }
                }
            }
            return;
        }
        let Some(told) = told else { return };
        let pages = told.elsewhere(self.tree).into_iter().find_map(|at| match at.value {
            Brought::File(path, target) if HTML.iter().any(|folder| target.starts_with(folder)) => {
                Some((at.line, path))
            }
            _ => None,
        });
        let Some((line, path)) = pages else { return };
        let folder = if self.tree.is_folder(&path) { path } else { parent(&path).to_owned() };
        if let Some(output) = relative(&folder, &self.source).filter(|output| !output.is_empty()) {
            self.component.own("output", Value::Text(scalar(&output)), self.line(line));
        }
    }

    /// What of a Node build the image takes, where it is not one folder.
    fn outputs(&mut self) {
        let Some(told) = self.seen.told.as_ref() else { return };
        let installed =
            |path: &str| path.contains("node_modules") || path.ends_with(".json") || path.ends_with(".yaml");
        let outputs: Vec<_> = told.outputs().into_iter().filter(|output| !installed(&output.value)).collect();
        if let Some(whole) = outputs.iter().find(|output| output.value.is_empty()) {
            let line = whole.line;
            self.lose(line, "the whole folder of the build: the image takes what the program starts in; `output` takes more");
            return;
        }
        if outputs.len() > 1 {
            let names: Vec<String> = outputs.iter().map(|output| output.value.clone()).collect();
            self.component.own("output", words(&names), self.line(outputs[0].line));
        }
    }

    /// Environment, labels, files and the user.
    fn image(&mut self) {
        let Some(told) = self.seen.told.as_ref() else { return };
        let (tools, env): (Vec<_>, Vec<_>) =
            told.env.iter().cloned().partition(|at| is_of_tools(&at.value.0));
        self.environment("env", &env);
        self.environment("build_env", &[told.build_env.clone(), tools].concat());
        if let Some(first) = told.labels.first() {
            let pairs =
                told.labels.iter().map(|at| (scalar(&at.value.0), quoted(&at.value.1.replace('$', "$$"))));
            self.component.own(
                "labels",
                Value::Map(pairs.collect()),
                format!("LABEL, {}", self.line(first.line)),
            );
        }
        self.files();
        if let Some(user) = told.user.clone().filter(|_| !self.says("user")) {
            let (uid, gid) = user.value;
            let pairs = vec![("uid".to_owned(), uid.to_string()), ("gid".to_owned(), gid.to_string())];
            self.component.own("user", Value::Map(pairs), format!("USER, {}", self.line(user.line)));
        }
    }

    /// `ENV` of the image, or of stages that it copies from.
    fn environment(&mut self, key: &str, all: &[At<(String, String)>]) {
        let builds = self.recipe != "static" || self.has("package.json");
        let read = key == "env" || (self.reads(key) && builds);
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut first = 0;
        for At { line, value: (name, value) } in all {
            if is_of_the_recipe(name, value) {
                continue;
            }
            if name == "PATH" || value.contains('$') || !read {
                self.lose(*line, &format!("ENV {name}={value}"));
            } else {
                first = if first == 0 { *line } else { first };
                pairs.retain(|(known, _)| known != name);
                pairs.push((name.clone(), quoted(value)));
            }
        }
        if !pairs.is_empty() {
            self.component.own(key, Value::Map(pairs), format!("ENV, {}", self.line(first)));
        }
    }

    fn files(&mut self) {
        let Some(told) = self.seen.told.as_ref() else { return };
        let mut files = Vec::new();
        let mut first = 0;
        for At { line, value } in told.elsewhere(self.tree) {
            match value {
                Brought::File(_, target) if self.is_of_the_recipe(&target) => {}
                Brought::File(path, target) => match relative(&path, &self.source)
                    .filter(|path| !path.is_empty())
                {
                    Some(path) => {
                        first = if first == 0 { line } else { first };
                        let mode = if path.ends_with(".sh") { ", mode: \"0755\"" } else { "" };
                        files.push(format!(
                            "{{ source: {}, target: {}{mode} }}",
                            scalar(&path),
                            scalar(&target)
                        ));
                    }
                    // All of the source is the recipe's; of other folders `beside` tells.
                    None if path == self.source || self.tree.is_folder(&path) => {}
                    None => self.lose(line, &format!("COPY {path} {target}: it lies outside of `source`")),
                },
                Brought::Other(what) => self.lose(line, &what),
            }
        }
        self.beside(told);
        if !files.is_empty() {
            self.component.own("files", Value::List(files), format!("COPY, {}", self.line(first)));
        }
    }

    /// Folders beside the component's own that the Dockerfile takes. In a workspace the recipe knows
    /// which of them it needs.
    fn beside(&mut self, told: &Told) {
        let root = self.tree.json("package.json").unwrap_or_default();
        if root.get("workspaces").is_some() || self.tree.is_file("pnpm-workspace.yaml") {
            return;
        }
        for At { line, value: path } in told.folders(self.tree) {
            if relative(&path, &self.source).is_some() {
                continue;
            }
            let shown = if path.is_empty() { "." } else { &path };
            let what = match relative(&self.source, &path) {
                Some(part) => format!("COPY {shown}: only {part} of it, which is `source`"),
                None => format!("COPY {shown}: it lies outside of `source`"),
            };
            self.lose(line, &what);
        }
    }

    /// Places that a recipe fills itself.
    fn is_of_the_recipe(&self, target: &str) -> bool {
        match self.recipe {
            "static" | "nginx" => {
                target.starts_with("/etc/nginx") || HTML.iter().any(|html| target.starts_with(html))
            }
            _ => false,
        }
    }
}

/// Whether its programs stand on nothing.
pub(super) fn is_static(recipe: &str) -> bool {
    ["go", "rust"].contains(&recipe)
}

/// A path from the root as one from a folder; none if it lies elsewhere.
fn relative(path: &str, folder: &str) -> Option<String> {
    match (path, folder) {
        (path, "") => Some(path.to_owned()),
        (path, folder) if path == folder => Some(String::new()),
        (path, folder) => Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_owned()),
    }
}

/// Environment that package managers read, which the image has none of.
fn is_of_tools(name: &str) -> bool {
    let starts = ["NPM_CONFIG_", "npm_config_", "YARN_", "PIP_", "POETRY_", "UV_"];
    starts.iter().any(|start| name.starts_with(start)) || ["GOPROXY", "GOPRIVATE", "GOFLAGS"].contains(&name)
}

/// Environment that recipes set themselves, or that makes no difference to them.
fn is_of_the_recipe(name: &str, value: &str) -> bool {
    let names = [
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",
        "PIP_NO_CACHE_DIR",
        "PIP_DISABLE_PIP_VERSION_CHECK",
        "PIP_ROOT_USER_ACTION",
        "POETRY_VIRTUALENVS_CREATE",
        "POETRY_VIRTUALENVS_IN_PROJECT",
        "POETRY_NO_INTERACTION",
        "POETRY_HOME",
        "POETRY_VERSION",
        "POETRY_CACHE_DIR",
        "UV_COMPILE_BYTECODE",
        "UV_LINK_MODE",
        "UV_PYTHON_DOWNLOADS",
        "UV_PROJECT_ENVIRONMENT",
        "VIRTUAL_ENV",
        "PNPM_HOME",
        "DEBIAN_FRONTEND",
        "JAVA_HOME",
    ];
    let paths = ["/.venv/", "/venv/", "PNPM_HOME", "/.local/"];
    names.contains(&name)
        || matches!((name, value), ("NODE_ENV", "production") | ("CGO_ENABLED", "0") | ("GOOS", "linux"))
        || (name == "PATH" && paths.iter().any(|part| value.contains(part)))
}

/// A path in Compose, from the folder of its file, as a path from the root. None if it leads out of
/// it, or to another machine.
pub(super) fn from_root(folder: &str, path: &str) -> Option<String> {
    let elsewhere =
        path.contains("://") || path.starts_with("git@") || path.starts_with('/') || path.contains('$');
    if elsewhere { None } else { inside(folder, path) }
}
