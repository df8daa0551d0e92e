//! The image as Compose runs it: with its neighbours, on Compose's network, watched by the engine.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Verify;
use super::calls;
use super::engine::{Image, Said, Scratch, docker};
use crate::cli::project::Project;
use crate::plan::Plan;
use crate::plan::contract::{Promise, Question, Rule};
use crate::probe::Part;
use crate::spec::running::stand_in;

/// The most that Compose may take for one command: neighbours have to be healthy first.
const COMPOSE_WITHIN: Duration = Duration::from_mins(5);

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
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = output.map_err(|error| format!("docker cannot be run: {error}"))?;
        within(child, COMPOSE_WITHIN).map_err(|why| format!("`docker compose {}`: {why}", args.join(" ")))
    }
}

/// What a command says, if it ends in time.
fn within(mut child: Child, limit: Duration) -> Result<Said, String> {
    let deadline = Instant::now() + limit;
    // Its pipes are read on the way: a full one would keep it from ending.
    let read = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_end(&mut text);
            }
            String::from_utf8_lossy(&text).trim().to_owned()
        })
    };
    let out = read(child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let err = read(child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => {
                let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
                return Ok(Said { ok: status.success(), out, err });
            }
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it takes longer than {limit:?}"));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
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
        calls::call(promise, image, call, number, part)?;
    }
    if !promise.serves {
        if promise.runs.is_empty() {
            part.not_verified(Rule::Runs, "no call to try: `contract.runs` has none");
        }
        return Ok(());
    }
    calls::variables(promise, image, part)?;
    not_tried(promise, part);
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

/// What only a build step can look at is not passed over in silence.
fn not_tried(promise: &Promise, part: &mut Part) {
    let in_a_build = "not verifiable here, as it is in a build: `--target :verify`";
    for (rule, promised) in [
        (Rule::Defaults, !promise.optional.is_empty()),
        (Rule::Urls, !promise.forbidden_urls.is_empty()),
        (Rule::InFlight, promise.stop.in_flight.is_some()),
        (Rule::Zombies, true),
    ] {
        if promised {
            part.not_verified(rule, in_a_build);
        }
    }
}

/// A value for every variable that must have one.
fn required(project: &Project) -> BTreeMap<String, String> {
    let running = project.spec.iter().flat_map(|spec| &spec.running);
    let needs = running.flat_map(|running| &running.environment).flat_map(|setting| &setting.needs);
    let mut env: BTreeMap<String, String> = needs.map(|name| (name.clone(), stand_in(name))).collect();
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
    logs(&container, promise, part)?;
    let changed = docker(&["diff", &container])?.result()?;
    let written: Vec<String> = changed
        .lines()
        // The engine itself makes the folders that mounts need.
        .filter(|line| line.starts_with("A ") || line.starts_with("C "))
        .filter(|line| !line.ends_with("/docker-init"))
        .map(|line| line[2..].to_owned())
        .filter(|path| {
            !promise
                .tmpfs
                .iter()
                .chain(&promise.volumes)
                .any(|folder| folder.starts_with(path.as_str()) || path.starts_with(folder))
        })
        .collect();
    if !promise.read_only {
        part.not_verified(Rule::ReadOnly, "the contract says `read_only: false`");
    } else if written.is_empty() {
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
        Some(_) if promise.may_be_root => part.not_verified(Rule::User, "the contract says `root: true`"),
        Some(line) => {
            part.failed(Rule::User, format!("a process runs as root: {}", line.trim()), since);
        }
        None => {
            part.passed(
                Rule::User,
                format!("no process runs as root (image: {})", image.program.user),
                since,
            );
        }
    }
    Ok(())
}

/// What the engine collected of its logs.
fn logs(container: &str, promise: &Promise, part: &mut Part) -> Result<(), String> {
    let said = docker(&["logs", container])?;
    for (stream, wanted, text) in
        [("stdout", &promise.stdout, &said.out), ("stderr", &promise.stderr, &said.err)]
    {
        let (Some(wanted), since) = (wanted, Instant::now()) else { continue };
        if text.contains(wanted) {
            part.passed(Rule::Logs, format!("{stream} says `{wanted}`"), since);
        } else {
            part.failed(Rule::Logs, format!("{stream} does not say `{wanted}`"), since)
                .details(text.lines().rev().take(4).map(str::to_owned));
        }
    }
    Ok(())
}

/// Another container on Compose's network asks it by its name.
fn is_reached(compose: &Compose<'_>, plan: &Plan, image: &Image, part: &mut Part) -> Result<(), String> {
    let Some(Question::Http { port, path, status, contains }) = &plan.contract.promise.health else {
        part.not_verified(Rule::Ports, "not verifiable here: `health` does not ask over http");
        return Ok(());
    };
    let since = Instant::now();
    let mut env: BTreeMap<String, String> = image.program.env.iter().cloned().collect();
    env.extend(plan.contract.promise.env.clone());
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
    let fixed = ["run", "--rm", "--pull=missing", "--network", network, "--entrypoint", &tool, &frontend];
    let mut words: Vec<&str> = fixed.to_vec();
    words.extend(["http", &url, "--within", "5"]);
    for (flag, value) in [("--status", status), ("--contains", contains)] {
        words.extend(value.iter().flat_map(|value| [flag, value.as_str()]));
    }
    let asked = docker(&words)?;
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
