//! `docker compose config` is the oracle: what we read from a Compose file must be what Compose
//! reads, for every key that an image is made from. `compose_property.rs` asks it about random
//! files.

#![allow(clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use integration_tests::oracle::{ours, theirs};
use integration_tests::repository;

const VARIABLES: &[(&str, &str)] = &[("TEAM", "blue"), ("EMPTY", ""), ("NODE_VERSION", "22")];

/// Reads a file with both, and compares. Gives the number of services.
fn compare(path: &Path) -> usize {
    let oracle = theirs(path, VARIABLES).unwrap_or_else(|error| panic!("{error}"));
    let read = ours(path, VARIABLES).unwrap_or_else(|problems| panic!("{problems}"));
    let name = path.display();
    assert_eq!(read.keys().collect::<Vec<_>>(), oracle.keys().collect::<Vec<_>>(), "{name}");
    for (service, theirs) in &oracle {
        assert_eq!(&read[service], theirs, "{name}: {service} (ours left, Compose's right)");
    }
    oracle.len()
}

#[test]
fn our_corpus() {
    let folder = repository().join("integration-tests/compose");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the corpus").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let services: usize = files.iter().map(|file| compare(file)).sum();
    assert!(services >= 15, "the corpus has shrunk to {services} services");
}

#[test]
fn our_specs() {
    assert_eq!(compare(&repository().join("specs/market/market.spec.yaml")), 4);
    assert_eq!(compare(&repository().join("specs/traderx/traderx.spec.yaml")), 10);
}
