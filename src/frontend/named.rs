//! Named contexts: `--build-context NAME=VALUE` puts something else in the place of an image, of
//! a component, or gives a further source. What the spec's own `additional_contexts` says counts
//! where the client says nothing.

use buildkit_llb::{Copy, File, Metadata, Output, Platform, source};

use super::context::graph;
use super::errors::Failure;
use super::images::Resolver;
use super::options::Options;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::config::ImageConfig;
use crate::lower::git;
use crate::lower::setting::FoundImage;
use crate::paths::parts;
use crate::reference::Reference;
use crate::spec::{Service, Spec};

/// The value that stands for a name: the client's, or else the spec's.
pub(super) fn value(resolver: &Resolver<'_>, name: &str, platform: &Platform) -> Option<String> {
    given(resolver.options, name, platform).map(str::to_owned).or_else(|| {
        resolver
            .spec
            .additional_context(&resolver.service.name.value, name)
            .map(|setting| setting.value.clone())
    })
}

/// The value that the client gave for a name: first for this platform, then for all.
pub(super) fn given<'o>(options: &'o Options, name: &str, platform: &Platform) -> Option<&'o str> {
    let wanted = familiar(name);
    let find = |suffix: Option<String>| {
        options.named_contexts().find_map(|(key, value)| {
            let (given, for_platform) = match key.split_once("::") {
                Some((given, platform)) => (given, Some(platform.to_owned())),
                None => (key, None),
            };
            (for_platform == suffix && familiar(given) == wanted).then_some(value)
        })
    };
    find(Some(platform.to_string())).or_else(|| find(None))
}

/// Where in the build context an additional context lies, if it is a folder in there.
pub(super) fn in_context(spec: &Spec, service: &Service, name: &str) -> Option<String> {
    let component = &service.name.value;
    let setting = spec.additional_context(component, name)?;
    let context = spec.running_of(component)?.build.as_ref()?.context.as_deref().unwrap_or(".");
    folder_in(context, &setting.value)
}

/// A folder as seen from another one that holds it. Both are relative to the spec's folder.
fn folder_in(context: &str, folder: &str) -> Option<String> {
    if folder.contains("://") || folder.contains(':') || folder.starts_with(['/', '~']) {
        return None;
    }
    let (context, folder) = (parts("", context), parts("", folder));
    let rest = folder.strip_prefix(context.as_slice())?;
    (rest.first() != Some(&"..")).then(|| rest.join("/"))
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
            format!("the build context `{name}` has a source that Slipway does not know: `{value}`");
        Failure::spec(Diagnostic::new(Code::Option, message).help(
            "one of docker-image://, oci-layout://, a folder, a git or http URL, a bake target or a component",
        ))
    };
    let files = |output: Option<Output>| FoundImage {
        output,
        config: ImageConfig::scratch(),
        raw_config: None,
        digest: None,
    };
    if let Some(git) = git::context(value).map_err(|why| option(name, value, &why))? {
        return Ok(files(Some(git.build(&Metadata::named(format!("[context {name}] load from git"))))));
    }
    match value.split_once(':') {
        Some(("docker-image", image)) => {
            let image = image.trim_start_matches("//");
            if image == "scratch" {
                return Ok(files(None));
            }
            resolver.image(image, platform, &format!("[context {name}] {image}")).await
        }
        Some(("oci-layout", layout)) => {
            let (store, digest) =
                layout.trim_start_matches("//").split_once('@').ok_or_else(unsupported)?;
            // A tag is for people; the client knows its store by the name alone.
            let store = store.rsplit_once(':').map_or(store, |(store, _)| store);
            resolver.oci_layout(name, store, digest, platform).await
        }
        Some(("http" | "https", _)) => {
            let metadata = Metadata::named(format!("[context {name}] load from {value}"));
            Ok(files(Some(source::http(value).filename("context").build(&metadata))))
        }
        Some(("local", folder)) => {
            let ignore = resolver.sources.ignore_in(folder, &format!("[context {name}] ")).await?;
            let output = source::local(folder)
                .session(resolver.options.session_of(folder))
                .exclude(&ignore)
                .shared_key_hint(&format!("context:{name}-{}", resolver.options.shared_key(folder)))
                .build(&Metadata::named(format!("[context {name}] load from client")));
            Ok(files(Some(output)))
        }
        Some(("input", key)) => {
            let definition = resolver.sources.inputs.get(key).ok_or_else(unsupported)?;
            let config = match resolver.options.input_config(key) {
                Some(bytes) => ImageConfig::from_base(&bytes).map_err(|_| unsupported())?,
                None => ImageConfig::scratch(),
            };
            Ok(FoundImage { config, ..files(graph(definition)?) })
        }
        Some(("service" | "target", other)) => Err(Failure::spec(
            Diagnostic::new(Code::Option, format!("the build context `{name}` is `{other}`, which is no component of this file"))
                .help(format!("bake and Compose pass it on; `docker buildx build` takes `--build-context {name}=…`")),
        )),
        _ => match in_context(resolver.spec, resolver.service, name).zip(resolver.context) {
            Some((path, context)) => {
                let copy = Copy { contents_only: true, ..Copy::new(format!("/{path}"), "/") };
                let metadata = Metadata::named(format!("[context {name}] take {value} of the build context"));
                Ok(files(File::on_scratch().copy(context, copy).build(&metadata)))
            }
            None if resolver.spec.additional_context(&resolver.service.name.value, name).is_some() => Err(Failure::spec(
                Diagnostic::new(
                    Code::Option,
                    format!("the additional context `{name}` is the folder `{value}`, which is not in the build context"),
                )
                .help(format!("Compose and bake pass it on; with `docker buildx build`, say `--build-context {name}={value}`")),
            )),
            None => Err(unsupported()),
        },
    }
}

fn option(name: &str, value: &str, why: &str) -> Failure {
    Failure::spec(Diagnostic::new(Code::Option, format!("the build context `{name}`, `{value}`: {why}")))
}

#[cfg(test)]
mod tests {
    use super::folder_in;

    #[test]
    fn folders_in_the_context() {
        for (context, folder, expected) in [
            (".", "./assets", Some("assets")),
            ("./web", "web/assets/", Some("assets")),
            ("web", "./assets", None),
            (".", "../shared", None),
            (".", ".", Some("")),
            (".", "https://example.com/a", None),
        ] {
            assert_eq!(folder_in(context, folder).as_deref(), expected, "{context} {folder}");
        }
    }
}
