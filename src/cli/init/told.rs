//! What a Dockerfile tells about an image: of the stage that is built, of those that it stands on,
//! and of those that it copies from.
//!
//! Nothing is passed over in silence: whatever is neither understood nor done by every recipe anyway
//! goes to [`Told::lost`], with its line.

use std::collections::{BTreeMap, BTreeSet};

use super::dockerfile::{Dockerfile, Instruction, expand, list, unquoted};
use super::layout::{Layout, Origin, layout};
use super::shell::{Doing, Manager, Question, doings, question};

/// A value, and the line that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

/// `CMD` or `ENTRYPOINT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Words.
    Words(Vec<String>),
    /// A text for the shell.
    Shell(String),
}

/// `HEALTHCHECK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Health {
    /// What it asks over HTTP.
    pub(super) question: Question,
    /// Compose's names of its times, with their values.
    pub(super) times: Vec<(String, String)>,
}

/// What a Dockerfile tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Its path from the root.
    pub(super) path: String,
    /// The build context, from the root.
    pub(super) context: String,
    /// The image that the image stands on.
    pub(super) runtime: String,
    /// Where it is named.
    pub(super) runtime_line: usize,
    /// The images of stages that it copies from, the last stage first.
    pub(super) builders: Vec<At<String>>,
    /// Ports.
    pub(super) expose: Vec<At<String>>,
    pub(super) entrypoint: Option<At<Start>>,
    pub(super) command: Option<At<Start>>,
    pub(super) health: Option<At<Health>>,
    /// The number of the user, and of its group.
    pub(super) user: Option<At<(u32, u32)>>,
    pub(super) env: Vec<At<(String, String)>>,
    /// Environment of stages that it copies from.
    pub(super) build_env: Vec<At<(String, String)>>,
    pub(super) labels: Vec<At<(String, String)>>,
    pub(super) stop_signal: Option<At<String>>,
    /// Packages of the image itself.
    pub(super) packages: Vec<At<(Manager, Vec<String>)>>,
    /// Packages of stages that it copies from.
    pub(super) build_packages: Vec<At<(Manager, Vec<String>)>>,
    /// Commands that build, other than the usual ones.
    pub(super) builds: Vec<At<String>>,
    /// The package that a Go build names.
    pub(super) main: Option<At<String>>,
    /// What cannot be carried over.
    pub(super) lost: Vec<At<String>>,
    /// The folders of every stage.
    pub(super) layouts: Vec<Layout>,
    /// The stage that is the image.
    pub(super) last: usize,
}

impl Told {
    /// What the Dockerfile tells about the stage `target`, or its last one. None if it has no stage,
    /// or none of that name.
    pub(super) fn read(
        text: &str,
        path: &str,
        context: &str,
        target: Option<&str>,
        given: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let file = Dockerfile::read(text, given);
        let count = file.stages.len();
        let last = match target {
            Some(name) => file.find(name, count)?,
            None => count.checked_sub(1)?,
        };
        let mut told = Self {
            path: path.to_owned(),
            context: context.to_owned(),
            last,
            layouts: (0..count).map(|index| layout(&file, index)).collect(),
            ..Self::default()
        };
        // Layouts of later stages stand on those of earlier ones.
        let chain = told.chain(last);
        let lowest = &file.stages[chain[0]];
        told.runtime = lowest.base.clone();
        told.runtime_line = lowest.line;
        let used = told.used(last);
        for index in used.iter().rev().copied().filter(|index| !chain.contains(index)) {
            let image = &file.stages[told.chain(index)[0]];
            let known = told.builders.iter().any(|known| known.line == image.line);
            if !known && image.line != told.runtime_line {
                told.builders.push(At { line: image.line, value: image.base.clone() });
            }
        }
        let mut users = BTreeMap::from([("root".to_owned(), 0)]);
        let mut user = None;
        // What variables are at the end of each stage: a stage on top of it goes on from there.
        let mut known: BTreeMap<usize, BTreeMap<String, String>> = BTreeMap::new();
        for index in used {
            let own = chain.contains(&index);
            let below = told.layouts[index].base.and_then(|base| known.get(&base).cloned());
            let mut values = below.unwrap_or_else(|| values(&file, given));
            for instruction in &file.stages[index].instructions {
                if own && instruction.name == "USER" {
                    user = Some(At { line: instruction.line, value: expand(&instruction.text, &values) });
                }
                told.instruction(instruction, own, &file, &mut values, &mut users);
            }
            known.insert(index, values);
        }
        // Only the last one runs.
        if let Some(user) = user {
            told.user(user.line, &user.value, &users);
        }
        for (line, argument) in &file.argument_lines {
            told.lose(*line, format!("ARG {argument}"));
        }
        let others: Vec<String> = (0..count)
            .filter(|index| !told.used(last).contains(index))
            .map(|index| file.stages[index].name.clone().unwrap_or_else(|| index.to_string()))
            .collect();
        for name in others {
            let line = file.find(&name, count).map_or(1, |index| file.stages[index].line);
            told.lose(line, format!("the stage `{name}`, which is no part of the image"));
        }
        told.lost.sort_by_key(|lost| lost.line);
        Some(told)
    }

