"""A server that trusts an identity provider which was not written here (oidc-provider):
tokens by discovery, key rotation, an issuer that is down.

    issuer.py sqlite|postgres
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from server import ROOT, Server, database, free_port, origin

AUDIENCE = "https://records.example.org/fhir"
CREDENTIALS = ("ehr", "of the client tests, and of nothing else")
NODE = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or pathlib.Path(ROOT, "target")) / "clients" / "node"
# An issuer is asked again after ten seconds at the earliest.
PATIENCE_S = 60


class Provider:
    def __init__(self, port, key):
        self.url = f"http://127.0.0.1:{port}"
        # Packages are found beside the script.
        script = NODE / "identity_provider.mjs"
        script.write_text(pathlib.Path(__file__).with_name("identity_provider.mjs").read_text())
        self.process = subprocess.Popen(
            ["node", str(script), str(port), key, AUDIENCE],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        assert self.process.stdout.readline() == "ready\n", "the identity provider did not start"

    def token(self, scope="system/*.cruds", audience=AUDIENCE):
        form = {"grant_type": "client_credentials", "scope": scope, "resource": audience}
        user = ":".join(urllib.parse.quote(part, safe="") for part in CREDENTIALS)
        basic = base64.b64encode(user.encode()).decode()
        request = urllib.request.Request(f"{self.url}/token", urllib.parse.urlencode(form).encode(),
                                         {"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["access_token"]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def status(server, token):
    """Of what only administrators may do."""
    request = urllib.request.Request(f"{origin(server.base_url)}/admin/clients",
                                     headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def check(server, provider, port):
    """Returns the provider that runs at the end."""
    first = provider.token()
    assert status(server, first) == 200, "a token by discovery"
    assert status(server, provider.token("system/*.rs")) == 403, "scopes of the provider count"
    assert status(server, provider.token(audience="https://other.example.org")) == 401, "another audience"
    assert status(server, server.token()) == 200, "the server's own tokens go on beside it"

    provider.stop()
    assert status(server, first) == 200, "keys hold while the issuer is down"

    provider = Provider(port, "second")
    second = provider.token()
    deadline = time.monotonic() + PATIENCE_S
    while status(server, second) != 200:
        assert time.monotonic() < deadline, "the new key is never looked up"
        time.sleep(1)
    assert status(server, first) == 401, "the old key was taken back"
    provider.stop()
    assert status(server, second) == 200, "the new keys hold while the issuer is down"
    return provider


def main(which):
    port = free_port()
    provider = Provider(port, "first")
    try:
        with database(which) as url:
            trusted = {"UNLOOP_ISSUERS": f"{provider.url}|{AUDIENCE}", "UNLOOP_OUTBOUND_PRIVATE": "true"}
            server = Server(url, **trusted)
            try:
                provider = check(server, provider, port)
            except BaseException:
                print(f"--- the server's log ---\n{server.output()}", file=sys.stderr)
                raise
            finally:
                server.kill()
    finally:
        provider.stop()
    print(f"identity provider on {which}: discovery, rotation and outage passed")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
