//! What has to succeed before there is an image, though nothing of it is in the image: it is not
//! too heavy, and the stages that it requires were built.
//!
//! The difference of a file system with itself is empty, and merging it in adds no layer; but the
//! merge cannot be made before the file system is there.

use buildkit_llb::{Exec, Mount, Network, Output, diff, merge};

use super::HELPER;
use super::llb::Lowering;
use crate::diagnostic::{Code, Diagnostic, Span};

impl Lowering<'_> {
    /// The same file system, which now depends on all that it has to.
    pub(super) fn gated(&self, output: Option<Output>) -> Result<Option<Output>, Diagnostic> {
        let Some(image) = &output else { return Ok(output) };
        let mut inputs = vec![image.clone()];
        if let Some((limit, origin)) = &self.plan.size_limit {
            self.can_gate("`size`", origin)?;
            let what = format!("weigh the image, at most {limit} bytes");
            inputs.extend(
                self.weighed(image, *limit, &what, origin)?
                    .map(|proof| self.nothing_of(&proof, &what, origin)),
            );
        }
        for (name, origin) in &self.plan.requires {
            self.can_gate("`require`", origin)?;
            let proof = self.stage_output(name)?;
            inputs.extend(proof.map(|proof| self.nothing_of(&proof, &format!("require {name}"), origin)));
        }
        if inputs.len() == 1 {
            return Ok(output);
        }
        Ok(merge(&inputs, &self.metadata("pass the gates", &self.stage.origin)))
    }

    fn can_gate(&self, key: &str, origin: &Span) -> Result<(), Diagnostic> {
        if self.setting.can_merge {
            return Ok(());
        }
        Err(Diagnostic::new(Code::Engine, format!("this engine cannot merge layers, which {key} needs"))
            .at(origin)
            .help(format!("update it, or remove {key}")))
    }

    fn nothing_of(&self, proof: &Output, what: &str, origin: &Span) -> Output {
        diff(Some(proof), Some(proof), &self.metadata(what, origin))
    }

    /// What weighing left, which is nothing, once it has found the image light enough.
    fn weighed(
        &self,
        image: &Output,
        limit: u64,
        what: &str,
        origin: &Span,
    ) -> Result<Option<Output>, Diagnostic> {
        let helper = self.helper(origin)?;
        let weighing = Exec::new([HELPER, "step", "size", "--root", "/image", "--limit", &limit.to_string()])
            .mount(Mount::bind("/", helper).readonly())
            .mount(Mount::bind("/image", image).readonly())
            .mount(Mount::scratch("/out").with_output())
            .network(Network::None)
            .platform(self.setting.build_platform)
            .build(&self.metadata(what, origin));
        Ok(weighing.at("/out"))
    }
}
