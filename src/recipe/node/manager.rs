//! Package managers of Node: which one a folder uses, and how each installs from its lock file.

use super::super::draft::{run, shell};
use super::super::{Request, versions};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::plan::{Run, Sharing};

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::recipe) enum Kind {
    Npm,
    Pnpm,
    /// Yarn 1.
    YarnClassic,
    /// Yarn 2 and later.
    YarnBerry,
}

/// A package manager in a version. npm's is that of the Node image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::recipe) struct Manager {
    pub(in crate::recipe) kind: Kind,
    version: String,
    /// The lock file, in the folder that is installed.
    pub(in crate::recipe) lock: &'static str,
}

/// Lock files with the manager that writes them.
pub(in crate::recipe) const LOCKS: [(&str, &str); 4] = [
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
];

/// Lock files of what is none of Node's managers.
pub(in crate::recipe) const FOREIGN_LOCKS: [&str; 2] = ["bun.lock", "bun.lockb"];

/// Files that say how to install, beside manifest and lock.
pub(in crate::recipe) const SETTINGS: [&str; 4] =
    [".npmrc", ".yarnrc.yml", "pnpm-workspace.yaml", ".pnpmfile.cjs"];

/// The versions that are installed where the project pins none.
const PNPM: [&str; 3] = ["10.24.0", "9.15.9", "8.15.9"];
const YARN_CLASSIC: &str = "1.22.22";
const YARN_BERRY: &str = "4.12.0";

impl Manager {
    /// The manager of a folder, which holds the manifest that may pin it.
    pub(in crate::recipe) fn find(
        request: &Request<'_>,
        folder: &str,
        manifest: &serde_json::Value,
        problems: &mut Diagnostics,
    ) -> Option<Self> {
        let path = |name: &str| crate::paths::in_folder(folder, name);
        let pinned = manifest.get("packageManager").and_then(serde_json::Value::as_str);
        let (pin_name, pin_version) = match pinned.and_then(|pinned| pinned.split_once('@')) {
            Some((name, version)) => {
                (Some(name), Some(version.split('+').next().unwrap_or_default().to_owned()))
            }
            None => (None, None),
        };
        let chosen = request.service.component.manager.as_ref();
        let locks: Vec<(&'static str, &'static str)> =
            LOCKS.into_iter().filter(|(lock, _)| request.facts.has(&path(lock))).collect();
        let mut managers: Vec<&str> = locks.iter().map(|(_, manager)| *manager).collect();
        managers.dedup();
        let named = chosen.map(|chosen| chosen.value.as_str()).or(pin_name);
        let (lock, name) = match (named, managers.as_slice()) {
            (Some(name), _) => match locks.iter().find(|(_, manager)| *manager == name) {
                Some(found) => *found,
                None => {
                    let why = if chosen.is_some() { "`manager`" } else { "`packageManager` of the manifest" };
                    problems.push(no_lock_of(request, folder, name, why));
                    return None;
                }
            },
            (None, [_]) => *locks.first()?,
            (None, []) => {
                problems.push(no_lock(request, folder));
                return None;
            }
            (None, several) => {
                let found: Vec<String> = locks.iter().map(|(lock, _)| format!("`{}`", path(lock))).collect();
                problems.push(
                    Diagnostic::new(
                        Code::Ambiguous,
                        format!("there are lock files of several package managers: {}", found.join(", ")),
                    )
                    .at(request.source_span())
                    .help(format!(
                        "remove those that do not count, or set `manager` to one of: {}",
                        several.join(", ")
                    )),
                );
                return None;
            }
        };
        let because = match (chosen, pin_name) {
            (Some(_), _) => "`manager`".to_owned(),
            (None, Some(_)) => format!("`packageManager` in {}", path("package.json")),
            (None, None) => path(lock),
        };
        let file = request.facts.text(&path("pnpm-workspace.yaml"));
        let settings = file.is_some_and(|file| {
            let keys = ["onlyBuiltDependencies:", "allowBuilds:", "overrides:"];
            keys.iter().any(|key| file.contains(key)) || super::workspace::pnpm_patterns(&file).is_empty()
        });
        let lock_text = request.facts.text(&path(lock)).unwrap_or_default();
        let manager =
            Self::of(name, lock, pin_version.filter(|_| pin_name == Some(name)), &lock_text, settings);
        request.found("package manager", manager.name(), because);
        Some(manager)
    }

    fn of(name: &str, lock: &'static str, pinned: Option<String>, lock_text: &str, settings: bool) -> Self {
        let start: String = lock_text.lines().take(20).collect::<Vec<_>>().join("\n");
        match name {
            "pnpm" => {
                // pnpm 9 and 10 write 9.0, pnpm 8 writes 6.0. Settings in the workspace's file are 10's.
                let default = match (start.contains("lockfileVersion: '6"), settings) {
                    (true, _) => PNPM[2],
                    (false, true) => PNPM[0],
                    (false, false) => PNPM[1],
                };
                Self { kind: Kind::Pnpm, version: pinned.unwrap_or_else(|| default.to_owned()), lock }
            }
            "yarn" => {
                let classic = match &pinned {
                    Some(version) => version.starts_with("1."),
                    None => start.contains("yarn lockfile v1"),
                };
                let (kind, default) =
                    if classic { (Kind::YarnClassic, YARN_CLASSIC) } else { (Kind::YarnBerry, YARN_BERRY) };
                Self { kind, version: pinned.unwrap_or_else(|| default.to_owned()), lock }
            }
            _ => Self { kind: Kind::Npm, version: String::new(), lock },
        }
    }

