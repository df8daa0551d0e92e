//! Contracts, proven inside the build: one image keeps its own, and each of some thirty breaks one
//! promise and fails with that finding alone, at the line where the promise stands.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use integration_tests::{Project, config, docker, files};
use serde_json::Value;

const SPEC: &str = "contracts.spec.yaml";
const SECRET: &str = "--secret=id=registry,src=registry.txt";

fn project() -> Project {
    let project = Project::copy_of("integration-tests/fixtures/contracts");
    project.write("registry.txt", "the-token-of-a-registry\n");
    project
}

/// What the fixture says that is to be found: component, rule, line.
fn expected(spec: &str) -> BTreeSet<(String, String, usize)> {
    let mut component = String::new();
    let mut found = BTreeSet::new();
    for (number, line) in spec.lines().enumerate() {
        if let Some(name) = line.strip_prefix("  ").and_then(|rest| rest.strip_suffix(':'))
            && !name.starts_with([' ', '#'])
        {
            component = name.to_owned();
        }
        if let Some((_, rule)) = line.split_once("# <-- ") {
            found.insert((component.clone(), rule.to_owned(), number + 1));
        }
    }
    found
}

/// What a failed build says that was found.
fn found(said: &str) -> BTreeSet<(String, String, usize)> {
    let lines: Vec<&str> = said.lines().collect();
    let mut found = BTreeSet::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(rest) = line.strip_prefix("error[contract]: ") else { continue };
        let mut words = rest.split(": ");
        let (component, rule) = (words.next().expect("a component"), words.next().expect("a rule"));
        let place =
            lines[number..].iter().find_map(|line| line.trim().strip_prefix("--> ")).expect("a place");
        let line = place.split(':').nth(1).and_then(|line| line.parse().ok()).expect("a line");
        found.insert((component.to_owned(), rule.to_owned(), line));
    }
    found
}

#[test]
fn each_broken_promise_is_found_alone_and_where_it_stands() {
    let project = project();
    let said = project.build(SPEC, &["--target", ":verify", SECRET]);
    assert!(!said.ok, "{}", said.err);
    let expected = expected(&project.read(SPEC));
    assert!(expected.len() > 30, "{expected:?}");
    let found = found(&said.err);
    let missing: Vec<_> = expected.difference(&found).collect();
    let more: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing {missing:?}, too many {more:?}\n{}", said.err);
    // What was found in a layer that a later one empties is the build's own secret, by its name.
    assert!(said.err.contains("holds the build's secret `registry`"), "{}", said.err);
    assert!(!said.err.contains("the-token-of-a-registry"));
    // What cannot be tried is neither passed nor failed.
    assert!(
        said.err.contains("not verifiable here: `broken-database` does not run beside it"),
        "{}",
        said.err
    );

    let unverifiable = [
        "GET / is answered before the signal",
        "a service beside it has its port 8000",
        "the contract says `read_only: false`",
    ];
    for words in unverifiable {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }

    // The report comes nevertheless, as a page, and for programs.
    project.build(SPEC, &["--target", ":report", SECRET, "--output", "page"]).expect_ok();
    let page = project.read("page/index.html");
    assert!(page.contains("Promises are broken") && page.contains("GET / answers 500"));
    let junit = project.read("page/junit.xml");
    assert!(
        junit.contains("<failure message=\"GET / answers 500")
            && junit.contains("file=\"contracts.spec.yaml\"")
    );
}

