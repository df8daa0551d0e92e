//! `docker slipway lock`: the digests of all images that builds start from, beside the spec. The engine
//! looks them up: this is `--target :lock`, put in its place, or held against what is there.

use std::fs;
use std::process::Command;

use clap::Args;

use super::project::Place;
use crate::spec::Lock as File;

/// Writes the lock, or says whether it is up to date.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  docker slipway lock -f app.spec.yaml
  docker slipway lock -f app.spec.yaml --platform linux/amd64,linux/arm64
  docker slipway lock -f app.spec.yaml --check      in CI

Exit status: 0 if all is well, 1 if --check finds that the lock would change, 2 if it cannot be made.")]
pub(super) struct Lock {
    #[command(flatten)]
    place: Place,
    /// Write nothing; say what would change
    #[arg(long)]
    check: bool,
    /// The platforms to look images up for
    #[arg(long)]
    platform: Option<String>,
}

impl Lock {
    pub(super) fn run(&self) -> i32 {
        match self.lock() {
            Ok(status) => status,
            Err(why) => {
                eprintln!("slipway: {why}");
                2
            }
        }
    }

    fn lock(&self) -> Result<i32, String> {
        let folder = std::env::temp_dir().join(format!("slipway-lock-{}", std::process::id()));
        let made = self.make(&folder);
        let _ = fs::remove_dir_all(&folder);
        let made = made?;
        let name = File::name_of(&self.place.file.to_string_lossy());
        let old = fs::read_to_string(&name).ok();
        if old.as_ref() == Some(&made) {
            super::say(&format!("{name} is up to date"));
            return Ok(0);
        }
        let changes = changes(old.as_deref().unwrap_or_default(), &made);
        super::say(&changes.join("\n"));
        if self.check {
            let missing = if old.is_none() { "is not there" } else { "is not up to date" };
            eprintln!("slipway: {name} {missing}: `docker slipway lock` writes it");
            return Ok(1);
        }
        fs::write(&name, made).map_err(|error| format!("{name}: {error}"))?;
        super::say(&format!("{name} is written"));
        Ok(0)
    }

    /// The lock's text, from the engine.
    fn make(&self, folder: &std::path::Path) -> Result<String, String> {
        let mut command = Command::new("docker");
        command
            .args(["buildx", "build", "--progress=quiet", "--target", ":lock", "--file"])
            .arg(&self.place.file);
        command.arg(format!("--output=type=local,dest={}", folder.display()));
        for pair in &self.place.build_args {
            command.args(["--build-arg", pair]);
        }
        if let Some(platform) = &self.platform {
            command.args(["--platform", platform]);
        }
        let output = command.arg(&self.place.context).output();
        let output = output.map_err(|error| format!("docker cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let name = File::name_of(&self.place.file.to_string_lossy());
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        fs::read_to_string(folder.join(&name)).map_err(|error| format!("{name}: {error}"))
    }
}

/// The lines with images that are in one text alone.
fn changes(old: &str, new: &str) -> Vec<String> {
    let images = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.trim().strip_prefix("image: ").map(str::to_owned)).collect()
    };
    let (old, new) = (images(old), images(new));
    let gone = old.iter().filter(|image| !new.contains(image)).map(|image| format!("- {image}"));
    let came = new.iter().filter(|image| !old.contains(image)).map(|image| format!("+ {image}"));
    gone.chain(came).collect()
}
