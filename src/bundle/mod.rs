//! From images to a running system: files about the whole project, from the same facts as its images.
//!
//! A [`System`] is the spec with every component's plan. Each file here is a function from it to a text:
//! [`compose`] the hardened Compose file, [`mod@env`] its variables, [`images`] the digests, [`ingress`] what
//! follows from routes, [`scripts`] and [`deploy`] what an operator runs, [`kubernetes`] manifests,
//! [`workflows`] what CI runs, [`ignore`] what stays out of build contexts. None of them knows the clock,
//! the network or BuildKit, so the same spec gives the same bytes.

mod bake;
mod components;
mod compose;
mod deploy;
mod env;
mod ignore;
mod images;
pub mod ingress;
mod kubernetes;
mod limits;
mod name;
mod readme;
mod scripts;
mod state;
mod system;
mod template;
mod workflows;
mod yaml;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;

pub use images::{Known, read_metadata};
pub use system::{Part, System};

/// The build argument that names what bake wrote about the images that it pushed (`--metadata-file`).
pub const IMAGES_ARGUMENT: &str = "SLIPWAY_IMAGES";

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// What it holds.
    pub content: String,
    /// Whether it is a program.
    pub executable: bool,
}

/// Files by their paths.
pub type TextFiles = BTreeMap<String, TextFile>;

/// A kind of files about the whole project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What deploys without the source tree.
    Bundle,
    /// Manifests for Kubernetes.
    Kubernetes,
    /// What CI runs, and a file for bake.
    Workflows,
    /// What stays out of build contexts.
    Ignore,
}

/// What keeps files of a kind from being written.
pub fn problems(system: &System<'_>, kind: Kind) -> Vec<Diagnostic> {
    match kind {
        Kind::Kubernetes => kubernetes::unfit(system),
        Kind::Bundle | Kind::Workflows | Kind::Ignore => Vec::new(),
    }
}

/// The files of a kind.
pub fn files(system: &System<'_>, kind: Kind) -> TextFiles {
    let mut files = TextFiles::new();
    match kind {
        Kind::Bundle => {
            add(&mut files, "compose.yaml", compose::bundled(system));
            add(&mut files, "compose.registry.yaml", compose::registry(system));
            add(&mut files, ".env.example", env::example(system));
            add(&mut files, "images.lock", images::lock(system));
            add(&mut files, "README.md", readme::bundle(system));
            add(
                &mut files,
                ".gitignore",
                "# Values of one deployment; never the example.\n.env\n.env.*\n!.env.example\n".to_owned(),
            );
            ingress::files(system, &mut files);
            scripts::files(system, &mut files);
            deploy::files(system, &mut files);
            state::files(system, &mut files);
            components::files(system, &mut files);
        }
        Kind::Kubernetes => kubernetes::files(system, &mut files),
        Kind::Workflows => {
            workflows::files(system, &mut files);
            add(&mut files, "docker-bake.hcl", bake::file(system));
        }
        Kind::Ignore => add(&mut files, ".dockerignore", ignore::file(system)),
    }
    files
}

fn add(files: &mut TextFiles, path: &str, content: String) {
    files.insert(path.to_owned(), TextFile { content, executable: false });
}

fn add_program(files: &mut TextFiles, path: &str, content: String) {
    files.insert(path.to_owned(), TextFile { content, executable: true });
}
