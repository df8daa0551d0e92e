//! `UnknownUpstream`: nginx resolves its upstreams when it starts, and ends if one is unknown.

use crate::lint::{Found, Subject};

/// Reads `proxy_pass` and `server` in the template, with the environment put in.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let (Some(template), Some(running)) = (&subject.service.component.template, subject.running()) else {
        return;
    };
    let path = crate::paths::in_folder(&subject.plan.source, &template.value);
    let text = subject.facts.text(&path).unwrap_or_default();
    let upstreams: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("upstream "))
        .filter_map(|rest| rest.split([' ', '{']).next())
        .collect();
    for (number, line) in text.lines().enumerate() {
        let Some(written) = upstream(line) else { continue };
        let mut url = written.to_owned();
        let mut place = &template.span;
        for setting in &running.environment {
            let variable = format!("${{{}}}", setting.name);
            if url.contains(&variable) {
                url = url.replace(&variable, &setting.value);
                place = &setting.span;
            }
        }
        // What is computed when a request comes is nobody's business here.
        if url.contains('$') {
            continue;
        }
        let url = url.trim_matches(['"', '\'']);
        let usual = if url.starts_with("https:") || url.starts_with("grpcs:") { "443" } else { "80" };
        let authority = url.split("://").last().unwrap_or_default();
        let authority = authority.split('/').next().unwrap_or_default();
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, usual));
        let elsewhere =
            host.is_empty() || host.contains('.') || host == "localhost" || host.starts_with("unix");
        if elsewhere || upstreams.contains(&host) {
            continue;
        }
        let where_from = format!("{path}:{}", number + 1);
        match subject.reachable(host) {
            None => {
                let names = subject.spec.running.iter().map(|running| running.name.value.as_str());
                let meant = crate::diagnostic::did_you_mean(host, names);
                let finding = found
                    .finding(format!("`{host}` is no service of this file ({where_from})"))
                    .at(place)
                    .help_if(meant.map(|meant| format!("did you mean `{meant}`?")))
                    .help("nginx resolves its upstreams when it starts, and ends if one is unknown");
                found.push(finding);
            }
            Some(other) => {
                let ports: Vec<u16> = other.ports.iter().map(|port| port.number).collect();
                if let Ok(port) = port.parse::<u16>()
                    && !ports.is_empty()
                    && !ports.contains(&port)
                {
                    let known: Vec<String> = ports.iter().map(u16::to_string).collect();
                    let finding = found
                        .finding(format!("`{host}` has no port {port} ({where_from})"))
                        .at(place)
                        .help(format!("its ports: {}", known.join(", ")));
                    found.push(finding);
                }
            }
        }
    }
}

/// The target of a line that names one.
fn upstream(line: &str) -> Option<&str> {
    let line = line.split('#').next().unwrap_or_default();
    let passes = ["proxy_pass", "grpc_pass", "uwsgi_pass", "fastcgi_pass"];
    let passed =
        passes.iter().find_map(|pass| line.split(pass).nth(1).filter(|rest| rest.starts_with([' ', '\t'])));
    let rest = passed.or_else(|| {
        // A line of an `upstream` block; `server {` and `server_name` are others.
        line.trim().strip_prefix("server ").filter(|rest| !rest.trim().starts_with('{'))
    })?;
    rest.split([';', ' ', '\t']).find(|word| !word.is_empty())
}
