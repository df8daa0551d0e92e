//! Each rule's page shows what the rule finds and what it does not: the examples are the tests.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::recipe::{self, Facts};
use crate::spec::{Loaded, load};

/// The blocks of a page in this language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let start = format!("```{language}\n");
    page.split(start.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The names of all rules that find something in an example.
fn found(page: &str, text: &str) -> BTreeSet<&'static str> {
    let lock = blocks(page, "lock").first().map(|block| block.as_bytes().to_vec());
    let beside = BTreeMap::from([("app.spec.lock.yaml".to_owned(), lock)]);
    let Loaded::Done(Some(spec), problems) =
        load("app.spec.yaml", text.as_bytes(), &beside, &BTreeMap::new())
    else {
        panic!("{text}")
    };
    let mut facts = Facts::default();
    let template = blocks(page, "nginx").first().copied().unwrap_or_default();
    facts.add_file("nginx.conf.template", template.as_bytes().to_vec());
    facts.add_file("site/index.html", Vec::new());
    let ignore: Vec<String> =
        blocks(page, "dockerignore").iter().flat_map(|block| block.lines()).map(str::to_owned).collect();
    let mut all = problems;
    for service in &spec.components {
        let plan = recipe::plan(service, &facts).unwrap_or_else(|problems| panic!("{problems:?}"));
        let subject = Subject { spec: &spec, service, plan: &plan, facts: &facts, ignore: &ignore };
        all.extend(component(&subject));
    }
    assert!(all.iter().all(|diagnostic| diagnostic.span.is_some()), "every finding has its place: {all:?}");
    all.iter()
        .map(|diagnostic| match diagnostic.code {
            Code::Rule(name) => name,
            code => panic!("{code}: {}", diagnostic.message),
        })
        .collect()
}

#[test]
fn every_page_tells_the_truth() {
    for rule in RULES {
        assert!(rule.page.starts_with(&format!("# {}\n", rule.name)), "{}", rule.name);
        assert!(rule.page.contains(&format!("Level `{}`: {}.", rule.level, rule.summary)), "{}", rule.name);
        let examples = blocks(rule.page, "yaml");
        let [bad, good] = examples.as_slice() else {
            assert!(examples.is_empty() && matches!(rule.check, Check::Elsewhere), "{}", rule.name);
            continue;
        };
        let expected: BTreeSet<&str> = [rule.name, "UnpinnedBase"].into();
        assert!(found(rule.page, bad).is_subset(&expected), "{}: {:?}", rule.name, found(rule.page, bad));
        assert!(found(rule.page, bad).contains(rule.name), "{} finds nothing in its example", rule.name);
        assert!(
            !found(rule.page, good).contains(rule.name),
            "{} finds something in its better example",
            rule.name
        );
    }
}

#[test]
fn the_list_of_rules_is_complete() {
    let list = include_str!("../../docs/rules/README.md");
    for rule in RULES {
        let row = format!("| `{}` | {} |", rule.level, rule.summary);
        assert!(list.contains(&format!("| [{}](", rule.name)) && list.contains(&row), "{}", rule.name);
    }
    assert!(RULES.is_sorted_by_key(|rule| rule.name));
}

#[test]
fn levels() {
    let text = "\
x-slipway: { lint: { MovingTag: error, OpenCors: off } }
services:
  a:
    x-slipway: { lint: { MovingTag: off, RootUsr: warn, RootUser: loud }, stages: { r: { from: scratch, steps: [] } } }
  b: { x-slipway: { stages: { r: { from: scratch, steps: [] } } } }
";
    let Loaded::Done(Some(spec), _) = load("x.yaml", text.as_bytes(), &BTreeMap::new(), &BTreeMap::new())
    else {
        panic!("a spec")
    };
    let (levels, problems) = Levels::of(&spec);
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["there is no lint rule `RootUsr`", "`loud` is no level of a lint rule"]);
    let finding = |rule, service: &str| Diagnostic {
        service: Some(service.to_owned()),
        ..Diagnostic::new(Code::Rule(rule), "x")
    };
    let all = || {
        vec![
            finding("MovingTag", "a"),
            finding("MovingTag", "b"),
            finding("OpenCors", "b"),
            finding("RootUser", "b"),
        ]
    };
    let kept = |levels: &Levels| -> Vec<Level> {
        levels.apply(all()).iter().map(|diagnostic| diagnostic.level).collect()
    };
    assert_eq!(kept(&levels), [Level::Error, Level::Warn]);
    let (strict, unknown) = levels.clone().with_option("skip=MovingTag;error=true;loud=1");
    assert_eq!((kept(&strict), unknown), (vec![Level::Error], vec!["loud=1".to_owned()]));
    assert_eq!(kept(&levels.with_option("skip=all").0), []);
}
