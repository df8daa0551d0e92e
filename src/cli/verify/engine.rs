//! What an engine has and knows of an image, by its own command line.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::Verify;
use crate::lower::config::HISTORY;
use crate::plan::Plan;
use crate::probe::inspect::{Layers, Subject, Tree};
use crate::probe::{Part, Program};

/// What a command said.
pub(super) struct Said {
    pub(super) ok: bool,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    pub(super) fn of(output: &Output) -> Self {
        Self {
            ok: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            err: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }
    }

    /// Its stdout, or why there is none.
    pub(super) fn result(self) -> Result<String, String> {
        if self.ok {
            Ok(self.out)
        } else {
            Err(self.err.lines().last().unwrap_or("docker failed").to_owned())
        }
    }
}

/// Runs docker.
pub(super) fn docker(args: &[&str]) -> Result<Said, String> {
    let output = Command::new("docker").args(args).output();
    output.map(|output| Said::of(&output)).map_err(|error| format!("docker cannot be run: {error}"))
}

/// Builds a component's image.
pub(super) fn build(verify: &Verify, plan: &Plan, name: &str) -> Result<(), String> {
    let mut command = Command::new("docker");
    command.args([
        "buildx",
        "build",
        "--progress=quiet",
        "--load",
        "--target",
        &plan.component,
        "--tag",
        name,
    ]);
    for arg in &verify.build_args {
        command.args(["--build-arg", arg]);
    }
    let output = command.arg("--file").arg(&verify.file).arg(&verify.context).output();
    let said = Said::of(&output.map_err(|error| format!("docker cannot be run: {error}"))?);
    if said.ok { Ok(()) } else { Err(format!("the build fails:\n{}", said.err)) }
}

/// An image in the engine.
pub(super) struct Image {
    pub(super) name: String,
    pub(super) program: Program,
}

impl Image {
    /// Looks it up.
    pub(super) fn find(name: &str) -> Result<Self, String> {
        let json = docker(&["image", "inspect", "--format", "{{json .}}", name])?
            .result()
            .map_err(|why| format!("the engine has no image `{name}` ({why}); build it first"))?;
        let image: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        let history = docker(&["history", "--no-trunc", "--format", "{{.CreatedBy}}", name])?.result()?;
        let config = &image["Config"];
        let words = |key: &str| -> Vec<String> {
            config[key]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|word| word.as_str().map(str::to_owned))
                .collect()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entrypoint = words("Entrypoint");
        let env = words("Env")
            .into_iter()
            .filter_map(|pair| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())));
        let stop_signal = Some(text(&config["StopSignal"])).filter(|signal| !signal.is_empty());
        Ok(Self {
            name: name.to_owned(),
            program: Program {
                entrypoint: entrypoint.len(),
                args: entrypoint.into_iter().chain(words("Cmd")).collect(),
                env: env.collect(),
                user: text(&config["User"]),
                cwd: text(&config["WorkingDir"]),
                stop_signal: stop_signal.unwrap_or_else(|| "SIGTERM".to_owned()),
                labels: config["Labels"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
                platform: format!("{}/{}", text(&image["Os"]), text(&image["Architecture"])),
                history: history.lines().map(str::to_owned).collect(),
            },
        })
    }

    /// Looks at its files: those that it has in the end, and those of every layer.
    pub(super) fn inspect(&self, plan: &Plan) -> Result<Part, String> {
        let folder = Scratch::new()?;
        let whole = folder.0.join("files.tar");
        let container = docker(&["create", &self.name, "true"])?.result()?;
        let exported = docker(&["export", "--output", &whole.to_string_lossy(), &container])?.result();
        docker(&["rm", "--volumes", &container])?.result()?;
        exported?;
        let layers = self.layers(&folder.0)?;
        let subject = Subject {
            promise: plan.contract.promise.clone(),
            program: self.program.clone(),
            image: Tree::Archive(whole),
            layers: if layers.is_empty() {
                Layers::Unknown("no layer is known to be the build's own")
            } else {
                Layers::These(layers)
            },
        };
        subject.inspect(Part::silent())
    }

    /// The layers that our build added, by what made them.
    fn layers(&self, folder: &Path) -> Result<Vec<(String, Tree)>, String> {
        let archive = folder.join("image.tar");
        docker(&["save", "--output", &archive.to_string_lossy(), &self.name])?.result()?;
        let place = folder.join("image");
        let file = std::fs::File::open(&archive).map_err(|error| error.to_string())?;
        tar::Archive::new(file)
            .unpack(&place)
            .map_err(|error| format!("the image cannot be unpacked: {error}"))?;
        let read = |name: &str| -> Result<Value, String> {
            let bytes = std::fs::read(place.join(name)).map_err(|error| format!("{name}: {error}"))?;
            serde_json::from_slice(&bytes).map_err(|error| format!("{name}: {error}"))
        };
        let manifest = read("manifest.json")?;
        let config = read(manifest[0]["Config"].as_str().unwrap_or_default())?;
        let history = config["history"].as_array().into_iter().flatten();
        let mut names = history.filter(|entry| entry["empty_layer"] != true).map(|entry| {
            let own = entry["comment"] == HISTORY;
            (own, entry["created_by"].as_str().unwrap_or_default().to_owned())
        });
        let layers = manifest[0]["Layers"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(layers
            .enumerate()
            .filter_map(|(number, path)| {
                // Those of the base are public, and somebody else's.
                let (own, name) = names.next().unwrap_or((true, format!("layer {}", number + 1)));
                own.then(|| (name, Tree::Archive(place.join(path))))
            })
            .collect())
    }
}

/// A folder for a while.
pub(super) struct Scratch(pub(super) std::path::PathBuf);

impl Scratch {
    pub(super) fn new() -> Result<Self, String> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("slipway-verify-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
