#!/usr/bin/env bash
# Usage: bench/bench.sh [OPTIONS OF run.py]
# Installs the load generator, builds the release binary and runs the benchmark
# with a PostgreSQL of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v wrk >/dev/null || scripts/install-debian wrk
command -v pgbench >/dev/null || scripts/install-debian postgresql-contrib
cargo build --locked --release
exec scripts/with-postgres python3 bench/run.py "$@"
