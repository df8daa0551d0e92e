//! What the client asked for: options in numbered environment variables, in no order.

use std::collections::BTreeMap;
use std::ffi::OsString;

use buildkit_llb::pb::LinuxResources;
use buildkit_llb::{Network, Platform, Proxy};
use buildkit_proto::frontend::CacheOptionsEntry;
use serde::Deserialize;

use super::errors::Failure;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::setting::{NoCache, ProcessOptions};
use crate::spec::Variables;

/// The options of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    all: BTreeMap<String, String>,
    /// The client's session.
    pub(super) session: String,
    /// The question, if it is none of building.
    pub(super) request_id: Option<String>,
}

/// Build arguments that have a meaning to BuildKit and are no variables of a spec.
const PROXIES: [&str; 5] = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

impl Options {
    pub(super) fn from_environment(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut options = Self::default();
        for (name, value) in variables {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            if name.starts_with("BUILDKIT_FRONTEND_OPT_") {
                let (key, value) = value.split_once('=').unwrap_or((&value, ""));
                options.all.insert(key.to_owned(), value.to_owned());
            } else if name == "BUILDKIT_SESSION_ID" {
                options.session = value.into_owned();
            }
        }
        options.request_id = options.get("requestid").map(str::to_owned);
        options
    }

    /// An option that has a value.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.all.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn with_prefix<'o>(&'o self, prefix: &'o str) -> impl Iterator<Item = (&'o str, &'o str)> {
        self.all.iter().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_str())))
    }

    /// The spec file's name.
    pub(super) fn filename(&self) -> &str {
        self.get("filename").unwrap_or("Dockerfile")
    }

    /// The name of the client's folder that has the spec file.
    pub(super) fn file_folder(&self) -> &str {
        self.get("dockerfilekey").unwrap_or("dockerfile")
    }

    /// The session that offers a folder.
    pub(super) fn session_of(&self, folder: &str) -> &str {
        self.get(&format!("local-sessionid:{folder}")).unwrap_or(&self.session)
    }

    /// The client's own name for a folder's content, by which transfers are told apart.
    pub(super) fn shared_key<'o>(&'o self, folder: &'o str) -> &'o str {
        self.get(&format!("sharedkey:localdir:{folder}")).unwrap_or(folder)
    }

    /// The name of the option that says where the build context is, and of the client's folder
    /// that is it otherwise.
    pub(super) fn context_key(&self) -> &str {
        self.get("contextkey").unwrap_or("context")
    }

    /// `--target`
    pub(super) fn target(&self) -> Option<&str> {
        self.get("target")
    }

    /// Variables for the spec: the build arguments.
    pub(super) fn variables(&self) -> Variables {
        self.with_prefix("build-arg:").map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// One build argument.
    pub(super) fn build_arg(&self, name: &str) -> Option<&str> {
        self.get(&format!("build-arg:{name}"))
    }

    /// `--label`
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        self.with_prefix("label:").map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// How images are looked up: `default`, `pull` or `local`.
    pub(super) fn resolve_mode(&self) -> Result<&str, Failure> {
        match self.get("image-resolve-mode").unwrap_or("default") {
            mode @ ("default" | "pull" | "local") => Ok(mode),
            mode => Err(bad("image-resolve-mode", mode, "expected default, pull or local")),
        }
    }

    /// `--platform`; none if the client leaves it to the engine.
    pub(super) fn platforms(&self) -> Result<Vec<Platform>, Failure> {
        let mut platforms: Vec<Platform> = Vec::new();
        for text in self.list("platform")? {
            let text = text.as_str();
            let platform = text.parse().map_err(|error| bad("platform", text, error))?;
            if !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        Ok(platforms)
    }

    /// Whether the result is a map of platforms even with one of them.
    pub(super) fn multi_platform(&self, platforms: usize) -> Result<bool, Failure> {
        match self.get("multi-platform").or_else(|| self.build_arg("BUILDKIT_MULTI_PLATFORM")) {
            None => Ok(platforms > 1),
            Some(text) => match boolean(text) {
                Some(true) => Ok(true),
                Some(false) if platforms <= 1 => Ok(false),
                _ => Err(bad("multi-platform", text, "expected true, or a single platform")),
            },
        }
    }

    /// `--no-cache` and `--no-cache-filter`
    pub(super) fn no_cache(&self) -> NoCache {
        match self.all.get("no-cache") {
            None => NoCache::No,
            Some(names) if names.is_empty() => NoCache::All,
            Some(names) => NoCache::Stages(names.split(',').map(|name| name.trim().to_owned()).collect()),
        }
    }

    /// `--cache-from`, for the solve of the result.
    pub(super) fn cache_imports(&self) -> Result<Vec<CacheOptionsEntry>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry {
            r#type: String,
            #[serde(default)]
            attrs: Option<BTreeMap<String, String>>,
        }
        let mut imports = Vec::new();
        if let Some(text) = self.get("cache-imports") {
            let entries: Vec<Entry> =
                serde_json::from_str(text).map_err(|error| bad("cache-imports", text, error))?;
            imports.extend(entries.into_iter().map(|entry| CacheOptionsEntry {
                r#type: entry.r#type,
                attrs: entry.attrs.unwrap_or_default(),
            }));
        }
        imports.extend(self.list("cache-from")?.into_iter().map(|reference| CacheOptionsEntry {
            r#type: "registry".to_owned(),
            attrs: BTreeMap::from([("ref".to_owned(), reference)]),
        }));
        Ok(imports)
    }

    /// What applies to every process of the build.
    pub(super) fn processes(&self) -> Result<ProcessOptions, Failure> {
        let network = match self.get("force-network-mode") {
            None | Some("sandbox" | "default") => None,
            Some("host") => Some(Network::Host),
            Some("none") => Some(Network::None),
            Some(mode) => return Err(bad("force-network-mode", mode, "expected host, none or sandbox")),
        };
        let mut options = ProcessOptions { network, ..ProcessOptions::default() };
        for entry in self.list("add-hosts")? {
            let (host, ip) =
                entry.split_once('=').ok_or_else(|| bad("add-hosts", &entry, "expected host=ip"))?;
            options.extra_hosts.push((host.to_lowercase(), ip.to_owned()));
        }
        for entry in self.list("ulimit")? {
            let limit = entry.split_once('=').and_then(|(name, values)| {
                let (soft, hard) = values.split_once(':').unwrap_or((values, values));
                Some((name.to_owned(), soft.parse().ok()?, hard.parse().ok()?))
            });
            options.ulimits.push(limit.ok_or_else(|| bad("ulimit", &entry, "expected name=soft[:hard]"))?);
        }
        options.hostname =
            self.get("hostname").or_else(|| self.build_arg("BUILDKIT_SANDBOX_HOSTNAME")).map(str::to_owned);
        options.cgroup_parent = self.get("cgroup-parent").map(str::to_owned);
        options.shm_size = match self.get("shm-size") {
            None => None,
            Some(size) => Some(size.parse().map_err(|error| bad("shm-size", size, error))?),
        };
        options.resources = self.resources()?;
        let proxy = |name: &str| {
            let found = self.with_prefix("build-arg:").find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        let [http, https, ftp, no, all] = PROXIES.map(proxy);
        let proxies = Proxy { http, https, ftp, no, all };
        options.proxy = (proxies != Proxy::default()).then_some(proxies);
        Ok(options)
    }

    /// `--memory` and the like, for processes (BuildKit 0.31).
    fn resources(&self) -> Result<Option<LinuxResources>, Failure> {
        fn number<T: std::str::FromStr + Default>(options: &Options, key: &str) -> Result<T, Failure> {
            let Some(text) = options.get(key) else { return Ok(T::default()) };
            text.parse().map_err(|_| bad(key, text, "expected a number"))
        }
        let resources = LinuxResources {
            memory: number(self, "memory")?,
            memory_swap: number(self, "memswap")?,
            cpu_shares: number(self, "cpushares")?,
            cpu_period: number(self, "cpuperiod")?,
            cpu_quota: number(self, "cpuquota")?,
            cpuset_cpus: self.get("cpusetcpus").unwrap_or_default().to_owned(),
            cpuset_mems: self.get("cpusetmems").unwrap_or_default().to_owned(),
        };
        Ok((resources != LinuxResources::default()).then_some(resources))
    }

    /// What cache mounts' names start with.
    pub(super) fn cache_namespace(&self, project: &str) -> String {
        match self.build_arg("BUILDKIT_CACHE_MOUNT_NS") {
            Some(namespace) => format!("{namespace}/slipway/{project}"),
            None => format!("slipway/{project}"),
        }
    }

    /// `SOURCE_DATE_EPOCH` as it is given: seconds since 1970, or what they are taken from.
    pub(super) fn epoch(&self) -> Option<&str> {
        self.build_arg("SOURCE_DATE_EPOCH")
    }

    /// `--attest type=sbom`: its settings, if an SBOM is wanted.
    pub(super) fn sbom(&self) -> Result<Option<BTreeMap<String, String>>, Failure> {
        for name in self.with_prefix("attest:").map(|(name, _)| name) {
            if !["sbom", "provenance"].contains(&name) {
                return Err(bad("attest", name, "expected sbom or provenance"));
            }
        }
        let given = self.all.get("attest:sbom").map(String::as_str);
        let Some(text) = given.or_else(|| self.build_arg("BUILDKIT_ATTEST_SBOM")) else { return Ok(None) };
        let mut settings = BTreeMap::new();
        for entry in fields(text).ok_or_else(|| bad("attest:sbom", text, "its quotes do not match"))? {
            match entry.split_once('=') {
                Some((key, value)) => settings.insert(key.to_owned(), value.to_owned()),
                None if boolean(&entry) == Some(false) => return Ok(None),
                None => None,
            };
        }
        let off = settings.get("disabled").is_some_and(|value| boolean(value) == Some(true));
        Ok((!off).then_some(settings))
    }

    /// Whether the client wants statements about the image beside it. What buildx asks for by itself
    /// (`mode=min`, in the image's own configuration) does not count.
    pub(super) fn wants_attestations(&self) -> bool {
        self.with_prefix("attest:").any(|(_, text)| {
            let entries = fields(text).unwrap_or_default();
            let says = |entry: &str| entries.iter().any(|known| known == entry);
            !says("disabled=true") && !says("false") && !says("inline-only=true")
        })
    }

    /// The entries of an option that is a list in CSV's form.
    fn list(&self, key: &str) -> Result<Vec<String>, Failure> {
        let Some(text) = self.get(key) else { return Ok(Vec::new()) };
        fields(text).ok_or_else(|| bad(key, text, "its quotes do not match"))
    }

    /// `--build-context`: names and what stands for them.
    pub(super) fn named_contexts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.with_prefix("context:")
    }

    /// The image configuration that came with a graph of the client's.
    pub(super) fn input_config(&self, key: &str) -> Option<Vec<u8>> {
        use base64::Engine;
        let metadata: BTreeMap<String, String> =
            serde_json::from_str(self.get(&format!("input-metadata:{key}"))?).ok()?;
        base64::engine::general_purpose::STANDARD.decode(metadata.get("containerimage.config")?).ok()
    }

    /// A capability that the client needs and is not among ours. What stands behind a `+` says
    /// what the engine's own frontend should do with it.
    pub(super) fn unsupported_capability(&self, ours: &[&str]) -> Option<String> {
        let needed = self.get("frontend.caps").into_iter().flat_map(|list| list.split(','));
        let names = needed.map(|cap| cap.split('+').next().unwrap_or_default().trim());
        names.filter(|cap| !cap.is_empty()).find(|cap| !ours.contains(cap)).map(str::to_owned)
    }
}

