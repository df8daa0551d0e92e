//! Files that nobody writes by accident: refused with an error, or read as Compose reads them.

use std::fmt::Write as _;
use std::fs;

use integration_tests::oracle::{ours, theirs};

use super::VARIABLES;

#[test]
fn hostile_files_are_refused_or_read_the_same() {
    let deep = |open: &str, close: &str, count: usize| open.repeat(count) + &close.repeat(count);
    let service = |lines: &str| format!("name: a\nservices:\n  s:\n    image: x\n{lines}");
    let mut laughs = "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    let mut merges = "x-0: &b0 { k: v }\n".to_owned();
    for level in 1..12 {
        let aliases = |name: &str| vec![format!("*{name}{}", level - 1); 10].join(", ");
        let _ = writeln!(laughs, "x-{level}: &a{level} [{}]", aliases("a"));
        let _ = writeln!(merges, "x-{level}: &b{level}\n  <<: [{}]\n  k{level}: v", aliases("b"));
    }
    let steps: String = (0..300).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let cases = [
        service(&format!("    x-deep: {}\n", deep("[", "]", 5000))),
        service(&format!("    x-deep: {}\n", deep("{a: ", "}", 5000))),
        service(&format!("    x-deep: {}\n", deep("[", "", 20_000))),
        service(&format!("    command: {}\n", deep("[", "]", 40))),
        format!("{}x-deep:\n{steps}", service("")),
        service(&format!("    command: [\"{}x{}\"]\n", "${A:-".repeat(2000), "}".repeat(2000))),
        service(&format!("    command: [\"{}\"]\n", "${A:-{".repeat(2000))),
        service(&format!("    command: [\"{}\"]\n", "$".repeat(20_001))),
        format!("{laughs}{}", service("    command: *a11\n")),
        format!("{merges}{}", service("    build: { context: ., labels: { <<: *b11 } }\n")),
        service("    x-self: &self { a: *self }\n"),
        service("    <<: &me\n      <<: *me\n"),
        service(&format!("    healthcheck: {{ retries: {} }}\n", "9".repeat(400))),
        service("    healthcheck: { retries: 18446744073709551616 }\n"),
        service("    healthcheck: { retries: -1 }\n"),
        service("    healthcheck: { interval: 99999999999999999999999h }\n"),
        service(&format!("    healthcheck: {{ interval: 1.{}s }}\n", "9".repeat(400))),
        service("    expose: [99999999999999999999]\n"),
        service("    expose: [1-65535, 1-65535/udp, 0-65535]\n"),
        service("    ports: [65536, -1, '1-']\n"),
        service("\tcommand: [a]\n"),
        service("    command:\n\t- a\n"),
        service("    command: [a,\tb]\t# tab\n"),
        service("    command: a\n    command: b\n"),
        service("    command: a\n    'command': b\n"),
        service("    build: { context: ., args: { A: 1, \"\\x41\": 2 } }\n"),
        service("  s:\n    image: y\n"),
        format!("{}---\n{}", service("    command: a\n"), service("    user: u\n")),
        format!("{}...\n", service("")),
        format!("---\n{}...\n---\n", service("")),
        format!("%YAML 1.1\n---\n{}", service("    user: yes\n")),
        format!("%TAG ! tag:x,2000:\n---\n{}", service("    user: !y yes\n")),
        service("    user: !!int yes\n"),
        service("    user: !!binary '!'\n"),
        service("    user: !!map []\n"),
        service("    ? [a, b]\n    : c\n"),
        service("    ? {a: b}\n    : c\n"),
        service("    1: c\n"),
        service("    ~: c\n"),
        service("    *x : c\n"),
        service("    user: *nothing\n"),
        service("    user: \"\\ud800\"\n"),
        service("    user: \"\\U00110000\"\n"),
        service("    user: \"\\q\"\n"),
        service("    user: \"a\u{0}b\"\n"),
        service("    user: a\u{1}b\n"),
        service("    user: a\u{85}b\u{2028}c\n"),
        service("    user: \"unclosed\n"),
        service("    user: 'unclosed\n"),
        service("    user: @a\n"),
        service("    user: |9\n      a\n"),
        service("    user: |+-\n      a\n"),
        service("    volumes: [':', '::', 'a::b', '/a:/b:ro:x', { type: volume }, {}]\n"),
        service("    extends: s\n"),
        service("    extends: { service: s, file: spec.yaml }\n"),
        service("    extends: { service: s, file: ../../../../etc/passwd }\n"),
        service("    extends: { service: s, file: nowhere.yaml }\n"),
        service("    extends: [s]\n"),
        service("    <<: x\n"),
        service("    <<: [x]\n"),
        service("    <<: ~\n"),
        service("    <<: { user: a }\n    <<: { user: b }\n"),
        service("    command: !reset\n"),
        service("    !reset user: a\n"),
        "services: []\n".to_owned(),
        "services: x\n".to_owned(),
        "services: { a: [], b: x }\n".to_owned(),
        "- services\n".to_owned(),
        "services\n".to_owned(),
        "{".to_owned(),
        String::new(),
        "\u{feff}".to_owned(),
        "\0".to_owned(),
        "#".to_owned(),
        "---\n---\n---\n".to_owned(),
        "? ? ? ?\n: : : :\n".to_owned(),
    ];
    for text in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spec.yaml");
        fs::write(&path, &text).expect("written");
        let shown: String = text.chars().take(400).collect();
        // An error of ours is as good as agreement here.
        let Ok(ours) = ours(&path, VARIABLES) else { continue };
        if let Ok(theirs) = theirs(&path, VARIABLES) {
            assert_eq!(ours, theirs, "ours left, Compose's right\n{shown}");
        }
    }
}
