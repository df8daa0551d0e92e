//! `SOURCE_DATE_EPOCH`: a number, or `context` for the time of the build context: that of the git
//! commit, or of the file behind a URL. A local folder has none that means anything.

use buildkit_proto::frontend::ResolveSourceMetaResponse;

use super::errors::Failure;
use super::gateway::{Capabilities, Gateway};
use super::options::Options;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::git;

/// The time to write on what is made, in seconds since 1970; none to leave it open.
pub(super) async fn find(
    gateway: &Gateway,
    options: &Options,
    caps: &Capabilities,
) -> Result<Option<i64>, Failure> {
    match options.epoch() {
        None => Ok(None),
        Some("context") => of_context(gateway, options, caps).await,
        Some(text) => match text.parse::<i64>() {
            Ok(seconds) if seconds >= 0 => Ok(Some(seconds)),
            _ => Err(Failure::spec(
                Diagnostic::new(Code::Option, format!("`SOURCE_DATE_EPOCH` is `{text}`, which is no time"))
                    .help("seconds since 1970, as in `git log -1 --format=%ct`, or `context` for a context from git or http"),
            )),
        },
    }
}

async fn of_context(
    gateway: &Gateway,
    options: &Options,
    caps: &Capabilities,
) -> Result<Option<i64>, Failure> {
    let Some(url) = options.get(options.context_key()) else { return Ok(None) };
    let log_name = format!("[internal] look up the time of {url}");
    if let Ok(Some(git)) = git::context(url) {
        let meta = gateway.resolve_source(caps, git.to_pb(), &log_name).await?;
        let time = meta.git.as_ref().and_then(|git| committed(&git.commit_object));
        return time.map(Some).ok_or_else(|| {
            Failure::spec(
                Diagnostic::new(Code::Engine, "this engine does not tell the time of a git commit")
                    .help("update BuildKit, or give `SOURCE_DATE_EPOCH` as a number"),
            )
        });
    }
    let source = buildkit_llb::source::http(url).filename("context");
    let meta: ResolveSourceMetaResponse = gateway.resolve_source(caps, source.to_pb(), &log_name).await?;
    Ok(meta.http.and_then(|http| http.last_modified).map(|time| time.seconds))
}

/// The committer's time in a raw commit object: `committer NAME <MAIL> SECONDS ZONE`.
fn committed(object: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(object);
    let line =
        text.lines().take_while(|line| !line.is_empty()).find(|line| line.starts_with("committer "))?;
    line.rsplit(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::committed;

    #[test]
    fn a_commit_knows_its_time() {
        let object =
            b"tree 1\nauthor A <a@b> 1 +0000\ncommitter B C <b@c> 1700000000 +0200\n\ncommitter x <y> 9 +0\n";
        assert_eq!(committed(object), Some(1_700_000_000));
        assert_eq!(committed(b""), None);
    }
}
