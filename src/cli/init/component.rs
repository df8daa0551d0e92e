//! From what was seen to a component: the folder's own files, what a Dockerfile tells, and what the
//! service says in Compose. What the recipe finds by itself is left out.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::plans::Plans;
use super::scan::{self, Kind, Tree};
use super::shell::{Manager, Question, question};
use super::start::{self, Program};
use super::told::{Told, inside};
use super::write::{Component, Value, quoted, scalar, words};
use crate::paths::{in_folder, parent};
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
struct Maker<'a> {
    seen: &'a Seen<'a>,
    tree: &'a Tree,
    recipe: &'static str,
    source: String,
    component: Component,
    /// What stays behind, with the Dockerfile's line.
    lost: Vec<(usize, String)>,
    /// Whether the distribution's packages are those of the image that the Dockerfile names.
    on_own_base: bool,
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

/// The component's folder: the Dockerfile's own if it is a program, else the context, else the folder
/// that the Dockerfile copies its manifests from.
fn source(seen: &Seen<'_>, tree: &Tree) -> String {
    let context = seen.context.clone();
    let Some(told) = &seen.told else { return context };
    let is_program = |folder: &str| !tree.marks(folder).is_empty();
    let beside = parent(&told.path).to_owned();
    if beside != context && is_program(&beside) {
        return beside;
    }
    let copied: BTreeSet<String> = told
        .context_sources()
        .into_iter()
        .map(|path| if tree.is_folder(&path) { path } else { parent(&path).to_owned() })
        .filter(|folder| *folder != context && is_program(folder))
        .collect();
    let named = copied.iter().find(|folder| folder.rsplit('/').next() == Some(seen.name));
    match (named, is_program(&context), copied.len()) {
        (Some(named), _, _) => named.clone(),
        (None, false, 1) => copied.into_iter().next().unwrap_or(context),
        _ => context,
    }
}

/// The language or server that an image brings.
fn family(image: &str) -> Option<&'static str> {
    let name = image.split('@').next().unwrap_or_default();
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (name, ""),
    };
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.contains("dotnet/") {
        return Some("dotnet");
    }
    Some(match last {
        "node" => "node",
        "python" => "python",
        "uv" if tag.contains("python") => "python",
        "bun" => "bun",
        "golang" | "go" => "go",
        "rust" => "rust",
        "nginx" | "nginx-unprivileged" | "httpd" | "caddy" => "nginx",
        "eclipse-temurin"
        | "openjdk"
        | "amazoncorretto"
        | "maven"
        | "gradle"
        | "sapmachine"
        | "ibm-semeru-runtimes" => "java",
        _ if path.contains("distroless/nodejs") => "node",
        _ if path.contains("distroless/java") => "java",
        _ if path.contains("distroless/python") => "python",
        _ => return None,
    })
}

/// The version in an image's name: `20` of `node:20-alpine`, `21` of `distroless/java21-debian12`.
fn version_of(image: &str) -> Option<String> {
    let name = image.split('@').next().unwrap_or_default();
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (name, ""),
    };
    let last = path.rsplit('/').next().unwrap_or_default();
    let text = match (last, tag) {
        ("maven" | "gradle", tag) => tag.split_once("temurin-").or(tag.split_once("jdk"))?.1,
        (_, tag) if path.contains("distroless/") => {
            let _ = tag;
            last.trim_start_matches(|c: char| c.is_ascii_alphabetic())
        }
        ("uv", tag) => tag.strip_prefix("python")?,
        (_, tag) => tag,
    };
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let version = text[..end].trim_matches('.');
    (!version.is_empty()).then(|| version.to_owned())
}

/// Where servers look for pages.
const HTML: [&str; 5] =
    ["/usr/share/nginx/html", "/var/www", "/usr/local/apache2/htdocs", "/usr/share/caddy", "/srv"];

