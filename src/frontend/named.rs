//! Named contexts: `--build-context NAME=VALUE` puts something else in the place of an image.

use buildkit_llb::{Metadata, Output, Platform, source};

use super::context::graph;
use super::errors::Failure;
use super::git;
use super::images::Resolver;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::config::ImageConfig;
use crate::lower::setting::FoundImage;
use crate::reference::Reference;

/// The value that the client gave for a name: first for this platform, then for all.
pub(super) fn value<'o>(resolver: &'o Resolver<'_>, name: &str, platform: &Platform) -> Option<&'o str> {
    let wanted = familiar(name);
    let find = |suffix: Option<String>| {
        resolver.options.named_contexts().find_map(|(key, value)| {
            let (given, for_platform) = match key.split_once("::") {
                Some((given, platform)) => (given, Some(platform.to_owned())),
                None => (key, None),
            };
            (for_platform == suffix && familiar(given) == wanted).then_some(value)
        })
    };
    find(Some(platform.to_string())).or_else(|| find(None))
}

/// Names are compared as image names, `:latest` left out.
fn familiar(name: &str) -> String {
    match name.parse::<Reference>() {
        Ok(reference) => reference.to_string(),
        Err(_) => name.to_owned(),
    }
}

/// What the value stands for, as an image.
pub(super) async fn resolve(
    resolver: &Resolver<'_>,
    name: &str,
    value: &str,
    platform: &Platform,
) -> Result<FoundImage, Failure> {
    let unsupported = || {
        let message =
            format!("the build context `{name}` has a source that this version does not read: `{value}`");
        Failure::spec(
            Diagnostic::new(Code::Option, message)
                .help("one of docker-image://, oci-layout://, a folder, a git URL, or a bake target"),
        )
    };
    let Some((kind, rest)) = value.split_once(':') else { return Err(unsupported()) };
    match kind {
        "docker-image" => {
            let image = rest.trim_start_matches("//");
            if image == "scratch" {
                return Ok(FoundImage { output: None, config: ImageConfig::scratch(), raw_config: None });
            }
            resolver.image(image, platform, &format!("[context {name}] {image}")).await
        }
        "oci-layout" => {
            let (store, digest) = rest.trim_start_matches("//").split_once('@').ok_or_else(unsupported)?;
            resolver.oci_layout(name, store, digest, platform).await
        }
        "local" => {
            let output = source::local(rest)
                .session(resolver.options.session_of(rest))
                .shared_key_hint(&format!("context:{name}-{rest}"))
                .build(&Metadata::named(format!("[context {name}] load from client")));
            Ok(FoundImage { output: Some(output), config: ImageConfig::scratch(), raw_config: None })
        }
        "input" => {
            let definition = resolver.inputs.get(rest).ok_or_else(unsupported)?;
            let config = match resolver.options.input_config(rest) {
                Some(bytes) => ImageConfig::from_base(&bytes).map_err(|_| unsupported())?,
                None => ImageConfig::scratch(),
            };
            Ok(FoundImage { output: graph(definition)?, config, raw_config: None })
        }
        _ => {
            let output: Output = git::context(value)
                .ok()
                .flatten()
                .ok_or_else(unsupported)?
                .build(&Metadata::named(format!("[context {name}] load from git")));
            Ok(FoundImage { output: Some(output), config: ImageConfig::scratch(), raw_config: None })
        }
    }
}
