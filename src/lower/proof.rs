//! The proof of a contract as LLB: one step looks at the image's files, one has them as its root and
//! starts what is in them, one puts together what they found.
//!
//! All three run our own binary, mounted from the frontend's own image. None of what they leave
//! is in the image; an image that requires its proof depends on a fourth step, which fails
//! if the report says so.

use std::path::PathBuf;

use buildkit_llb::{Copy, Exec, File, MakeFile, Metadata, Mount, Network, Output, diff};

use super::HELPER;
use super::config::ImageConfig;
use super::llb::{Lowering, Made};
use super::setting::NeighbourSetting;
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::{Action, Mount as PlanMount, VERIFY};
use crate::probe::inspect::Layer;
use crate::probe::report::Source;
use crate::probe::start::Neighbour;
use crate::probe::{Asked, Program};

/// Where the frontend's own image is mounted into an image's file system.
const OWN: &str = "/.slipway";
/// Where the services are that run beside.
const BESIDE: &str = "/.slipway-beside";
/// Where what was found goes.
const FOUND: &str = "/.slipway-out";
/// Where what is asked is.
const ASKED: &str = "/.slipway-in";
/// Where volumes are as the image has them.
const VOLUMES: &str = "/.slipway-volumes";

/// What the proof of a component's contract found, before it is a report.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The component and where its promises are written; its parts are the outputs.
    source: Source,
    parts: Vec<Output>,
    /// Whether secrets were searched for. What they are is no part of any cache key, so nothing that goes
    /// by what was found may come from the cache.
    has_secrets: bool,
    helper: Output,
    metadata: Metadata,
}

/// The report on several components, as a folder of files.
pub fn report(proofs: &[Proof], build_platform: &buildkit_llb::Platform) -> Option<Output> {
    let first = proofs.first()?;
    let mut sources = Vec::new();
    let mut exec = Exec::new(Vec::<String>::new());
    for (number, proof) in proofs.iter().enumerate() {
        let mut source = proof.source.clone();
        for (index, part) in proof.parts.iter().enumerate() {
            let place = format!("/in/{number}/{index}");
            source.parts.push(PathBuf::from(format!("{place}/found.json")));
            exec = exec.mount(Mount::bind(place, part).readonly());
        }
        sources.push(source);
    }
    let args =
        [HELPER, "step", "report", "--components", &json(&sources), "--out", "/out"].map(str::to_owned);
    let exec = exec
        .args(args)
        .mount(Mount::bind("/", &first.helper).readonly())
        .mount(Mount::scratch("/out").with_output())
        .network(Network::None)
        .platform(build_platform);
    let metadata =
        if proofs.len() == 1 { first.metadata.clone() } else { Metadata::named("[verify] report") };
    exec.build(&metadata.ignore_cache(have_secrets(proofs))).at("/out")
}

fn have_secrets(proofs: &[Proof]) -> bool {
    proofs.iter().any(|proof| proof.has_secrets)
}

/// Some files of a report on these.
pub fn files(report: &Output, proofs: &[Proof], names: &[&str]) -> Option<Output> {
    let copy = |file: File, name: &&str| file.copy(report, Copy::new(format!("/{name}"), format!("/{name}")));
    let metadata = Metadata::named(format!("[verify] {}", names.join(", ")));
    names.iter().fold(File::on_scratch(), copy).build(&metadata.ignore_cache(have_secrets(proofs)))
}