    /// A stage with all that it stands on, the lowest first.
    pub(super) fn chain(&self, index: usize) -> Vec<usize> {
        let mut chain = vec![index];
        while let Some(base) = self.layouts[chain[0]].base {
            chain.insert(0, base);
        }
        chain
    }

    /// All stages that a stage needs, itself included.
    pub(super) fn used(&self, index: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = vec![index];
        while let Some(next) = open.pop() {
            for stage in self.chain(next) {
                if found.insert(stage) {
                    open.extend(self.layouts[stage].copies.iter().filter_map(|copy| match copy.from {
                        Origin::Stage(from) => Some(from),
                        _ => None,
                    }));
                }
            }
        }
        found
    }

    fn lose(&mut self, line: usize, what: impl Into<String>) {
        self.lost.push(At { line, value: what.into() });
    }

    fn instruction(
        &mut self,
        instruction: &Instruction,
        own: bool,
        file: &Dockerfile,
        values: &mut BTreeMap<String, String>,
        users: &mut BTreeMap<String, u32>,
    ) {
        let line = instruction.line;
        let text = &instruction.text;
        let whole = || format!("{} {text}", instruction.name);
        match instruction.name.as_str() {
            "ARG" => {
                let (name, default) = text.split_once('=').unwrap_or((text, ""));
                if !values.contains_key(name) {
                    let known = file.arguments.get(name).cloned();
                    values
                        .insert(name.to_owned(), known.unwrap_or_else(|| expand(unquoted(default), values)));
                }
                self.lose(line, whole());
            }
            "RUN" => self.run(instruction, own, users),
            "ADD" if text.contains("://") || text.contains("git@") => self.lose(line, whole()),
            "ENV" => {
                for (name, value) in pairs(text) {
                    let value = expand(&value, values);
                    values.insert(name.clone(), value.clone());
                    let env = if own { &mut self.env } else { &mut self.build_env };
                    env.retain(|known| known.value.0 != name);
                    env.push(At { line, value: (name, value) });
                }
            }
            _ if !own => {}
            "LABEL" => {
                let labels = pairs(text).into_iter();
                self.labels
                    .extend(labels.map(|(name, value)| At { line, value: (name, expand(&value, values)) }));
            }
            "EXPOSE" => {
                let ports = expand(text, values);
                for port in ports.split_whitespace() {
                    let number = port.split(['/', '-']).next().unwrap_or_default();
                    if number.parse::<u16>().is_ok() {
                        self.expose.push(At { line, value: port.trim_end_matches("/tcp").to_owned() });
                    } else {
                        self.lose(line, format!("EXPOSE {port}"));
                    }
                }
            }
            "ENTRYPOINT" => {
                self.entrypoint = Some(At { line, value: start(text) });
                // As in an image: another entrypoint takes no arguments meant for the last one.
                self.command = None;
            }
            "CMD" => self.command = Some(At { line, value: start(text) }),
            "STOPSIGNAL" => self.stop_signal = Some(At { line, value: expand(text, values) }),
            "HEALTHCHECK" => self.health(instruction, values),
            "COPY" | "ADD" | "USER" | "WORKDIR" => {}
            _ => self.lose(line, whole()),
        }
    }

