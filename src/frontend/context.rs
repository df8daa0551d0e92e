//! Where the spec file and the build context come from, and what is read of them before the
//! build: the spec, what lies beside it, the ignore files, and the few files that recipes look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkit_llb::{Definition, Metadata, Output, SourceFile, read, source};
use futures_util::future::try_join_all;

use super::errors::Failure;
use super::gateway::Gateway;
use super::git;
use super::options::Options;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::reach::ContextUse;

/// The name of the client's folder that is the build context.
const CONTEXT: &str = "context";

/// The files of a request, before any of them is read.
pub(super) struct Sources<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) options: &'a Options,
    file: Place,
    pub(super) context: Place,
    /// Graphs that the client sent along.
    pub(super) inputs: BTreeMap<String, Definition>,
}

/// Where a tree of files is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A folder of the client's.
    Client(String),
    /// Part of a graph; none for an empty one.
    Graph(Option<Output>),
}

/// The spec file and what lies beside it.
pub(super) struct SpecFile {
    /// For source maps and warnings.
    pub(super) source: Arc<SourceFile>,
    /// The digest of the vertex that loads it; warnings are attached there.
    pub(super) vertex: String,
    /// `<spec>.dockerignore`
    ignore: Option<Vec<u8>>,
}

impl<'a> Sources<'a> {
    /// Finds out where files come from.
    pub(super) async fn find(gateway: &'a Gateway, options: &'a Options) -> Result<Self, Failure> {
        let inputs = gateway.inputs().await?;
        let input = |name: &str| match inputs.get(name) {
            Some(definition) => graph(definition).map(Place::Graph).map(Some),
            None => Ok(None),
        };
        let local = |name: &str| Place::Client(name.to_owned());
        let remote = options.get("context").map(|url| remote_context(url, options)).transpose()?;
        let context = match remote {
            Some(output) => Place::Graph(Some(output)),
            None => input(CONTEXT)?.unwrap_or_else(|| local(CONTEXT)),
        };
        let file = match (options.get("dockerfilekey"), &context) {
            (Some(key), _) => local(key),
            (None, Place::Graph(_)) if options.get("context").is_some() => context.clone(),
            (None, _) => input("dockerfile")?.unwrap_or_else(|| local(options.file_folder())),
        };
        Ok(Self { gateway, options, file, context, inputs })
    }

    /// Reads the spec file.
    pub(super) async fn spec_file(&self) -> Result<SpecFile, Failure> {
        let name = self.options.filename();
        let ignore_name = format!("{name}.dockerignore");
        let log_name = format!("[internal] load build definition from {name}");
        let output = self.files_beside(&[name.to_owned(), ignore_name.clone()], &log_name);
        let definition = output.as_ref().map(Output::marshal);
        let reference = self.gateway.solve(output.as_ref(), &[]).await?;
        let (spec, ignore) = tokio::try_join!(
            self.gateway.read_file(&reference, name),
            self.gateway.read_file(&reference, &ignore_name)
        )?;
        let Some(data) = spec else {
            return Err(Failure::spec(Diagnostic::new(
                Code::MissingFile,
                format!("there is no file `{name}`"),
            )));
        };
        let source = SourceFile { filename: name.to_owned(), data, language: "YAML".to_owned(), definition };
        let vertex = output.map(|output| output.digest().to_owned()).unwrap_or_default();
        Ok(SpecFile { source: Arc::new(source), vertex, ignore })
    }

    /// Reads files that lie beside the spec; none for those that are not there.
    pub(super) async fn beside(
        &self,
        names: &[String],
    ) -> Result<BTreeMap<String, Option<Vec<u8>>>, Failure> {
        let log_name = format!("[internal] load {}", names.join(", "));
        let reference = self.gateway.solve(self.files_beside(names, &log_name).as_ref(), &[]).await?;
        let read = try_join_all(names.iter().map(|name| self.gateway.read_file(&reference, name))).await?;
        Ok(names.iter().cloned().zip(read).collect())
    }

    fn files_beside(&self, names: &[String], log_name: &str) -> Option<Output> {
        match &self.file {
            Place::Graph(output) => output.clone(),
            Place::Client(folder) => {
                let files = source::local(folder)
                    .session(self.options.session_of(folder))
                    .follow(names)
                    .shared_key_hint(folder)
                    .no_differ();
                Some(files.build(&Metadata::named(log_name)))
            }
        }
    }

