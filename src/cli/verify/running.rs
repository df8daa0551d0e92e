//! The image as Compose runs it: with its neighbours, on Compose's network, watched by the engine.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Verify;
use super::engine::{Image, Said, Scratch, docker};
use crate::cli::project::Project;
use crate::plan::Plan;
use crate::plan::contract::{Call, Promise, Question, Rule};
use crate::probe::Part;
use crate::spec::running::stand_in;

/// A project of Compose for the time of the check.
struct Compose<'a> {
    verify: &'a Verify,
    name: String,
    /// What is laid over the spec, in a file of its own.
    scratch: Scratch,
    env: BTreeMap<String, String>,
}

impl Drop for Compose<'_> {
    fn drop(&mut self) {
        let _ = self.run(&["down", "--volumes", "--timeout", "2"]);
    }
}

impl Compose<'_> {
    fn run(&self, args: &[&str]) -> Result<Said, String> {
        let over = self.scratch.0.join("over.yaml");
        let output = Command::new("docker")
            .args(["compose", "--project-name", &self.name, "--project-directory"])
            .arg(std::path::absolute(&self.verify.context).unwrap_or_else(|_| self.verify.context.clone()))
            .arg("--file")
            .arg(&self.verify.file)
            .arg("--file")
            .arg(over)
            .args(["--profile", "*"])
            .args(args)
            .envs(&self.env)
            .output();
        output.map(|output| Said::of(&output)).map_err(|error| format!("docker cannot be run: {error}"))
    }
}

/// Starts it and holds it to what it promises.
pub(super) fn check(
    verify: &Verify,
    project: &Project,
    plan: &Plan,
    image: &Image,
    part: &mut Part,
) -> Result<(), String> {
    let promise = &plan.contract.promise;
    for (number, call) in promise.runs.iter().enumerate() {
        runs(promise, image, call, number, part)?;
    }
    if !promise.serves {
        return Ok(());
    }
    variables(promise, image, part)?;
    let compose = Compose {
        verify,
        name: format!("slipway-verify-{}-{}", std::process::id(), plan.component.to_lowercase()),
        scratch: Scratch::new()?,
        env: required(project),
    };
    std::fs::write(compose.scratch.0.join("over.yaml"), over(project, plan, image))
        .map_err(|error| error.to_string())?;
    serves(&compose, plan, image, part)
}

/// A value for every variable that must have one.
fn required(project: &Project) -> BTreeMap<String, String> {
    let running = project.spec.iter().flat_map(|spec| &spec.running);
    let texts = running.flat_map(|running| &running.environment).map(|setting| setting.written.as_str());
    let mut env = BTreeMap::new();
    for text in texts {
        for rest in text.split("${").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let name = &rest[..end];
            if rest[end..].starts_with(":?") || rest[end..].starts_with('?') {
                env.entry(name.to_owned()).or_insert_with(|| stand_in(name));
            }
        }
    }
    env.retain(|name, _| std::env::var_os(name).is_none());
    env
}

/// What is laid over the spec: the image, no ports and names that others may have, the contract's environment.
fn over(project: &Project, plan: &Plan, image: &Image) -> String {
    // Writing to a String cannot fail.
    let mut services = String::new();
    for running in project.spec.iter().flat_map(|spec| &spec.running) {
        let name = running.name.value.as_str();
        let _ = write!(
            services,
            "  {}:\n    ports: !reset []\n    container_name: !reset null\n    restart: \"no\"\n",
            json!(name)
        );
        let beside = plan.contract.with.iter().find(|beside| beside.service == name);
        let env = if name == plan.component {
            Some(&plan.contract.promise.env)
        } else {
            beside.map(|beside| &beside.env)
        };
        if name == plan.component {
            let _ = write!(services, "    image: {}\n    build: !reset null\n", json!(image.name));
        } else if running.image.is_none() && running.build.is_none() {
            // Compose wants to know of every service what it runs, of those that are not started, too.
            services += "    image: none\n";
        }
        if let Some(env) = env.filter(|env| !env.is_empty()) {
            let doubled: BTreeMap<&String, String> =
                env.iter().map(|(name, value)| (name, value.replace('$', "$$"))).collect();
            let _ = writeln!(services, "    environment: {}", json!(doubled));
        }
    }
    format!("services:\n{services}")
}

/// Arguments that every container gets: the sandbox that the contract names.
fn sandbox(promise: &Promise) -> Vec<String> {
    let mut args = vec!["--cap-drop=ALL".to_owned(), "--security-opt=no-new-privileges".to_owned()];
    if promise.read_only {
        args.push("--read-only".to_owned());
    }
    args.extend(promise.tmpfs.iter().map(|path| format!("--tmpfs={path}")));
    args
}

