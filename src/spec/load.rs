//! Putting it together: a file, and those that it leads to, become a [`Spec`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::EXTENSION;
use super::component::{Component, Defaults, Project};
use super::compose::{self, Service as ComposeService};
use super::document::Document;
use super::extends::{Files, Resolver};
use super::include;
use super::lock::Lock;
use super::reader::{FromNode, Located, Reader, VariableUse};
use super::routes::{self, Api, Route};
use super::running::{Running, Setting};
use super::syntax::not_text;
use super::system;
use super::yaml::{self, Node, Value};
use crate::diagnostic::{Code, Diagnostic, SourceText, Span};

/// The values of variables: build arguments, and nothing else.
pub type Variables = BTreeMap<String, String>;

/// What a file says.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The file itself.
    pub file: Arc<SourceText>,
    /// Compose's project name.
    pub name: Option<String>,
    /// What all components share.
    pub project: Option<Project>,
    /// The services with an `x-slipway` key, in the order of the file.
    pub components: Vec<Service>,
    /// The names of components in which something is wrong.
    pub unreadable: Vec<String>,
    /// The names of the other services.
    pub others: Vec<String>,
    /// All services as they run.
    pub running: Vec<Running>,
    /// The file as it is written, with what it extends and includes.
    pub document: Document,
    /// The digests of images, if there is a lock beside the file.
    pub lock: Option<Lock>,
    /// The variables that what was read of the file uses.
    pub variables: Vec<VariableUse>,
}

/// What a name means that a component starts or copies from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceName {
    /// Another component.
    Component(String),
    /// An image, by its name.
    Image(String),
    /// Files of another kind: a folder, a repository, a URL.
    Files(String),
}

impl Spec {
    /// How a service of this name runs.
    pub fn running_of(&self, service: &str) -> Option<&Running> {
        self.running.iter().find(|running| running.name.value == service)
    }

    /// What `build.additional_contexts` of a component says about a name.
    pub fn additional_context(&self, component: &str, name: &str) -> Option<&Setting> {
        let build = self.running_of(component)?.build.as_ref()?;
        build.additional_contexts.iter().find(|setting| setting.name == name)
    }

    /// What a name means in a component, as long as no client puts something else in its place: an
    /// additional context of the service, another component, or an image.
    pub fn source(&self, component: &str, name: &str) -> SourceName {
        let is_component = |name: &str| self.components.iter().any(|service| service.name.value == name);
        let context = self.additional_context(component, name);
        let Some(context) = context else {
            let name = name.to_owned();
            return if is_component(&name) { SourceName::Component(name) } else { SourceName::Image(name) };
        };
        let value = context.value.as_str();
        let other = value.strip_prefix("service:").or(value.strip_prefix("target:"));
        match (other, value.strip_prefix("docker-image://")) {
            (Some(other), _) if is_component(other) => SourceName::Component(other.to_owned()),
            (_, Some(image)) => SourceName::Image(image.to_owned()),
            _ => SourceName::Files(value.to_owned()),
        }
    }
}

/// A service whose image we make.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: Located<String>,
    /// Its Compose keys.
    pub compose: ComposeService,
    /// How its image is made.
    pub component: Component,
    /// How it runs.
    pub running: Running,
    /// The place of the `x-slipway` key.
    pub extension: Span,
    /// What the components of its file take unless they say otherwise.
    pub defaults: Option<Defaults>,
    /// The paths of an ingress.
    pub routes: Vec<Route>,
    /// The APIs that its explorer shows.
    pub apis: Vec<Api>,
}

/// How far reading came.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// These files, by path relative to the spec's folder, are needed as well: load again with
    /// them.
    Needs(Vec<String>),
    /// All that could be read, and all that is wrong.
    Done(Option<Box<Spec>>, Vec<Diagnostic>),
}

