//! Where the spec file and the build context come from, and what is read of them before the
//! build: the spec, what lies beside it, the ignore files, and the few files that recipes look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkit_llb::{Copy, Definition, File, Metadata, Output, SourceFile, read, source};
use futures_util::future::try_join_all;

use super::errors::Failure;
use super::gateway::Gateway;
use super::options::Options;
use crate::diagnostic::{Code, Diagnostic};
use crate::ignore;
use crate::lower::git;
use crate::plan::reach::ContextUse;
use crate::spec::Lock;

/// The name of the client's folder that is the build context.
const CONTEXT: &str = "context";

/// The files of a request, before any of them is read.
pub(super) struct Sources<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) options: &'a Options,
    file: Place,
    /// The spec file's name in there.
    name: String,
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
    /// The lock, and what it is called.
    pub(super) lock: (String, Option<Vec<u8>>),
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
        let remote = match options.get(options.context_key()) {
            Some(url) => Some(remote_context(gateway, options, url).await?),
            None => None,
        };
        let is_remote = remote.is_some();
        // A URL that is no archive is the spec itself, and there is no context beside it.
        let mut name = options.filename().to_owned();
        let context = match remote {
            Some(Remote::Tree(output)) => Place::Graph(Some(output)),
            Some(Remote::File(output)) => {
                CONTEXT.clone_into(&mut name);
                Place::Graph(Some(output))
            }
            None => input(CONTEXT)?.unwrap_or_else(|| local(CONTEXT)),
        };
        let file = match (options.get("dockerfilekey"), &context) {
            (Some(key), _) => local(key),
            (None, Place::Graph(_)) if is_remote => context.clone(),
            (None, _) => input("dockerfile")?.unwrap_or_else(|| local(options.file_folder())),
        };
        let context = match (options.get("contextsubdir"), context) {
            (Some(path), Place::Graph(Some(tree))) => {
                let copy =
                    Copy { contents_only: true, ..Copy::new(format!("/{}", path.trim_matches('/')), "/") };
                let metadata = Metadata::named(format!("[internal] take {path} of the build context"));
                Place::Graph(File::on_scratch().copy(&tree, copy).build(&metadata))
            }
            (_, context) => context,
        };
        Ok(Self { gateway, options, file, name, context, inputs })
    }

    /// Reads the spec file.
    pub(super) async fn spec_file(&self) -> Result<SpecFile, Failure> {
        let name = self.name.as_str();
        let ignore_name = format!("{name}.dockerignore");
        let log_name = format!("[internal] load build definition from {name}");
        let lock_name = Lock::name_of(name);
        let names = [name.to_owned(), ignore_name.clone(), lock_name.clone()];
        let output = self.files_beside(&names, &log_name);
        let definition = output.as_ref().map(Output::marshal);
        let reference = self.gateway.solve(output.as_ref(), &[]).await?;
        let (spec, ignore, lock) = tokio::try_join!(
            self.gateway.read_file(&reference, name),
            self.gateway.read_file(&reference, &ignore_name),
            self.gateway.read_file(&reference, &lock_name)
        )?;
        let Some(data) = spec else {
            return Err(Failure::spec(Diagnostic::new(
                Code::MissingFile,
                format!("there is no file `{name}`"),
            )));
        };
        let source = SourceFile { filename: name.to_owned(), data, language: "YAML".to_owned(), definition };
        let vertex = output.map(|output| output.digest().to_owned()).unwrap_or_default();
        Ok(SpecFile { source: Arc::new(source), vertex, ignore, lock: (lock_name, lock) })
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
        match &self.context {
            Place::Client(folder) => self.ignore_file_in(folder, "[internal] ").await,
            Place::Graph(_) => Ok(None),
        }
    }

    async fn ignore_file_in(&self, folder: &str, prefix: &str) -> Result<Option<Vec<u8>>, Failure> {
        let name = ".dockerignore";
        let output = source::local(folder)
            .session(self.options.session_of(folder))
            .follow(&[name.to_owned()])
            .shared_key_hint(&format!("{folder}-{name}"))
            .no_differ()
            .build(&Metadata::named(format!("{prefix}load {name}")));
        let reference = self.gateway.solve(Some(&output), &[]).await?;
        self.gateway.read_file(&reference, name).await
    }

    /// The patterns of the ignore file in a folder of the client's.
    pub(super) async fn ignore_in(&self, folder: &str, prefix: &str) -> Result<Vec<String>, Failure> {
        let bytes = self.ignore_file_in(folder, prefix).await?;
        Ok(bytes.map(|bytes| ignore::patterns(&bytes)).unwrap_or_default())
    }

    /// The patterns that keep files out of the context: those beside the spec, or else those in
    /// the context itself.
    pub(super) fn ignore_patterns(&self, file: &SpecFile, in_context: Option<Vec<u8>>) -> Vec<String> {
        let Place::Client(_) = &self.context else { return Vec::new() };
        file.ignore.clone().or(in_context).map(|bytes| ignore::patterns(&bytes)).unwrap_or_default()
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

/// What a URL leads to.
enum Remote {
    /// A tree of files.
    Tree(Output),
    /// One file, which is the spec.
    File(Output),
}

/// A context that is a URL.
async fn remote_context(gateway: &Gateway, options: &Options, url: &str) -> Result<Remote, Failure> {
    let git = git::context(url).map_err(|why| {
        Failure::spec(Diagnostic::new(Code::Option, format!("the build context `{url}`: {why}")))
    })?;
    if let Some(git) = git {
        let git = match options.build_arg("BUILDKIT_CONTEXT_KEEP_GIT_DIR") {
            Some("1" | "true") => git.keep_git_dir(),
            _ => git,
        };
        return Ok(Remote::Tree(git.build(&Metadata::named(format!("[internal] load git source {url}")))));
    }
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(Failure::spec(
            Diagnostic::new(
                Code::Option,
                format!("the build context `{url}` is of a kind that nobody knows"),
            )
            .help("a folder, a git repository, or an archive behind an http URL"),
        ));
    }
    // A tar on the client's stdin comes this way as well, from a host that is the session.
    let metadata = Metadata::named("[internal] load remote build context");
    // The engine's own frontend has asked for it already, and an upload can be had once.
    let file = source::http(url).filename(CONTEXT).like_go().build(&metadata);
    let reference = gateway.solve(Some(&file), &[]).await?;
    let start = gateway.read_start(&reference, CONTEXT, 1024).await?;
    if !is_archive(&start) {
        return Ok(Remote::File(file));
    }
    let unpack = Copy { unpack: true, ..Copy::new(format!("/{CONTEXT}"), "/") };
    let metadata = Metadata::named("[internal] unpack the build context");
    File::on_scratch().copy(&file, unpack).build(&metadata).map(Remote::Tree).ok_or_else(|| {
        Failure::spec(Diagnostic::new(Code::Option, format!("the build context `{url}` is empty")))
    })
}

/// Whether a file starts like a tar, or like one that gzip, bzip2, xz or zstd packed.
fn is_archive(start: &[u8]) -> bool {
    const PACKED: [&[u8]; 4] =
        [&[0x1f, 0x8b, 0x08], b"BZh", &[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], &[0x28, 0xb5, 0x2f, 0xfd]];
    PACKED.iter().any(|magic| start.starts_with(magic)) || start.get(257..262) == Some(b"ustar")
}
