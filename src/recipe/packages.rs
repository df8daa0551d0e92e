//! Packages of the distribution, whichever of apt and apk the image has.

use super::draft::{run, shell};
use crate::plan::Run;

/// Installs packages, and leaves no index, cache or log of it behind: those would differ from
/// day to day.
pub(super) fn install(packages: &[String]) -> Run {
    run(shell(format!("set -e; {}", text(packages))))
        .titled(format!("install {}", packages.join(", ")))
        .with_env([("DEBIAN_FRONTEND", "noninteractive")])
}

/// Installs packages and, where the image has none, CA certificates and time zones.
pub(super) fn install_with_system_files(packages: &[String]) -> Run {
    let system = ["ca-certificates", "tzdata"].map(str::to_owned);
    let missing = "[ -e /etc/ssl/certs/ca-certificates.crt ] && [ -e /usr/share/zoneinfo/UTC ]";
    let own = if packages.is_empty() { String::new() } else { format!("{}; ", text(packages)) };
    let title = if packages.is_empty() {
        "see to CA certificates and time zones".to_owned()
    } else {
        format!("install {}, see to CA certificates and time zones", packages.join(", "))
    };
    run(shell(format!("set -e; {own}if ! {{ {missing}; }}; then {}; fi", text(&system))))
        .titled(title)
        .with_env([("DEBIAN_FRONTEND", "noninteractive")])
}

fn text(packages: &[String]) -> String {
    let names = shlex::try_join(packages.iter().map(String::as_str)).unwrap_or_default();
    let missing = format!("this image has neither apt-get nor apk: {}", packages.join(" "));
    let missing = shlex::try_quote(&missing).unwrap_or_default();
    format!(
        "if command -v apt-get >/dev/null; then \
         apt-get update -qq && apt-get install -y -qq --no-install-recommends {names} \
         && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache \
         /var/log/apt /var/log/*.log; \
         elif command -v apk >/dev/null; then apk add --no-cache {names}; \
         else echo {missing} >&2; exit 1; fi"
    )
}
