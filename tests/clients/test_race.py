"""Requests that race: the outcome is decided by the store, not by luck.

https://hl7.org/fhir/R4/http.html#ccreate, https://hl7.org/fhir/R4/http.html#concurrency
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

PARALLEL = 64
FHIR_JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


def race(send):
    """Calls `send(session, n)` from 64 threads that all wait for each other first."""
    gate = threading.Barrier(PARALLEL)

    def one(n):
        with requests.Session() as session:
            gate.wait()
            return send(session, n)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(one, range(PARALLEL)))


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


def matches(base_url, token):
    found = requests.get(f"{base_url}/Patient", params={"identifier": token}, headers=FHIR_JSON)
    return found.json().get("entry", [])


def test_64_conditional_creates_make_one_resource(base_url, identifier, token):
    body = {"resourceType": "Patient", "identifier": [identifier]}
    headers = {**FHIR_JSON, "If-None-Exist": f"identifier={token}"}
    answers = race(lambda session, _: session.post(f"{base_url}/Patient", json=body, headers=headers))
    assert statuses(answers) == {201: 1, 200: PARALLEL - 1}
    assert len(matches(base_url, token)) == 1


def test_64_conditional_updates_make_one_resource(base_url, identifier, token):
    def send(session, n):
        body = {"resourceType": "Patient", "identifier": [identifier], "name": [{"text": f"n{n}"}]}
        return session.put(f"{base_url}/Patient", params={"identifier": token}, json=body, headers=FHIR_JSON)

    answers = race(send)
    assert statuses(answers)[201] == 1
    # 409 tells a client that it lost too often and may try again.
    assert set(statuses(answers)) <= {200, 201, 409}
    assert len(matches(base_url, token)) == 1


def test_64_conditional_creates_in_transactions_make_one_resource(base_url, identifier, token):
    entry = {
        "fullUrl": "urn:uuid:5e3b2f0c-3d51-4c0a-8a27-93d5e2a0a001",
        "resource": {"resourceType": "Patient", "identifier": [identifier]},
        "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={token}"},
    }
    body = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answers = race(lambda session, _: session.post(base_url, json=body, headers=FHIR_JSON))
    assert statuses(answers) == {200: PARALLEL}
    made = Counter(answer.json()["entry"][0]["response"]["status"][:3] for answer in answers)
    assert made == {"201": 1, "200": PARALLEL - 1}
    assert len(matches(base_url, token)) == 1


def test_of_64_updates_of_one_version_one_wins(base_url, identifier):
    patient = {"resourceType": "Patient", "identifier": [identifier]}
    made = requests.post(f"{base_url}/Patient", json=patient, headers=FHIR_JSON)
    url = f"{base_url}/Patient/{made.json()['id']}"
    headers = {**FHIR_JSON, "If-Match": made.headers["ETag"]}

    def send(session, n):
        body = {**patient, "id": made.json()["id"], "name": [{"text": f"n{n}"}]}
        return session.put(url, json=body, headers=headers)

    answers = race(send)
    assert statuses(answers) == {200: 1, 412: PARALLEL - 1}
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
    assert requests.get(url, headers=FHIR_JSON).json()["name"] == [{"text": f"n{winner}"}]
    history = requests.get(f"{url}/_history", headers=FHIR_JSON).json()
    assert len(history["entry"]) == 2


def test_64_updates_without_a_version_are_all_kept(base_url, identifier):
    """Nobody asked for a check: every one succeeds and history has each of them."""
    patient = {"resourceType": "Patient", "identifier": [identifier]}
    made = requests.post(f"{base_url}/Patient", json=patient, headers=FHIR_JSON).json()
    url = f"{base_url}/Patient/{made['id']}"

    def send(session, n):
        body = {**patient, "id": made["id"], "name": [{"text": f"n{n}"}]}
        return session.put(url, json=body, headers=FHIR_JSON)

    answers = race(send)
    assert statuses(answers) == {200: PARALLEL}
    versions = {answer.headers["ETag"] for answer in answers}
    assert len(versions) == PARALLEL
    history = requests.get(f"{url}/_history", params={"_count": 200}, headers=FHIR_JSON).json()
    assert len(history["entry"]) == PARALLEL + 1