fn runs(promise: &Promise, image: &Image, call: &Call, number: usize, part: &mut Part) -> Result<(), String> {
    let since = Instant::now();
    let name =
        call.args.as_ref().map_or_else(|| "the command".to_owned(), |args| format!("`{}`", args.join(" ")));
    let run = || -> Result<(i32, String, String), String> {
        let mut args = vec!["run".to_owned(), "--rm".to_owned(), "--network=none".to_owned()];
        args.extend(sandbox(promise));
        args.extend(promise.env.iter().chain(&call.env).map(|(name, value)| format!("--env={name}={value}")));
        args.push(image.name.clone());
        args.extend(call.args.iter().flatten().cloned());
        let output = Command::new("docker").args(&args).output().map_err(|error| error.to_string())?;
        let said = Said::of(&output);
        Ok((output.status.code().unwrap_or(-1), said.out, said.err))
    };
    let (code, out, err) = run()?;
    let broken = if code != call.exit {
        Some(format!("{name} ends with {code} instead of {}", call.exit))
    } else if let Some(text) =
        call.prints.as_ref().filter(|text| !out.contains(*text) && !err.contains(*text))
    {
        Some(format!("{name} does not print `{text}`"))
    } else if call.twice && run()? != (code, out.clone(), err.clone()) {
        Some(format!("{name} says something else the second time"))
    } else {
        None
    };
    match broken {
        Some(message) => {
            let lines = format!("{out}\n{err}");
            part.failed(Rule::Runs, message, since)
                .about(&number.to_string())
                .details(lines.lines().take(8).map(str::to_owned));
        }
        None => part.passed(Rule::Runs, format!("{name} ends with {code}"), since),
    }
    Ok(())
}

