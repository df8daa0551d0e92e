//! A file for bake, to lay over the spec: tags, and a cache of its own for every target.

use super::System;
use super::name::Name;
use super::workflows::{bake_name, shared};

/// `docker-bake.hcl`.
pub(super) fn file(system: &System<'_>) -> String {
    let mut text = format!(
        "# @generated from {0} by Slipway. Laid over the spec, it names tags and caches:\n\
         #   docker buildx bake -f {0} -f docker-bake.hcl\n\
         #   CACHE=gha TAG=1.0 REGISTRY=ghcr.io docker buildx bake -f {0} -f docker-bake.hcl --push\n\n\
         variable \"TAG\" {{\n  default = \"latest\"\n}}\n\n\
         # The registry, if it is another one than the spec says.\nvariable \"REGISTRY\" {{\n  default = \"\"\n}}\n\n\
         # \"gha\" for GitHub's cache, or the name of an image that caches go beside: \"ghcr.io/acme/cache\".\n\
         variable \"CACHE\" {{\n  default = \"\"\n}}\n\n\
         function \"from\" {{\n  params = [scope]\n  \
           result = equal(CACHE, \"\") ? [] : equal(CACHE, \"gha\") ? [\"type=gha,scope=${{scope}}\"] : [\"type=registry,ref=${{CACHE}}:${{scope}}\"]\n}}\n\n\
         function \"to\" {{\n  params = [scope]\n  \
           result = equal(CACHE, \"\") ? [] : equal(CACHE, \"gha\") ? [\"type=gha,scope=${{scope}},mode=max\"] : [\"type=registry,ref=${{CACHE}}:${{scope}},mode=max\"]\n}}\n\n\
         group \"default\" {{\n  targets = [{1}]\n}}\n",
        system.file,
        system
            .parts
            .iter()
            .map(|part| format!("\"{}\"", bake_name(part.name())))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let shared = shared(system);
    for part in &system.parts {
        let name = part.name();
        // Variables of Compose are none of bake's.
        let image = Name::of(system, part);
        let prefix = match &image.registry {
            Some(registry) => format!("${{notequal(REGISTRY, \"\") ? REGISTRY : \"{registry}\"}}/"),
            None => "${notequal(REGISTRY, \"\") ? \"${REGISTRY}/\" : \"\"}".to_owned(),
        };
        let mut from = vec![format!("from(\"{name}\")")];
        from.extend((0..shared.len()).map(|number| format!("from(\"shared-{number}\")")));
        text += &format!(
            "\ntarget \"{}\" {{\n  tags = [\"{prefix}{}:${{TAG}}\"]\n  cache-from = concat({})\n  cache-to = to(\"{name}\")\n}}\n",
            bake_name(name),
            image.path,
            from.join(", ")
        );
    }
    for (number, stage) in shared.iter().enumerate() {
        text += &format!(
            "\n# What several components have in common: build it first, and all others find it in the cache.\n\
             target \"shared-{number}\" {{\n  inherits = [\"{}\"]\n  target = \"{}\"\n  tags = []\n  \
               output = [\"type=cacheonly\"]\n  cache-from = from(\"shared-{number}\")\n  cache-to = to(\"shared-{number}\")\n}}\n",
            bake_name(&stage.component),
            stage.target
        );
    }
    text
}
