//! Random Compose files from a seed.

use integration_tests::random::{Random, Writer, Yaml};

const TEXTS: &[&str] = &[
    "",
    "-",
    "-- dash",
    "# none",
    "a #b",
    "a#b",
    "a: b",
    ": x",
    "key:",
    "x:y",
    " lead",
    "trail ",
    "tab\there",
    "line\nbreak",
    "two\n\nbreaks",
    "end\n",
    "more\n  indented\nlines\n",
    "quote\"s",
    "it's",
    "'single'",
    "\"double\"",
    "back\\slash",
    "a\\nb",
    "? q",
    "a | b",
    "a $ b",
    "🐳 whale",
    "ünïcode ✓",
    "é\u{301}",
    "\u{a0}nbsp",
    "\u{7f}",
    "null ",
    "$(date) $1 5$ $$ $$HOME",
    "a very long text that goes on and on, word by word, until somebody folds it",
];

/// Texts without spaces, most of which look like something else.
const WORDS: &str = "node server.js --flag=x 日本語 yes no on Off y null Null ~ true False 1.0 1.10 0x10 010 0o17 1e3 2020-01-01 \
    12:30:45 1_000 .5 +1 -0 .inf .NaN << = {brace} [list] { ] *star &amp !bang %percent @at `tick` a,b ?q | > ' \" \\ -- ... --- \
    http://x.y/z?a=b&c#d %{x} $TEAM ${TEAM}";

/// Numbers, and what is none although it looks like one.
const SCALARS: &str = "1 0 -1 +12 1.0 1.10 -2.50 .5 5. 1e3 1E3 1e+6 1.5e-7 123456789.0 1234567.25 0x10 0XfF -0x10 0755 08 0o17 \
    0b101 1_000 1__0 1_ _1 0x_1F 1_0.5 -0 -0.0 00 12345678901234567890 123456789012345678901234567890 9007199254740993 0.1 \
    100000.0 1000000.0 0.0001 0.00001 .inf -.inf +.INF .nan 1e400 true True FALSE yes No on off y n 1:30 190:20:30 1.2.3 v1 1e 0x \
    0b2 0o8 1.e5 ~ null Null NULL";

const TAGGED: &[&str] = &[
    "",
    "!!str 1.10",
    "!!str true",
    "!!str null",
    "! 0x10",
    "! true",
    "! null",
    "!x 5",
    "!!int 5",
    "!!float 5",
    "!!binary aGk=",
];

const NAMES: &str = "TEAM EMPTY NOPE MISSING NUM ODD _under_1 FLAG";

pub(super) struct Generator {
    random: Random,
    /// Anchors, each with the kind of value that it stands before.
    anchors: Vec<(String, String)>,
    /// How many anchors there have been.
    count: usize,
    /// Whether the file may hold what Compose may refuse.
    wild: bool,
}

