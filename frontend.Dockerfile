# The frontend's image: one static binary on nothing, and the small programs for images.
#
#   docker buildx build -f frontend.Dockerfile -t slipway/frontend:0 .
#
# builds it from source. Where no Rust image can be pulled, build the binary on the host and
# give it in place of the stage `binary`:
#
#   cargo build --release --target x86_64-unknown-linux-musl
#   docker buildx build -f frontend.Dockerfile -t slipway/frontend:0 \
#     --build-context binary=target/x86_64-unknown-linux-musl/release .

FROM --platform=$BUILDPLATFORM rust:1.95-slim-bookworm AS binary
ARG TARGETARCH
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,id=slipway-target-$TARGETARCH \
    case "$TARGETARCH" in \
      amd64) target=x86_64-unknown-linux-musl ;; \
      arm64) target=aarch64-unknown-linux-musl ;; \
      *) echo "no build for $TARGETARCH" >&2; exit 1 ;; \
    esac \
    && rustup target add "$target" \
    && cargo build --release --locked --target "$target" \
    && cp "target/$target/release/docker-slipway" / \
    && ./tools.sh /

FROM scratch
# It talks over stdin and stdout alone.
LABEL moby.buildkit.frontend.network.none="true"
# What the code answers to; a test holds this line against it.
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests"
LABEL org.opencontainers.image.title="Slipway" \
      org.opencontainers.image.description="A BuildKit frontend that builds minimal, non-root images from one Compose file" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=binary /docker-slipway /docker-slipway
COPY --from=binary /tools /tools
ENTRYPOINT ["/docker-slipway", "frontend"]
