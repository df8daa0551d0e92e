//! The port that a program listens on, where its folder says it for certain.

use std::collections::BTreeMap;

use super::scan::Tree;
use crate::paths::in_folder;

/// Names of variables that say on which port a program itself listens.
const PORT_NAMES: [&str; 7] =
    ["PORT", "HTTP_PORT", "APP_PORT", "SERVER_PORT", "API_PORT", "WEB_PORT", "LISTEN_PORT"];

/// The port that a program listens on and what says so, where that is certain: one default of a
/// `PORT` variable, and no other.
pub(super) fn of_folder(tree: &Tree, folder: &str, kind: &str, name: &str) -> Option<(u16, String)> {
    if kind == "static" {
        return Some((8080, "the recipe's own".to_owned()));
    }
    let mut found: BTreeMap<u16, String> = BTreeMap::new();
    for path in sources(tree, folder) {
        let Some(text) = tree.text(&path) else { continue };
        for (variable, port) in port_defaults(&text) {
            let own = format!("{}_PORT", name.to_uppercase().replace('-', "_"));
            if PORT_NAMES.contains(&variable.as_str()) || variable == own {
                found.entry(port).or_insert_with(|| format!("the default of {variable} in {path}"));
            }
        }
        let spring = text.lines().find_map(|line| line.trim().strip_prefix("server.port="));
        if let Some(port) = spring.and_then(|port| port.trim().parse().ok()) {
            found.insert(port, format!("server.port in {path}"));
        }
    }
    if let (1, Some(only)) = (found.len(), found.pop_first()) {
        return Some(only);
    }
    let build =
        ["pom.xml", "build.gradle", "build.gradle.kts"].map(|name| tree.text(&in_folder(folder, name)));
    let web = build.into_iter().flatten().any(|text| text.contains("spring-boot-starter-web"));
    let configured = ["application.yml", "application.yaml", "application.properties"]
        .iter()
        .any(|name| tree.is_file(&in_folder(folder, &format!("src/main/resources/{name}"))));
    (kind == "java" && web && !configured).then(|| (8080, "Spring Boot's own".to_owned()))
}

/// The files that tend to say a port.
fn sources(tree: &Tree, folder: &str) -> Vec<String> {
    let ends = [".js", ".mjs", ".cjs", ".ts", ".py", ".go", ".rs"];
    let mut found = Vec::new();
    for below in ["", "src", "app", "cmd"] {
        let below = in_folder(folder, below);
        let names = tree.names(&below).into_iter();
        let code = |name: &String| {
            ends.iter().any(|end| name.ends_with(end))
                && !name.contains(".test.")
                && !name.contains(".config.")
        };
        found.extend(names.filter(code).map(|name| in_folder(&below, &name)));
    }
    for name in [".env.example", ".env", "src/main/resources/application.properties"] {
        found.push(in_folder(folder, name));
    }
    found
}

/// `PORT || 3000`, `PORT ?? "3000"`, `getenv("PORT", 3000)`, `PORT=3000`: the variable, then nothing
/// but punctuation, then the number.
fn port_defaults(text: &str) -> Vec<(String, u16)> {
    let mut found = Vec::new();
    for (place, _) in text.match_indices("PORT") {
        let after = &text[place + 4..];
        if after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_') {
            continue;
        }
        let start =
            text[..place].rfind(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
        let start = start.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let variable = &text[start..place + 4];
        let gap =
            after.find(|c: char| c.is_ascii_alphanumeric() || c == '\n' || c == ';').unwrap_or(after.len());
        let rest = &after[gap..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let whole = !rest[digits..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
        if gap > 0
            && gap <= 12
            && whole
            && let Ok(port) = rest[..digits].parse::<u16>()
        {
            found.push((variable.to_owned(), port));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::port_defaults;

    #[test]
    fn defaults_of_port_variables() {
        for (text, expected) in [
            ("process.env.PORT || 3000", Some(("PORT", 3000))),
            ("Number(process.env.FEED_PORT ?? 18082);", Some(("FEED_PORT", 18082))),
            ("os.environ.get(\"PORT\", \"8000\")", Some(("PORT", 8000))),
            ("int(os.getenv('HTTP_PORT', 8000))", Some(("HTTP_PORT", 8000))),
            ("PORT=3000", Some(("PORT", 3000))),
            ("${PORT:-8080}", Some(("PORT", 8080))),
            ("PORTAL = 3", None),
            ("PORT\n3000", None),
            ("PORT ?? 3000ms", None),
            ("// ünïcödé PORT", None),
        ] {
            let found = port_defaults(text);
            let found = found.first().map(|(name, port)| (name.as_str(), *port));
            assert_eq!(found, expected, "{text}");
        }
    }
}
