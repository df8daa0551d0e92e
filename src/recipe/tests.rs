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
    match plan(&spec, &spec.components[0], &facts) {
        Ok(plan) => plan.to_string(),
        Err(problems) => render_all(&problems),
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
