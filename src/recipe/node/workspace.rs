//! Workspaces: several packages in one folder, installed together from one lock file.
//!
//! The manifests of all members are the install's whole input, so that one install serves every
//! service. A service's build sees its own folder, those of the members that it depends on, and
//! the files at the root.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{Facts, Need, Request};
use super::manager::Member;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean};
use crate::paths::{in_folder, parent};

/// A workspace that a service is a member of.
#[derive(Clone, Debug)]
pub(in crate::recipe) struct Workspace {
    /// Its folder in the build context.
    pub(in crate::recipe) root: String,
    /// Its members, sorted by path.
    members: Vec<Package>,
    /// The service's own, among the members.
    own: usize,
    /// Files at its root that are neither manifest nor lock.
    pub(in crate::recipe) root_files: Vec<String>,
    /// Whether Nx builds it.
    pub(in crate::recipe) nx: bool,
}

#[derive(Clone, Debug)]
struct Package {
    /// Its folder in the workspace.
    path: String,
    manifest: Value,
}

impl Package {
    fn name(&self) -> &str {
        self.manifest.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The names of everything that it depends on, for production or at all.
    fn wants(&self, production: bool) -> impl Iterator<Item = &str> {
        let kinds: &[&str] = if production {
            &["dependencies", "optionalDependencies", "peerDependencies"]
        } else {
            &["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"]
        };
        let maps = kinds.iter().filter_map(|kind| self.manifest.get(kind)?.as_object());
        maps.flat_map(|map| map.keys().map(String::as_str))
    }
}

/// The folders above a folder, nearest first, down to the context itself.
pub(in crate::recipe) fn above(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folder = folder;
    while !folder.is_empty() {
        folder = parent(folder);
        found.push(folder.to_owned());
    }
    found
}

/// What has to be read to know whether a folder is a member of a workspace above it.
pub(in crate::recipe) fn needs(source: &str, facts: &Facts) -> Vec<Need> {
    let mut needs = Vec::new();
    for root in above(source) {
        needs.push(Need::content(in_folder(&root, "package.json")));
        needs.push(Need::content(in_folder(&root, "pnpm-workspace.yaml")));
        let patterns = patterns(&root, facts);
        if !patterns.is_empty() {
            needs.push(Need::names(root.clone()));
            needs.push(Need::presence(in_folder(&root, "nx.json")));
        }
        let folders = patterns.iter().filter(|pattern| pattern.contains('*')).map(|pattern| parent(pattern));
        needs.extend(folders.map(|folder| Need::names(in_folder(&root, folder))));
        for member in candidates(&root, &patterns, facts) {
            needs.push(Need::content(in_folder(&in_folder(&root, &member), "package.json")));
        }
    }
    needs
}

/// The patterns by which a manifest, or pnpm's own file, lists members. Those that leave members
/// out, and deeper ones, are read as what they are built on.
fn patterns(root: &str, facts: &Facts) -> Vec<String> {
    let manifest = facts.file(&in_folder(root, "package.json"));
    let manifest: Option<Value> = manifest.and_then(|bytes| serde_json::from_slice(bytes).ok());
    let listed = manifest.as_ref().and_then(|manifest| manifest.get("workspaces"));
    // Yarn 1 also knows `workspaces: { packages: [...] }`.
    let listed = listed.and_then(|listed| listed.as_array().or_else(|| listed.get("packages")?.as_array()));
    let mut patterns: Vec<String> =
        listed.into_iter().flatten().filter_map(|pattern| Some(pattern.as_str()?.to_owned())).collect();
    if let Some(text) = facts.text(&in_folder(root, "pnpm-workspace.yaml")) {
        patterns.extend(pnpm_patterns(&text));
    }
    let clean = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
    clean.map(|pattern| pattern.trim_start_matches("./").trim_end_matches('/').replace("/**", "/*")).collect()
}

/// The `packages` of pnpm's file.
pub(super) fn pnpm_patterns(text: &str) -> Vec<String> {
    let read: Option<Value> = serde_saphyr::from_str(text).ok();
    let packages = read.as_ref().and_then(|file| file.get("packages")?.as_array());
    packages.into_iter().flatten().filter_map(|pattern| Some(pattern.as_str()?.to_owned())).collect()
}

/// Folders that the patterns match.
fn candidates(root: &str, patterns: &[String], facts: &Facts) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for pattern in patterns {
        if !pattern.contains('*') {
            found.insert(pattern.clone());
            continue;
        }
        let folder = parent(pattern);
        let last = pattern.rsplit('/').next().unwrap_or_default();
        let names = facts.names(&in_folder(root, folder)).iter().filter(|name| name.is_folder);
        found
            .extend(names.filter(|name| matches(last, &name.name)).map(|name| in_folder(folder, &name.name)));
    }
    found
}

/// Whether a name fits a pattern in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| matches(rest, &name[at..]))
        }),
    }
}

