# The commands of this repository; `make` alone lists them.
#
# CARGO_TARGET_DIR is honoured. ARGS is passed through: make run ARGS='--listen 127.0.0.1:9000'

SHELL := /bin/bash
TARGET := $(or $(CARGO_TARGET_DIR),target)
BERGFRIED := $(TARGET)/release/bergfried
FUZZ_SECONDS ?= 60
ARGS ?=
# Where rustup puts cargo, for shells that do not know it yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help run demo build check test bench fuzz record install-deps

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build, then watch this machine: a hub and an agent on 127.0.0.1:8000
	@# The journal and the log files are root's; cargo and the build stay the user's own.
	@if [ "$$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then \
	    set -x; exec sudo $(BERGFRIED) up $(ARGS); \
	else \
	    set -x; exec $(BERGFRIED) up $(ARGS); \
	fi

demo: build ## Build, then the same over the sample logs in demo/logs
	$(BERGFRIED) up --demo $(ARGS)

build: ## Build the console and the release binaries
	scripts/install-build-deps
	scripts/build-ui
	cargo build --release --locked --package bergfried --package bergfried-agent-bin \
	    --package bergfried-correlate

check: ## Formatting, lints, documentation, and licences where cargo-deny is installed
	scripts/install-build-deps
	scripts/build-ui
	npm --prefix ui run --silent check
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --workspace --locked
	@if cargo deny --version >/dev/null 2>&1; then \
	    cargo deny check licenses bans sources; \
	else \
	    echo 'cargo-deny is not installed: licences, bans and sources were not checked'; \
	fi

test: ## Install what the tests need, then run every test
	scripts/install-build-deps
	scripts/install-test-deps
	scripts/build-ui
	cargo test --workspace --locked --doc
	@if cargo nextest --version >/dev/null 2>&1; then \
	    set -x; cargo nextest run --workspace --locked --no-fail-fast; \
	else \
	    set -x; cargo test --workspace --locked --lib --bins --tests --examples --no-fail-fast; \
	fi
	scripts/test-ui

bench: ## Measure, and print one table (ARGS=--quick for a small try)
	scripts/install-build-deps
	bench/run.sh $(ARGS)

fuzz: ## Fuzz each target for FUZZ_SECONDS (60); needs cargo-fuzz
	scripts/fuzz $(FUZZ_SECONDS)

record: ## Record corpus/recorded and demo/logs anew from the real programs (as root)
	scripts/record-corpus
	scripts/make-demo-logs

install-deps: ## Install through apt what building and testing need
	scripts/install-build-deps
	scripts/install-test-deps
