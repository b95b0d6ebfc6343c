#!/usr/bin/env bash
# Usage: scripts/with-postgres tests/clients/all.sh
# Every client test and the crash test, against the built server, on both stores.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${CARGO_TARGET_DIR:-$here/../../target}/clients

if ! "$here/setup.sh"; then
    # On a build machine nothing is skipped in silence.
    [ "${CI:-}" != true ] || exit 1
    echo "SKIPPED: the client tests, because their libraries could not be installed (see above)." >&2
    exit 0
fi
export PYTHONDONTWRITEBYTECODE=1
for store in sqlite postgres; do
    echo "=== $store"
    "$folder/venv/bin/python" "$here/server.py" "$store" -- "$here/run.sh"
    "$folder/venv/bin/python" "$here/crash.py" "$store"
    "$folder/venv/bin/python" "$here/hostile_requests.py" "$store"
    "$folder/venv/bin/python" "$here/issuer.py" "$store"
    "$folder/venv/bin/python" "$here/cds_hooks.py" "$store"
done
