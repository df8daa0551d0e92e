//! The user that runs.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::RuntimeUser;
use crate::spec::Service;
use crate::spec::component::UserSpec;

/// The user that runs: the component's, the project's, or `app` with 1001; Compose's `user`,
/// where it is a number, has the last word.
pub(super) fn user(service: &Service, problems: &mut Diagnostics) -> RuntimeUser {
    let defaults = service.defaults.as_ref();
    // Field by field: a component may change the name alone.
    let users: Vec<&UserSpec> =
        service.component.user.iter().chain(defaults.and_then(|defaults| defaults.user.as_ref())).collect();
    let uid = users.iter().find_map(|user| user.uid.as_ref()).map_or(1001, |uid| uid.value);
    let name = users.iter().find_map(|user| user.name.as_ref());
    let mut result = RuntimeUser {
        name: name.map_or_else(|| "app".to_owned(), |name| name.value.clone()),
        uid,
        gid: users.iter().find_map(|user| user.gid.as_ref()).map_or(uid, |gid| gid.value),
    };
    if let Some(name) = name {
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let starts = |c: char| c.is_ascii_lowercase() || c == '_';
        if !name.value.starts_with(starts) || !name.value.chars().all(valid) || name.value.len() > 32 {
            problems.push(
                Diagnostic::new(Code::Value, format!("`{}` is no user name", name.value))
                    .at(&name.span)
                    .help("lower-case letters, digits, `_` and `-`, at most 32, not starting with a digit"),
            );
        }
    }
    if let Some(given) = &service.compose.user {
        let (user, group) = given.value.split_once(':').unwrap_or((&given.value, ""));
        match (user.parse(), group.parse()) {
            (Ok(uid), Ok(gid)) => (result.uid, result.gid) = (uid, gid),
            (Ok(uid), Err(_)) if group.is_empty() => {
                (result.uid, result.gid) = (uid, if uid == result.uid { result.gid } else { uid });
            }
            (Err(_), Ok(gid)) if user == result.name && gid == result.gid => {}
            _ if user == result.name && (group.is_empty() || group == result.name) => {}
            _ => problems.push(
                Diagnostic::new(Code::Value, format!("the image has no user `{}`", given.value))
                    .at(&given.span)
                    .help(format!(
                        "it has `{}` ({}); name that one, or set `x-slipway.user`",
                        result.name,
                        result.config()
                    )),
            ),
        }
    }
    result
}
