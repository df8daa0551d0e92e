# `make demo` sets up what is missing and shows Slipway at work; `make test` passes the tests.

TARGET := $(shell uname -m)-unknown-linux-musl
BINARY := target/$(TARGET)/release/docker-slipway
# What the frontend's image holds: the binary, and the programs for images of either platform.
IMAGE := target/image
SOURCES := $(shell find src buildkit-llb proto probe -name '*.rs' -o -name '*.proto' -o -name Cargo.toml) Cargo.toml Cargo.lock .cargo/config.toml

# Without a Rust toolchain the binary is made inside the build, from a Rust image.
FROM_SOURCE ?= $(if $(shell command -v cargo),,1)

.PHONY: demo test engine frontend check release

demo: frontend
	integration-tests/demo.sh

test: check frontend
	integration-tests/run.sh

# What needs no engine.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet

engine:
	integration-tests/engine.sh up

# The frontend's image, in the engine: from binaries made here, or from source with
# `make frontend FROM_SOURCE=1` where a Rust image can be pulled.
frontend: engine $(if $(FROM_SOURCE),,$(IMAGE)/docker-slipway)
	integration-tests/frontend.sh $(if $(FROM_SOURCE),source,$(IMAGE))

$(IMAGE)/docker-slipway: $(SOURCES)
	rustup target add $(TARGET)
	cargo build --release --locked --target $(TARGET)
	./tools.sh $(IMAGE)
	cp $(BINARY) $@

# The frontend's image for both platforms, as an OCI layout to push from: dist/frontend.
release: engine
	rustup target add x86_64-unknown-linux-musl aarch64-unknown-linux-musl
	cargo build --release --locked --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl
	integration-tests/release.sh dist/frontend
