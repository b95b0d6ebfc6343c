#!/usr/bin/env bash
# Usage: tests/clients/run.sh [BASE_URL]     (default: UNLOOP_TEST_BASE_URL)
# UNLOOP_TEST_TOKEN: a bearer token of the server for system/*.cruds.
# Drives a running server with FHIR clients that were not written here, with races
# and with requests made up from its OpenAPI document. Run setup.sh before.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${CARGO_TARGET_DIR:-$here/../../target}/clients
folder=$(cd "$folder" && pwd)
base_url=${1:-${UNLOOP_TEST_BASE_URL:?"usage: $0 BASE_URL"}}
export UNLOOP_TEST_BASE_URL=$base_url PYTHONDONTWRITEBYTECODE=1
# What the libraries leave behind stays under target/.
work=$(mktemp -d "$folder/run.XXXXXX")
trap 'rm -rf "$work"' EXIT

echo "== fhirpy and races: $base_url"
"$folder/venv/bin/python" -m pytest -q -p no:cacheprovider --tb=short "$here"

echo "== judgements: $base_url"
"$folder/venv/bin/python" "$here/judgements.py" "$base_url" "${UNLOOP_JUDGEMENTS:-300}" 12

echo "== fhir-kit-client: $base_url"
cp "$here/fhir_kit_client.mjs" "$folder/node/"
node "$folder/node/fhir_kit_client.mjs" "$base_url" "$work/answers"
"$folder/venv/bin/python" "$here/answers.py" "$work/answers"

echo "== schemathesis: $base_url"
# The document's own address is a sibling of the base path. Bounded by time; a fixed
# seed keeps a red run repeatable.
cd "$work"
"$folder/venv/bin/schemathesis" run "${base_url%/*}/openapi.json" --origin "${base_url%/*}" \
    --header "Authorization: Bearer ${UNLOOP_TEST_TOKEN:-none}" --checks not_a_server_error --max-time "${UNLOOP_FUZZ_SECONDS:-90}" --seed 4001 \
    --phases examples,fuzzing --request-timeout 20 --workers 2 \
    --continue-on-failure --warnings off </dev/null | tee schemathesis.log
# It also succeeds when its time was over before it had asked anything.
grep -Eq 'Tested: +[1-9]' schemathesis.log || { echo "schemathesis tested nothing" >&2; exit 1; }
