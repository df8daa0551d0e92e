//! The gateway's calls, with what every caller would have to remember: limits, result flags,
//! paging, capabilities, and `Return` once.

use std::collections::BTreeSet;

use buildkit_llb::{Definition, LineRange, Output, Platform, SourceFile};
use buildkit_proto::frontend::llb_bridge_client::LlbBridgeClient;
use buildkit_proto::frontend::{self as api, result::Result as Body};
use buildkit_proto::{pb, rpc};
use tonic::Code;
use tonic::transport::Channel;

use super::errors::Failure;
use super::transport::LIMIT;

/// What of a file is asked for at once, in bytes: well below the limit of a message.
const PIECE: i64 = 8 << 20;

type Answer<T> = Result<T, Failure>;

/// A session's calls. Clones share the connection, so calls may run side by side.
#[derive(Clone)]
pub(super) struct Gateway {
    client: LlbBridgeClient<Channel>,
}

/// What the engine can do.
#[derive(Clone, Debug, Default)]
pub(super) struct Capabilities {
    gateway: BTreeSet<String>,
    llb: BTreeSet<String>,
    /// The platforms of the default worker, its own first.
    pub(super) platforms: Vec<Platform>,
}

impl Capabilities {
    pub(super) fn gateway(&self, cap: &str) -> bool {
        self.gateway.contains(cap)
    }

    pub(super) fn llb(&self, cap: &str) -> bool {
        self.llb.contains(cap)
    }

    /// The first capability that a graph needs and the engine lacks.
    pub(super) fn missing<'d>(&self, definition: &'d Definition) -> Option<&'d str> {
        let needed = definition.metadata.values().flat_map(|metadata| metadata.caps.keys());
        needed.map(String::as_str).find(|cap| !self.llb(cap))
    }
}

/// A solved graph, by the engine's name for it. Empty for scratch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference(pub(super) String);

/// What is known of an image before it is pulled.
#[derive(Clone, Debug)]
pub(super) struct ImageMeta {
    /// The identifier to build a source from; a policy of the client's may have changed it.
    pub(super) identifier: String,
    /// The attributes that such a policy gave it.
    pub(super) attrs: Vec<(String, String)>,
    /// The digest of the image (of its index, where it has one).
    pub(super) digest: String,
    /// The image configuration, JSON.
    pub(super) config: Vec<u8>,
}

impl ImageMeta {
    /// The identifier with the digest: whatever its tag is by then, all steps see the same image.
    pub(super) fn pinned(&self) -> String {
        if self.identifier.contains('@') || self.digest.is_empty() {
            self.identifier.clone()
        } else {
            format!("{}@{}", self.identifier, self.digest)
        }
    }
}

impl Gateway {
    pub(super) fn new(channel: Channel) -> Self {
        let limit = usize::try_from(LIMIT).unwrap_or(usize::MAX);
        let client =
            LlbBridgeClient::new(channel).max_decoding_message_size(limit).max_encoding_message_size(limit);
        Self { client }
    }

    /// What the engine can do. An engine too old to say has the frozen set of the first ones.
    pub(super) async fn ping(&self) -> Answer<Capabilities> {
        let pong =
            self.client.clone().ping(api::PingRequest {}).await.map_err(Failure::from_rpc)?.into_inner();
        let enabled =
            |caps: Vec<api::ApiCap>| caps.into_iter().filter(|cap| cap.enabled).map(|cap| cap.id).collect();
        let workers = pong.workers.into_iter().next();
        Ok(Capabilities {
            gateway: enabled(pong.frontend_api_caps),
            llb: enabled(pong.llb_caps),
            platforms: workers
                .map(|worker| worker.platforms.into_iter().map(Platform::from_pb).collect())
                .unwrap_or_default(),
        })
    }

    /// Solves a graph, lazily. The cache imports apply to this graph alone.
    pub(super) async fn solve(
        &self,
        output: Option<&Output>,
        cache_imports: &[api::CacheOptionsEntry],
    ) -> Answer<Reference> {
        let Some(output) = output else { return Ok(Reference(String::new())) };
        self.solve_definition(output.marshal(), cache_imports).await
    }

