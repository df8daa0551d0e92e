//! The rules, one file each.

pub(super) mod build_not_this_file;
pub(super) mod copy_of_ignored;
pub(super) mod dev_server_leftover;
pub(super) mod health_tool_missing;
pub(super) mod healthy_without_check;
pub(super) mod host_access;
mod images;
pub(super) mod lock_file_ignored;
pub(super) mod moving_tag;
pub(super) mod no_limits;
pub(super) mod open_cors;
pub(super) mod port_not_exposed;
pub(super) mod root_user;
pub(super) mod secret_in_plain_text;
pub(super) mod secret_not_passed;
pub(super) mod stale_lock;
pub(super) mod undeclared_writes;
pub(super) mod unknown_upstream;
pub(super) mod unpinned_base;
pub(super) mod unused_argument;
pub(super) mod unused_secret;
pub(super) mod variable_not_passed;
