//! What has to succeed before there is an image, though nothing of it is in the image: it is not
//! too heavy, and the stages that it requires were built.
//!
//! The difference of a file system with itself is empty, and merging it in adds no layer; but the
//! merge cannot be made before the file system is there.

use buildkit_llb::{Copy, Exec, File, Mount, Network, Output, diff, merge};

use super::HELPER;
use super::llb::Lowering;
use super::proof::Proof;
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::VERIFY;

/// What has to be there, its name, and who wants it.
type Gate<'a> = (Output, String, &'a Span);

/// A name that no file has.
const NOTHING: &str = ".slipway-takes-nothing-of-this";

impl Lowering<'_> {
    /// The same file system, which now depends on all that it has to.
    pub(super) fn gated(
        &self,
        output: Option<Output>,
        proof: Option<&Proof>,
    ) -> Result<Option<Output>, Diagnostic> {
        let Some(image) = &output else { return Ok(output) };
        let mut proofs = Vec::new();
        if let Some((limit, origin)) = self.plan.size_limit() {
            let what = format!("weigh the image, at most {limit} bytes");
            proofs.extend(self.weighed(image, limit, &what, origin)?.map(|proof| (proof, what, origin)));
        }
        if let (Some(origin), Some(proof)) = (self.plan.requires_proof(), proof) {
            let verdict = self.verdict(proof, origin)?;
            proofs.extend(verdict.map(|verdict| (verdict, "require verify".to_owned(), origin)));
        }
        for (name, origin) in self.plan.requires.iter().filter(|(name, _)| name != VERIFY) {
            proofs.extend(self.stage_output(name)?.map(|proof| (proof, format!("require {name}"), origin)));
        }
        if proofs.is_empty() {
            return Ok(output);
        }
        if !self.setting.can_merge {
            return Ok(Some(self.gated_by_copies(image, &proofs)));
        }
        let nothing =
            |(proof, what, origin): &Gate<'_>| diff(Some(proof), Some(proof), &self.metadata(what, origin));
        let inputs: Vec<Output> = std::iter::once(image.clone()).chain(proofs.iter().map(nothing)).collect();
        Ok(merge(&inputs, &self.metadata("pass the gates", &self.stage.origin)))
    }

    /// For engines that cannot merge: nothing of each proof is copied onto the image. That depends
    /// on the proof as well, and adds a layer without files.
    fn gated_by_copies(&self, image: &Output, proofs: &[Gate<'_>]) -> Output {
        let nothing = |(proof, what, origin): &Gate<'_>, file: &Output| {
            let mut copy = Copy::new("/", "/");
            copy.include = vec![NOTHING.to_owned()];
            File::on(file).copy(proof, copy).build(&self.metadata(what, origin))
        };
        proofs.iter().fold(image.clone(), |gated, proof| nothing(proof, &gated).unwrap_or(gated))
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