    pub(super) async fn solve_definition(
        &self,
        definition: Definition,
        cache_imports: &[api::CacheOptionsEntry],
    ) -> Answer<Reference> {
        let request = api::SolveRequest {
            definition: Some(definition),
            allow_result_return: true,
            allow_result_array_ref: true,
            cache_imports: cache_imports.to_vec(),
            ..api::SolveRequest::default()
        };
        let response = self.client.clone().solve(request).await.map_err(Failure::from_rpc)?.into_inner();
        let reference = match response.result.and_then(|result| result.result) {
            Some(Body::Ref(reference)) => reference.id,
            Some(Body::RefDeprecated(id)) => id,
            _ => response.r#ref,
        };
        Ok(Reference(reference))
    }

    /// Solves a graph at once: what fails in it fails here. An engine that cannot be asked to is asked for a
    /// file, which it has to make first.
    pub(super) async fn evaluate(
        &self,
        caps: &Capabilities,
        definition: Definition,
        cache_imports: &[api::CacheOptionsEntry],
    ) -> Answer<()> {
        if !caps.gateway("gateway.solve.evaluate") {
            let reference = self.solve_definition(definition, cache_imports).await?;
            return self.read_dir(&reference, "/").await.map(drop);
        }
        let request = api::SolveRequest {
            definition: Some(definition),
            allow_result_return: true,
            allow_result_array_ref: true,
            cache_imports: cache_imports.to_vec(),
            evaluate: true,
            ..api::SolveRequest::default()
        };
        self.client.clone().solve(request).await.map_err(Failure::from_rpc).map(drop)
    }

    /// The first bytes of a file.
    pub(super) async fn read_start(&self, reference: &Reference, path: &str, length: i64) -> Answer<Vec<u8>> {
        let request = api::ReadFileRequest {
            r#ref: reference.0.clone(),
            file_path: path.to_owned(),
            range: Some(api::FileRange { offset: 0, length }),
        };
        Ok(self.client.clone().read_file(request).await.map_err(Failure::from_rpc)?.into_inner().data)
    }

    /// A file's content; `None` if it is not there. Evaluates what it belongs to.
    ///
    /// The content comes in pieces that fit into a message, however large the file is.
    pub(super) async fn read_file(&self, reference: &Reference, path: &str) -> Answer<Option<Vec<u8>>> {
        let mut content = Vec::new();
        loop {
            let range =
                api::FileRange { offset: i64::try_from(content.len()).unwrap_or(i64::MAX), length: PIECE };
            let request = api::ReadFileRequest {
                r#ref: reference.0.clone(),
                file_path: path.to_owned(),
                range: Some(range),
            };
            let piece = match self.client.clone().read_file(request).await {
                Ok(response) => response.into_inner().data,
                Err(status) if is_not_found(&status) => return Ok(None),
                Err(status) => return Err(Failure::from_rpc(status)),
            };
            content.extend_from_slice(&piece);
            if i64::try_from(piece.len()).is_ok_and(|length| length < PIECE) {
                return Ok(Some(content));
            }
        }
    }

    /// The names in a folder; `None` if it is not there.
    pub(super) async fn read_dir(&self, reference: &Reference, path: &str) -> Answer<Option<Vec<api::Stat>>> {
        let request = api::ReadDirRequest {
            r#ref: reference.0.clone(),
            dir_path: path.to_owned(),
            ..api::ReadDirRequest::default()
        };
        match self.client.clone().read_dir(request).await {
            Ok(response) => Ok(Some(response.into_inner().entries)),
            Err(status) if is_not_found(&status) => Ok(None),
            Err(status) => Err(Failure::from_rpc(status)),
        }
    }

    /// An image's digest and configuration, without pulling it.
    pub(super) async fn resolve_image(
        &self,
        caps: &Capabilities,
        source: pb::SourceOp,
        platform: &Platform,
        mode: &str,
        log_name: &str,
    ) -> Answer<ImageMeta> {
        if !caps.gateway("source.metaresolver") {
            return self.resolve_image_config(source, platform, mode, log_name).await;
        }
        let request = api::ResolveSourceMetaRequest {
            source: Some(source.clone()),
            platform: Some(platform.to_pb()),
            log_name: log_name.to_owned(),
            resolve_mode: mode.to_owned(),
            git: None,
        };
        let response =
            self.client.clone().resolve_source_meta(request).await.map_err(Failure::from_rpc)?.into_inner();
        let source = response.source.unwrap_or(source);
        let attrs = source.attrs.into_iter().filter_map(|entry| Some((entry.key?, entry.value?)));
        let image = response.image.unwrap_or_default();
        Ok(ImageMeta {
            identifier: source.identifier,
            attrs: attrs.collect(),
            digest: image.digest,
            config: image.config,
        })
    }

