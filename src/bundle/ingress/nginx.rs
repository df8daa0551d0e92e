//! An nginx template as routes: enough of nginx's language to know which location leads to which service.
//! (Its syntax: words, quotes, `;`, blocks in braces, comments; see `ngx_conf_read_token`.)

use std::collections::BTreeMap;

use crate::diagnostic::Span;
use crate::spec::routes::{Answer, Route};
use crate::spec::{Service, Spec};

/// A directive: its words, and its block if it has one.
#[derive(Debug, PartialEq, Eq)]
struct Directive {
    words: Vec<String>,
    block: Vec<Directive>,
}

/// The routes of a template. `${NAME}` in it has the value of the service's environment. What leads to no
/// service, and what matches by a regular expression, is none.
pub(super) fn routes(text: &str, spec: &Spec, service: &Service, origin: &Span) -> Vec<Route> {
    let value = |name: &str| {
        let settings = service.running.environment.iter();
        settings.rev().find(|setting| setting.name == name).map(|setting| setting.filled.clone())
    };
    let directives = parse(text);
    let mut groups = BTreeMap::new();
    upstreams(&directives, &mut groups);
    let mut routes = Vec::new();
    locations(&directives, &mut |location| {
        let (modifier, path) = match location.words.as_slice() {
            [_, modifier, path] => (modifier.as_str(), path),
            [_, path] => ("", path),
            _ => return,
        };
        if modifier.starts_with('~') || !path.starts_with('/') {
            return;
        }
        if let Some(answer) = answer(location, path, spec, &groups, &value) {
            routes.push(Route { path: path.clone(), answer, origin: origin.clone() });
        }
    });
    routes
}

fn locations(directives: &[Directive], found: &mut impl FnMut(&Directive)) {
    for directive in directives {
        if directive.words.first().is_some_and(|word| word == "location") {
            found(directive);
        }
        locations(&directive.block, found);
    }
}

/// The first server of each `upstream`, by the group's name.
fn upstreams(directives: &[Directive], found: &mut BTreeMap<String, String>) {
    for directive in directives {
        if let [word, name] = directive.words.as_slice()
            && word == "upstream"
        {
            let server =
                directive.block.iter().find(|inner| inner.words.first().is_some_and(|word| word == "server"));
            found.extend(server.and_then(|server| Some((name.clone(), server.words.get(1)?.clone()))));
        }
        upstreams(&directive.block, found);
    }
}

