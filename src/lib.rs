//! Slipway: one Compose file becomes minimal, non-root images, natively inside BuildKit.
//!
//! Data goes one way, and each step is a room:
//!
//! ```text
//! spec file ──> spec ──> recipe ──> plan ──> lower ──> frontend ──> result
//!              parse     stages    the heart  LLB      gateway
//! ```
//!
//! [`spec`] reads the file and knows nothing of BuildKit; [`recipe`] turns a service into a
//! [`plan`], which knows nothing of YAML or LLB; [`lower`] turns a plan into LLB and image
//! configuration; [`frontend`] talks to BuildKit. [`lint`] looks at spec and plan for what had better
//! be otherwise. [`step`] is what runs inside build steps, [`probe`] what proves contracts there,
//! and [`cli`] is what a person runs outside of them. [`diagnostic`] is how all of them say
//! what is wrong.

pub mod bundle;
pub mod cli;
pub mod describe;
pub mod diagnostic;
pub mod frontend;
mod ignore;
pub mod lint;
pub mod lower;
pub(crate) mod paths;
pub mod plan;
pub mod probe;
pub mod recipe;
pub mod reference;
pub mod schema;
pub mod spec;
pub mod step;
pub mod target;
mod url;
