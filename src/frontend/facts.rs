//! What recipes want to know of the build context, read through the gateway: a few small files, the
//! names in a few folders. Only that is asked of the client.

use std::collections::BTreeSet;

use buildkit_llb::{Metadata, source};
use futures_util::future::try_join_all;

use super::context::{Place, Sources};
use super::errors::Failure;
use super::gateway::Reference;
use crate::paths::{in_folder, parent};
use crate::recipe::{Facts, Folder, Name, Need, NeedKind};

impl Sources<'_> {
    /// Reads what recipes want to know of the context. What is asked together is fetched together.
    pub(super) async fn look(
        &self,
        needs: &BTreeSet<Need>,
        ignore: &[String],
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let files: Vec<&Need> = needs.iter().filter(|need| need.kind != NeedKind::Names).collect();
        let folders: Vec<&str> =
            needs.iter().filter(|need| need.kind == NeedKind::Names).map(|need| need.path.as_str()).collect();
        let (files, names) = tokio::try_join!(self.files(&files, ignore), self.names(&folders, ignore))?;
        for (path, content) in files {
            // A content that is known already stays.
            if !(content.is_empty() && facts.has(&path)) {
                facts.add_file(path, content);
            }
        }
        for (folder, names) in names {
            facts.add_names(folder, names);
        }
        Ok(())
    }

    /// The files that are there, with the content of those whose content is wanted.
    async fn files(&self, needs: &[&Need], ignore: &[String]) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        if needs.is_empty() {
            return Ok(Vec::new());
        }
        let paths: BTreeSet<String> = needs.iter().map(|need| need.path.clone()).collect();
        let reference = self.followed(&paths, ignore).await?;
        // One look into each folder tells of all files that are only asked for.
        let folders: BTreeSet<&str> = paths.iter().map(|path| parent(path)).collect();
        let contents = needs.iter().filter(|need| need.kind == NeedKind::Content);
        let (listed, read) = tokio::try_join!(
            try_join_all(folders.iter().map(|folder| self.entries(&reference, folder))),
            try_join_all(contents.map(|need| async {
                let content = self.gateway.read_file(&reference, &need.path).await?;
                Ok::<_, Failure>((need.path.clone(), content))
            }))
        )?;
        let there: BTreeSet<String> = folders
            .iter()
            .zip(&listed)
            .flat_map(|(folder, names)| names.iter().map(|name| in_folder(folder, &name.name)))
            .collect();
        let present =
            needs.iter().filter(|need| need.kind == NeedKind::Presence && there.contains(&need.path));
        let present = present.map(|need| (need.path.clone(), Vec::new()));
        let read = read.into_iter().filter_map(|(path, content)| Some((path, content?)));
        Ok(present.chain(read).collect())
    }

    /// The names in folders; none for those that are not there.
    async fn names(&self, folders: &[&str], ignore: &[String]) -> Result<Vec<(String, Vec<Name>)>, Failure> {
        if folders.is_empty() {
            return Ok(Vec::new());
        }
        let reference = self.listed(folders, ignore).await?;
        let listed = try_join_all(folders.iter().map(|folder| self.entries(&reference, folder))).await?;
        Ok(folders.iter().map(|folder| (*folder).to_owned()).zip(listed).collect())
    }

    async fn entries(&self, reference: &Reference, folder: &str) -> Result<Vec<Name>, Failure> {
        let entries = self.gateway.read_dir(reference, &format!("/{folder}")).await?.unwrap_or_default();
        // Go's bit for a folder.
        let name = |entry: buildkit_proto::frontend::Stat| Name {
            is_folder: entry.mode & (1 << 31) != 0,
            name: entry.path,
        };
        Ok(entries.into_iter().map(name).collect())
    }

    /// The context with the names in these folders, and nothing below them.
    async fn listed(&self, folders: &[&str], ignore: &[String]) -> Result<Reference, Failure> {
        let client = match &self.context {
            Place::Graph(output) => return self.gateway.solve(output.as_ref(), &[]).await,
            Place::Client(client) => client,
        };
        let include: Vec<String> = folders.iter().map(|folder| in_folder(folder, "*")).collect();
        // Nothing below, unless it is asked for as well.
        let below = folders.iter().map(|folder| in_folder(folder, "*/**"));
        let exclude: Vec<String> = below
            .chain(include.iter().map(|pattern| format!("!{pattern}")))
            .chain(ignore.iter().cloned())
            .collect();
        let output = source::local(client)
            .session(self.options.session_of(client))
            .include(&include)
            .exclude(&exclude)
            .shared_key_hint(&format!("{client}-folders"))
            .no_differ()
            .build(&Metadata::named("[internal] look into folders"));
        self.gateway.solve(Some(&output), &[]).await
    }

    /// Finds out about a folder of which nothing is known yet.
    pub(super) async fn look_for(
        &self,
        folder: &str,
        ignore: &[String],
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        if folder.is_empty() || facts.knows_of(folder) {
            return Ok(());
        }
        let found = self.folder(folder, ignore).await?;
        facts.add_folder(folder, found);
        Ok(())
    }

    /// Whether a folder is there, and what stands beside it if not. Names are asked for, not
    /// contents.
    async fn folder(&self, folder: &str, ignore: &[String]) -> Result<Folder, Failure> {
        let above = parent(folder);
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let reference = self.listed(&[above], ignore).await?;
        let entries = self.entries(&reference, above).await?;
        if entries.iter().any(|entry| entry.name == name && entry.is_folder) {
            return Ok(Folder::Exists);
        }
        let folders = entries.into_iter().filter(|entry| entry.is_folder);
        Ok(Folder::Missing { neighbours: folders.map(|entry| entry.name).collect() })
    }

    /// The context with these files.
    async fn followed(&self, paths: &BTreeSet<String>, ignore: &[String]) -> Result<Reference, Failure> {
        let paths: Vec<String> = paths.iter().cloned().collect();
        let output = match &self.context {
            Place::Graph(output) => output.clone(),
            Place::Client(folder) => {
                let files = source::local(folder)
                    .session(self.options.session_of(folder))
                    .follow(&paths)
                    .exclude(ignore)
                    .shared_key_hint(&format!("{folder}-facts"))
                    .no_differ();
                Some(files.build(&Metadata::named("[internal] look at manifests")))
            }
        };
        self.gateway.solve(output.as_ref(), &[]).await
    }
}
