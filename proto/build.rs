//! Compiles the `.proto` files in pure Rust: no `protoc` has to be installed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(["gateway.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        // Same content, same bytes: maps are ordered.
        .btree_map(".")
        .compile_fds(descriptors)?;
    Ok(())
}