/// What needs a variable finds so soon after its start.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// Without each variable that it needs it ends with an error that names it.
fn variables(promise: &Promise, image: &Image, part: &mut Part) -> Result<(), String> {
    let all = Instant::now();
    let mut well = 0;
    for name in &promise.required {
        let since = Instant::now();
        let mut args = vec!["run".to_owned(), "--detach".to_owned(), "--network=none".to_owned()];
        args.extend(sandbox(promise));
        let others = promise.env.iter().filter(|(known, _)| *known != name);
        args.extend(others.map(|(name, value)| format!("--env={name}={value}")));
        args.push(image.name.clone());
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let container = docker(&words)?.result()?;
        let deadline = since + ENDS_WITHIN;
        let state = loop {
            let state =
                docker(&["inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", &container])?
                    .result()?;
            if !state.starts_with("true") || Instant::now() > deadline {
                break state;
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        let logs = docker(&["logs", &container])?;
        docker(&["rm", "--force", "--volumes", &container])?.result()?;
        let message = match state.as_str() {
            state if state.starts_with("true") => format!("without `{name}` it runs all the same"),
            "false 0" => format!("without `{name}` it ends as if all were well"),
            _ if !logs.err.contains(name) => {
                format!("without `{name}` it ends, and its stderr does not say why")
            }
            _ => {
                well += 1;
                continue;
            }
        };
        part.failed(Rule::Variables, message, since)
            .about(name)
            .details(logs.err.lines().take(4).map(str::to_owned));
    }
    if well > 0 && well == promise.required.len() {
        part.passed(Rule::Variables, format!("without each of {well} variables it ends, and names it"), all);
    }
    Ok(())
}

fn serves(compose: &Compose<'_>, plan: &Plan, image: &Image, part: &mut Part) -> Result<(), String> {
    let promise = &plan.contract.promise;
    let since = Instant::now();
    let up = compose.run(&["up", "--detach", "--no-build", &plan.component])?;
    if !up.ok {
        let lines: Vec<String> = up.err.lines().rev().take(4).map(str::to_owned).collect();
        part.failed(Rule::Start, "Compose does not start it", since)
            .details(lines.into_iter().rev())
            .help("the services that it depends on have to be built: `docker buildx bake -f FILE`");
        return Ok(());
    }
    let container = compose.run(&["ps", "--all", "--quiet", &plan.component])?.result()?;
    let inspect = |format: &str| docker(&["inspect", "--format", format, &container])?.result();
    // Compose waits for its neighbours first; its own time begins with it.
    let since = Instant::now();
    // The engine asks for the first time when an interval is over; its own default is 30 s.
    let health = plan.image.health.as_ref();
    let interval = health.and_then(|health| health.start_interval.or(health.interval));
    let deadline = since + promise.well_within + interval.unwrap_or(Duration::from_secs(30));
    let health = loop {
        let state =
            inspect("{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}")?;
        match state.as_str() {
            "running starting" if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(100)),
            _ => break state,
        }
    };
    match health.as_str() {
        "running healthy" => {
            part.passed(Rule::Health, "the engine's own health check says that it is well", since);
        }
        "running none" => part.not_verified(Rule::Health, "the image has no health check"),
        state => {
            let log = inspect("{{range .State.Health.Log}}{{.Output}}{{end}}").unwrap_or_default();
            let logs = docker(&["logs", "--tail", "6", &container])?;
            let lines = format!("{log}\n{}\n{}", logs.out, logs.err);
            part.failed(Rule::Health, format!("the engine says that it is {state}"), since)
                .details(lines.lines().filter(|line| !line.is_empty()).take(10).map(str::to_owned));
            return Ok(());
        }
    }
    has_its_user(&container, image, promise, part)?;
    is_reached(compose, plan, image, part)?;
    let changed = docker(&["diff", &container])?.result()?;
    let written: Vec<String> = changed
        .lines()
        // The engine itself makes the folders that mounts need.
        .filter(|line| line.starts_with("A ") || line.starts_with("C "))
        .map(|line| line[2..].to_owned())
        .filter(|path| {
            !promise
                .tmpfs
                .iter()
                .chain(&promise.volumes)
                .any(|folder| folder.starts_with(path.as_str()) || path.starts_with(folder))
        })
        .collect();
    if written.is_empty() {
        part.passed(Rule::ReadOnly, "it has written nothing to its file system", since);
    } else {
        part.failed(Rule::ReadOnly, "it has written to its file system", since)
            .details(written.into_iter().take(8));
    }
    stops(compose, plan, &container, part)
}

fn has_its_user(container: &str, image: &Image, promise: &Promise, part: &mut Part) -> Result<(), String> {
    let since = Instant::now();
    let top = docker(&["top", container, "-eo", "pid,uid,comm"])?;
    if !top.ok {
        part.not_verified(Rule::User, format!("the engine does not tell its processes: {}", top.err));
        return Ok(());
    }
    let root = top.out.lines().skip(1).find(|line| line.split_whitespace().nth(1) == Some("0"));
    match root {
        Some(line) if !promise.may_be_root => {
            part.failed(Rule::User, format!("a process runs as root: {}", line.trim()), since);
        }
        _ => {
            part.passed(
                Rule::User,
                format!("no process runs as root (image: {})", image.program.user),
                since,
            );
        }
    }
    Ok(())
}

/// Another container on Compose's network asks it by its name.
fn is_reached(compose: &Compose<'_>, plan: &Plan, image: &Image, part: &mut Part) -> Result<(), String> {
    let Some(Question::Http { port, path, .. }) = &plan.contract.promise.health else { return Ok(()) };
    let since = Instant::now();
    let env = &plan.contract.promise.env;
    let port = slipway_probe::expand::expand(port, slipway_probe::expand::Unknown::Empty, &|name| {
        env.get(name).cloned()
    });
    let url = format!("http://{}:{port}{path}", plan.component);
    let architecture = image.program.platform.rsplit('/').next().unwrap_or("amd64");
    let tool = format!("/tools/linux/{architecture}/slipway-probe");
    let frontend = std::env::var("SLIPWAY_FRONTEND").unwrap_or_else(|_| "slipway/frontend:0".to_owned());
    let network = docker(&[
        "network",
        "ls",
        "--quiet",
        "--filter",
        &format!("label=com.docker.compose.project={}", compose.name),
    ])?
    .result()?;
    let Some(network) = network.lines().next() else {
        part.not_verified(Rule::Ports, "Compose made no network");
        return Ok(());
    };
    let asked = docker(&[
        "run",
        "--rm",
        "--pull=missing",
        "--network",
        network,
        "--entrypoint",
        &tool,
        &frontend,
        "http",
        &url,
        "--within",
        "5",
    ])?;
    if asked.ok {
        part.passed(Rule::Ports, format!("another container gets {url}"), since);
    } else if asked.err.contains("Unable to find image") || asked.err.contains("No such image") {
        part.not_verified(Rule::Ports, format!("nobody to ask it from: the engine has no {frontend}"));
    } else {
        let lines = format!("{}\n{}", asked.out, asked.err);
        part.failed(Rule::Ports, format!("another container does not get {url}"), since)
            .details(lines.lines().filter(|line| !line.is_empty()).take(4).map(str::to_owned))
            .help("listen on 0.0.0.0, on the port that `expose` names");
    }
    Ok(())
}

fn stops(compose: &Compose<'_>, plan: &Plan, container: &str, part: &mut Part) -> Result<(), String> {
    let stop = &plan.contract.promise.stop;
    let since = Instant::now();
    let seconds = stop.within.as_secs().max(1).to_string();
    compose.run(&["stop", "--timeout", &seconds, &plan.component])?.result()?;
    let took = since.elapsed();
    let state = docker(&["inspect", "--format", "{{json .State}}", container])?.result()?;
    let state: Value = serde_json::from_str(&state).map_err(|error| error.to_string())?;
    let code = state["ExitCode"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(-1);
    if stop.exit.contains(&code) {
        part.passed(Rule::Stop, format!("ends with {code} in {} ms", took.as_millis()), since);
    } else {
        let message = if code == 137 {
            format!("the engine had to kill it after {seconds} s")
        } else {
            format!("it ends with {code} when the engine stops it")
        };
        part.failed(Rule::Stop, message, since).help("handle the stop signal, and end with 0");
    }
    Ok(())
}
