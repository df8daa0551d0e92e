//! Tiny programs that are put into images which have no tools of their own. They use the standard
//! library alone, so that they stay small, and are static, so that they run in an empty root.
//!
//! - `slipway-probe` asks a service whether it works: the image's `HEALTHCHECK`;
//! - `slipway-template` writes configuration files from templates and the environment, then
//!   becomes the program: what nginx's official image does with a shell and `envsubst`.

pub mod expand;
pub mod http;
