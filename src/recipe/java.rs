//! Java: Maven or Gradle, by wrapper or from the image, Spring Boot in layers or a plain jar.
//!
//! A Spring Boot jar is taken apart into what changes rarely and what changes often, a layer each.
//! With `jlink` the runtime is made of the modules that the application uses.

use std::collections::BTreeSet;

use super::draft::{Draft, layer, run, shell, source, stage};
use super::runtime::{self, Family};
use super::{Facts, Made, Need, Recipe, Request, network};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::paths::in_folder;
use crate::plan::{Action, Base, Copy, Image, Network, Run, RuntimeKind, Sharing, Stage, StagePlatform};
use crate::spec::Service;
use crate::spec::component::BuildChoice;

/// See the module.
pub(super) struct Java;

const APP: &str = "/app";
const DEFAULT_VERSION: &str = "21";
const NOT_SOURCE: [&str; 5] = ["**/target", "**/build", "**/.gradle", "**/.git", "**/.env"];
/// Where `jlink` puts the runtime that it makes.
const LINKED: &str = "/opt/java/linked";

/// A quarter of what a container may use is what the JVM takes for its heap unless told; and a service
/// out of memory should end and be started again.
const FLAGS: [&str; 2] = ["-XX:MaxRAMPercentage=75.0", "-XX:+ExitOnOutOfMemoryError"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Maven,
    Gradle,
}

struct Project<'r, 'a> {
    request: &'r Request<'a>,
    tool: Tool,
    wrapper: bool,
    version: String,
    boot: bool,
    /// The files that say what is fetched.
    manifests: Vec<&'static str>,
}

impl Recipe for Java {
    fn name(&self) -> &'static str {
        "java"
    }

    fn summary(&self) -> &'static str {
        "Java: Maven or Gradle, Spring Boot in layers or a plain jar"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["base", "build", "build_env", "jlink", "manager", "network", "packages", "test", "version"]
    }

    fn marks(&self) -> &'static [&'static str] {
        &["pom.xml", "build.gradle", "build.gradle.kts"]
    }

    fn needs(&self, service: &Service, _: &Facts) -> Vec<Need> {
        let source = super::source(service);
        let path = |name: &str| in_folder(&source, name);
        let content = ["pom.xml", "build.gradle", "build.gradle.kts", ".java-version"];
        let present = [
            "mvnw",
            ".mvn/wrapper/maven-wrapper.properties",
            "gradlew",
            "gradle/wrapper/gradle-wrapper.properties",
            "settings.gradle",
            "settings.gradle.kts",
            "gradle.properties",
            "gradle.lockfile",
            "gradle/libs.versions.toml",
        ];
        content
            .map(|name| Need::content(path(name)))
            .into_iter()
            .chain(present.map(|name| Need::presence(path(name))))
            .collect()
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        request.has_to_build(problems);
        let network = network::of_build(request.service, network::Default::Sandbox, problems);
        let project = Project::read(request, problems)?;
        let mut stages = project.build(network);
        stages.extend(project.test());
        if request.archetype == crate::plan::Archetype::Library {
            return Some(Made::library(stages, "jar"));
        }
        let (more, runtime) = project.runtime();
        stages.extend(more);
        stages.push(runtime);
        let command: Vec<String> =
            ["java"].into_iter().chain(FLAGS).chain(["-jar", "/app/app.jar"]).map(str::to_owned).collect();
        let image = Image {
            entrypoint: Some(vec![]),
            command: Some(command),
            working_dir: Some(APP.to_owned()),
            // Performance counters, and what servers unpack.
            writes: BTreeSet::from(["/tmp".to_owned()]),
            ..Image::default()
        };
        Some(Made::new(stages, image))
    }
}

