//! The files about whole projects: every row of the acceptance tables that a spec's owner can have generated, held
//! against real parsers, linters and validators.

#![allow(clippy::expect_used, clippy::panic)]

mod ignored;
mod ingress;
mod systems;
mod tools;
mod traderx;
mod unusual;
