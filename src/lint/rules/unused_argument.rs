//! `UnusedArgument`: a build argument that nothing uses. Found from the options of a build, not from
//! a component.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::spec::{Spec, Variables};

/// Build arguments that nothing in the file uses: most likely a slip of the pen.
pub fn unused_arguments(spec: &Spec, given: &Variables) -> Vec<Diagnostic> {
    let known: BTreeSet<&str> = spec.variables.iter().map(|used| used.name.as_str()).collect();
    let given = given.keys().filter(|name| !known.contains(name.as_str()));
    let ours = given.filter(|name| !is_predefined(name));
    ours.map(|name| {
        let meant = did_you_mean(name, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
        Diagnostic::new(
            Code::Rule("UnusedArgument"),
            format!("nothing that is built uses the build argument `{name}`"),
        )
        .help_if(meant)
    })
    .collect()
}

/// Arguments that BuildKit and its clients know by themselves.
fn is_predefined(name: &str) -> bool {
    const PROXY: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];
    name.starts_with("BUILDKIT_")
        || name == crate::bundle::IMAGES_ARGUMENT
        || name == "SOURCE_DATE_EPOCH"
        || PROXY.iter().any(|proxy| proxy.eq_ignore_ascii_case(name))
}