impl Lowering<'_> {
    /// The proof of the contract of an image with these files and this configuration.
    pub(super) fn proof(
        &self,
        image: Option<&Output>,
        config: &ImageConfig,
        made: &[(String, Made)],
    ) -> Result<Option<Proof>, Diagnostic> {
        let (Some(setting), Some(image)) = (self.setting.proof, image) else { return Ok(None) };
        let contract = &self.plan.contract;
        let helper = self.helper(&contract.origin)?.clone();
        let program = program(config, &self.setting.target_platform.to_string());
        let inspected = self.inspected(&helper, image, &program, made);
        let started = self.started(&helper, image, &program, &setting.neighbours);
        let source = Source {
            component: self.plan.component.clone(),
            platform: self.setting.target_platform.to_string(),
            parts: Vec::new(),
            places: contract.places(),
        };
        let metadata = self.proof_metadata("report", &contract.origin);
        let parts = inspected.into_iter().chain(started).collect();
        let has_secrets = !self.secret_ids().is_empty();
        Ok(Some(Proof { source, parts, has_secrets, helper, metadata }))
    }

    fn proof_metadata(&self, what: &str, origin: &Span) -> Metadata {
        let platform = if self.setting.name_platform {
            format!("{} ", self.setting.target_platform)
        } else {
            String::new()
        };
        Metadata::named(format!("[{platform}{} {VERIFY}] {what}", self.plan.component))
            .location(super::llb::location(self.setting.file, origin))
            .ignore_cache(self.setting.no_cache.covers(&self.plan.component, VERIFY))
    }

    /// What looking at the files found.
    fn inspected(
        &self,
        helper: &Output,
        image: &Output,
        program: &Program,
        made: &[(String, Made)],
    ) -> Vec<Output> {
        let origin = &self.plan.contract.origin;
        let metadata = self.proof_metadata("look at the image's files", origin);
        let mut args = vec![
            HELPER.to_owned(),
            "step".to_owned(),
            "inspect".to_owned(),
            format!("--asked={ASKED}/asked.json"),
            "--image=/image".to_owned(),
            format!("--out={FOUND}/found.json"),
        ];
        let mut mounts = vec![
            Mount::bind("/", helper).readonly(),
            Mount::bind("/image", image).readonly(),
            Mount::scratch(FOUND).with_output(),
        ];
        let mut layers = Vec::new();
        if self.setting.can_merge {
            for (number, (name, made)) in made.iter().enumerate() {
                let files = match made {
                    Made::Layer(output) => output.clone(),
                    Made::Change(before, after) => {
                        let what = format!("what `{name}` adds");
                        diff(before.as_ref(), Some(after), &self.proof_metadata(&what, origin))
                    }
                };
                let path = format!("/layers/{number}");
                mounts.push(Mount::bind(&path, &files).readonly());
                layers.push(Layer { name: name.clone(), path: path.into() });
            }
            args.push("--layers".to_owned());
        }
        mounts.push(self.asked(program, layers));
        let exec = |args: &[String], mounts: &[Mount], metadata: &Metadata| {
            let exec = Exec::new(args.to_vec()).network(Network::None).platform(self.setting.build_platform);
            mounts.iter().cloned().fold(exec, Exec::mount).build(metadata).at(FOUND)
        };
        let mut parts = vec![exec(&args, &mounts, &metadata)];
        let secrets = self.secret_ids();
        if !secrets.is_empty() {
            // What a secret is, is no part of a step's cache key: this one runs every time.
            let metadata =
                self.proof_metadata("search for the build's own secrets", origin).ignore_cache(true);
            for (number, id) in secrets.iter().enumerate() {
                args.push(format!("--secret={id}"));
                mounts.push(Mount::secret(format!("/secrets/{number}"), id, true));
            }
            parts.push(exec(&args, &mounts, &metadata));
        }
        parts.into_iter().flatten().collect()
    }

    /// What the step is asked, as a file: too much for an argument, and not for every log.
    fn asked(&self, program: &Program, layers: Vec<Layer>) -> Mount {
        let promise = self.plan.contract.promise.clone();
        let asked = Asked { promise, program: program.clone(), layers };
        let file = MakeFile {
            path: "/asked.json".to_owned(),
            mode: 0o600,
            data: json(&asked).into_bytes(),
            owner: None,
            timestamp: self.timestamp(),
        };
        let metadata = self.proof_metadata("write down what is promised", &self.plan.contract.origin);
        match File::on_scratch().make_file(file).build(&metadata) {
            Some(file) => Mount::bind(ASKED, &file).readonly(),
            None => Mount::scratch(ASKED),
        }
    }

    /// The secrets that the component's steps are given.
    fn secret_ids(&self) -> Vec<String> {
        let steps = self.plan.stages.iter().flat_map(|stage| &stage.steps);
        let mounts = steps.flat_map(|step| match &step.action {
            Action::Run(run) => run.mounts.as_slice(),
            _ => &[],
        });
        let mut ids: Vec<String> = mounts
            .filter_map(|mount| match mount {
                PlanMount::Secret { id, .. } => Some(id.clone()),
                _ => None,
            })
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// What starting it found.
    fn started(
        &self,
        helper: &Output,
        image: &Output,
        program: &Program,
        neighbours: &[NeighbourSetting],
    ) -> Option<Output> {
        let promise = &self.plan.contract.promise;
        let root = Mount::bind("/", image);
        // What it writes to a root of its own is an output that nobody takes.
        let root = if promise.read_only { root.readonly() } else { root.with_output() };
        let mut mounts = vec![root, Mount::bind(OWN, helper).readonly(), Mount::scratch(FOUND).with_output()];
        mounts.extend(promise.tmpfs.iter().map(|path| Mount::tmpfs(path, None)));
        mounts.push(self.asked(program, Vec::new()));
        let mut volumes = Vec::new();
        for (number, path) in promise.volumes.iter().filter(|path| !promise.tmpfs.contains(*path)).enumerate()
        {
            // A view of the image's own folder that forgets, and one that stays as it is, from which every
            // start gets what a new volume has.
            let kept = format!("{VOLUMES}/{number}");
            mounts.push(Mount::bind(path, image).selector(path));
            mounts.push(Mount::bind(&kept, image).selector(path).readonly());
            volumes.push(format!("--volume={path}={kept}"));
        }
        let mut beside = Vec::new();
        for neighbour in neighbours {
            let root = format!("{BESIDE}/{}", neighbour.name);
            mounts.extend(neighbour.image.output.as_ref().map(|output| Mount::bind(&root, output)));
            let mut program = self::program(&neighbour.image.config, "");
            let [command, entrypoint] = &neighbour.words;
            let own: Vec<String> = program.args.clone();
            let kept = |range: &[String]| range.to_vec();
            program.args = match (entrypoint, command) {
                (Some(entrypoint), command) => {
                    [entrypoint.clone(), command.clone().unwrap_or_default()].concat()
                }
                (None, Some(command)) => {
                    [kept(own.get(..program.entrypoint).unwrap_or_default()), command.clone()].concat()
                }
                (None, None) => own,
            };
            beside.push(Neighbour {
                name: neighbour.name.clone(),
                root: root.into(),
                program,
                env: neighbour.env.clone(),
                ports: neighbour.ports.clone(),
            });
        }
        let own = [format!("{OWN}{HELPER}"), "step".to_owned(), "start".to_owned()];
        let given = [
            format!("--asked={ASKED}/asked.json"),
            format!("--beside={}", json(&beside)),
            format!("--out={FOUND}/found.json"),
        ];
        let args = own.into_iter().chain(given).chain(volumes);
        let mut exec = Exec::new(args).network(Network::None).platform(self.setting.build_platform);
        for host in self.setting.proof.iter().flat_map(|proof| &proof.hosts) {
            exec = exec.extra_host(host, "127.0.0.1");
        }
        let metadata =
            self.proof_metadata("start it and hold it to its contract", &self.plan.contract.origin);
        mounts.into_iter().fold(exec, Exec::mount).build(&metadata).at(FOUND)
    }

    /// A step that fails if the report says that a promise is broken.
    pub(super) fn verdict(&self, proof: &Proof, origin: &Span) -> Result<Option<Output>, Diagnostic> {
        let Some(report) = report(std::slice::from_ref(proof), self.setting.build_platform) else {
            return Ok(None);
        };
        let exec = Exec::new([HELPER, "step", "verdict", "--report", "/in/report.json"])
            .mount(Mount::bind("/", self.helper(origin)?).readonly())
            .mount(Mount::bind("/in", &report).readonly())
            .mount(Mount::scratch("/out").with_output())
            .network(Network::None)
            .platform(self.setting.build_platform);
        let metadata = self.proof_metadata("all of it holds", origin).ignore_cache(proof.has_secrets);
        Ok(exec.build(&metadata).at("/out"))
    }
}

/// What an image of this configuration runs.
fn program(config: &ImageConfig, platform: &str) -> Program {
    Program {
        args: config.program(),
        entrypoint: config.entrypoint_length(),
        env: config.env(),
        user: config.user().unwrap_or_default(),
        cwd: config.working_dir(),
        stop_signal: config.stop_signal(),
        labels: config.labels(),
        platform: platform.to_owned(),
        history: config.history(),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    // Plain data with texts as keys: there is nothing that could fail.
    serde_json::to_string(value).unwrap_or_default()
}
