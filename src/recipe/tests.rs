//! Whole plans, as text: what each recipe makes of a small spec.

use std::collections::BTreeMap;

use super::{Facts, Folder, plan};
use crate::diagnostic::render_all;
use crate::spec::{Loaded, Variables, load};

/// The plan of the only component of a spec, or what is wrong with it.
fn plan_of(spec: &str, files: &[(&str, &str)]) -> String {
    let spec = match load("x.yaml", spec.as_bytes(), &BTreeMap::new(), &Variables::new()) {
        Loaded::Done(Some(spec), problems) if problems.is_empty() => spec,
        other => return format!("{other:?}"),
    };
    let mut facts = Facts::default();
    for (path, content) in files {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = super::Name { name: name.to_owned(), is_folder: false };
        let names = facts.names(folder).iter().cloned().chain([name]).collect();
        facts.add_names(folder, names);
        facts.add_file(*path, content.as_bytes().to_vec());
    }
    facts.add_folder("api", Folder::Exists);
    match plan(&spec.components[0], &facts) {
        Ok(plan) => plan.to_string(),
        Err(problems) => render_all(&problems, crate::diagnostic::Style::Plain),
    }
}

const LOCK: (&str, &str) = ("api/package-lock.json", "{}");

#[test]
fn node_with_a_build() {
    let spec = "
services:
  api:
    x-slipway:
      recipe: node
      source: ./api/
      output: [dist, data]
      env: { LEVEL: info }
      contract: { health: { http: /health } }
    command: node dist/main.js
    expose: [\"3000\"]
    healthcheck: { interval: 15s, retries: 3 }
    volumes: [\"uploads:/app/uploads\"]
    stop_signal: SIGINT
";
    let manifest =
        r#"{"scripts":{"build":"tsc"},"dependencies":{"a":"1"},"devDependencies":{"typescript":"5"}}"#;
    insta::assert_snapshot!(plan_of(spec, &[("api/package.json", manifest), LOCK, ("api/.npmrc", "")]));
}

#[test]
fn node_without_a_build() {
    let spec = "
services:
  api:
    x-slipway: { recipe: node, source: api, version: 20, base: slim }
    command: [node, index.js]
";
    insta::assert_snapshot!(plan_of(spec, &[("api/package.json", r#"{"dependencies":{"a":"1"}}"#), LOCK]));
}

#[test]
fn static_site_with_a_build() {
    let spec = "
services:
  api:
    x-slipway: { recipe: static, source: api, output: dist/browser }
    ports: [\"80:8090\"]
    stop_grace_period: 30s
";
    insta::assert_snapshot!(plan_of(spec, &[("api/package.json", r#"{"scripts":{"build":"vite"}}"#), LOCK]));
}

#[test]
fn nginx_ingress() {
    let spec = "
services:
  api:
    x-slipway:
      recipe: nginx
      source: api
      template: site.conf
      user: { name: web, uid: 2000, gid: 0 }
      files: [{ source: docs/, target: /docs/, link: true }]
      contract: { health: { http: /health, port: 8080 } }
";
    insta::assert_snapshot!(plan_of(spec, &[("api/site.conf", "")]));
}

#[test]
fn stages_come_in_the_order_of_their_use() {
    let spec = "
services:
  api:
    user: \"5:6\"
    entrypoint: [/run]
    x-slipway:
      target: end
      stages:
        end: { from: middle, steps: [{ copy: { from: tools, source: /a, target: /b } }] }
        middle: { from: alpine, steps: [{ run: make, bind: [{ from: other, target: /o }] }] }
        tools: { from: scratch, steps: [{ write: { path: /a, content: x } }] }
        other: { from: tools, steps: [] }
";
    insta::assert_snapshot!(plan_of(spec, &[]));
}

#[test]
fn what_is_wrong_is_said_at_once() {
    let spec = "
services:
  api:
    user: nobody
    x-slipway:
      recipe: node
      source: api
      spa: true
      network: intern
      user: { name: \"Not Valid\" }
";
    insta::assert_snapshot!(plan_of(spec, &[]));
}

/// Printed stages, read again, are the same stages: for every component of every system.
#[test]
fn printed_stages_are_what_they_stand_for() {
    use crate::plan::{Action, Plan, Stage};

    fn facts(folder: &std::path::Path, service: &crate::spec::Service) -> Facts {
        let (mut facts, mut asked) = (Facts::default(), std::collections::BTreeSet::new());
        loop {
            let needs = super::needs(service, &facts, &asked);
            if needs.is_empty() {
                return facts;
            }
            for need in &needs {
                let path = folder.join(&need.path);
                if need.kind == super::NeedKind::Names {
                    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
                    let name = |entry: std::fs::DirEntry| super::Name {
                        name: entry.file_name().to_string_lossy().into_owned(),
                        is_folder: entry.path().is_dir(),
                    };
                    facts.add_names(&need.path, entries.map(name).collect());
                } else if let Ok(content) = std::fs::read(path) {
                    facts.add_file(&need.path, content);
                }
            }
            asked.extend(needs);
        }
    }

    /// What remains of a stage without places, titles, and what every component gets.
    fn essence(stage: &Stage) -> Option<String> {
        let added = |action: &Action| {
            matches!(action, Action::Accounts(_) | Action::MakeDir(_))
                || matches!(action, Action::Copy(copy) if copy.target.contains("slipway-probe") || copy.target.contains("/usr/bin/"))
        };
        let mut text = format!("{} {:?} {:?}\n", stage.name, stage.from, stage.platform);
        for step in stage.steps.iter().filter(|step| !added(&step.action)) {
            let action = match &step.action {
                Action::Run(run) => {
                    let mut run = run.clone();
                    run.title = None;
                    // The last value of a name counts, whatever the order.
                    let env: BTreeMap<String, String> = run.env.drain(..).collect();
                    run.env = env.into_iter().collect();
                    run.mounts.sort_by_key(|mount| format!("{mount:?}"));
                    Action::Run(run)
                }
                other => other.clone(),
            };
            text = format!("{text}  {action:?}\n");
        }
        (stage.name != "init").then_some(text)
    }

    let essences = |plan: &Plan| {
        let mut all: Vec<String> = plan.stages.iter().filter_map(essence).collect();
        all.sort();
        all
    };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compared = 0;
    for (folder, file) in [
        ("specs/market", "market.spec.yaml"),
        ("specs/jts", "jts.spec.yaml"),
        ("specs/rtm", "rtm.spec.yaml"),
        ("specs/bun", "bun.spec.yaml"),
        ("specs/reactbin", "reactbin.spec.yaml"),
        ("integration-tests/fixtures", "fixtures.spec.yaml"),
    ] {
        let folder = root.join(folder);
        let bytes = std::fs::read(folder.join(file)).expect("the spec is there");
        let Loaded::Done(Some(spec), _) = load(file, &bytes, &BTreeMap::new(), &Variables::new()) else {
            panic!("{file} is read");
        };
        for service in &spec.components {
            let facts = facts(&folder, service);
            let plan = plan(service, &facts).unwrap_or_else(|problems| {
                panic!("{}", render_all(&problems, crate::diagnostic::Style::Plain))
            });
            let text = super::printed(service, &facts).unwrap_or_else(|problems| {
                panic!("{}", render_all(&problems, crate::diagnostic::Style::Plain))
            });
            let text = format!("services:\n{text}");
            let again = match load("printed.yaml", text.as_bytes(), &BTreeMap::new(), &Variables::new()) {
                Loaded::Done(Some(spec), problems) if problems.is_empty() => spec,
                other => panic!("{text}\n{other:?}"),
            };
            let again = super::plan(&again.components[0], &Facts::default());
            let again = again.unwrap_or_else(|problems| {
                panic!("{text}\n{}", render_all(&problems, crate::diagnostic::Style::Plain))
            });
            assert_eq!(essences(&again), essences(&plan), "{}\n{text}", plan.component);
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}

/// .NET and Gradle cannot be built by the engine tests: what they would do is held here.
#[test]
fn dotnet_service() {
    let spec = "
services:
  api:
    x-slipway: { recipe: dotnet, source: api, base: minimal, contract: { health: { http: /health } } }
    expose: [\"8080\"]
";
    let project = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>";
    insta::assert_snapshot!(plan_of(
        spec,
        &[("api/Api.csproj", project), ("api/packages.lock.json", "{}"), ("api/nuget.config", "")]
    ));
}

#[test]
fn spring_boot_by_gradle_wrapper() {
    let spec = "
services:
  api:
    x-slipway: { recipe: java, source: api, require: [test], contract: { health: { http: /actuator/health, contains: UP } } }
    expose: [\"8080\"]
";
    let gradle = "plugins { id 'org.springframework.boot' version '3.5.0' }\njava { toolchain { languageVersion = JavaLanguageVersion.of(21) } }\n";
    insta::assert_snapshot!(plan_of(
        spec,
        &[("api/build.gradle", gradle), ("api/settings.gradle", ""), ("api/gradlew", "")]
    ));
}

#[test]
fn python_with_uv_as_a_package() {
    let spec = "
services:
  api:
    x-slipway: { recipe: python, source: api, bytecode: true, base: minimal, init: true }
";
    let manifest = "[project]\nname = \"x\"\nrequires-python = \">=3.11,<3.13\"\n[project.scripts]\nserve = \"x:main\"\n[build-system]\nrequires = [\"hatchling\"]\n";
    insta::assert_snapshot!(plan_of(spec, &[("api/pyproject.toml", manifest), ("api/uv.lock", "")]));
}

/// S0-1: exactly these ten, each with a health check, whether its sources are at hand or not.
#[test]
fn traderx_has_its_ten_components() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/traderx/traderx.spec.yaml");
    let bytes = std::fs::read(path).expect("the spec is there");
    let Loaded::Done(Some(spec), problems) = load("x.yaml", &bytes, &BTreeMap::new(), &Variables::new())
    else {
        panic!("the spec is read");
    };
    assert!(problems.iter().all(|problem| !problem.is_error()), "{problems:?}");
    let names: Vec<&str> = spec.components.iter().map(|service| service.name.value.as_str()).collect();
    let expected = [
        "database",
        "reference-data",
        "trade-feed",
        "people-service",
        "account-service",
        "position-service",
        "trade-processor",
        "trade-service",
        "web-front-end-angular",
        "ingress",
    ];
    assert_eq!(names, expected);
    for service in &spec.components {
        let health = service.component.contract.as_ref().and_then(|contract| contract.health.as_ref());
        assert!(health.is_some() && service.compose.healthcheck.is_some(), "{}", service.name.value);
    }
}
