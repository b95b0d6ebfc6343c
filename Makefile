# `make test` sets up everything it needs and checks everything there is.
# See CONTRIBUTING.md for what each part covers.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
CARGO ?= cargo
LOCKED := --locked

.PHONY: help test lint deny fmt fmt-check clippy tidy doc rust-tests rust-tests-here \
	clients clients-here tests-here build bench fuzz demo clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

test: lint ## Everything: lints, docs, every Rust test and the clients, on both stores
	scripts/with-postgres $(MAKE) --no-print-directory tests-here

lint: fmt-check clippy tidy doc deny ## Format, clippy, house rules, dependencies and documentation

# tests/tidy compares Cargo.lock with a list of known faults in any case. This asks for the newest
# list, licences and sources where cargo-deny is installed: cargo install --locked cargo-deny
deny: ## What may enter the tree, by deny.toml; with the newest list of known faults
	@if ! $(CARGO) deny --version >/dev/null 2>&1; then \
	    echo "cargo-deny is not installed: known faults are those of tests/tidy/advisories.tsv"; \
	elif git ls-remote -q https://github.com/RustSec/advisory-db HEAD >/dev/null 2>&1; then \
	    $(CARGO) deny --locked check; \
	else \
	    $(CARGO) deny --locked --offline check bans licenses sources; \
	fi

fmt: ## Format the source
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings

tidy:
	$(CARGO) test $(LOCKED) --quiet --test tidy

doc: ## Build the documentation; a warning is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --no-deps

rust-tests: ## Only the Rust tests, on both stores
	scripts/with-postgres $(MAKE) --no-print-directory rust-tests-here

clients: ## Only the client, race, crash and OpenAPI tests, on both stores
	scripts/with-postgres $(MAKE) --no-print-directory clients-here

fuzz: ## Fuzz the parsers, guided by coverage: FUZZ_SECONDS=600 for all together
	scripts/fuzz

bench: ## Measure the release build beside the physical limit; BENCH="--scale 1"
	bench/bench.sh $(BENCH)

demo: ## Start a server with a small demo cohort on SQLite
	$(CARGO) run $(LOCKED) --release -- demo

clean: ## Remove everything that was built or installed under target/
	$(CARGO) clean

# What runs inside scripts/with-postgres, with UNLOOP_TEST_POSTGRES_URL set.
tests-here: rust-tests-here clients-here

rust-tests-here:
	$(CARGO) test $(LOCKED) --workspace

clients-here: build
	tests/clients/all.sh

build:
	$(CARGO) build $(LOCKED)
