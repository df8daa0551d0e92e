//! Every question that the frontend lists is asked, through buildx.

#![allow(clippy::expect_used, clippy::panic)]

use integration_tests::{Project, repository};
use serde_json::Value;

const SPEC: &str = "market.spec.yaml";

#[test]
fn every_request_that_is_listed_has_an_answer() {
    let project = Project::copy_of("specs/market");
    let ask = |request: &str, json: bool| {
        let call = format!("--call={request}{}", if json { ",format=json" } else { "" });
        project.build(SPEC, &[&call, "--target", "orders"])
    };
    let listed = ask("subrequests.describe", true).expect_ok().out;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let names: Vec<&str> =
        listed.as_array().expect("a list").iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        let short = name.trim_start_matches("frontend.");
        let text = ask(short, false).expect_ok().out;
        assert!(!text.trim().is_empty(), "{short}");
        let json: Value = serde_json::from_str(&ask(short, true).expect_ok().out).expect("JSON");
        assert!(!json.is_null(), "{short}");
        match short {
            "outline" => {
                assert_eq!(json["name"], "orders");
                assert!(text.contains("package manager: npm"), "{text}");
            }
            "targets" => {
                let targets = json["targets"].as_array().expect("a list");
                let names: Vec<&str> = targets.iter().filter_map(|target| target["name"].as_str()).collect();
                assert_eq!(names[..4], ["orders", "feed", "web", "ingress"]);
                assert!(
                    names[4..].contains(&":bundle") && names[4..].iter().all(|name| name.starts_with(':'))
                );
            }
            "lint" => assert!(json["sources"].is_array()),
            "convertllb" => {
                let ops = json["def"].as_object().expect("operations");
                assert!(ops.values().any(|op| op["exec"]["meta"]["args"].is_array()), "{text}");
                assert_eq!(json["metadata"].as_object().map(serde_json::Map::len), Some(ops.len()));
            }
            "slipway.plan" => assert!(json[0]["stages"].is_array() && text.contains("orders"), "{text}"),
            "slipway.graph" => {
                assert!(text.starts_with("flowchart LR"), "{text}");
                assert!(json["dot"].as_str().is_some_and(|dot| dot.starts_with("digraph")));
            }
            "slipway.images" => assert!(
                text.lines().all(|line| line.contains("@sha256:"))
                    && text.contains("docker.io/library/node:"),
                "{text}"
            ),
            "slipway.schema" => {
                let published = repository().join("specs/slipway.schema.json");
                let published = std::fs::read_to_string(published).expect("the schema");
                assert_eq!(json, serde_json::from_str::<Value>(&published).expect("JSON"));
            }
            "subrequests.describe" => assert!(text.contains("slipway.graph"), "{text}"),
            other => panic!("`{other}` is listed and not looked at here"),
        }
    }
}

/// `--check` fails with findings and with errors, and says where.
#[test]
fn check_has_an_exit_status() {
    let project = Project::copy_of("specs/market");
    let well = project.build(SPEC, &["--check"]).expect_ok();
    assert!(
        well.err.contains("Check complete, no warnings found") || well.out.contains("no warnings"),
        "{}{}",
        well.out,
        well.err
    );
    let spec = project.read(SPEC);
    project.write(SPEC, &spec.replace("SERVER_NAME: ", "ADMIN_PASSWORD: hunter2\n      SERVER_NAME: "));
    let found = project.build(SPEC, &["--check"]);
    let all = format!("{}{}", found.out, found.err);
    assert!(!found.ok && all.contains("SecretInPlainText") && all.contains(">>>"), "{all}");
    // The message never repeats the value; the line that it shows is the person's own.
    let json = project.build(SPEC, &["--call=lint,format=json"]).out;
    let found: Value = serde_json::from_str(&json).expect("JSON");
    let detail = found["warnings"][0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("ADMIN_PASSWORD") && !detail.contains("hunter2"), "{detail}");
    project.write(SPEC, &spec.replace("recipe: static", "recipe: statik"));
    let broken = project.build(SPEC, &["--check"]);
    let all = format!("{}{}", broken.out, broken.err);
    assert!(!broken.ok && all.contains("there is no recipe `statik`"), "{all}");
}