/// Reads a spec. `beside` holds the files that an earlier call asked for, with `None` for those
/// that do not exist; the lock, which is never asked for, may be among them.
pub fn load(
    name: &str,
    bytes: &[u8],
    beside: &BTreeMap<String, Option<Vec<u8>>>,
    variables: &Variables,
) -> Loaded {
    let (file, root) = match read(name, bytes) {
        Ok(read) => read,
        Err(problem) => return Loaded::Done(None, vec![problem]),
    };
    let mut reader = Reader::new(variables);
    let files: Files = beside
        .iter()
        .filter(|(path, _)| **path != Lock::name_of(name))
        .map(|(path, bytes)| {
            let root = bytes.as_ref().map(|bytes| match read(path, bytes) {
                Ok((_, root)) => root,
                Err(problem) => {
                    reader.report(problem);
                    // It is there: what is wrong with it has been said.
                    Node { value: Value::Null, span: root.span.clone(), joining: yaml::Joining::Usual }
                }
            });
            (path.clone(), root)
        })
        .collect();
    let mut resolver = Resolver { files: &files, missing: Vec::new() };
    let mut spec = assemble(file, &root, &mut resolver, &mut reader);
    if !resolver.missing.is_empty() {
        resolver.missing.sort();
        resolver.missing.dedup();
        return Loaded::Needs(resolver.missing);
    }
    let lock_name = Lock::name_of(name);
    let mut problems = Vec::new();
    let lock = beside
        .get(&lock_name)
        .and_then(Option::as_ref)
        .and_then(|bytes| Lock::read(&lock_name, bytes, &mut problems));
    if let Some(spec) = &mut spec {
        spec.lock = lock;
    }
    reader.diagnostics.extend(problems);
    Loaded::Done(spec.map(Box::new), reader.diagnostics.into_sorted())
}

/// Reads the Compose keys of every service, whether it is ours to build or not: what a test
/// holds against Compose's own reading.
///
/// All files that the services extend must be in `beside`.
pub fn services(
    name: &str,
    bytes: &[u8],
    beside: &BTreeMap<String, Option<Vec<u8>>>,
    variables: &Variables,
) -> Result<BTreeMap<String, ComposeService>, Vec<Diagnostic>> {
    let (file, root) = read(name, bytes).map_err(|problem| vec![problem])?;
    let mut reader = Reader::new(variables);
    let files: Files = beside
        .iter()
        .map(|(path, bytes)| {
            let root = bytes.as_ref().and_then(|bytes| read(path, bytes).ok()).map(|(_, root)| root);
            (path.clone(), root)
        })
        .collect();
    let mut resolver = Resolver { files: &files, missing: Vec::new() };
    let mut found = BTreeMap::new();
    for (key, node) in compose::services(&root, &mut reader) {
        let joined = resolver.resolve(&root, &file.name, &key.name, node, &mut reader);
        if joined.value != Value::Null {
            found.extend(
                ComposeService::from_node(&joined, &mut reader).map(|service| (key.name.clone(), service)),
            );
        }
    }
    let errors: Vec<Diagnostic> =
        reader.diagnostics.into_sorted().into_iter().filter(Diagnostic::is_error).collect();
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<(Arc<SourceText>, Node), Diagnostic> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            return Err(not_text(name, bytes, error.valid_up_to()));
        }
    };
    let file = Arc::new(SourceText { name: name.to_owned(), text });
    let root = yaml::parse(&file)?;
    Ok((file, root))
}

