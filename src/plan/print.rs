//! A plan as text: what a person reads and what tests compare.

use std::fmt;

use super::{Action, Archetype, Health, Image, Network, Plan, StagePlatform};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.component)?;
        for stage in &self.stages {
            let platform = match stage.platform {
                StagePlatform::Build => " on the build platform",
                StagePlatform::Target => "",
            };
            writeln!(f, "  stage {} from {}{platform}", stage.name, stage.from)?;
            for step in &stage.steps {
                let alone = match &step.action {
                    Action::Run(run) if run.network == Network::None => " (without network)",
                    _ => "",
                };
                writeln!(f, "    {}{alone}", step.action.to_string().replace('\n', "\n      "))?;
            }
            if let Some(image) = &stage.image {
                write!(f, "{image}")?;
            }
        }
        for finding in &self.found {
            writeln!(f, "  found {finding}")?;
        }
        if self.archetype == Archetype::Library {
            return writeln!(f, "  no image: a library");
        }
        writeln!(f, "  image {}", self.runtime)?;
        write!(f, "{}", self.image)?;
        for (stage, _) in &self.requires {
            writeln!(f, "    requires: {stage}")?;
        }
        match self.size_limit() {
            Some((bytes, _)) => writeln!(f, "    weighs at most: {bytes} bytes"),
            None => Ok(()),
        }
    }
}

/// What the image declares, a line each; what stays as the base has it is left out.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: Option<String>| match value {
            Some(value) => writeln!(f, "    {name}: {value}"),
            None => Ok(()),
        };
        line("user", self.user.as_ref().map(|user| format!("{} ({})", user.config(), user.name)))?;
        line("entrypoint", self.entrypoint.as_ref().map(|words| format!("{words:?}")))?;
        line("command", self.command.as_ref().map(|words| format!("{words:?}")))?;
        line("working directory", self.working_dir.clone())?;
        for (name, value) in &self.env {
            line("environment", Some(format!("{name}={value}")))?;
        }
        for port in self.ports.iter().flatten() {
            line("port", Some(port.to_string()))?;
        }
        line("health", self.health.as_ref().map(Health::to_string))?;
        line("stop signal", self.stop_signal.clone())?;
        for (name, value) in &self.labels {
            line("label", Some(format!("{name}={value}")))?;
        }
        for (name, value) in &self.annotations {
            line("annotation", Some(format!("{name}={value}")))?;
        }
        for path in &self.volumes {
            line("volume", Some(path.clone()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.test)?;
        let times = [
            ("every", self.interval),
            ("within", self.timeout),
            ("after", self.start_period),
            ("every at first", self.start_interval),
        ];
        for (word, time) in times {
            if let Some(time) = time {
                write!(f, ", {word} {time:?}")?;
            }
        }
        match self.retries {
            Some(retries) => write!(f, ", {retries} retries"),
            None => Ok(()),
        }
    }
}