    fn run(&mut self, instruction: &Instruction, own: bool, users: &mut BTreeMap<String, u32>) {
        let line = instruction.line;
        for doing in doings(&instruction.text, &instruction.document) {
            match doing {
                Doing::Usual => {}
                Doing::Packages(manager, names) if own => {
                    self.packages.push(At { line, value: (manager, names) });
                }
                Doing::Packages(manager, names) => {
                    self.build_packages.push(At { line, value: (manager, names) });
                }
                Doing::Build(command) => self.builds.push(At { line, value: command }),
                Doing::Main(package) => self.main = Some(At { line, value: package }),
                Doing::User(name, number) => {
                    users.insert(name, number);
                }
                Doing::Lost(what) => self.lose(line, format!("RUN {what}")),
            }
        }
        if let Some((_, value)) = instruction.flags.iter().find(|(name, value)| {
            name == "mount" && (value.contains("type=secret") || value.contains("type=ssh"))
        }) {
            self.lose(line, format!("RUN --mount={value}"));
        }
    }

    fn user(&mut self, line: usize, text: &str, users: &BTreeMap<String, u32>) {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        let number = |name: &str| name.parse().ok().or_else(|| users.get(name).copied());
        match number(user) {
            Some(0) => self.lose(line, format!("USER {text}: the image runs without root")),
            Some(uid) => {
                let gid = number(group).unwrap_or(uid);
                self.user = Some(At { line, value: (uid, gid) });
            }
            None => {
                self.lose(line, format!("USER {text}: no number is said; ours is 1001:1001"));
            }
        }
    }

    fn health(&mut self, instruction: &Instruction, values: &BTreeMap<String, String>) {
        let line = instruction.line;
        let command = instruction.text.strip_prefix("CMD").map(str::trim);
        match command.and_then(|command| question(command, values)) {
            Some(question) => {
                let times = ["interval", "timeout", "start-period", "start-interval", "retries"];
                let times = times
                    .into_iter()
                    .filter_map(|name| Some((name.replace('-', "_"), instruction.flag(name)?.to_owned())));
                self.health = Some(At { line, value: Health { question, times: times.collect() } });
            }
            None => self.lose(line, format!("HEALTHCHECK {}", instruction.text)),
        }
    }

    /// The values of the image's environment.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|known| known.value.0 == name).map(|known| known.value.1.as_str())
    }
}

fn values(file: &Dockerfile, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    // Global arguments count in a stage that asks for them; a build's own, too.
    let asked: BTreeSet<&str> = file
        .stages
        .iter()
        .flat_map(|stage| &stage.instructions)
        .filter(|instruction| instruction.name == "ARG")
        .map(|instruction| instruction.text.split('=').next().unwrap_or_default())
        .collect();
    let given = given.iter().filter(|(name, _)| asked.contains(name.as_str()));
    given.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn start(text: &str) -> Start {
    list(text).map_or_else(|| Start::Shell(text.to_owned()), Start::Words)
}

/// The names and values of `ENV` and `LABEL`, in either form.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        return vec![(name.to_owned(), unquoted(value).to_owned())];
    }
    let words = shlex::split(text).unwrap_or_default();
    words
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_final_stage_and_what_it_needs() {
        let text = "FROM node:20 AS build\nWORKDIR /src\nRUN apt-get install -y python3\nRUN npm ci\nFROM debian AS unused\nRUN make me\nFROM node:20-slim AS base\nENV PORT=3000\nFROM base\nWORKDIR /app\nARG VERSION\nCOPY --from=build /src/dist ./dist\nEXPOSE ${PORT} 9229/udp\nUSER 1000:0\nONBUILD RUN x\n";
        let told = Told::read(text, "Dockerfile", "", None, &BTreeMap::new()).expect("a stage");
        assert_eq!(told.runtime, "node:20-slim");
        assert_eq!(told.builders, [At { line: 1, value: "node:20".to_owned() }]);
        assert_eq!(told.build_packages[0].value.1, ["python3"]);
        assert_eq!(told.packages, []);
        assert_eq!(told.user, Some(At { line: 14, value: (1000, 0) }));
        assert_eq!(told.outputs(), [At { line: 12, value: "dist".to_owned() }]);
        let lost: Vec<&str> = told.lost.iter().map(|lost| lost.value.as_str()).collect();
        assert_eq!(
            lost,
            ["the stage `unused`, which is no part of the image", "ARG VERSION", "ONBUILD RUN x"],
        );
        // Variables of the stage below count.
        let ports: Vec<&str> = told.expose.iter().map(|port| port.value.as_str()).collect();
        assert_eq!(ports, ["3000", "9229/udp"]);
    }
}
