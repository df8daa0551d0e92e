//! Packages of the distribution: those of the image, those of its build, and those that need not be
//! carried over.

use super::component::{Maker, is_static};
use super::kind::family;
use super::shell::Manager;
use super::told::At;
use super::write::{Value, scalar, words};

/// Packages that serve builds alone.
const BUILD_TOOLS: [&str; 9] =
    ["gcc", "g++", "make", "build-essential", "build-base", "git", "pkg-config", "musl-dev", "python3-dev"];

impl Maker<'_> {
    /// Packages of the distribution; where the recipe's base is of another one, the image of the
    /// Dockerfile becomes the base.
    pub(super) fn base_and_packages(&mut self) {
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
            // `init` brings its program.
            let init = self.init().is_some();
            let names = names.iter().filter(|name| !(init && ["tini", "dumb-init"].contains(&name.as_str())));
            for name in names {
                if tools.contains(&name.as_str()) && !self.starts_with_tool(name) {
                    gone.push((at.line, format!("the package {name}: the health check needs none")));
                } else if is_static(self.recipe) && ["ca-certificates", "tzdata"].contains(&name.as_str()) {
                    gone.push((at.line, format!("the package {name}: its files are in the image anyway")));
                } else if BUILD_TOOLS.contains(&name.as_str()) {
                    let tools = (*manager, vec![name.clone()]);
                    building.push(At { line: at.line, value: tools });
                } else {
                    if name.ends_with("-dev") {
                        let headers = (*manager, vec![name.clone()]);
                        building.push(At { line: at.line, value: headers });
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
}