/// Which recipe: by the image that the Dockerfile ends on, those that it builds with, or the folder.
fn kind(seen: &Seen<'_>, tree: &Tree, source: &str) -> Result<Kind, String> {
    let of_folder = tree.kind(source);
    let Some(told) = &seen.told else {
        return of_folder.ok_or_else(|| {
            let marks: Vec<&str> = tree.marks(source).iter().map(|kind| kind.recipe).collect();
            match marks.as_slice() {
                [] => "its folder does not tell what it is".to_owned(),
                several => format!("its folder could be any of: {}", several.join(", ")),
            }
        });
    };
    let from = |line: usize, image: &str| format!("FROM {image}, {} line {line}", told.path);
    match family(&told.runtime) {
        Some("nginx") => {
            let why = from(told.runtime_line, &told.runtime);
            let into = |folders: &[&str]| {
                told.copies()
                    .into_iter()
                    .any(|copy| folders.iter().any(|folder| copy.target.starts_with(folder)))
            };
            if into(&HTML) || of_folder.as_ref().is_some_and(|kind| kind.recipe == "static") {
                return Ok(Kind { recipe: "static", why });
            }
            if into(&["/etc/nginx/conf.d", "/etc/nginx/templates"]) {
                return Ok(Kind { recipe: "nginx", why });
            }
            Err(format!("no recipe knows what `{}` serves here", told.runtime))
        }
        // Bun's lock beside a manifest that Node's image installs from; a site that a tool serves.
        Some("node") if of_folder.as_ref().is_some_and(|kind| kind.recipe == "bun") => {
            of_folder.ok_or_else(String::new)
        }
        Some("node")
            if of_folder.as_ref().is_some_and(|kind| kind.recipe == "static") && serves_files(told) =>
        {
            let why = "a site that a tool for Node serves; nginx does it here".to_owned();
            Ok(Kind { recipe: "static", why })
        }
        Some(recipe) => Ok(Kind { recipe, why: from(told.runtime_line, &told.runtime) }),
        None => {
            let builder = told.builders.iter().find_map(|image| {
                let recipe = family(&image.value).filter(|recipe| *recipe != "nginx")?;
                Some(Kind { recipe, why: from(image.line, &image.value) })
            });
            builder.or(of_folder).ok_or_else(|| format!("no recipe is for `{}`", told.runtime))
        }
    }
}

fn serves_files(told: &Told) -> bool {
    let tools = ["serve", "http-server", "preview"];
    [&told.entrypoint, &told.command].into_iter().flatten().any(|start| {
        let words = start::words(&start.value);
        words.iter().any(|word| tools.contains(&word.as_str()))
    })
}

