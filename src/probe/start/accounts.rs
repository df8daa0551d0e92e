//! A user as an image's configuration writes it, in numbers: `uid`, `uid:gid`, or names of the
//! image's own `/etc/passwd` and `/etc/group`.

use std::fs;
use std::path::Path;

/// The numbers of the user and of its group.
pub(super) fn ids(user: &str, root: &Path) -> Result<(u32, u32), String> {
    let (name, group) = match user.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (user, None),
    };
    if name.is_empty() {
        return Ok((0, 0));
    }
    let passwd = fs::read_to_string(root.join("etc/passwd")).unwrap_or_default();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let known = passwd.lines().map(fields).find(|fields| {
        fields.first().is_some_and(|known| known == name)
            || fields.get(2).is_some_and(|number| number == name)
    });
    let number = |index: usize| known.as_ref()?.get(index)?.parse().ok();
    let uid =
        name.parse().ok().or_else(|| number(2)).ok_or_else(|| format!("the image has no user `{name}`"))?;
    let gid = match group {
        None => number(3).unwrap_or(0),
        Some(group) => {
            let groups = fs::read_to_string(root.join("etc/group")).unwrap_or_default();
            let known =
                groups.lines().map(fields).find(|fields| fields.first().is_some_and(|known| known == group));
            let number = known.and_then(|fields| fields.get(2)?.parse().ok());
            group.parse().ok().or(number).ok_or_else(|| format!("the image has no group `{group}`"))?
        }
    };
    Ok((uid, gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        let root = std::env::temp_dir().join(format!("slipway-ids-{}", std::process::id()));
        fs::create_dir_all(root.join("etc")).expect("a folder");
        fs::write(root.join("etc/passwd"), "root:x:0:0::/:\napp:x:1001:1002::/:\n").expect("a file");
        fs::write(root.join("etc/group"), "staff:x:50:\n").expect("a file");
        let of = |user| ids(user, &root);
        let found = ["", "1001:1001", "1001", "app", "app:staff", "7"].map(of);
        let missing = of("nobody");
        fs::remove_dir_all(&root).expect("it was there");
        assert_eq!(
            found.map(Result::ok),
            [(0, 0), (1001, 1001), (1001, 1002), (1001, 1002), (1001, 50), (7, 0)].map(Some)
        );
        assert_eq!(missing, Err("the image has no user `nobody`".to_owned()));
    }
}
