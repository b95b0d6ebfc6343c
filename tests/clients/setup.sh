#!/usr/bin/env bash
# Puts the client libraries under target/: nothing is installed into the machine
# but Python and Node themselves, from Debian's packages, when they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
folder=${CARGO_TARGET_DIR:-$root/target}/clients
mkdir -p "$folder/node"
folder=$(cd "$folder" && pwd)

# A virtual environment has to be whole: Debian ships `venv` without `ensurepip`.
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    "$root/scripts/install-debian" python3 python3-venv
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    "$root/scripts/install-debian" nodejs npm
fi

# Installs only when the pinned list has changed since the last time.
up_to_date() { cmp -s "$1" "$2"; }

if ! up_to_date "$here/requirements.txt" "$folder/venv/installed.txt"; then
    rm -rf "$folder/venv"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        -r "$here/requirements.txt" </dev/null
    cp "$here/requirements.txt" "$folder/venv/installed.txt"
fi
if ! up_to_date "$here/package-lock.json" "$folder/node/installed.json"; then
    cp "$here/package.json" "$here/package-lock.json" "$folder/node/"
    npm ci --prefix "$folder/node" --no-audit --no-fund --loglevel=error --ignore-scripts </dev/null
    cp "$here/package-lock.json" "$folder/node/installed.json"
fi
