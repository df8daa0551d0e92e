//! Images by digest: what was built, pushed or looked up, and the lock that a deployment starts from.

use std::collections::BTreeMap;

use serde_json::Value;

use super::System;
use crate::reference::Reference;

/// What is known of a service's image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name, with the registry's.
    pub name: String,
    /// Its digest.
    pub digest: String,
}

/// Reads what `docker buildx bake --metadata-file` or `docker buildx build --metadata-file` wrote: images
/// by target. An error says what is wrong with it.
pub fn read_metadata(bytes: &[u8]) -> Result<BTreeMap<String, Known>, String> {
    let all: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Value::Object(targets) = &all else {
        return Err("it is no JSON object with a target for each key".to_owned());
    };
    let known = |metadata: &Value| {
        let digest = metadata.get("containerimage.digest")?.as_str()?;
        let names = metadata.get("image.name")?.as_str()?;
        let name = names.split(',').next()?.trim();
        name.parse::<Reference>().ok()?;
        let bare = name.split('@').next().unwrap_or(name);
        digest.starts_with("sha256:").then(|| Known { name: bare.to_owned(), digest: digest.to_owned() })
    };
    let found: BTreeMap<String, Known> =
        targets.iter().filter_map(|(target, metadata)| Some((target.clone(), known(metadata)?))).collect();
    if found.is_empty() {
        return Err("no target in it has an image with a name and a digest".to_owned());
    }
    Ok(found)
}

/// The lock of all images, which is a file of variables for Compose.
pub(super) fn lock(system: &System<'_>) -> String {
    let mut text = format!(
        "# The images of {} by digest. Compose takes them from here:\n\
         #   docker compose --env-file .env --env-file images.lock up -d\n\
         # An older one of these files rolls back.\n",
        system.name
    );
    let parts = system.parts.iter().map(super::Part::name);
    let mut names: Vec<&str> =
        parts.chain(system.others().filter(|name| !system.is_left_out(name))).collect();
    names.sort_unstable();
    for service in names {
        let variable = system.image_variable(service);
        text += &match system.images.get(service) {
            Some(Known { name, digest }) => format!("{variable}={name}@{digest}\n"),
            None => format!("# {variable}: no digest is known\n"),
        };
    }
    if system.parts.iter().any(|part| !system.images.contains_key(part.name())) {
        text += &format!(
            "# Digests are known of what a registry has:\n\
             #   docker buildx bake -f {0} --push --metadata-file images.json\n\
             #   docker buildx build -f {0} --target :bundle --build-arg SLIPWAY_IMAGES=images.json --output DIR .\n",
            system.file
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_bake() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let text = serde_json::json!({
            "buildx.build.warnings": [],
            "orders": { "containerimage.digest": digest, "image.name": "localhost:5000/market/orders:1,x/y" },
            "feed": { "containerimage.config.digest": digest },
        });
        let known = read_metadata(text.to_string().as_bytes()).expect("read");
        assert_eq!(known.keys().collect::<Vec<_>>(), ["orders"]);
        assert_eq!(known["orders"].name, "localhost:5000/market/orders:1");
        assert!(
            read_metadata(b"[]").is_err() && read_metadata(b"{}").is_err() && read_metadata(b"x").is_err()
        );
    }
}
