"""What the client tests share: the server's address, a client, a name of one's own."""

import os
import uuid

import pytest
import requests
from answers import check_text
from fhirpy import SyncFHIRClient

SYSTEM = "urn:example:client-tests"


@pytest.fixture(scope="session")
def base_url():
    url = os.environ.get("UNLOOP_TEST_BASE_URL")
    if not url:
        pytest.exit("UNLOOP_TEST_BASE_URL is not set: see tests/clients/run.sh", returncode=2)
    return url.rstrip("/")


@pytest.fixture(autouse=True)
def answers(monkeypatch):
    """Every answer that has content, of every client that uses `requests`, must be FHIR."""
    seen = []
    send = requests.Session.send

    token = os.environ.get("UNLOOP_TEST_TOKEN")

    def checked(session, request, **options):
        if token:
            request.headers.setdefault("Authorization", f"Bearer {token}")
        answer = send(session, request, **options)
        assert answer.status_code < 500, answer.text
        if answer.content:
            assert answer.headers["Content-Type"].startswith("application/fhir+json")
            seen.append(check_text(answer.text))
        return answer

    monkeypatch.setattr(requests.Session, "send", checked)
    return seen


@pytest.fixture
def client(base_url):
    return SyncFHIRClient(base_url)


@pytest.fixture
def identifier():
    """An identifier that no other test and no earlier run has used."""
    return {"system": SYSTEM, "value": uuid.uuid4().hex}


@pytest.fixture
def token(identifier):
    return f"{identifier['system']}|{identifier['value']}"


@pytest.fixture
def patient(client, identifier):
    return client.resource(
        "Patient",
        identifier=[identifier],
        name=[{"family": "Clienttest", "given": ["Ada"]}],
        gender="female",
        birthDate="1990-04-01",
    )