    /// What is known of a git repository or an HTTP file before it is fetched.
    pub(super) async fn resolve_source(
        &self,
        caps: &Capabilities,
        source: pb::SourceOp,
        log_name: &str,
    ) -> Answer<api::ResolveSourceMetaResponse> {
        if !caps.gateway("source.metaresolver") {
            return Ok(api::ResolveSourceMetaResponse::default());
        }
        let request = api::ResolveSourceMetaRequest {
            source: Some(source),
            log_name: log_name.to_owned(),
            git: Some(api::ResolveSourceGitRequest { return_object: true }),
            ..api::ResolveSourceMetaRequest::default()
        };
        Ok(self.client.clone().resolve_source_meta(request).await.map_err(Failure::from_rpc)?.into_inner())
    }

    /// Likewise, for engines before BuildKit 0.13.
    async fn resolve_image_config(
        &self,
        source: pb::SourceOp,
        platform: &Platform,
        mode: &str,
        log_name: &str,
    ) -> Answer<ImageMeta> {
        let (scheme, reference) =
            source.identifier.split_once("://").unwrap_or(("docker-image", source.identifier.as_str()));
        let attr = |name: &str| {
            let entry = source.attrs.iter().find(|entry| entry.key.as_deref() == Some(name));
            entry.and_then(|entry| entry.value.clone()).unwrap_or_default()
        };
        let request = api::ResolveImageConfigRequest {
            r#ref: reference.to_owned(),
            platform: Some(platform.to_pb()),
            resolve_mode: mode.to_owned(),
            log_name: log_name.to_owned(),
            resolver_type: i32::from(scheme == "oci-layout"),
            session_id: attr("oci.session"),
            store_id: attr("oci.store"),
        };
        let response =
            self.client.clone().resolve_image_config(request).await.map_err(Failure::from_rpc)?.into_inner();
        let resolved = if response.r#ref.is_empty() { reference.to_owned() } else { response.r#ref };
        let identifier = format!("{scheme}://{resolved}");
        Ok(ImageMeta { identifier, attrs: Vec::new(), digest: response.digest, config: response.config })
    }

    /// The graphs that the client sent along.
    pub(super) async fn inputs(&self) -> Answer<std::collections::BTreeMap<String, Definition>> {
        let response = self.client.clone().inputs(api::InputsRequest {}).await.map_err(Failure::from_rpc)?;
        Ok(response.into_inner().definitions)
    }

    /// Shows a warning after the build. Engines that cannot do without.
    pub(super) async fn warn(&self, caps: &Capabilities, vertex: &str, warning: Warning<'_>) {
        if !caps.gateway("gateway.warnings") {
            return;
        }
        let request = api::WarnRequest {
            digest: vertex.to_owned(),
            level: 1,
            short: warning.short.into_bytes(),
            detail: warning.detail.into_iter().map(String::into_bytes).collect(),
            url: warning.url,
            info: warning.place.map(|(file, _)| file.to_pb()),
            ranges: warning.place.map(|(_, range)| range.to_pb()).into_iter().collect(),
        };
        // A build is not worth less because a warning did not arrive.
        if let Err(status) = self.client.clone().warn(request).await {
            eprintln!("slipway: warning not delivered: {}", status.message());
        }
    }

    /// Ends the session: the one `Return`.
    pub(super) async fn finish(
        &self,
        outcome: Result<api::Result, rpc::Status>,
    ) -> Result<(), tonic::Status> {
        let request = match outcome {
            Ok(result) => api::ReturnRequest { result: Some(result), error: None },
            Err(status) => api::ReturnRequest { result: None, error: Some(status) },
        };
        self.client.clone().r#return(request).await.map(|_| ())
    }
}

/// A warning and what it points at.
pub(super) struct Warning<'a> {
    pub(super) short: String,
    pub(super) detail: Vec<String>,
    pub(super) url: String,
    pub(super) place: Option<(&'a SourceFile, LineRange)>,
}

/// Engines say "no such file" in words, mostly with the code `Unknown`.
fn is_not_found(status: &tonic::Status) -> bool {
    status.code() == Code::NotFound
        || status.message().contains("no such file or directory")
        || status.message().contains("not a directory")
        || status.message().contains("file does not exist")
}
