//! Layers that our own binary makes in a build step, from the frontend's own image: nothing of the
//! images that it works on has to run, or to be pulled before it is needed.

use buildkit_llb::{Copy, Exec, File, Mount, Network};

use super::HELPER;
use super::llb::{Lowering, State};
use super::paths::absolute;
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::{From, Rootfs, RuntimeUser, Step};

impl Lowering<'_> {
    /// The user and its group as a layer: our own binary, in its own root, reads the base's
    /// files and writes new ones. Nothing of the base has to run, so any base will do, scratch
    /// and other platforms included.
    pub(super) fn accounts(
        &self,
        state: &mut State,
        step: &Step,
        user: &RuntimeUser,
    ) -> Result<(), Diagnostic> {
        let base = self.flatten(state);
        let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
        let args = ["accounts", "--name", &user.name, "--uid", &uid, "--gid", &gid];
        let mounts = base.iter().map(|base| Mount::bind("/base", base).readonly());
        self.made_by_helper(state, step, &args.map(str::to_owned), mounts)
    }

    /// What a program needs to run, as a layer.
    pub(super) fn rootfs(&self, state: &mut State, step: &Step, rootfs: &Rootfs) -> Result<(), Diagnostic> {
        let empty =
            || Diagnostic::new(Code::MissingSource, "the stage to collect from is empty").at(&step.origin);
        let base = self.source(&rootfs.from, &step.origin)?.ok_or_else(empty)?;
        let config = match &rootfs.from {
            From::Image(name) => Some(&self.image(name)?.config),
            From::Stage(name) => Some(&self.other_stage(name)?.config),
            From::Context | From::Tools | From::Url { .. } => None,
        };
        let path = config.and_then(|config| config.env().into_iter().find(|(name, _)| name == "PATH"));
        let mut args: Vec<String> = ["rootfs", "--runtime", rootfs.runtime.name()].map(str::to_owned).into();
        let mut argument = |flag: &str, value: String| args.extend([flag.to_owned(), value]);
        if let Some((_, path)) = path {
            argument("--path", path);
        }
        if let Some(program) = &rootfs.program {
            argument("--program", program.clone());
        }
        for path in &rootfs.keep {
            argument("--keep", path.clone());
        }
        for package in &rootfs.packages {
            argument("--package", package.clone());
        }
        let mut mounts = vec![Mount::bind("/base", &base).readonly()];
        for (index, scan) in rootfs.scan.iter().enumerate() {
            let Some(scanned) = self.source(&scan.from, &step.origin)? else { continue };
            let place = format!("/scan/{index}");
            argument("--scan", format!("{}={place}", scan.path));
            mounts.push(Mount::bind(&place, &scanned).selector(absolute(&scan.path)).readonly());
        }
        self.made_by_helper(state, step, &args, mounts)
    }

    /// A layer that our own binary makes, in its own root; nothing of an image has to run for it.
    fn made_by_helper(
        &self,
        state: &mut State,
        step: &Step,
        args: &[String],
        mounts: impl IntoIterator<Item = Mount>,
    ) -> Result<(), Diagnostic> {
        let helper = self.helper(&step.origin)?;
        let epoch = self.epoch().to_string();
        let fixed = [HELPER, "step"].into_iter().chain(args.iter().map(String::as_str));
        let args = fixed.chain(["--epoch", &epoch, "--out", "/out"]);
        let exec = Exec::new(args)
            .mount(Mount::bind("/", helper).readonly())
            .mount(Mount::scratch("/out").with_output())
            .network(Network::None)
            .platform(self.setting.build_platform);
        let exec = mounts.into_iter().fold(exec, Exec::mount);
        let metadata = self.step_metadata(step);
        let Some(made) = exec.build(&metadata).at("/out") else { return Ok(()) };
        if self.setting.can_merge {
            state.layers.push(made);
        } else {
            let base = self.flatten(state);
            let onto = base.map_or_else(File::on_scratch, |base| File::on(&base));
            state.base = onto.copy(&made, Copy::new("/", "/")).build(&metadata);
        }
        state.config.add_history(&step.action.to_string());
        Ok(())
    }
}
