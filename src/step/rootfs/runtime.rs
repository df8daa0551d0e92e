//! Which files beside the binary belong to a language's runtime.

use clap::ValueEnum;

use super::collect::Collection;
use super::tree::Tree;

/// A language's runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Runtime {
    /// The program alone
    Plain,
    /// What the program loads, without the program
    Libraries,
    /// Node: the binary, without its symbols
    Node,
    /// Python: the interpreter and its standard library, without tests and installers
    Python,
    /// Java: the whole runtime around `bin/java`
    Java,
    /// nginx: the server, its modules and its configuration folder
    Nginx,
}

/// What of Python's standard library serves nobody at run time.
const NOT_PYTHON: [&str; 9] = [
    "test",
    "tests",
    "idlelib",
    "turtledemo",
    "tkinter",
    "ensurepip",
    "lib2to3",
    "__pycache__",
    "site-packages",
];

impl Runtime {
    /// Keeps the program and what belongs to it.
    pub(super) fn keep(self, base: &Tree, program: &str, collection: &mut Collection) {
        let Some(found) = base.resolve(program) else { return };
        if self == Self::Libraries {
            collection.look_into(&found.real);
            return;
        }
        collection.keep(base, program);
        let real = found.real;
        let (folder, name) = real.rsplit_once('/').unwrap_or(("", &real));
        // `/usr/local` of `/usr/local/bin/program`
        let prefix = crate::paths::parent(folder);
        match self {
            Self::Plain | Self::Libraries => {}
            Self::Node => collection.strip(&real),
            Self::Python => {
                let library = format!("{prefix}/lib/{name}");
                collection.keep_without(base, &library, &|name| {
                    NOT_PYTHON.contains(&name) || name.starts_with("config-")
                });
                // Programs start it under any of its names.
                for alias in ["python", "python3", name] {
                    for folder in ["/usr/local/bin", "/usr/bin"] {
                        collection.keep(base, &format!("{folder}/{alias}"));
                    }
                }
                collection.folder(&format!("{library}/site-packages"), 0o755);
            }
            Self::Java => {
                // `jmods` is what `jlink` makes other runtimes of; `src.zip` and `man` are for people.
                collection.keep_without(base, prefix, &|name| {
                    matches!(name, "jmods" | "src.zip" | "man" | "demo" | "include" | "legal")
                });
            }
            Self::Nginx => {
                for path in ["/etc/nginx", "/usr/lib/nginx/modules", "/usr/share/nginx/modules-available"] {
                    collection.keep(base, path);
                }
            }
        }
    }
}
