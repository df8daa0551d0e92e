//! Where the files of an image come from: the copies of each stage, followed back to the build context.

use std::collections::BTreeMap;

use super::dockerfile::{Dockerfile, expand, list, unquoted};
use super::kind::HTML;
use super::scan::Tree;
use super::told::{At, Told, pairs};
use crate::paths::{in_folder, inside};

/// A `COPY` of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) line: usize,
    pub(super) from: Origin,
    /// As it is written.
    sources: Vec<String>,
    /// Its absolute path, with a `/` at the end where the instruction has one.
    pub(super) target: String,
}

/// Where a `COPY` takes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Context,
    Stage(usize),
    Image(String),
}

/// What a `COPY` brings that a recipe does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Brought {
    /// A file or folder of the build context, from the root, to a place in the image.
    File(String, String),
    /// Anything else, in words.
    Other(String),
}

/// The folders of a stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) base: Option<usize>,
    workdir: String,
    pub(super) copies: Vec<Copied>,
}

impl Told {
    /// Where the image works.
    pub(super) fn workdir(&self) -> &str {
        &self.layouts[self.last].workdir
    }

    /// The copies of the image, those of what it stands on first.
    pub(super) fn copies(&self) -> Vec<&Copied> {
        self.chain(self.last).into_iter().flat_map(|index| &self.layouts[index].copies).collect()
    }

    /// What of the build context lies at a path of the image, as a path from the root.
    pub(super) fn origin(&self, tree: &Tree, path: &str) -> Option<String> {
        self.origin_in(tree, self.last, path, 0)
    }

    fn origin_in(&self, tree: &Tree, stage: usize, path: &str, depth: usize) -> Option<String> {
        if depth > 8 {
            return None;
        }
        let layout = &self.layouts[stage];
        for copy in layout.copies.iter().rev() {
            let target = copy.target.trim_end_matches('/');
            let Some(rest) = path.strip_prefix(target) else { continue };
            if !rest.is_empty() && !rest.starts_with('/') {
                continue;
            }
            for source in &copy.sources {
                // The content of a folder, or a file into a folder.
                let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                let into = rest.strip_prefix('/').filter(|rest| *rest == name).map(|_| source.clone());
                for candidate in into.into_iter().chain([join(source, rest)]) {
                    let found = match &copy.from {
                        Origin::Context => {
                            let path = inside(&self.context, &candidate);
                            path.filter(|path| tree.is_file(path) || tree.is_folder(path))
                        }
                        Origin::Stage(from) => {
                            self.origin_in(tree, *from, &absolute(&candidate, "/"), depth + 1)
                        }
                        Origin::Image(_) => None,
                    };
                    // A file into a folder is not that folder.
                    let is_it = |path: &String| {
                        !(rest.is_empty() && copy.target.ends_with('/') && tree.is_file(path))
                    };
                    if let Some(found) = found.filter(is_it) {
                        return Some(found);
                    }
                }
            }
        }
        self.origin_in(tree, layout.base?, path, depth + 1)
    }

    /// Folders of what stages have built that get into the image, relative to where it was built.
    pub(super) fn outputs(&self) -> Vec<At<String>> {
        let copies = self.copies().into_iter();
        let from_stage = copies.filter_map(|copy| match copy.from {
            Origin::Stage(from) => Some((copy, &self.layouts[from].workdir)),
            _ => None,
        });
        let paths = from_stage.flat_map(|(copy, workdir)| {
            copy.sources.iter().filter_map(|source| {
                let path = absolute(source, "/");
                let path = path.strip_prefix(workdir.trim_end_matches('/'))?.trim_matches('/').to_owned();
                Some(At { line: copy.line, value: path })
            })
        });
        paths.collect()
    }