    /// As a person calls it.
    pub(in crate::recipe) fn name(&self) -> String {
        match self.kind {
            Kind::Npm => "npm".to_owned(),
            Kind::Pnpm => format!("pnpm {}", self.version),
            Kind::YarnClassic | Kind::YarnBerry => format!("Yarn {}", self.version),
        }
    }

    /// The command that brings the manager itself; npm is in the image already.
    pub(in crate::recipe) fn setup(&self) -> Option<Run> {
        let package = match self.kind {
            Kind::Npm => return None,
            Kind::Pnpm => format!("pnpm@{}", self.version),
            Kind::YarnClassic => format!("yarn@{}", self.version),
            // Its releases are not published under the name `yarn`.
            Kind::YarnBerry => format!("@yarnpkg/cli-dist@{}", self.version),
        };
        // Images have Yarn 1 there already.
        let command = format!("npm install --global --force {package}");
        Some(run(shell(command)).with_env(QUIET_NPM).cached("/root/.npm", "npm", Sharing::Shared))
    }

    /// The process that installs everything, or what production needs: of the whole folder, or of
    /// one member of its workspace.
    pub(in crate::recipe) fn install(&self, production: bool, member: Option<&Member<'_>>) -> Run {
        let command = match (self.kind, production, member) {
            (Kind::Npm, false, _) => "npm ci".to_owned(),
            (Kind::Npm, true, None) => "npm ci --omit=dev".to_owned(),
            (Kind::Npm, true, Some(member)) => {
                let own = member.with_local().map(|path| format!(" --workspace={path}"));
                format!("npm ci --omit=dev{}", own.collect::<String>())
            }
            (Kind::Pnpm, false, _) => "pnpm install --frozen-lockfile".to_owned(),
            (Kind::Pnpm, true, None) => "pnpm install --frozen-lockfile --prod".to_owned(),
            (Kind::Pnpm, true, Some(member)) => {
                format!("pnpm install --frozen-lockfile --prod --filter '{}...'", member.name)
            }
            (Kind::YarnClassic, false, _) => "yarn install --frozen-lockfile --non-interactive".to_owned(),
            (Kind::YarnClassic, true, _) => {
                "yarn install --frozen-lockfile --non-interactive --production".to_owned()
            }
            (Kind::YarnBerry, false, _) => "yarn install --immutable".to_owned(),
            (Kind::YarnBerry, true, None) => "yarn workspaces focus --all --production".to_owned(),
            (Kind::YarnBerry, true, Some(member)) => {
                format!("yarn workspaces focus --production {}", member.name)
            }
        };
        let process = run(shell(command)).with_env(QUIET_NPM).with_env(self.env().iter().copied());
        match self.kind {
            Kind::Npm => process.cached("/root/.npm", "npm", Sharing::Shared),
            Kind::Pnpm => process.cached("/root/.pnpm-store", "pnpm", Sharing::Shared),
            // Yarn's caches are not made for several at once.
            Kind::YarnClassic => process.cached("/root/.yarn-cache", "yarn", Sharing::Locked),
            Kind::YarnBerry => process.cached("/root/.yarn-berry", "yarn-berry", Sharing::Locked),
        }
    }

    /// What the manager has to be told whenever it runs.
    pub(in crate::recipe) fn env(&self) -> &'static [(&'static str, &'static str)] {
        match self.kind {
            Kind::Npm => &[],
            Kind::Pnpm => &[("CI", "true"), ("npm_config_store_dir", "/root/.pnpm-store")],
            Kind::YarnClassic => &[("YARN_CACHE_FOLDER", "/root/.yarn-cache")],
            // Plain Node runs what comes out, so there has to be a node_modules folder.
            Kind::YarnBerry => &[
                // The release that a project commits is not needed: this is the same one.
                ("YARN_IGNORE_PATH", "1"),
                ("YARN_NODE_LINKER", "node-modules"),
                ("YARN_ENABLE_TELEMETRY", "0"),
                ("YARN_ENABLE_GLOBAL_CACHE", "true"),
                ("YARN_GLOBAL_FOLDER", "/root/.yarn-berry"),
            ],
        }
    }

    /// The command that runs a script of the manifest.
    pub(in crate::recipe) fn script(&self, name: &str) -> String {
        match self.kind {
            Kind::Npm => format!("npm run {name}"),
            Kind::Pnpm => format!("pnpm run {name}"),
            Kind::YarnClassic | Kind::YarnBerry => format!("yarn run {name}"),
        }
    }
}