impl<'r, 'a> Project<'r, 'a> {
    fn read(request: &'r Request<'a>, problems: &mut Diagnostics) -> Option<Self> {
        let facts = request.facts;
        let has = |name: &str| facts.has(&request.path(name));
        let maven = has("pom.xml");
        let gradle = has("build.gradle") || has("build.gradle.kts");
        let named = request.service.component.manager.as_ref();
        let tool = match (named.map(|named| named.value.as_str()), maven, gradle) {
            (Some("maven"), true, _) | (None, true, false) => Tool::Maven,
            (Some("gradle"), _, true) | (None, false, true) => Tool::Gradle,
            (None, true, true) => {
                problems.push(
                    Diagnostic::new(Code::Ambiguous, "the folder has files of both Maven and Gradle")
                        .at(request.source_span())
                        .help("set `manager` to `maven` or `gradle`"),
                );
                return None;
            }
            (Some(name), ..) => {
                problems.push(
                    Diagnostic::new(
                        Code::MissingFile,
                        format!("`manager` says {name}, but its build file is not there"),
                    )
                    .at(named.map_or(request.source_span(), |named| &named.span))
                    .help("`maven` wants a pom.xml, `gradle` a build.gradle or build.gradle.kts"),
                );
                return None;
            }
            (None, false, false) => {
                problems.push(
                    Diagnostic::new(
                        Code::MissingFile,
                        format!(
                            "the build context has neither `{}` nor `{}`",
                            request.path("pom.xml"),
                            request.path("build.gradle")
                        ),
                    )
                    .at(request.source_span())
                    .help("set `source` to the folder that has one; does .dockerignore exclude it?"),
                );
                return None;
            }
        };
        let (candidates, wrapper): (&[&'static str], bool) = match tool {
            Tool::Maven => (&["pom.xml"], has("mvnw")),
            Tool::Gradle => (
                &[
                    "build.gradle",
                    "build.gradle.kts",
                    "settings.gradle",
                    "settings.gradle.kts",
                    "gradle.properties",
                    "gradle.lockfile",
                ],
                has("gradlew"),
            ),
        };
        let manifests: Vec<&'static str> = candidates.iter().copied().filter(|name| has(name)).collect();
        let text: String = ["pom.xml", "build.gradle", "build.gradle.kts"]
            .iter()
            .filter_map(|name| facts.text(&request.path(name)))
            .collect();
        let name = if tool == Tool::Maven { "Maven" } else { "Gradle" };
        let by = if wrapper { "by its wrapper" } else { "from the image" };
        request.found(
            "build tool",
            format!("{name}, {by}"),
            request.path(manifests.first().copied().unwrap_or_default()),
        );
        let version = version(request, &text);
        let boot = text.contains("spring-boot") || text.contains("org.springframework.boot");
        if boot {
            request.found(
                "framework",
                "Spring Boot, in layers",
                request.path(manifests.first().copied().unwrap_or_default()),
            );
        }
        Some(Self { request, tool, wrapper, version, boot, manifests })
    }

    fn jdk(&self) -> String {
        format!("eclipse-temurin:{}-jdk", self.version)
    }

    fn image(&self) -> String {
        match (self.tool, self.wrapper) {
            (_, true) => self.jdk(),
            (Tool::Maven, false) => format!("maven:3.9-eclipse-temurin-{}", self.version),
            (Tool::Gradle, false) => format!("gradle:8-jdk{}", self.version),
        }
    }

    fn tool(&self, arguments: &str) -> Run {
        let program = match (self.tool, self.wrapper) {
            (Tool::Maven, true) => "sh ./mvnw -B -ntp",
            (Tool::Maven, false) => "mvn -B -ntp",
            (Tool::Gradle, true) => "sh ./gradlew --no-daemon --console=plain",
            (Tool::Gradle, false) => "gradle --no-daemon --console=plain",
        };
        let process = run(shell(format!("{program} {arguments}"))).with_build_env(self.request);
        match self.tool {
            Tool::Maven => process.cached("/root/.m2", "maven", Sharing::Locked),
            Tool::Gradle => process.with_env([("GRADLE_USER_HOME", "/root/.gradle")]).cached(
                "/root/.gradle",
                "gradle",
                Sharing::Locked,
            ),
        }
    }

    /// Fetch, build, and take the jar apart. Bytecode is the same everywhere, so all of it runs on
    /// the machine that builds.
    fn build(&self, network: Network) -> Vec<Stage> {
        let request = self.request;
        let mut wrapper: Vec<Copy> = Vec::new();
        let folder = |name: &str| Copy {
            sources: vec![format!("{}/", request.path(name))],
            target: format!("{APP}/{name}/"),
            ..Copy::default()
        };
        let mut files: Vec<String> = self.manifests.iter().map(|name| request.path(name)).collect();
        match (self.tool, self.wrapper) {
            (Tool::Maven, true) => {
                files.push(request.path("mvnw"));
                wrapper.push(folder(".mvn"));
            }
            (Tool::Gradle, true) => {
                files.push(request.path("gradlew"));
                wrapper.push(folder("gradle"));
            }
            (Tool::Gradle, false) if request.facts.has(&request.path("gradle/libs.versions.toml")) => {
                wrapper.push(folder("gradle"));
            }
            _ => {}
        }
        let manifests = Copy { sources: files, target: format!("{APP}/"), ..Copy::default() };
        let mut deps = Draft::on_image(request, "deps", self.image())
            .chosen_at(self.request.version_span())
            .platform(StagePlatform::Build)
            .workdir(APP)
            .copy_at(manifests, request.source_span());
        for copy in wrapper {
            deps = deps.copy_at(copy, request.source_span());
        }
        let fetch = match self.tool {
            // What a plug-in fetches only while it runs is fetched then.
            Tool::Maven => self.tool("dependency:resolve -DincludeScope=runtime || true"),
            Tool::Gradle => self.tool("dependencies || true"),
        };
        let deps = deps.run(fetch).done();
        let source = source(request, APP, &NOT_SOURCE);
        let source = Draft::on_stage(request, "source", "deps").copy_at(source, request.source_span()).done();
        let (process, origin) = match &request.service.component.build {
            Some(BuildChoice::Command(command)) => {
                let process = Run { command: command.line.clone(), ..self.tool("") };
                (process, command.span.clone())
            }
            _ => {
                let arguments = match (self.tool, self.boot) {
                    (Tool::Maven, _) => "package -DskipTests",
                    (Tool::Gradle, true) => "bootJar -x test",
                    (Tool::Gradle, false) => "assemble -x test",
                };
                (self.tool(arguments), request.recipe_span().clone())
            }
        };
        let build =
            Draft::on_stage(request, "build", "source").run_at(process.on_network(network), &origin).done();
        // Where the spec says what starts, the jar need not.
        let compose = &request.service.compose;
        let says = compose.command.is_some() || compose.entrypoint.is_some();
        let find = if says { FIND_JAR.to_owned() } else { format!("{FIND_JAR}\n{NAMES_MAIN}") };
        let find = run(shell(find)).titled("find the program's jar").on_network(Network::None);
        let mut jar = Draft::on_stage(request, "jar", "build").run(find);
        if self.boot {
            jar = jar.run(
                run(shell(TAKE_APART)).titled("take the jar apart into layers").on_network(Network::None),
            );
        }
        vec![deps, source, build, jar.done()]
    }

    fn test(&self) -> Option<Stage> {
        let request = self.request;
        let (process, origin) = match &request.service.component.test {
            Some(BuildChoice::No) => return None,
            Some(BuildChoice::Command(command)) => {
                (Run { command: command.line.clone(), ..self.tool("") }, command.span.clone())
            }
            None => (self.tool("test"), request.recipe_span().clone()),
        };
        let draft = Draft::on_stage(request, "test", "source");
        Some(draft.run_at(process, &origin).done())
    }

    fn runtime(&self) -> (Vec<Stage>, Stage) {
        let request = self.request;
        let jre = format!("eclipse-temurin:{}-jre", self.version);
        let mut more = Vec::new();
        let linked = request.service.component.jlink.as_ref().filter(|key| key.value);
        if let Some(key) = linked {
            let process = run(shell(LINK))
                .titled("link a runtime of the modules in use")
                .bound(stage("jar"), "/out", "/in")
                .on_network(Network::None);
            more.push(
                Draft::on_image(request, "jre", self.jdk())
                    .chosen_at(&key.span)
                    .run_at(process, &key.span)
                    .done(),
            );
        }
        let program = format!("{LINKED}/bin/java");
        // A runtime of its own wants only the libraries below it.
        let family = Family {
            from: if linked.is_some() { Base::Stage("jre".to_owned()) } else { Base::Image(jre.clone()) },
            kind: RuntimeKind::Java,
            program: if linked.is_some() { &program } else { "java" },
            slim: if linked.is_some() { super::slim_base() } else { jre.clone() },
            otherwise: linked.is_none().then_some(jre),
        };
        let (files, mut draft) = runtime::start(request, &family, Vec::new());
        let minimal = !files.is_empty();
        more.extend(files);
        if let (Some(key), false) = (linked, minimal) {
            draft = draft.copy_at(layer(stage("jre"), LINKED, LINKED), &key.span);
        }
        let home = if linked.is_some() { LINKED } else { "/opt/java/openjdk" };
        let mut draft = draft.step(Action::Accounts(request.user.clone())).workdir(APP);
        if minimal || linked.is_some() {
            draft = draft.env("JAVA_HOME", home).env("LANG", "C.UTF-8").env(
                "PATH",
                &format!("{home}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            );
        }
        if self.boot {
            for part in ["dependencies", "spring-boot-loader", "snapshot-dependencies", "application"] {
                draft = draft.copy(layer(stage("jar"), format!("/out/layers/{part}/"), format!("{APP}/")));
            }
        } else {
            draft = draft
                .copy(Copy {
                    include: vec!["lib/**".to_owned()],
                    ..layer(stage("jar"), "/out/", format!("{APP}/"))
                })
                .copy(layer(stage("jar"), "/out/app.jar", format!("{APP}/app.jar")));
        }
        (more, draft.done())
    }
}

/// The one jar that is the program, with the libraries that lie beside it, under /out.
const FIND_JAR: &str = r#"set -e; mkdir -p /out; set --; for jar in target/*.jar build/libs/*.jar; do
case "$jar" in *-plain.jar|*-sources.jar|*-javadoc.jar|*-tests.jar|*/original-*|*'*'*) ;; *) set -- "$@" "$jar" ;; esac; done
[ $# = 1 ] || { echo "the build left $# jars, and one of them has to be the program: $*" >&2; exit 1; }
cp "$1" /out/app.jar; for lib in target/lib target/dependency build/lib; do if [ -d "$lib" ]; then mkdir -p /out/lib && cp "$lib"/* /out/lib/; fi; done"#;

/// Refuses a jar that `java -jar` could not start.
const NAMES_MAIN: &str = r#"cd /tmp && jar xf /out/app.jar META-INF/MANIFEST.MF && grep -q '^Main-Class:' META-INF/MANIFEST.MF || { echo "$1 names no Main-Class in its manifest, so nothing starts it" >&2; exit 1; }"#;

/// Spring Boot's own tools, which the jar has since 3.3; an older one stays whole.
const TAKE_APART: &str = r"set -e; cd /out; mkdir -p layers/dependencies layers/spring-boot-loader layers/snapshot-dependencies layers/application
java -Djarmode=tools -jar app.jar extract --force --layers --destination layers || {
echo 'this Spring Boot cannot take its jar apart: it stays whole' >&2; rm -rf layers; mkdir -p layers/dependencies layers/spring-boot-loader layers/snapshot-dependencies layers/application; cp app.jar layers/application/; }";

/// The modules that the program and its libraries use, and TLS with elliptic curves, which is
/// loaded by name.
const LINK: &str = r#"set -e; set -- /in/app.jar; for lib in /in/lib/*.jar /in/layers/dependencies/lib/*.jar; do [ -e "$lib" ] && set -- "$@" "$lib"; done
modules=$(jdeps --ignore-missing-deps --multi-release base --print-module-deps --class-path '/in/lib/*:/in/layers/dependencies/lib/*' "$@")
compress=--compress=2; if jlink --help | grep -q zip-; then compress=--compress=zip-6; fi
jlink --add-modules "$modules,jdk.crypto.ec,java.naming,jdk.localedata" --include-locales=en --strip-debug --no-man-pages --no-header-files $compress --output /opt/java/linked"#;

/// Java's version: the spec's, the build file's, `.java-version`, or the default.
fn version(request: &Request<'_>, text: &str) -> String {
    if let Some(version) = &request.service.component.version {
        return version.value.clone();
    }
    // `17`, `1.8`, `VERSION_17`, `VERSION_1_8`: the first number near the mark, or the one behind 1.
    let number = |after: &str| {
        let rest: String = text[text.find(after)? + after.len()..].chars().take(40).collect();
        let line = rest.split(['<', ')', '\n']).next().unwrap_or_default();
        let mut numbers = line.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
        let first = numbers.next()?.to_owned();
        if first == "1" { numbers.next().map(str::to_owned) } else { Some(first) }
    };
    let marks = [
        "JavaLanguageVersion.of(",
        "<maven.compiler.release>",
        "<java.version>",
        "<release>",
        "sourceCompatibility",
    ];
    if let Some((mark, version)) = marks.iter().find_map(|mark| Some((mark, number(mark)?))) {
        request.found(
            "Java version",
            &version,
            format!("`{}` in the build file", mark.trim_matches(['<', '>', '('])),
        );
        return version;
    }
    if let Some(text) = request.facts.text(&request.path(".java-version")) {
        let version = text.trim().split('.').next().unwrap_or_default().to_owned();
        request.found("Java version", &version, request.path(".java-version"));
        return version;
    }
    request.found("Java version", DEFAULT_VERSION, "the default");
    DEFAULT_VERSION.to_owned()
}