fn answer(
    location: &Directive,
    path: &str,
    spec: &Spec,
    groups: &BTreeMap<String, String>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Option<Answer> {
    let words = |name: &str| {
        let mut named = location
            .block
            .iter()
            .filter(|directive| directive.words.first().is_some_and(|word| word == name));
        named.next().map(|directive| &directive.words[1..])
    };
    if let Some([address]) = words("proxy_pass") {
        let address = filled(address, value);
        let rest = address.strip_prefix("http://").or(address.strip_prefix("https://"))?;
        let (host, uri) = rest.find('/').map_or((rest, ""), |place| rest.split_at(place));
        // A group of servers has a name; the first of them stands for all.
        let host = groups.get(host).map_or_else(|| host.to_owned(), |server| filled(server, value));
        let (service, port) = host.split_once(':').unwrap_or((&host, "80"));
        spec.running_of(service)?;
        let mut headers = location
            .block
            .iter()
            .filter(|directive| directive.words.first().is_some_and(|word| word == "proxy_set_header"));
        let websocket = headers
            .any(|directive| directive.words.get(1).is_some_and(|name| name.eq_ignore_ascii_case("upgrade")));
        return Some(Answer::Proxy {
            service: service.to_owned(),
            port: port.parse().ok()?,
            // An address with a path puts it in the place of what the location matches.
            strip: !uri.is_empty() && uri != path,
            websocket,
            headers: Vec::new(),
        });
    }
    match words("return") {
        Some([status, to]) if status.starts_with('3') => return Some(Answer::Redirect(filled(to, value))),
        Some([status, rest @ ..]) => {
            let kind = words("default_type").and_then(|kind| kind.first());
            return Some(Answer::Return {
                status: status.parse().ok()?,
                body: rest.first().cloned(),
                media_type: kind.map_or("text/plain", String::as_str).to_owned(),
            });
        }
        _ => {}
    }
    let folder = words("alias").or(words("root"))?.first()?;
    Some(Answer::Files(folder.clone()))
}

/// A word with the environment's values in it.
fn filled(word: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let (mut text, mut rest) = (String::new(), word);
    while let Some((before, after)) = rest.split_once("${") {
        text += before;
        let Some((name, after)) = after.split_once('}') else { return text + "${" + after };
        text += &value(name).unwrap_or_default();
        rest = after;
    }
    text + rest
}

/// Reads a configuration. What cannot be read ends it; nginx itself says why.
fn parse(text: &str) -> Vec<Directive> {
    let mut stack: Vec<Vec<Directive>> = vec![Vec::new()];
    let mut openers: Vec<Vec<String>> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '#' => while characters.next_if(|c| *c != '\n').is_some() {},
            ';' => {
                let words = std::mem::take(&mut words);
                if let Some(level) = stack.last_mut() {
                    level.push(Directive { words, block: Vec::new() });
                }
            }
            '{' => {
                openers.push(std::mem::take(&mut words));
                stack.push(Vec::new());
            }
            '}' => {
                let (Some(block), Some(words)) = (stack.pop(), openers.pop()) else { return Vec::new() };
                let Some(level) = stack.last_mut() else { return block };
                level.push(Directive { words, block });
            }
            '"' | '\'' => {
                let mut word = String::new();
                while let Some(next) = characters.next() {
                    match next {
                        '\\' => match characters.next() {
                            Some('n') => word.push('\n'),
                            Some(other) => word.push(other),
                            None => break,
                        },
                        _ if next == c => break,
                        _ => word.push(next),
                    }
                }
                words.push(word);
            }
            c if c.is_whitespace() => {}
            c => {
                let mut word = String::from(c);
                loop {
                    // The braces of a variable are none of a block.
                    if word.ends_with('$') && characters.peek() == Some(&'{') {
                        for next in characters.by_ref() {
                            word.push(next);
                            if next == '}' {
                                break;
                            }
                        }
                        continue;
                    }
                    let Some(next) = characters.next_if(|c| !c.is_whitespace() && !";{}".contains(*c)) else {
                        break;
                    };
                    word.push(next);
                }
                words.push(word);
            }
        }
    }
    stack.into_iter().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Loaded, Variables, load};

    #[test]
    fn a_template_has_routes() {
        let spec = b"services:\n  feed: { image: x }\n  ingress:\n    environment: { FEED_URL: \"http://feed:18086/\" }\n    x-slipway: { recipe: nginx, template: t }\n";
        let Loaded::Done(Some(spec), _) = load("x.yaml", spec, &BTreeMap::new(), &Variables::new()) else {
            panic!("the spec is read");
        };
        let template = r#"
            # a comment with a { brace
            map $http_upgrade $connection_upgrade { default upgrade; '' close; }
            server {
              listen 8080; server_name ${NGINX_HOST};
              location = /health { default_type text/plain; return 200 "ok\n"; }
              location /feed/ { proxy_pass ${FEED_URL}; proxy_set_header Upgrade $http_upgrade; }
              location /socket.io/ { proxy_pass ${FEED_URL}socket.io/; }
              location ~ \.php$ { return 404; }
              location = /api/docs { return 301 /api/docs/; }
              location /api/docs/ { alias /usr/share/docs/; try_files $uri /index.html; }
              location /else/ { proxy_pass http://elsewhere:1; }
              location /group/ { proxy_pass http://feeds/; }
            }
            upstream feeds { least_conn; server feed:18086 max_fails=3; server feed:18087; }"#;
        let origin = spec.components[0].name.span.clone();
        let found = routes(template, &spec, &spec.components[0], &origin);
        let proxy = |strip, websocket| Answer::Proxy {
            service: "feed".to_owned(),
            port: 18086,
            strip,
            websocket,
            headers: vec![],
        };
        let expected = [
            (
                "/health",
                Answer::Return {
                    status: 200,
                    body: Some("ok\n".to_owned()),
                    media_type: "text/plain".to_owned(),
                },
            ),
            ("/feed/", proxy(true, true)),
            ("/socket.io/", proxy(false, false)),
            ("/api/docs", Answer::Redirect("/api/docs/".to_owned())),
            ("/api/docs/", Answer::Files("/usr/share/docs/".to_owned())),
            ("/group/", proxy(true, false)),
        ];
        let found: Vec<_> = found.iter().map(|route| (route.path.as_str(), route.answer.clone())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_configuration() {
        for text in ["}", "{", "a { b", "\"", "${", "a ${b"] {
            parse(text);
        }
    }
}