/// A member of a workspace.
#[derive(Clone, Debug)]
pub(in crate::recipe) struct Member<'a> {
    /// Its folder in the workspace.
    pub(in crate::recipe) path: &'a str,
    /// Its package's name.
    pub(in crate::recipe) name: &'a str,
    /// The folders of the other members that it needs.
    pub(in crate::recipe) local: Vec<&'a str>,
}

impl Member<'_> {
    fn with_local(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path).chain(self.local.iter().copied())
    }
}

/// npm's news are none of a build's.
pub(in crate::recipe) const QUIET_NPM: [(&str, &str); 3] =
    [("NPM_CONFIG_AUDIT", "false"), ("NPM_CONFIG_FUND", "false"), ("NPM_CONFIG_UPDATE_NOTIFIER", "false")];

/// The majors of Node that there are images of and that are maintained, the preferred one first.
const NODE: [&str; 5] = ["22", "24", "20", "18", "26"];

/// Node's version: the spec's, or what the folders say, nearest first, or the default.
pub(in crate::recipe) fn node_version(
    request: &Request<'_>,
    folders: &[String],
    problems: &mut Diagnostics,
) -> String {
    if let Some(version) = &request.service.component.version {
        supported(&version.value, &version.span, problems);
        return version.value.clone();
    }
    for folder in folders {
        let path = |name: &str| crate::paths::in_folder(folder, name);
        for file in [".nvmrc", ".node-version"] {
            let Some(text) = request.facts.text(&path(file)) else { continue };
            let word = text.trim().trim_start_matches('v');
            let version = match word {
                "lts/hydrogen" => "18",
                "lts/iron" => "20",
                "lts/jod" => "22",
                "lts/krypton" => "24",
                word if word.starts_with(|c: char| c.is_ascii_digit()) => word,
                word => {
                    problems.push(
                        Diagnostic::new(
                            Code::Ambiguous,
                            format!("`{word}` in `{}` is another version every few months", path(file)),
                        )
                        .at(request.recipe_span())
                        .help(format!("write a number there, or set `version`, such as {}", NODE[0])),
                    );
                    NODE[0]
                }
            };
            supported(version, request.recipe_span(), problems);
            request.found("Node version", version, path(file));
            return version.to_owned();
        }
        let manifest = request.facts.file(&path("package.json"));
        let manifest = manifest.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok());
        let engines = manifest.as_ref().and_then(|manifest| manifest.pointer("/engines/node")?.as_str());
        if let Some(range) = engines {
            if let Some(version) = versions::allowed(&NODE, range) {
                request.found(
                    "Node version",
                    version,
                    format!("`engines.node` {range} in {}", path("package.json")),
                );
                return version.to_owned();
            }
            problems.push(
                Diagnostic::new(
                    Code::Value,
                    format!("`{}` wants Node `{range}`, of which there is no image", path("package.json")),
                )
                .at(request.recipe_span())
                .help(format!("this recipe builds with {}; or set `version`", NODE.join(", "))),
            );
            return NODE[0].to_owned();
        }
    }
    request.found("Node version", NODE[0], "the default");
    NODE[0].to_owned()
}

fn supported(version: &str, place: &Span, problems: &mut Diagnostics) {
    let major = version.split(['.', '-']).next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < 18) {
        problems.push(
            Diagnostic::new(Code::Value, format!("Node {version} is not supported")).at(place).help(
                "18 is the oldest that this recipe builds with; write the `stages` by hand for an older one",
            ),
        );
    }
}

fn no_lock(request: &Request<'_>, folder: &str) -> Diagnostic {
    let path = crate::paths::in_folder(folder, LOCKS[0].0);
    let diagnostic =
        Diagnostic::new(Code::MissingFile, format!("the build context has no lock file `{path}`"))
            .at(request.source_span())
            .label("what gets installed would depend on the day");
    let foreign =
        FOREIGN_LOCKS.into_iter().find(|name| request.facts.has(&crate::paths::in_folder(folder, name)));
    match foreign {
        Some(name) => diagnostic
            .help(format!("there is `{}`: that is Bun's, so use `recipe: bun`", crate::paths::in_folder(folder, name))),
        None => diagnostic
            .help("run `npm install --package-lock-only` in that folder and commit the file; locks of pnpm and Yarn do as well")
            .help("if it is there, does .dockerignore exclude it?"),
    }
}

fn no_lock_of(request: &Request<'_>, folder: &str, name: &str, why: &str) -> Diagnostic {
    if !LOCKS.iter().any(|(_, manager)| *manager == name) {
        return Diagnostic::new(
            Code::Value,
            format!("{why} says `{name}`, which is no package manager of Node"),
        )
        .at(request.source_span())
        .help("npm, pnpm or yarn; for Bun use `recipe: bun`");
    }
    let lock = LOCKS.iter().find(|(_, manager)| *manager == name).map_or("", |(lock, _)| *lock);
    Diagnostic::new(
        Code::MissingFile,
        format!(
            "{why} says {name}, but the build context has no `{}`",
            crate::paths::in_folder(folder, lock)
        ),
    )
    .at(request.source_span())
    .help(format!("commit {name}'s lock file, or name another manager"))
}
