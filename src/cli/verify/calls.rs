//! Runs of an image that end by themselves: its calls, and its starts without a variable that it needs.

use std::time::{Duration, Instant};

use super::engine::{Image, Said, docker};
use crate::plan::contract::{Call, Promise, Rule};
use crate::probe::Part;

/// What needs a variable finds so soon after its start.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// A container, which is removed whatever happens.
struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", "--volumes", &self.0]);
    }
}

impl Container {
    /// Starts one in the sandbox that the contract names, without a network.
    fn start(
        promise: &Promise,
        image: &Image,
        env: &[(&String, &String)],
        args: &[String],
    ) -> Result<Self, String> {
        let mut words: Vec<String> = ["run", "--detach", "--network=none"].map(str::to_owned).into();
        if promise.no_new_privileges {
            words.push("--security-opt=no-new-privileges".to_owned());
        }
        if promise.read_only {
            words.push("--read-only".to_owned());
        }
        words.extend(promise.tmpfs.iter().map(|path| format!("--tmpfs={path}")));
        words.extend(env.iter().map(|(name, value)| format!("--env={name}={value}")));
        words.push(image.name.clone());
        words.extend(args.iter().cloned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        docker(&words)?.result().map(Self)
    }

    /// Its exit status, if it ends in time.
    fn wait(&self, within: Duration) -> Result<Option<i32>, String> {
        let deadline = Instant::now() + within;
        loop {
            let state = docker(&["inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", &self.0])?
                .result()?;
            if let Some(code) = state.strip_prefix("false ") {
                return Ok(code.parse().ok());
            }
            if Instant::now() > deadline {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn logs(&self) -> Result<Said, String> {
        docker(&["logs", &self.0])
    }
}

/// Tries a call.
pub(super) fn call(
    promise: &Promise,
    image: &Image,
    call: &Call,
    number: usize,
    part: &mut Part,
) -> Result<(), String> {
    let since = Instant::now();
    let name =
        call.args.as_ref().map_or_else(|| "the command".to_owned(), |args| format!("`{}`", args.join(" ")));
    let env: Vec<(&String, &String)> = promise.env.iter().chain(&call.env).collect();
    let run = || -> Result<(Option<i32>, Said), String> {
        let args = call.args.as_deref().unwrap_or_default();
        let container = Container::start(promise, image, &env, args)?;
        let code = container.wait(call.within)?;
        Ok((code, container.logs()?))
    };
    let (code, said) = run()?;
    let broken = match code {
        None => Some(format!("{name} was still running after {:?}", call.within)),
        Some(code) if code != call.exit => Some(format!("{name} ends with {code} instead of {}", call.exit)),
        Some(_) => match &call.prints {
            Some(text) if !said.out.contains(text) && !said.err.contains(text) => {
                Some(format!("{name} does not print `{text}`"))
            }
            _ if call.twice => {
                let (again, words) = run()?;
                (again != code || words.out != said.out)
                    .then(|| format!("{name} says something else the second time"))
            }
            _ => None,
        },
    };
    match broken {
        Some(message) => {
            let lines = format!("{}\n{}", said.out, said.err);
            part.failed(Rule::Runs, message, since)
                .about(&number.to_string())
                .details(lines.lines().filter(|line| !line.is_empty()).take(8).map(str::to_owned));
        }
        None => part.passed(Rule::Runs, format!("{name} ends with {}", call.exit), since),
    }
    Ok(())
}

/// Without each variable that it needs it ends with an error that names it.
pub(super) fn variables(promise: &Promise, image: &Image, part: &mut Part) -> Result<(), String> {
    let all = Instant::now();
    let mut well = 0;
    for name in &promise.required {
        let since = Instant::now();
        let env: Vec<(&String, &String)> = promise.env.iter().filter(|(known, _)| *known != name).collect();
        let container = Container::start(promise, image, &env, &[])?;
        let code = container.wait(ENDS_WITHIN)?;
        let said = container.logs()?;
        let message = match code {
            None => format!("without `{name}` it runs all the same"),
            Some(0) => format!("without `{name}` it ends as if all were well"),
            Some(_) if !said.err.contains(name) => {
                format!("without `{name}` it ends, and its stderr does not say why")
            }
            Some(_) => {
                well += 1;
                continue;
            }
        };
        part.failed(Rule::Variables, message, since)
            .about(name)
            .details(said.err.lines().take(4).map(str::to_owned));
    }
    if well > 0 && well == promise.required.len() {
        part.passed(Rule::Variables, format!("without each of {well} variables it ends, and names it"), all);
    }
    Ok(())
}