    /// The ignore file of the context, if it has one. A context that comes from elsewhere is
    /// taken as it is.
    pub(super) async fn ignore_file(&self) -> Result<Option<Vec<u8>>, Failure> {
        let Place::Client(folder) = &self.context else { return Ok(None) };
        let name = ".dockerignore";
        let output = source::local(folder)
            .session(self.options.session_of(folder))
            .follow(&[name.to_owned()])
            .shared_key_hint(&format!("{folder}-{name}"))
            .no_differ()
            .build(&Metadata::named(format!("[internal] load {name}")));
        let reference = self.gateway.solve(Some(&output), &[]).await?;
        self.gateway.read_file(&reference, name).await
    }

    /// The patterns that keep files out of the context: those beside the spec, or else those in
    /// the context itself.
    pub(super) fn ignore_patterns(&self, file: &SpecFile, in_context: Option<Vec<u8>>) -> Vec<String> {
        let Place::Client(_) = &self.context else { return Vec::new() };
        file.ignore.clone().or(in_context).map(|bytes| parse_ignore(&bytes)).unwrap_or_default()
    }

    /// The build context, with only what is used of it.
    pub(super) fn context(
        &self,
        used: &ContextUse,
        ignore: &[String],
        metadata: &Metadata,
    ) -> Option<Output> {
        let folder = match &self.context {
            Place::Graph(output) => return output.clone(),
            Place::Client(folder) => folder,
        };
        // Ours first: a pattern of the person's may take something back in.
        let exclude: Vec<String> = used.exclude.iter().chain(ignore).cloned().collect();
        let paths: Vec<String> = used.paths.iter().cloned().collect();
        let output = source::local(folder)
            .session(self.options.session_of(folder))
            .exclude(&exclude)
            .follow(&paths)
            .shared_key_hint(folder)
            .build(metadata);
        Some(output)
    }
}

/// A graph that the client sent.
pub(super) fn graph(definition: &Definition) -> Result<Option<Output>, Failure> {
    read(definition).map_err(|error| {
        Failure::spec(Diagnostic::new(
            Code::Option,
            format!("the client sent a build graph that cannot be read: {error}"),
        ))
    })
}

/// A context that is a URL.
fn remote_context(url: &str, options: &Options) -> Result<Output, Failure> {
    let git = git::context(url).map_err(|why| {
        Failure::spec(Diagnostic::new(Code::Option, format!("the build context `{url}`: {why}")))
    })?;
    if let Some(git) = git {
        let git = match options.build_arg("BUILDKIT_CONTEXT_KEEP_GIT_DIR") {
            Some("1" | "true") => git.keep_git_dir(),
            _ => git,
        };
        return Ok(git.build(&Metadata::named(format!("[internal] load git source {url}"))));
    }
    Err(Failure::spec(
        Diagnostic::new(
            Code::Option,
            format!("the build context `{url}` is of a kind that this version does not read"),
        )
        .help("use a local folder or a git repository; archives come later"),
    ))
}

/// The patterns of an ignore file, by the rules that Docker has for it.
fn parse_ignore(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (not, pattern) = match line.strip_prefix('!') {
                Some(pattern) => ("!", pattern.trim()),
                None => ("", line),
            };
            let absolute = pattern.starts_with('/');
            let mut parts: Vec<&str> = Vec::new();
            for part in pattern.split('/') {
                match part {
                    "" | "." => {}
                    ".." if parts.last().is_some_and(|last| *last != "..") => {
                        parts.pop();
                    }
                    ".." if absolute => {}
                    part => parts.push(part),
                }
            }
            let cleaned = if parts.is_empty() { ".".to_owned() } else { parts.join("/") };
            format!("{not}{cleaned}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignore_files() {
        let patterns =
            parse_ignore(b"\xef\xbb\xbf# comment\n\n /node_modules/ \n**/*.log\n! keep.log \n./a/../b\n/\n");
        assert_eq!(patterns, ["node_modules", "**/*.log", "!keep.log", "b", "."]);
    }
}
