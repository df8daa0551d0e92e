//! The systems that Slipway exists for, each built whole and run. In one program, so that one of them works
//! while another one waits for its containers.

mod bun;
mod deployed;
mod jts;
mod market;
mod reactbin;
mod rtm;
mod traderx;