fn assemble(
    file: Arc<SourceText>,
    root: &Node,
    resolver: &mut Resolver<'_>,
    reader: &mut Reader<'_>,
) -> Option<Spec> {
    if root.value == Value::Null {
        reader.report(
            Diagnostic::new(Code::MissingKey, "the file is empty")
                .at(&Span::new(&file, 0..0))
                .help("a spec is a Compose file: `services` with a service that has an `x-slipway` key"),
        );
        return None;
    }
    reader.mapping(root, "a Compose file")?;
    let name = reader.field(root, "name", "the file").unwrap_or_default();
    let project: Option<Project> = reader.field(root, EXTENSION, "the file").unwrap_or_default();
    if let Some(project) = &project {
        system::check(project, reader);
    }
    let (mut components, mut others, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    let mut running: Vec<Running> = Vec::new();
    let mut document = Document::default();
    let parts = include::parts(root, &file.name, resolver.files, &mut resolver.missing, reader);
    for part in parts {
        let is_main = std::ptr::eq(part.root, root);
        let own: Option<Project> = if is_main {
            project.clone()
        } else {
            reader.field(part.root, EXTENSION, "the file").unwrap_or_default()
        };
        let defaults = own.and_then(|project| project.defaults);
        document.top(part.root);
        if !is_main && part.root.get("services").is_none() {
            continue;
        }
        for (key, node) in compose::services(part.root, reader) {
            reader.diagnostics.about(Some(&key.name));
            if let Some(known) = running.iter().find(|running| running.name.value == key.name) {
                reader.report(
                    Diagnostic::new(Code::Extends, format!("the service `{}` is there twice", key.name))
                        .at(&key.span)
                        .help(format!("{} has it as well", known.name.span.file.name)),
                );
                continue;
            }
            if let Value::Null | Value::Mapping(_) = node.value {
            } else {
                reader.wrong_type(node, "a mapping for a service");
                continue;
            }
            let joined = resolver.resolve(part.root, &part.file, &key.name, node, reader);
            let name = Located { value: key.name.clone(), span: key.span.clone() };
            let runs = Running::read(name.clone(), &joined, reader.values);
            running.push(runs.clone());
            document.service(&key.name, &joined);
            let Some(extension) = joined.get(EXTENSION) else {
                others.push(key.name.clone());
                continue;
            };
            // Both halves are read even if one fails: all errors at once.
            let empty = Node {
                value: Value::Mapping(Vec::new()),
                span: extension.span.clone(),
                joining: yaml::Joining::Usual,
            };
            let extension_node = if extension.value == Value::Null { &empty } else { extension };
            let component = Component::from_node(extension_node, reader);
            let compose = ComposeService::from_node(&joined, reader);
            let place = extension_place(node, extension);
            match (component, compose) {
                (Some(component), Some(compose)) => components.push(Service {
                    name,
                    compose,
                    component: moved(component, &part.folder, &place),
                    running: runs,
                    extension: place,
                    defaults: defaults.clone(),
                    routes: Vec::new(),
                    apis: Vec::new(),
                }),
                _ => unreadable.push(key.name.clone()),
            }
        }
    }
    reader.diagnostics.about(None);
    routes::resolve(&mut components, &running, reader);
    if let Some(state) = project.as_ref().and_then(|project| project.state.as_ref()) {
        system::gone(state, &running, reader);
    }
    if components.is_empty() && unreadable.is_empty() && !running.is_empty() {
        reader.report(nothing_to_build(root));
    }
    let variables = std::mem::take(&mut reader.used);
    Some(Spec {
        file,
        name,
        project,
        components,
        unreadable,
        others,
        running,
        document,
        lock: None,
        variables,
    })
}

/// Nobody asks for an image: most likely the key was meant, and misspelt.
fn nothing_to_build(root: &Node) -> Diagnostic {
    let meant = misspelt_extension(root);
    let place = meant.as_ref().unwrap_or(&root.span);
    Diagnostic::new(Code::MissingKey, "no service has an `x-slipway` key, so there is nothing to build")
        .at(place)
        .help_if(meant.as_ref().map(|_| "did you mean `x-slipway`?"))
        .help("give a service `x-slipway: { recipe: node, source: folder }`")
}

/// The key's own line where the service has one; an inherited one stands where it was written.
fn extension_place(node: &Node, extension: &Node) -> Span {
    let own = match &node.value {
        Value::Mapping(entries) => entries.iter().find(|(key, _)| key.name == EXTENSION),
        _ => None,
    };
    own.map_or_else(|| extension.span.clone(), |(key, _)| key.span.clone())
}

/// A component of another folder: its own paths start there.
fn moved(mut component: Component, folder: &str, place: &Span) -> Component {
    if !folder.is_empty() {
        let given = component.source.take();
        let (value, span) = given.map_or((String::new(), place.clone()), |given| (given.value, given.span));
        component.source = Some(Located { value: crate::paths::in_folder(folder, &value), span });
    }
    component
}

/// A service's key that was most likely meant to be ours. Keys that start with `x-` are free, so
/// nothing else would say so.
fn misspelt_extension(root: &Node) -> Option<Span> {
    let Value::Mapping(services) = &root.get("services")?.value else { return None };
    services.iter().find_map(|(_, service)| {
        let Value::Mapping(entries) = &service.value else { return None };
        let (key, _) = entries
            .iter()
            .find(|(key, _)| crate::diagnostic::did_you_mean(&key.name, [EXTENSION]).is_some())?;
        Some(key.span.clone())
    })
}