impl Generator {
    pub(super) fn new(seed: u64, case: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x1_0000_0001).wrapping_add(case));
        let wild = random.percent(12);
        Self { random, anchors: Vec::new(), count: 0, wild }
    }

    /// A file, and one whose services it may extend.
    pub(super) fn files(mut self) -> [(&'static str, String); 2] {
        let common = self.file(true);
        self.anchors.clear();
        [("spec.yaml", self.file(false)), ("common.yaml", common)]
    }

    fn file(&mut self, common: bool) -> String {
        let mut entries: Vec<(&str, Yaml)> = Vec::new();
        if !common {
            entries.push(("name", Yaml::exact("property")));
        }
        // Templates to merge.
        for name in ["x-one", "x-two"] {
            if self.random.percent(50) {
                let keys = self.keys(3);
                entries.push((name, self.anchored("service", Yaml::Map(keys))));
            }
        }
        if self.random.percent(20) {
            let odd = ["1e400", "2020-01-01", ""].map(Yaml::plain);
            entries.push(("x-note", Yaml::List(odd.into_iter().chain([self.text()]).collect())));
        }
        let count = if common { 3 } else { 3 + self.random.below(3) };
        let letter = if common { 'c' } else { 's' };
        let services = (0..count).map(|index| (format!("{letter}{index}"), self.service(index, common)));
        entries.push(("services", Yaml::Map(services.collect())));
        if !common {
            let volumes = ["data", "cache", "my-vol_1.x"].map(|name| (name, Yaml::plain("")));
            entries.push(("volumes", Yaml::map(volumes.into())));
        }
        let Yaml::Map(entries) = Yaml::map(entries) else { unreachable!() };
        let mut text = Writer(&mut self.random).file(&entries);
        if self.random.percent(10) {
            text = format!("# a file\n---\n{text}");
        }
        if self.random.percent(5) {
            text.push_str("...\n");
        }
        if self.random.percent(5) {
            text.insert(0, '\u{feff}');
        }
        if self.random.percent(5) { text.replace('\n', "\r\n") } else { text }
    }

    fn service(&mut self, index: usize, common: bool) -> Yaml {
        let mut entries: Vec<(String, Yaml)> = Vec::new();
        let mut keys = self.keys(9);
        let templates = self.anchored_for("service");
        if !templates.is_empty() && self.random.percent(25) {
            let alias = |name: &String| Yaml::Plain(format!("*{name}"));
            let merged = if self.random.percent(50) {
                alias(&templates[self.random.below(templates.len())])
            } else {
                Yaml::List(templates.iter().map(alias).collect())
            };
            entries.push(("<<".to_owned(), merged));
        }
        if self.random.percent(35) {
            entries.extend(self.extends(index, common).map(|extends| ("extends".to_owned(), extends)));
        }
        // What Compose makes of tags in a service that others extend depends on the order in which it
        // happens to look at them, and a merge brings back what is reset.
        let tagged = !common && index >= 2 && self.random.percent(20) && self.tag_one(&mut keys);
        if tagged {
            entries.retain(|(key, _)| key != "<<");
        }
        if !keys.iter().any(|(key, _)| key == "image" || key == "build") {
            keys.push(("image".to_owned(), Yaml::exact("example/app:1.0")));
        }
        entries.extend(keys);
        if self.random.percent(10) {
            // The merge key may stand anywhere.
            let last = entries.len() - 1;
            entries.swap(0, last);
        }
        if self.random.percent(10) {
            entries.push(("profiles".to_owned(), Yaml::List(vec![Yaml::exact("debug")])));
        }
        if self.random.percent(10) {
            entries.push((
                "x-more".to_owned(),
                Yaml::map(vec![("any", self.text()), ("thing", Yaml::List(vec![]))]),
            ));
        }
        let service = Yaml::Map(entries);
        if !tagged && self.random.percent(10) { self.anchored("service", service) } else { service }
    }

    /// One of the services before it, so that there is no circle, or of the other file.
    fn extends(&mut self, index: usize, common: bool) -> Option<Yaml> {
        if !common && self.random.percent(40) {
            let service = Yaml::exact(self.random.word("c0 c1 c2"));
            let file = Yaml::exact(self.random.word("common.yaml ./common.yaml ${NOPE:-common}.yaml"));
            return Some(Yaml::map(vec![("service", service), ("file", file)]));
        }
        let (letter, known) = if common { ('c', index) } else { ('s', index.min(2)) };
        if known == 0 {
            return None;
        }
        let service = Yaml::Exact(format!("{letter}{}", self.random.below(known)));
        Some(if self.random.percent(50) { service } else { Yaml::map(vec![("service", service)]) })
    }

    /// Puts `!reset` or `!override` before one of the values.
    fn tag_one(&mut self, keys: &mut [(String, Yaml)]) -> bool {
        let (key, value) = &mut keys[self.random.below(keys.len())];
        // An alias cannot have a tag, and something has to be built.
        if matches!(value, Yaml::Plain(_)) || key == "image" || key == "build" {
            return false;
        }
        *value = if self.random.percent(50) {
            value.clone().with("!override")
        } else {
            Yaml::plain(self.random.word("null [] {}")).with("!reset")
        };
        true
    }

    /// Up to so many keys of a service, each once.
    fn keys(&mut self, limit: usize) -> Vec<(String, Yaml)> {
        let mut result: Vec<(String, Yaml)> = Vec::new();
        for _ in 0..=self.random.below(limit) {
            let key = self.random.word(
                "build image command entrypoint expose ports healthcheck user working_dir stop_signal stop_grace_period \
                 read_only tmpfs volumes labels environment",
            );
            if result.iter().all(|(known, _)| known != key) {
                result.push((key.to_owned(), self.value(key)));
            }
        }
        result
    }

    /// A value, an alias of one of its kind, or one with an anchor.
    fn value(&mut self, kind: &str) -> Yaml {
        let known = self.anchored_for(kind);
        if !known.is_empty() && self.random.percent(20) {
            return Yaml::Plain(format!("*{}", known[self.random.below(known.len())]));
        }
        if self.wild && self.random.percent(4) {
            return Yaml::plain(self.random.word("5 null [] {} ~ [1,2] {a:b} true 1.5 !!null"));
        }
        let value = match kind {
            "build" => self.build(),
            "command" | "entrypoint" => self.command(),
            "expose" => self.list(3, Self::expose),
            "ports" => self.list(3, Self::port),
            "healthcheck" => self.healthcheck(),
            "read_only" => self.flag(),
            "stop_grace_period" => self.duration(),
            "tmpfs" if self.random.percent(40) => self.folder_in_memory(),
            "tmpfs" => self.list(3, Self::folder_in_memory),
            "volumes" => self.list(4, Self::volume),
            "labels" | "environment" | "build.args" | "build.labels" => self.pairs(),
            "working_dir" => self.one_of(&[
                "/app",
                "/ünï",
                "rel",
                "",
                "/a b/",
                "/$TEAM",
                "${NOPE-/x}",
                "/x: y",
                "0x10",
                "yes",
            ]),
            "stop_signal" => self.one_of(&["SIGTERM", "9", "SIGRTMIN+3", "${NOPE:-SIGINT}", "", "0o11"]),
            "user" => self.one_of(&[
                "app",
                "1000",
                "1:1",
                "0x10:1",
                "1:1:1",
                "",
                "${NUM}:${NUM}",
                "1_000",
                "010",
                "null",
            ]),
            _ => self.one_of(&[
                "alpine",
                "ghcr.io/a/b:1.0",
                "x@sha256:00",
                "localhost:5000/x",
                "${TEAM}/x:${NOPE:-1.10}",
                "1.0",
            ]),
        };
        if self.random.percent(10) { self.anchored(kind, value) } else { value }
    }

    fn one_of(&mut self, texts: &[&str]) -> Yaml {
        Yaml::exact(self.random.pick(texts))
    }

    fn list(&mut self, limit: usize, item: fn(&mut Self) -> Yaml) -> Yaml {
        Yaml::List((0..self.random.below(limit + 1)).map(|_| item(self)).collect())
    }

    fn build(&mut self) -> Yaml {
        let contexts =
            [".", "./sub", "sub/", "https://github.com/a/b.git#main:dir", "", "${NOPE:-.}", "sub dir"];
        if self.random.percent(30) {
            return self.one_of(&contexts);
        }
        let mut entries = Vec::new();
        if self.random.percent(70) {
            entries.push(("context", self.one_of(&contexts)));
        }
        if self.random.percent(40) {
            entries.push((
                "dockerfile",
                self.one_of(&["Dockerfile.dev", "spec.yaml", "a b", "", "1.0", "${EMPTY:-x}"]),
            ));
        }
        if self.random.percent(40) {
            entries.push(("target", self.one_of(&["app", "app:dev", "", "yes", "0x1", "${TEAM}"])));
        }
        if self.random.percent(60) {
            entries.push(("args", self.value("build.args")));
        }
        if self.random.percent(60) {
            entries.push(("labels", self.value("build.labels")));
        }
        Yaml::map(entries)
    }

    fn pairs(&mut self) -> Yaml {
        if self.random.percent(45) {
            return self.list(3, |this| {
                let name = this.random.word("A B_2 com.example.x TEAM NOPE ${TEAM} ünï $NUM ${NOPE:-k=v}");
                Yaml::Text(match this.random.below(4) {
                    0 => name.to_owned(),
                    1 => format!("{name}="),
                    2 => format!("{name}=a=b"),
                    _ => format!("{name}={}", this.phrase()),
                })
            });
        }
        let mut entries: Vec<(&str, Yaml)> = Vec::new();
        for _ in 0..self.random.below(5) {
            let name = self.random.pick(&[
                "A",
                "B_2",
                "com.example.x",
                "TEAM",
                "NOPE",
                "yes",
                "ünï",
                "a b",
                "$TEAM",
                "${x",
                "k#",
                "\"q\"",
            ]);
            if entries.iter().all(|(known, _)| *known != name) {
                let value = match self.random.below(10) {
                    0..5 => Yaml::plain(self.random.word(SCALARS)),
                    5 => Yaml::plain(self.random.pick(TAGGED)),
                    _ => self.text(),
                };
                entries.push((name, value));
            }
        }
        Yaml::map(entries)
    }

    fn command(&mut self) -> Yaml {
        const PARTS: &[&str] = &[
            "node",
            "x.js",
            "--flag",
            "'single quoted'",
            "\"double $TEAM\"",
            "esc\\ aped",
            "''",
            "a'b'c",
            "#no",
            "$$HOME",
            "ü",
            "\"q\\\"q\"",
            "'it''s'",
            "${NOPE:-a b}",
            "${TEAM:+yes}",
            "{a,b}",
            "*",
            "\\\\",
            "\\'",
            "  ",
            "\t",
            "a=\"b c\"",
            "$$5",
        ];
        match self.random.below(10) {
            0 => Yaml::plain(self.random.pick(&["", "null", "~", "[]", "''", "\"\""])),
            1..5 => {
                let parts: Vec<&str> = (0..=self.random.below(5)).map(|_| self.random.pick(PARTS)).collect();
                let end = if self.random.percent(1) {
                    self.random.pick(&[" | b", " && c", ";d", " >e", " `f`", " 'g"])
                } else {
                    ""
                };
                Yaml::Text(parts.join(self.random.pick(&[" ", "  ", "\n"])) + end)
            }
            _ => self.list(5, Self::text),
        }
    }

    fn expose(&mut self) -> Yaml {
        if self.random.percent(40) {
            return Yaml::plain(
                self.random.pick(&["80", "0x50", "0o117", "8_0", "!!str 77", "0b1111", "0120"]),
            );
        }
        Yaml::exact(self.random.word("3000 3001-3003 53/udp 54/UDP 5000-5002/tcp ${NUM} ${NOPE:-81}"))
    }

    fn port(&mut self) -> Yaml {
        if self.random.percent(30) {
            let target = if self.random.percent(60) {
                Yaml::plain(self.random.word("80 0x51 8_2"))
            } else {
                Yaml::exact(self.random.word("83 ${NUM}"))
            };
            let mut entries = vec![("target", target)];
            match self.random.below(3) {
                0 => entries.push(("published", Yaml::plain("9090"))),
                1 => entries.push(("published", self.one_of(&["8080", "8080-8090", ""]))),
                _ => {}
            }
            if self.random.percent(50) {
                entries.push(("protocol", self.one_of(&["tcp", "udp", "sctp", "UDP", ""])));
            }
            if self.random.percent(20) {
                entries.push(("host_ip", Yaml::exact("127.0.0.1")));
                entries.push(("x-note", Yaml::plain("1")));
            }
            return Yaml::map(entries);
        }
        if self.random.percent(20) {
            return Yaml::plain(self.random.pick(&["90", "0x5B", "9_2", "!!str 93"]));
        }
        Yaml::exact(self.random.word(
            "80 8080:80 8080:80/tcp 53:53/udp 53:53/UDP 6000-6002:7000-7002 6000-6002 9000-9100:81 127.0.0.1:8080:82 \
             127.0.0.1::83 127.0.0.1:5000-5001:5000-5001/sctp [::1]:8084:84 [::1]::85 ${NUM}:86 ${NOPE:-8087}:${NUM} 8088:88/ \
             ${EMPTY:-89}",
        ))
    }

    fn folder_in_memory(&mut self) -> Yaml {
        self.one_of(&[
            "/run",
            "/tmp:size=64m",
            "/tmp:size=32m,mode=1777",
            "/mem/${TEAM}",
            "relative",
            "",
            "/a b",
        ])
    }

    fn volume(&mut self) -> Yaml {
        let target = self.random.pick(&["/data", "/data2", "/ü", "/with space", "/${TEAM}"]);
        if self.random.percent(30) {
            let kind = self.random.word("volume volume bind tmpfs");
            let mut entries = vec![("type", Yaml::exact(kind)), ("target", Yaml::exact(target))];
            match kind {
                "volume" if self.random.percent(60) => entries.push(("source", Yaml::exact("cache"))),
                "bind" => entries.push(("source", self.one_of(&[".", "./x", "/etc"]))),
                _ => {}
            }
            if self.random.percent(20) {
                entries.push(("read_only", self.flag()));
            }
            return Yaml::map(entries);
        }
        // In two spellings, one of them long, which one Compose keeps hangs on the way that they came.
        let target = if self.random.percent(30) {
            self.random.word("/short/ /a//b /a/../c relative/./x")
        } else {
            target
        };
        let source = self
            .random
            .word("data: cache: my-vol_1.x: ./x: ../y: ~/z: /etc: ${NOPE:-data}: ${NOPE:-./w}: x: C:\\win:");
        let options = self.random.pick(&["", "", ":ro", ":rw,z", ":nocopy"]);
        Yaml::Exact(if self.random.percent(30) {
            target.to_owned()
        } else {
            format!("{source}{target}{options}")
        })
    }

    fn healthcheck(&mut self) -> Yaml {
        let mut entries = Vec::new();
        let known = self.anchored_for("healthcheck");
        if !known.is_empty() && self.random.percent(30) {
            entries.push(("<<", Yaml::Plain(format!("*{}", known[self.random.below(known.len())]))));
        }
        if self.random.percent(70) {
            let test = match self.random.below(5) {
                0 => self.text(),
                1 => Yaml::List(vec![Yaml::exact("NONE")]),
                2 => Yaml::List(vec![Yaml::exact("CMD-SHELL"), self.text()]),
                3 => Yaml::List(vec![]),
                _ => Yaml::List(vec![Yaml::exact("CMD"), self.text(), self.text()]),
            };
            entries.push(("test", test));
        }
        for key in ["interval", "timeout", "start_period", "start_interval"] {
            if self.random.percent(35) {
                entries.push((key, self.duration()));
            }
        }
        match self.random.below(5) {
            0 => entries.push(("retries", Yaml::plain(self.random.word("3 0 0x3 010 1_0 5.0 1e1")))),
            1 => entries.push(("retries", self.one_of(&["4", "${NUM}", "+5", "007"]))),
            2 => entries.push(("disable", self.flag())),
            _ => {}
        }
        Yaml::map(entries)
    }

    fn flag(&mut self) -> Yaml {
        match self.random.below(40) {
            0..25 => Yaml::plain(self.random.word("true false True FALSE")),
            25..39 => self.one_of(&["${FLAG}", "${NOPE:-false}", "true", "false"]),
            _ => self.one_of(&["TRUE", "False", "yes", "No", "on", "OFF", "y", "n"]),
        }
    }

    fn duration(&mut self) -> Yaml {
        Yaml::exact(self.random.word(
            "30s 1m30s 500ms 1.5h 0s 0 1d 2w3d 1h1m1s1ms1us1ns 250µs 3μs .5s 1.s +5s 0.1s 1.0000000019s \
             0.3333333333333333333333s ${TIME} ${NOPE:-10s} 1s1m 00010s 9.99h 1.1m 0.7d",
        ))
    }

    fn text(&mut self) -> Yaml {
        Yaml::Text(self.phrase())
    }

    /// A text, with variables or without.
    fn phrase(&mut self) -> String {
        match self.random.below(10) {
            0..3 => self.random.pick(TEXTS).to_owned(),
            3..6 => self.random.word(WORDS).to_owned(),
            6..9 => self.variable(0),
            _ => {
                let (one, two) = (self.variable(0), self.variable(0));
                let (before, between) =
                    (self.random.pick(&["a ", "", "$$"]), self.random.pick(&[" ", "-", "}", "x"]));
                format!("{before}{one}{between}{two}")
            }
        }
    }

    fn variable(&mut self, depth: usize) -> String {
        let name = self.random.word(NAMES);
        let argument = if depth < 3 && self.random.percent(40) {
            let (before, after) = (self.random.pick(&["", "x "]), self.random.pick(&["", " y", "}"]));
            format!("{before}{}{after}", self.variable(depth + 1))
        } else {
            let arguments = [
                "default",
                "",
                "a b",
                "a:b",
                "-",
                ":-",
                "{}",
                "{\"j\": 1}",
                "$$",
                "$TEAM",
                "ü",
                "?",
                "a}b",
                "{",
                "#",
                "$",
            ];
            self.random.pick(&arguments).to_owned()
        };
        // What must have a value has one, or else Compose refuses the file.
        let set = if self.wild { name } else { "TEAM" };
        match self.random.below(12) {
            0 | 1 => format!("${{{name}}}"),
            2 => format!("${name}"),
            3 | 4 => format!("${{{name}:-{argument}}}"),
            5 | 6 => format!("${{{name}-{argument}}}"),
            7 => format!("${{{name}:+{argument}}}"),
            8 => format!("${{{name}+{argument}}}"),
            9 => format!("$${{{name}}}"),
            10 => format!("${{{set}:?{argument}}}"),
            _ => format!("${{{set}?{argument}}}"),
        }
    }

    fn anchored(&mut self, kind: &str, value: Yaml) -> Yaml {
        let name = format!("a{}", self.count);
        self.count += 1;
        self.anchors.push((kind.to_owned(), name.clone()));
        value.with(&format!("&{name}"))
    }

    fn anchored_for(&self, kind: &str) -> Vec<String> {
        self.anchors.iter().filter(|(known, _)| known == kind).map(|(_, name)| name.clone()).collect()
    }
}
