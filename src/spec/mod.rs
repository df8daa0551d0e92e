//! The spec: bytes become a [`Spec`], typed, interpolated, every value with its place.
//!
//! The way of a file: [`yaml`] reads it into a tree of nodes with spans; [`extends`] joins what
//! services inherit; [`interpolate`] puts variables in; [`compose`], [`component`] and [`contract`] read
//! the tree into types, through [`reader`], which collects every unknown key and wrong type on the
//! way. This room knows Compose and `x-slipway`, and nothing of BuildKit.

pub mod component;
pub mod compose;
pub mod contract;
pub mod document;
mod extends;
mod include;
mod interpolate;
mod load;
mod lock;
pub mod mounts;
mod reader;
pub mod routes;
pub mod running;
pub mod schema;
pub mod stages;
mod syntax;
pub mod system;
pub mod values;
mod yaml;

pub use interpolate::{Variable, filled, variables};
pub use load::{Loaded, Service, SourceName, Spec, Variables, load, services};
pub use lock::{Lock, Locked};
pub use reader::{Located, VariableUse};

/// The key under which everything of ours stands.
pub const EXTENSION: &str = "x-slipway";