impl Workspace {
    /// The workspace that the service's folder is a member of, if it is of one.
    pub(in crate::recipe) fn find(request: &Request<'_>, problems: &mut Diagnostics) -> Option<Self> {
        let facts = request.facts;
        for root in above(&request.source) {
            let patterns = patterns(&root, facts);
            if patterns.is_empty() {
                continue;
            }
            let path = request.source.strip_prefix(&root)?.trim_start_matches('/').to_owned();
            let mut members = Vec::new();
            for member in candidates(&root, &patterns, facts) {
                let file = in_folder(&in_folder(&root, &member), "package.json");
                let manifest = facts.file(&file).and_then(|bytes| serde_json::from_slice(bytes).ok());
                match manifest {
                    Some(manifest) => members.push(Package { path: member, manifest }),
                    None if patterns.contains(&member) => {
                        problems.push(no_such_member(request, &root, &member));
                    }
                    None => {}
                }
            }
            let Some(own) = members.iter().position(|member| member.path == path) else {
                // A folder beside a workspace, or one that is none of its members.
                if candidates(&root, &patterns, facts).contains(&path)
                    || facts.has(&request.path("package.json"))
                {
                    continue;
                }
                problems.push(not_a_member(request, &root, &path, &members));
                return None;
            };
            let not_settings = |name: &str| {
                name == "package.json" || super::manager::LOCKS.iter().any(|(lock, _)| *lock == name)
            };
            let names = facts.names(&root).iter().filter(|name| !name.is_folder && !not_settings(&name.name));
            let root_files = names
                .map(|name| name.name.clone())
                // What people read, and what is no part of a build, would only run it again.
                .filter(|name| {
                    !name.ends_with(".md") && !name.ends_with(".spec.yaml") && !name.starts_with("LICENSE")
                })
                .filter(|name| !matches!(name.as_str(), ".dockerignore" | ".gitignore"))
                .filter(|name| {
                    !name.starts_with(".env") && !name.starts_with("compose") && !name.ends_with(".log")
                })
                .collect();
            request.found(
                "workspace",
                if root.is_empty() { "." } else { &root },
                format!("`workspaces` in {}", in_folder(&root, "package.json")),
            );
            let nx = facts.has(&in_folder(&root, "nx.json"));
            return Some(Self { root, members, own, root_files, nx });
        }
        None
    }

    /// The service's own member, with the others that it needs.
    pub(in crate::recipe) fn member(&self, production: bool) -> Member<'_> {
        let own = &self.members[self.own];
        Member { path: &own.path, name: own.name(), local: self.closure(production) }
    }

    /// The folders of the members that the service needs, through others as well.
    fn closure(&self, production: bool) -> Vec<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![&self.members[self.own]];
        while let Some(member) = open.pop() {
            for name in member.wants(production) {
                let local = self.members.iter().enumerate().find(|(_, other)| other.name() == name);
                if let Some((index, other)) = local
                    && index != self.own
                    && found.insert(index)
                {
                    open.push(other);
                }
            }
        }
        found.into_iter().map(|index| self.members[index].path.as_str()).collect()
    }

    /// The manifests of all members, in the workspace's folder.
    pub(in crate::recipe) fn manifests(&self) -> impl Iterator<Item = String> {
        self.members.iter().map(|member| in_folder(&member.path, "package.json"))
    }

    /// What the packages of a folder publish: their `files`, or `dist`.
    pub(in crate::recipe) fn published(&self, path: &str) -> Vec<String> {
        let member = self.members.iter().find(|member| member.path == path);
        let files = member.and_then(|member| member.manifest.get("files")?.as_array());
        let files: Vec<String> = files
            .into_iter()
            .flatten()
            .filter_map(|file| Some(file.as_str()?.trim_matches('/').to_owned()))
            .collect();
        if files.is_empty() { vec!["dist".to_owned()] } else { files }
    }
}

fn no_such_member(request: &Request<'_>, root: &str, member: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MissingFile,
        format!(
            "the workspace lists the member `{member}`, but there is no `{}`",
            in_folder(&in_folder(root, member), "package.json")
        ),
    )
    .at(request.source_span())
    .help(format!(
        "correct `workspaces` in `{}`; does .dockerignore exclude the folder?",
        in_folder(root, "package.json")
    ))
}

fn not_a_member(request: &Request<'_>, root: &str, path: &str, members: &[Package]) -> Diagnostic {
    let meant = did_you_mean(path, members.iter().map(|member| member.path.as_str()));
    let names: Vec<&str> = members.iter().map(|member| member.path.as_str()).collect();
    Diagnostic::new(
        Code::MissingSource,
        format!("the workspace in `{}` has no member `{path}`", if root.is_empty() { "." } else { root }),
    )
    .at(request.source_span())
    .help_if(meant.map(|meant| format!("did you mean `{}`?", in_folder(root, meant))))
    .help(format!("its members: {}", names.join(", ")))
}