#[test]
fn a_kept_contract_gives_files_and_the_second_time_does_nothing() {
    let project = project();
    project.touch("server.py", "#");
    let first = project.build(SPEC, &["--target", "keeps:verify", "--output", "out"]).expect_ok();
    assert!(first.out.contains("keeps (linux/amd64): "), "{}", first.out);
    let report: Value = serde_json::from_str(&project.read("out/report.json")).expect("JSON");
    let component = &report["components"][0];
    assert_eq!((&component["failed"], &component["not_verified"]), (&0.into(), &0.into()), "{report}");
    let rules: BTreeSet<&str> = component["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|check| check["rule"].as_str())
        .collect();
    for rule in [
        "compressed-size",
        "defaults",
        "files",
        "forbidden-files",
        "health",
        "in-flight",
        "logs",
        "packages",
        "ports",
        "read-only",
        "runs",
        "secrets",
        "set-uid",
        "size",
        "start",
        "stop",
        "tools",
        "urls",
        "user",
        "variables",
        "zombies",
    ] {
        assert!(rules.contains(rule), "{rule}: {rules:?}");
    }
    let junit = project.read("out/junit.xml");
    assert!(junit.contains("<testsuite name=\"keeps\"") && junit.contains("failures=\"0\""), "{junit}");
    assert!(project.read("out/report.txt").contains("checks passed"));

    let steps = ["look at the image's files", "start it and hold it to its contract", "report"];
    let steps = steps.map(|step| format!("[keeps verify] {step}"));
    project.expect_cached(SPEC, &["--target", "keeps:verify"], &steps);
}

/// An image that requires its proof is not there without it, and has nothing of it.
#[test]
fn an_image_may_require_its_proof() {
    let project = project();
    let required = |name: &str| {
        let spec = project.read(SPEC);
        let component = spec.find(&format!("\n  {name}:")).expect("the component");
        let (before, after) = spec.split_at(component);
        project.write(
            "required.spec.yaml",
            &(before.to_owned()
                + &after.replacen("x-slipway:\n", "x-slipway:\n      require: [verify]\n", 1)),
        );
        let image = format!("contracts/{name}");
        project.build("required.spec.yaml", &["--target", name, "-t", &image, SECRET])
    };
    let plain = "contracts/plain";
    project.build(SPEC, &["--target", "keeps", "-t", plain]).expect_ok();
    let kept = required("keeps").expect_ok();
    assert!(kept.out.contains("contract of keeps (linux/amd64): "), "{}", kept.out);
    let layers =
        |image: &str| docker(&["image", "inspect", "-f", "{{json .RootFS.Layers}}", image]).expect_ok().out;
    assert_eq!(layers("contracts/keeps"), layers(plain), "nothing of the proof is in the image");
    assert_eq!(config("contracts/keeps"), config(plain));
    assert!(!files("contracts/keeps").iter().any(|file| file.starts_with("/.slipway")));

    let broken = required("answers-500");
    assert!(!broken.ok && broken.err.contains("answers-500: health: GET / answers 500"), "{}", broken.err);
    assert!(!docker(&["image", "inspect", "contracts/answers-500"]).ok);
    // To try it and not to be able to is not enough.
    let unproven = required("lonely");
    assert!(!unproven.ok && unproven.err.contains("its proof is required"), "{}", unproven.err);
}

/// S4-21 and the like: what is promised of whom is said where it cannot be.
#[test]
fn promises_that_make_no_sense() {
    let project = project();
    for (contract, words) in [
        ("{ exists: [app] }", "`app` is no path in the image"),
        ("{ writable: [/proc/x] }", "`/proc/x` cannot be a folder of its own"),
        ("{ forbid: { tools: [compiler] } }", "did you mean `compilers`?"),
        ("{ stop: { exit: 1000 } }", "`1000` is no exit status"),
        ("{ stop: { in_flight: /slow } }", "which port answers `in_flight` is not clear"),
        ("{ with: [nobody] }", "there is no service `nobody` to run beside it"),
        ("{ with: [api] }", "`api` cannot run beside itself"),
    ] {
        let spec = format!(
            "# syntax=slipway/frontend:0\nservices:\n  api:\n    expose: [\"8000\"]\n    x-slipway:\n      stages: {{ runtime: {{ from: busybox, steps: [] }} }}\n      contract: {contract}\n"
        );
        project.write("wrong.spec.yaml", &spec);
        let said = project.build_quietly("wrong.spec.yaml", &["--target", "api:verify"]);
        assert!(!said.ok && said.err.contains(words), "{contract}: {}", said.err);
    }
    let said = project.build_quietly(SPEC, &["--target", ":verfy"]);
    assert!(
        said.err.contains("there is no target `:verfy`") && said.err.contains("did you mean `:verify`?"),
        "{}",
        said.err
    );
}

/// The value of a secret is no part of a step's cache key: it is searched for every time.
#[test]
fn another_secret_is_searched_for_again() {
    let spec = "\
# syntax=slipway/frontend:0
services:
  app:
    user: 1001:1001
    command: [\"true\"]
    x-slipway:
      archetype: job
      stages:
        runtime:
          from: busybox
          steps:
            - run: echo the-second-value > /conf
              secret: [token]
";
    let project = Project::new(&[("app.spec.yaml", spec)]);
    let verify = |value: &str| {
        project.write("token", value);
        project.build("app.spec.yaml", &["--target", "app:verify", "--secret=id=token,src=token"])
    };
    let passed = verify("the-first-value").expect_ok();
    assert!(passed.err.contains("the build's own `token` is nowhere"), "{}", passed.err);
    let failed = verify("the-second-value");
    assert!(!failed.ok && failed.err.contains("/conf holds the build's secret `token`"), "{}", failed.err);
    assert!(verify("abc").expect_ok().err.contains("so short that it is found by chance"));
    let without = project.build("app.spec.yaml", &["--target", "app:verify"]);
    assert!(without.err.contains("was not given its secret `token`"), "{}", without.err);
}
