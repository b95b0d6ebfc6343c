"""The SMART backend-services flow by a client library that was not written here.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

import asyncio
import json
import os
import urllib.request
import uuid

import pytest
from cumulus_fhir_support import FhirClient
from cumulus_fhir_support.auth import AuthFailed
from jwcrypto import jwk
from server import origin

KINDS = {"ES384": {"kty": "EC", "crv": "P-384"}, "RS384": {"kty": "RSA", "size": 2048}}


@pytest.fixture(params=KINDS)
def key(request):
    return jwk.JWK.generate(kid=uuid.uuid4().hex, alg=request.param, key_ops=["sign"], **KINDS[request.param])


def register(base_url, key, scope):
    token = os.environ.get("UNLOOP_TEST_TOKEN")
    if not token:
        pytest.skip("UNLOOP_TEST_TOKEN is not set: see tests/clients/run.sh")
    public = key.export_public(as_dict=True) | {"key_ops": ["verify"]}
    content = {"client_id": uuid.uuid4().hex, "scope": scope, "jwks": {"keys": [public]}}
    sent = urllib.request.Request(f"{origin(base_url)}/admin/clients", json.dumps(content).encode(),
                                  {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(sent, timeout=30) as answer:
        return json.load(answer)["client_id"]


def search(base_url, client_id, key):
    async def ask():
        keys = {"keys": [key.export_private(as_dict=True)]}
        async with FhirClient(base_url, ["Patient"], smart_client_id=client_id, smart_jwks=keys) as client:
            answer = await client.request("GET", "Patient?_count=1")
            return answer.json()

    return asyncio.run(ask())


def test_a_registered_service_gets_in(base_url, key, patient):
    patient.save()
    client_id = register(base_url, key, "system/Patient.rs")
    found = search(base_url, client_id, key)
    assert found["resourceType"] == "Bundle"
    assert len(found["entry"]) == 1


def test_another_key_does_not(base_url, key):
    client_id = register(base_url, key, "system/Patient.rs")
    kid, alg = key.get("kid"), key.get("alg")
    other = jwk.JWK.generate(kid=kid, alg=alg, key_ops=["sign"], **KINDS[alg])
    with pytest.raises(AuthFailed):
        search(base_url, client_id, other)


def test_nothing_is_granted_beyond_what_is_registered(base_url, key):
    client_id = register(base_url, key, "system/Observation.rs")
    with pytest.raises(AuthFailed):
        search(base_url, client_id, key)