    /// Files of the build context, or of an image, that go elsewhere than where the program works.
    pub(super) fn elsewhere(&self, tree: &Tree) -> Vec<At<Brought>> {
        let workdir = self.workdir().trim_end_matches('/');
        // A server's folder of pages is no place of the recipe's.
        let works = !HTML.iter().any(|folder| workdir.starts_with(folder));
        let below = format!("{workdir}/");
        let mut found = Vec::new();
        let mut add = |line, value| found.push(At { line, value });
        for copy in self.copies() {
            let target = copy.target.trim_end_matches('/');
            let inside_it = target == workdir || (!workdir.is_empty() && target.starts_with(&below));
            if works && inside_it {
                if let Origin::Image(image) = &copy.from {
                    let what = format!("COPY --from={image} {}", copy.sources.join(" "));
                    add(copy.line, Brought::Other(what));
                }
                continue;
            }
            for source in &copy.sources {
                let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                let of_context = match &copy.from {
                    Origin::Image(image) => {
                        let what = format!("COPY --from={image} {source} {}", copy.target);
                        add(copy.line, Brought::Other(what));
                        continue;
                    }
                    Origin::Context => inside(&self.context, source),
                    Origin::Stage(from) => self.origin_in(tree, *from, &absolute(source, "/"), 0),
                };
                let is_file = of_context.as_ref().is_some_and(|path| tree.is_file(path));
                let path = of_context.filter(|path| is_file || tree.is_folder(path));
                match (path, &copy.from) {
                    (Some(path), _) => {
                        let target = if copy.target.ends_with('/') && is_file {
                            format!("{target}/{name}")
                        } else {
                            target.to_owned()
                        };
                        add(copy.line, Brought::File(path, target));
                    }
                    // What a stage has built is what the recipe builds.
                    (None, Origin::Stage(_)) => {}
                    (None, _) => add(copy.line, Brought::Other(format!("COPY {source} {}", copy.target))),
                }
            }
        }
        found
    }

    /// Folders of the build context that stages of the image take, as paths from the root.
    pub(super) fn folders(&self, tree: &Tree) -> Vec<At<String>> {
        let stages = self.used(self.last).into_iter();
        let copies = stages.flat_map(|stage| &self.layouts[stage].copies);
        let of_context = copies.filter(|copy| copy.from == Origin::Context);
        let paths = of_context.flat_map(|copy| {
            let paths = copy.sources.iter().filter_map(|source| inside(&self.context, source));
            paths.map(|value| At { line: copy.line, value })
        });
        paths.filter(|at| tree.is_folder(&at.value)).collect()
    }

    /// The copies of the build context, as paths from the root.
    pub(super) fn context_sources(&self) -> Vec<String> {
        let copies = self.layouts.iter().flat_map(|layout| &layout.copies);
        let of_context = copies.filter(|copy| copy.from == Origin::Context);
        of_context.flat_map(|copy| &copy.sources).filter_map(|source| inside(&self.context, source)).collect()
    }
}

/// The folders of a stage, those of what it stands on included.
pub(super) fn layout(file: &Dockerfile, index: usize) -> Layout {
    let stage = &file.stages[index];
    let base = file.find(&stage.base, index).filter(|base| *base < index);
    let mut workdir = base.map_or_else(|| "/".to_owned(), |base| layout(file, base).workdir);
    let mut copies = Vec::new();
    let mut values = BTreeMap::new();
    for instruction in &stage.instructions {
        match instruction.name.as_str() {
            "WORKDIR" => workdir = absolute(&expand(unquoted(&instruction.text), &values), &workdir),
            "ENV" => values.extend(pairs(&instruction.text)),
            "ARG" => {
                if let Some((name, default)) = instruction.text.split_once('=') {
                    values.insert(name.to_owned(), unquoted(default).to_owned());
                }
            }
            "COPY" | "ADD" if !instruction.text.contains("<<") && !instruction.text.contains("://") => {
                let words = list(&instruction.text)
                    .unwrap_or_else(|| instruction.text.split_whitespace().map(str::to_owned).collect());
                let words: Vec<String> = words.iter().map(|word| expand(word, &values)).collect();
                let Some((target, sources)) = words.split_last() else { continue };
                let from = match instruction.flag("from") {
                    None => Origin::Context,
                    Some(name) => match file.find(name, index) {
                        Some(stage) => Origin::Stage(stage),
                        None => Origin::Image(name.to_owned()),
                    },
                };
                let slash = if target.ends_with('/') || target == "." { "/" } else { "" };
                let target = format!("{}{slash}", absolute(target, &workdir).trim_end_matches('/'));
                copies.push(Copied { line: instruction.line, from, sources: sources.to_vec(), target });
            }
            _ => {}
        }
    }
    Layout { base, workdir, copies }
}

fn absolute(path: &str, folder: &str) -> String {
    let folder = if path.starts_with('/') { "" } else { folder };
    format!("/{}", inside(folder, path).unwrap_or_default())
}

fn join(source: &str, rest: &str) -> String {
    in_folder(source.trim_end_matches('/'), rest)
}
