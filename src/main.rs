//! `docker-slipway`: a BuildKit frontend when BuildKit starts it, a Docker plugin otherwise.

fn main() {
    let code = slipway::cli::run(std::env::args());
    // At once: closing the connection to BuildKit in an orderly way would look like giving up.
    std::process::exit(code);
}
