//! Writes configuration files from templates and the environment, then becomes a program.
//!
//! ```text
//! slipway-template FOLDER TARGET PROGRAM [ARGUMENT...]
//! ```
//!
//! Each `FOLDER/NAME.template` becomes `TARGET/NAME`, with `${NAME}` replaced where the
//! environment has that name; everything else, nginx's own `$host` and `${uri}` above all, stays.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use slipway_probe::expand::{Unknown, expand};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [folder, target, program, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: slipway-template FOLDER TARGET PROGRAM [ARGUMENT...]");
        return ExitCode::from(2);
    };
    if let Err(error) = render(Path::new(folder), Path::new(target)) {
        eprintln!("slipway-template: {error}");
        return ExitCode::FAILURE;
    }
    let error = Command::new(program).args(rest).exec();
    eprintln!("slipway-template: {}: {error}", program.display());
    ExitCode::from(127)
}

fn render(folder: &Path, target: &Path) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let entries = std::fs::read_dir(folder).map_err(|error| failed(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".template")) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
        let text = expand(&text, Unknown::Keep, &|name| std::env::var(name).ok());
        let result = target.join(name);
        std::fs::write(&result, text).map_err(|error| failed(&result, error))?;
    }
    Ok(())
}
