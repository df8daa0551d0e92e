use std::collections::BTreeMap;

use super::{Component, Report};
use crate::plan::contract::Rule;
use crate::probe::{Check, Part, State};

fn report() -> Report {
    let check = |rule, state, message: &str| Check {
        rule,
        subject: None,
        state,
        message: message.to_owned(),
        details: Vec::new(),
        help: None,
        millis: 12,
    };
    let mut failed =
        check(Rule::Health, State::Failed, "GET /health answers 500 instead of 200-299: <boom & bang>");
    failed.details = vec!["Error: \"x\" < 3".to_owned()];
    failed.help = Some("mend it".to_owned());
    let part = Part {
        checks: vec![
            check(Rule::Size, State::Passed, "3.0 MB of 5.0 MB"),
            failed,
            check(Rule::ReadOnly, State::NotVerified, "the contract says `read_only: false`"),
        ],
        figures: BTreeMap::from([
            ("bytes".to_owned(), 3 << 20),
            ("files".to_owned(), 7),
            ("well_ms".to_owned(), 80),
        ]),
        folders: BTreeMap::from([("/app".to_owned(), 1 << 20), ("/usr/lib".to_owned(), 2 << 20)]),
        layers: vec![("copy dist to /app".to_owned(), 1 << 20)],
        ..Part::default()
    };
    let places = BTreeMap::from([
        ("health".to_owned(), "app.spec.yaml:7".to_owned()),
        (String::new(), "app.spec.yaml:3".to_owned()),
    ]);
    Report { components: vec![Component::new("api", "linux/amd64", vec![part], places)] }
}

#[test]
fn as_text() {
    insta::assert_snapshot!(report().text());
}

#[test]
fn as_junit() {
    insta::assert_snapshot!(super::junit::junit(&report()));
}

/// What a program said is text on the page, whatever it said; the page loads nothing.
#[test]
fn as_a_page() {
    let page = super::html::html(&report());
    assert!(page.contains("&lt;boom &amp; bang&gt;") && !page.contains("<boom"));
    assert!(["src=", "http:", "https:", "@import", "url("].iter().all(|word| !page.contains(word)));
    assert!(page.contains("copy dist to /app") && page.contains("aria-label=\"3.0 MB in all\""));
}

#[test]
fn as_json_and_back() {
    let json = serde_json::to_string(&report()).expect("JSON");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("the same"), report());
}