/// The fields of a line of CSV, as Go's reader has them: a field in double quotes may hold commas,
/// and two quotes for one. None if a quote is not closed.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut rest = line.chars().peekable();
    let mut quoted = false;
    while let Some(character) = rest.next() {
        let field = fields.last_mut()?;
        match character {
            '"' if quoted && rest.peek() == Some(&'"') => {
                field.push('"');
                rest.next();
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            character => field.push(character),
        }
    }
    (!quoted).then_some(fields)
}

/// A boolean in the forms that Go takes.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "True" | "TRUE" => Some(true),
        "0" | "f" | "F" | "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn bad(option: &str, value: &str, why: impl std::fmt::Display) -> Failure {
    Failure::spec(Diagnostic::new(
        Code::Option,
        format!("the build option `{option}` has the value `{value}`: {why}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(entries: &[&str]) -> Options {
        let variables = entries.iter().enumerate().map(|(number, entry)| {
            (format!("BUILDKIT_FRONTEND_OPT_{number}").into(), OsString::from(*entry))
        });
        Options::from_environment(variables)
    }

    #[test]
    fn keys_and_values_split_at_the_first_equals_sign() {
        let options = options(&["build-arg:A=b=c\nd", "target=api:build", "no-cache="]);
        assert_eq!(options.variables(), BTreeMap::from([("A".to_owned(), "b=c\nd".to_owned())]));
        assert_eq!(options.target(), Some("api:build"));
        assert_eq!(options.no_cache(), NoCache::All);
        assert_eq!(options.filename(), "Dockerfile");
    }

    #[test]
    fn capabilities() {
        let caps =
            |list: &str| options(&[&format!("frontend.caps={list}")]).unsupported_capability(&["a", "b"]);
        assert_eq!(caps("a,b+forward"), None);
        assert_eq!(caps("a,x+forward"), Some("x".to_owned()));
    }

    #[test]
    fn platforms_are_normalised_and_unique() {
        let platforms =
            options(&["platform=linux/arm64/v8,linux/arm64,linux/amd64"]).platforms().expect("valid");
        assert_eq!(
            platforms.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["linux/arm64", "linux/amd64"]
        );
        assert!(options(&["platform=linux/"]).platforms().is_err());
    }

    #[test]
    fn a_map_of_one_platform() {
        let multi = |entries: &[&str], platforms| options(entries).multi_platform(platforms).ok();
        assert_eq!(multi(&["build-arg:BUILDKIT_MULTI_PLATFORM=1"], 1), Some(true));
        assert_eq!((multi(&[], 1), multi(&[], 2)), (Some(false), Some(true)));
        assert_eq!(multi(&["multi-platform=false"], 2), None);
    }

    #[test]
    fn resolve_modes() {
        assert_eq!(options(&["image-resolve-mode=pull"]).resolve_mode().expect("valid"), "pull");
        assert_eq!(options(&[]).resolve_mode().expect("valid"), "default");
        assert!(options(&["image-resolve-mode=often"]).resolve_mode().is_err());
    }

    #[test]
    fn limits_of_processes() {
        let resources = |entries: &[&str]| options(entries).resources().expect("valid");
        assert_eq!(resources(&["target=x"]), None);
        let given = resources(&["memory=1048576", "memswap=-1", "cpusetcpus=0-1"]).expect("some");
        assert_eq!((given.memory, given.memory_swap, given.cpuset_cpus.as_str()), (1 << 20, -1, "0-1"));
        assert!(options(&["cpuquota=much"]).resources().is_err());
    }

    #[test]
    fn lists_may_be_quoted() {
        assert_eq!(fields("a,b"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(fields(r#""a,b","c""d""#), Some(vec!["a,b".to_owned(), "c\"d".to_owned()]));
        assert_eq!(fields(r#""a"#), None);
        let sbom = |text: &str| options(&[text]).sbom().expect("valid");
        assert_eq!(sbom("attest:sbom=generator=x/y").expect("wanted")["generator"], "x/y");
        assert_eq!(sbom("attest:sbom=").map(|settings| settings.len()), Some(0));
        assert_eq!(sbom("attest:sbom=disabled=true"), None);
        assert!(options(&["attest:nonsense="]).sbom().is_err());
    }

    #[test]
    fn cache_imports_of_both_forms() {
        let imports =
            options(&[r#"cache-imports=[{"Type":"gha","Attrs":{"scope":"x"}}]"#, "cache-from=a/b,c/d"]);
        let imports = imports.cache_imports().expect("valid");
        assert_eq!(
            imports.iter().map(|import| import.r#type.as_str()).collect::<Vec<_>>(),
            ["gha", "registry", "registry"]
        );
    }
}
