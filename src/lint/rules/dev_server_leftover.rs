//! `DevServerLeftover`: something of a development server in an image for production.

use crate::lint::{Found, Subject};

/// What development servers are started with.
const COMMANDS: [&str; 15] = [
    "ng serve",
    "vite dev",
    "vite preview",
    "vite --host",
    "webpack serve",
    "webpack-dev-server",
    "react-scripts start",
    "next dev",
    "nuxt dev",
    "nodemon",
    "ts-node-dev",
    "tsx watch",
    "--reload",
    "flask run",
    "npm run dev",
];

/// Paths that only development servers answer.
const PATHS: [&str; 6] = ["ng-cli-ws", "/@vite", "/@fs/", "__webpack_hmr", "sockjs-node", "/@react-refresh"];

/// Looks at the command and at nginx' configuration.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let help = "development has a stage of its own: `build: { target: NAME:dev }`";
    let command = subject.service.compose.command.as_ref();
    if let Some(command) = command {
        let text = command.words.join(" ");
        if let Some(server) = COMMANDS.into_iter().find(|server| has_words(&text, server)) {
            let finding = found
                .finding(format!("the command `{text}` starts a development server (`{server}`)"))
                .at(&command.span)
                .help(help);
            found.push(finding);
        }
    }
    let Some(template) = &subject.service.component.template else { return };
    let path = crate::paths::in_folder(&subject.plan.source, &template.value);
    let text = subject.facts.text(&path).unwrap_or_default();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        if let Some(leftover) = PATHS.into_iter().find(|leftover| line.contains(leftover)) {
            let finding = found
                .finding(format!("{path}:{} has a route for a development server (`{leftover}`)", number + 1))
                .at(&template.span)
                .help("remove it: in production nothing answers there");
            found.push(finding);
        }
    }
}

/// Whether these words stand in a text, as words.
fn has_words(text: &str, words: &str) -> bool {
    let (text, words): (Vec<&str>, Vec<&str>) =
        (text.split_whitespace().collect(), words.split_whitespace().collect());
    text.windows(words.len()).any(|window| window == words)
}