impl Maker<'_> {
    fn reads(&self, key: &str) -> bool {
        RECIPES.iter().any(|recipe| recipe.name() == self.recipe && recipe.keys().contains(&key))
    }

    fn line(&self, line: usize) -> String {
        let path = self.seen.told.as_ref().map(|told| told.path.as_str()).unwrap_or_default();
        format!("{path} line {line}")
    }

    fn lose(&mut self, line: usize, what: &str) {
        self.lost.push((line, what.to_owned()));
    }

    /// Whether the service says this itself in Compose.
    fn says(&self, key: &str) -> bool {
        let said = self.seen.compose.and_then(|service| service.get(key));
        said.is_some_and(|said| !said.is_null())
    }

    fn version(&mut self) {
        let Some(told) = &self.seen.told else { return };
        // A site's version is that of the Node that builds it.
        let language = if self.recipe == "static" { "node" } else { self.recipe };
        let images = [(told.runtime_line, &told.runtime)].into_iter();
        let images = images.chain(told.builders.iter().map(|image| (image.line, &image.value)));
        let found = images.filter(|(_, image)| family(image) == Some(language));
        let found = found.filter_map(|(line, image)| Some((line, image.clone(), version_of(image)?))).next();
        let builds = self.recipe != "static" || self.has("package.json");
        if let Some((line, image, version)) = found.filter(|_| self.reads("version") && builds) {
            let why = format!("FROM {image}, {}", self.line(line));
            self.component.own("version", Value::Text(quoted(&version)), why);
        }
    }

    fn has(&self, name: &str) -> bool {
        self.tree.is_file(&in_folder(&self.source, name))
    }

    /// A file of nginx's server blocks, for an ingress; a site has its own.
    fn template(&mut self) {
        let Some(told) = self.seen.told.as_ref().filter(|_| ["nginx", "static"].contains(&self.recipe))
        else {
            return;
        };
        for (line, found) in told.elsewhere(self.tree) {
            let Ok((path, target)) = found else { continue };
            if !target.starts_with("/etc/nginx") {
                continue;
            }
            let relative = relative(&path, &self.source);
            let text = self.tree.text(&path).unwrap_or_default();
            if self.recipe == "nginx" && !target.ends_with("/nginx.conf") {
                if let Some(relative) = relative {
                    let why = self.line(line);
                    self.component.own("template", Value::Text(scalar(&relative)), why);
                    continue;
                }
            }
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

    /// Packages of the distribution; where the recipe's base is of another one, the image of the
    /// Dockerfile becomes the base.
    fn base_and_packages(&mut self) {
        let Some(told) = self.seen.told.as_ref() else { return };
        let asked = self.seen.asks.as_ref().map(|question| question.tool);
        let checked = told.health.as_ref().map(|health| health.value.question.tool);
        let tools: Vec<&str> = asked.into_iter().chain(checked).collect();
        let mut wanted = Vec::new();
        let mut building = told.build_packages.clone();
        let mut gone = Vec::new();
        for at in &told.packages {
            let (manager, names) = &at.value;
            let mut kept = Vec::new();
            for name in names {
                if tools.contains(&name.as_str()) && !self.starts_with_tool(name) {
                    gone.push((at.line, format!("the package {name}: the health check needs none")));
                } else if ["tini", "dumb-init"].contains(&name.as_str()) && self.init().is_some() {
                    // `init` brings it.
                    continue;
                } else if is_static(self.recipe) && ["ca-certificates", "tzdata"].contains(&name.as_str()) {
                    gone.push((at.line, format!("the package {name}: its files are in the image anyway")));
                } else if BUILD_TOOLS.contains(&name.as_str()) {
                    let tools = (*manager, vec![name.clone()]);
                    building.push(super::told::At { line: at.line, value: tools });
                } else {
                    if name.ends_with("-dev") {
                        let headers = (*manager, vec![name.clone()]);
                        building.push(super::told::At { line: at.line, value: headers });
                    }
                    kept.push(name.clone());
                }
            }
            if !kept.is_empty() {
                wanted.push((at.line, *manager, kept));
            }
        }
        for (line, what) in gone {
            self.lose(line, &what);
        }
        let own = if ["static", "nginx"].contains(&self.recipe) { Manager::Apk } else { Manager::Apt };
        let of_other = wanted.iter().any(|(_, manager, _)| *manager != own)
            || (is_static(self.recipe) && !wanted.is_empty());
        let brings = family(&told.runtime) == Some(self.recipe) || is_static(self.recipe);
        if of_other && brings && self.reads("base") {
            let why = format!(
                "FROM, {}: its packages are none of the recipe's own base",
                self.line(told.runtime_line)
            );
            self.component.own("base", Value::Text(scalar(&told.runtime)), why);
            self.on_own_base = true;
        }
        let fits = |manager: Manager| self.on_own_base || manager == own;
        let (kept, gone): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|(_, manager, _)| fits(*manager) && self.reads("packages"));
        for (line, _, names) in gone {
            self.lose(line, &format!("the packages {}", names.join(" ")));
        }
        self.packages("packages", kept);
        // A build on Alpine takes Alpine's packages.
        let alpine = self.on_own_base && told.runtime.contains("alpine");
        let native = if alpine { Manager::Apk } else { Manager::Apt };
        let building = building.into_iter().map(|at| (at.line, at.value.0, at.value.1));
        let (kept, gone): (Vec<_>, Vec<_>) = building.partition(|(_, manager, _)| {
            *manager == native
                && self.reads("build_packages")
                && (self.recipe != "static" || self.has("package.json"))
        });
        for (line, _, names) in gone {
            self.lose(line, &format!("the packages {}, which served the build", names.join(" ")));
        }
        self.packages("build_packages", kept);
    }

    fn packages(&mut self, key: &str, found: Vec<(usize, Manager, Vec<String>)>) {
        let Some((first, manager, _)) = found.first().cloned() else { return };
        let mut names: Vec<String> = Vec::new();
        for name in found.into_iter().flat_map(|(_, _, names)| names) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let tool = if manager == Manager::Apt { "apt-get" } else { "apk" };
        self.component.own(key, words(&names), format!("{tool}, {}", self.line(first)));
    }

    /// Whether the program itself is this tool.
    fn starts_with_tool(&self, tool: &str) -> bool {
        let Some(told) = &self.seen.told else { return false };
        [&told.entrypoint, &told.command].into_iter().flatten().any(|start| {
            start::words(&start.value).iter().any(|word| word.split([' ', '/']).any(|part| part == tool))
        })
    }

    /// `tini` or `dumb-init` in front of the program.
    fn init(&self) -> Option<(&'static str, usize)> {
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
        let pages = told.elsewhere(self.tree).into_iter().find_map(|(line, found)| {
            let (path, target) = found.ok()?;
            HTML.iter().any(|folder| target.starts_with(folder)).then_some((line, path))
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
        let mut env = Vec::new();
        let mut gone = Vec::new();
        for at in &told.env {
            let (name, value) = &at.value;
            if is_of_the_tools(name, value) {
                continue;
            }
            if name == "PATH" || value.contains('$') {
                gone.push((at.line, format!("ENV {name}={value}")));
            } else {
                env.push((at.line, name.clone(), value.clone()));
            }
        }
        for (line, what) in gone {
            self.lose(line, &what);
        }
        if let Some((line, ..)) = env.first().cloned() {
            let pairs = env.into_iter().map(|(_, name, value)| (name, quoted(&value.replace('$', "$$"))));
            self.component.own("env", Value::Map(pairs.collect()), format!("ENV, {}", self.line(line)));
        }
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

    fn files(&mut self) {
        let Some(told) = self.seen.told.as_ref() else { return };
        let mut files = Vec::new();
        let mut first = 0;
        for (line, found) in told.elsewhere(self.tree) {
            match found {
                Ok((_, target)) if self.is_of_the_recipe(&target) => {}
                Ok((path, target)) => match relative(&path, &self.source).filter(|path| !path.is_empty()) {
                    Some(path) => {
                        first = if first == 0 { line } else { first };
                        let mode = if path.ends_with(".sh") { ", mode: \"0755\"" } else { "" };
                        files.push(format!(
                            "{{ source: {}, target: {}{mode} }}",
                            scalar(&path),
                            scalar(&target)
                        ));
                    }
                    // All of the source: the recipe takes it.
                    None if path == self.source || !is_static(self.recipe) => {}
                    None => self.lose(line, &format!("COPY {path} {target}: it lies outside of `source`")),
                },
                Err(what) => self.lose(line, &what),
            }
        }
        if !files.is_empty() {
            self.component.own("files", Value::List(files), format!("COPY, {}", self.line(first)));
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

    fn ports(&mut self) {
        if self.says("ports") || self.says("expose") {
            return;
        }
        if let Some(told) = &self.seen.told {
            if let Some(first) = told.expose.first() {
                let ports = told.expose.iter().map(|port| quoted(&port.value)).collect();
                let why = format!("EXPOSE, {}", self.line(first.line));
                self.component.service("expose", Value::List(ports), why);
                return;
            }
            if ["static", "nginx"].contains(&self.recipe) && family(&told.runtime) == Some("nginx") {
                let port = if told.runtime.contains("unprivileged") { "8080" } else { "80" };
                let why = format!("the base image's, {}", self.line(told.runtime_line));
                self.component.service("expose", Value::List(vec![quoted(port)]), why);
                return;
            }
            let port = told.variable("PORT").filter(|port| port.parse::<u16>().is_ok()).map(str::to_owned);
            if let Some(port) = port {
                self.component.service("expose", Value::List(vec![quoted(&port)]), "ENV PORT");
                return;
            }
        }
        match scan::port(self.tree, &self.source, self.recipe, self.seen.name) {
            Some((port, why)) => {
                self.component.service("expose", Value::List(vec![quoted(&port.to_string())]), why);
            }
            None => self.component.todo.push("expose: [\"PORT\"], if it listens on one".to_owned()),
        }
    }

    fn exposes_only(&self, port: u16) -> bool {
        let expose = self.component.service.iter().find(|entry| entry.key == "expose");
        expose.is_some_and(|entry| entry.value == Value::List(vec![quoted(&port.to_string())]))
    }

    /// What the health check asks: Compose's own question counts before the Dockerfile's.
    fn health(&mut self) {
        let told = self.seen.told.as_ref().and_then(|told| told.health.clone());
        let in_compose = self.seen.compose.and_then(|service| service.get("healthcheck"));
        let has_test =
            in_compose.is_some_and(|check| check.get("test").is_some() || check.get("disable").is_some());
        let found = match (&self.seen.asks, &told) {
            (Some(question), _) => Some((question.clone(), "healthcheck.test".to_owned())),
            (None, Some(health)) if !has_test => {
                Some((health.value.question.clone(), format!("HEALTHCHECK, {}", self.line(health.line))))
            }
            (None, None) if self.recipe == "static" && !has_test && self.exposes_something() => {
                let question =
                    Question { port: self.exposed().unwrap_or(8080), path: "/".to_owned(), tool: "wget" };
                Some((question, "a site has a page".to_owned()))
            }
            _ => None,
        };
        if let Some((question, why)) = found {
            let mut text = format!("{{ http: {}", scalar(&question.path));
            if !self.exposes_only(question.port) {
                text.push_str(&format!(", port: {}", question.port));
            }
            text.push_str(" }");
            self.component.own("contract", Value::Map(vec![("health".to_owned(), text)]), why);
        } else if has_test {
            // The check stays as it is, with the tool that it runs.
            let test =
                in_compose.and_then(|check| check.get("test")).map(Json::to_string).unwrap_or_default();
            let tool =
                ["curl", "wget", "pg_isready", "redis-cli"].into_iter().find(|tool| test.contains(tool));
            let listed = self.component.own.iter().any(|entry| {
                matches!(&entry.value, Value::List(names) if entry.key == "packages" && names.iter().any(|name| Some(name.as_str()) == tool))
            });
            if let (Some(tool), false) = (tool, listed) {
                self.component.todo.push(format!("the health check runs {tool}, which the image may not have; contract: {{ health: {{ http: /PATH }} }} asks without it"));
            }
        } else if !self.says("healthcheck") {
            self.component
                .todo
                .push("x-slipway: { contract: { health: { http: /PATH } } }, if it answers one".to_owned());
        }
        let times =
            told.map(|health| (health.line, health.value.times)).filter(|(_, times)| !times.is_empty());
        match times {
            Some((line, times)) if !self.says("healthcheck") => {
                let times = times.into_iter().map(|(name, value)| (name, scalar_time(&value))).collect();
                self.component.service("healthcheck", Value::Map(times), self.line(line));
            }
            _ => {}
        }
    }

    fn exposes_something(&self) -> bool {
        self.exposed().is_some()
    }

    fn exposed(&self) -> Option<u16> {
        let expose = self.component.service.iter().find(|entry| entry.key == "expose")?;
        let Value::List(ports) = &expose.value else { return None };
        let [only] = ports.as_slice() else { return None };
        only.trim_matches('"').parse().ok()
    }

    /// What starts the program, where Compose does not say it and the recipe would not find it.
    fn start(&mut self, plans: &Plans) {
        let seen = self.seen;
        if let Some(signal) = seen.told.as_ref().and_then(|told| told.stop_signal.clone())
            && !self.says("stop_signal")
            && !["static", "nginx"].contains(&self.recipe)
        {
            self.component.service("stop_signal", Value::Text(scalar(&signal.value)), self.line(signal.line));
        }
        let program = Program { recipe: self.recipe, source: &self.source, tree: self.tree };
        let found = match &seen.told {
            Some(told) => program.of_dockerfile(told),
            None => program.of_folder(),
        };
        for (line, what) in found.lost {
            self.lose(line, &what);
        }
        if let Some((folder, line)) = found.folder.filter(|_| !self.says("working_dir")) {
            let why = format!("COPY, {}", self.line(line));
            self.component.service("working_dir", Value::Text(scalar(&folder)), why);
        }
        let known = plans.command(&self.component, seen.compose);
        let said =
            [&found.entrypoint, &found.command].into_iter().flatten().flat_map(|start| start.words.clone());
        let said: Vec<String> = said.collect();
        if said.is_empty() || known.as_ref() == Some(&said) {
            return;
        }
        for (key, start) in [("entrypoint", found.entrypoint), ("command", found.command)] {
            if let Some(start) = start.filter(|_| !self.says(key)) {
                self.component.service(key, words(&start.words), start.why);
            }
        }
    }

    /// What a person should know of what Compose says.
    fn remarks(&mut self) {
        let Some(service) = self.seen.compose else { return };
        let first = match service.get("command") {
            Some(Json::String(text)) => text.split_whitespace().next().map(str::to_owned),
            Some(Json::Array(words)) => words.first().and_then(Json::as_str).map(str::to_owned),
            _ => None,
        };
        let managers = [
            "npm",
            "npx",
            "yarn",
            "pnpm",
            "poetry",
            "uv",
            "pipenv",
            "mvn",
            "./mvnw",
            "./gradlew",
            "go",
            "cargo",
        ];
        if let Some(tool) = first.filter(|tool| managers.contains(&tool.as_str())) {
            self.component.todo.push(format!("the image has no {tool}: say what it would start"));
        }
        let workdir = self.seen.told.as_ref().map_or("/app", |told| told.workdir());
        let mounts: Vec<String> = service
            .get("volumes")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(|mount| {
                let (source, target) = match mount {
                    Json::String(text) => {
                        let mut parts = text.split(':');
                        (parts.next()?.to_owned(), parts.next()?.to_owned())
                    }
                    mount => {
                        (mount.get("source")?.as_str()?.to_owned(), mount.get("target")?.as_str()?.to_owned())
                    }
                };
                let target = target.trim_end_matches('/');
                let hides =
                    source.starts_with('.') && (target == "/app" || (target == workdir && target != ""));
                hides.then(|| format!("the volume {source}:{target} hides what the image has there"))
            })
            .collect();
        self.component.todo.extend(mounts);
    }
}

/// Packages that serve builds alone.
const BUILD_TOOLS: [&str; 9] =
    ["gcc", "g++", "make", "build-essential", "build-base", "git", "pkg-config", "musl-dev", "python3-dev"];

fn is_static(recipe: &str) -> bool {
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

/// A time or a count, as Compose writes it.
fn scalar_time(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    if plain { text.to_owned() } else { quoted(text) }
}

/// Environment that tells tools of the build something, or that recipes set themselves.
fn is_of_the_tools(name: &str, value: &str) -> bool {
    let starts =
        ["PYTHON", "PIP_", "POETRY_", "UV_", "NPM_CONFIG_", "npm_config_", "YARN_", "PNPM_", "VIRTUAL_ENV"];
    let names = ["DEBIAN_FRONTEND", "CGO_ENABLED", "GOOS", "GOARCH", "GO111MODULE", "GOPROXY", "JAVA_HOME"];
    starts.iter().any(|start| name.starts_with(start)) && name != "PYTHONPATH"
        || names.contains(&name)
        || (name == "NODE_ENV" && value == "production")
        || (name == "PATH"
            && ["/.venv/", "/venv/", "PNPM_HOME", "/.local/"].iter().any(|part| value.contains(part)))
}

/// The question of a health check in Compose.
pub(super) fn compose_question(service: &Json) -> Option<Question> {
    let test = service.get("healthcheck")?.get("test")?;
    let none = std::collections::BTreeMap::new();
    match test {
        Json::String(text) => question(text, &none),
        Json::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
            match words.as_slice() {
                ["CMD-SHELL", text] => question(text, &none),
                ["CMD", words @ ..] => question(&words.join(" "), &none),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A path in Compose, from the folder of its file, as a path from the root. None if it leads out of
/// it, or to another machine.
pub(super) fn from_root(folder: &str, path: &str) -> Option<String> {
    let elsewhere =
        path.contains("://") || path.starts_with("git@") || path.starts_with('/') || path.contains('$');
    if elsewhere { None } else { inside(folder, path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_versions() {
        for (image, recipe, version) in [
            ("node:20-alpine", Some("node"), Some("20")),
            ("docker.io/library/python:3.12.1-slim@sha256:0", Some("python"), Some("3.12.1")),
            ("node:lts", Some("node"), None),
            ("localhost:5000/node", Some("node"), None),
            ("maven:3.9-eclipse-temurin-21", Some("java"), Some("21")),
            ("gcr.io/distroless/java21-debian12", Some("java"), Some("21")),
            ("gcr.io/distroless/nodejs22-debian12:nonroot", Some("node"), Some("22")),
            ("mcr.microsoft.com/dotnet/aspnet:8.0", Some("dotnet"), Some("8.0")),
            ("ghcr.io/astral-sh/uv:python3.12-bookworm", Some("python"), Some("3.12")),
            ("openjdk:17.0.2_8-jdk", Some("java"), Some("17.0.2")),
            ("alpine:3.20", None, Some("3.20")),
            ("scratch", None, None),
        ] {
            assert_eq!((family(image), version_of(image).as_deref()), (recipe, version), "{image}");
        }
    }
}
