//! The schema in `specs` is the one that the types give, and every spec of ours fits it.

use std::fs;
use std::path::PathBuf;

use super::*;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `UPDATE_SCHEMA=1 cargo test schema` writes it anew.
#[test]
fn the_published_schema_is_up_to_date() {
    let path = repository().join("specs/slipway.schema.json");
    let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &text).expect("written");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "specs/slipway.schema.json differs from the types: UPDATE_SCHEMA=1 cargo test schema"
    );
}

#[test]
fn every_key_of_ours_has_words_about_it() {
    let schema = schema();
    for definition in ["Component", "Project", "Defaults", "Contract", "CopySpec", "RunSpec"] {
        let properties = schema["$defs"][definition]["properties"].as_object().expect(definition);
        for (key, value) in properties {
            assert!(value["description"].as_str().is_some_and(|text| text.len() > 10), "{definition}.{key}");
        }
    }
}

#[test]
fn specs_fit_and_slips_do_not() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let yaml = |text: &str| -> Value {
        let options = serde_saphyr::options! { strict_booleans: true, legacy_octal_numbers: true };
        serde_saphyr::from_str_with_options(text, options).expect("YAML")
    };
    let mut seen = 0;
    for folder in [
        "specs/bun",
        "specs/jts",
        "specs/market",
        "specs/reactbin",
        "specs/rtm",
        "specs/traderx",
        "integration-tests/fixtures",
    ] {
        for entry in fs::read_dir(repository().join(folder)).expect(folder) {
            let path = entry.expect("an entry").path();
            if !path.to_string_lossy().ends_with(".spec.yaml") {
                continue;
            }
            let errors: Vec<String> = validator
                .iter_errors(&yaml(&fs::read_to_string(&path).expect("a file")))
                .map(|error| format!("{}: {error}", error.instance_path))
                .collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen} specs");
    for slip in [
        "services: { a: { x-slipway: { recpie: node } } }",
        "services: { a: { x-slipway: { recipe: nodejs } } }",
        "services: { a: { x-slipway: { contract: { helth: 1 } } } }",
        "services: { a: { x-slipway: { lint: { RootUsr: off } } } }",
        "services: { a: { x-slipway: { stages: { b: { steps: [] } } } } }",
        "services: { a: { healthcheck: { interval: soon } } }",
        "x-slipway: { default: {} }\nservices: {}",
    ] {
        assert!(!validator.is_valid(&yaml(slip)), "{slip}");
    }
}
