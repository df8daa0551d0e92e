//! The documentation names tests, files and commands that are there.

#![allow(clippy::expect_used, clippy::panic)]

use std::fs;

use integration_tests::repository;

fn sources(folder: &str) -> String {
    let mut all = String::new();
    let mut waiting = vec![repository().join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                all += &fs::read_to_string(&path).expect("a file");
            }
        }
    }
    all
}

#[test]
fn every_row_of_the_parity_table_is_shown_or_has_a_reason() {
    let table = fs::read_to_string(repository().join("docs/parity.md")).expect("the table");
    let units = sources("src") + &sources("buildkit-llb/src");
    let mut rows = 0;
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.contains("| shown by |")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        rows += 1;
        let shown = cells.last().copied().unwrap_or_default().trim_matches(['|', ' ']);
        if !shown.starts_with('`') {
            let words = row.to_lowercase();
            let reason =
                ["not supported: ", "not yet: ", "the engine's"].iter().any(|why| words.contains(why));
            assert!(reason, "neither a test nor a reason: {row}");
            continue;
        }
        for name in shown.split(", ").map(|name| name.trim_matches('`')) {
            let source = match name.split_once("::") {
                Some((file, _)) => {
                    let paths = [format!("{file}.rs"), format!("systems/{file}.rs")];
                    let read =
                        |path| fs::read_to_string(repository().join("integration-tests/tests").join(path));
                    paths
                        .into_iter()
                        .find_map(|path| read(path).ok())
                        .unwrap_or_else(|| panic!("no such file: {name}"))
                }
                None => units.clone(),
            };
            let test = name.rsplit("::").next().unwrap_or(name);
            assert!(source.contains(&format!("fn {test}(")), "no such test: {name}");
        }
    }
    assert!(rows > 60, "{rows} rows");
}

#[test]
fn links_lead_somewhere() {
    for name in [
        "README.md",
        "docs/parity.md",
        "docs/requests.md",
        "docs/builders.md",
        "docs/reproducible.md",
        "docs/contracts.md",
        "docs/dockerfiles.md",
        "docs/deploying.md",
        "docs/routes.md",
    ] {
        let path = repository().join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{name} is missing"));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !link.starts_with('#') {
                let target = path.parent().expect("a folder").join(link.split('#').next().unwrap_or(link));
                assert!(target.exists(), "{name}: {link}");
            }
        }
    }
}
