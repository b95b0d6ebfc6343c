"""The crash test: nothing that was acknowledged may be missing after `kill -9`.

    crash.py sqlite|postgres [ROUNDS]

Writers create, update and send transactions over HTTP and remember every
acknowledgement. The server is killed while they write and started again on the
same database. Then every acknowledged version must read back with its content,
and a transaction must be there as a whole or not at all.

https://hl7.org/fhir/R4/http.html
"""

import random
import sys
import threading
import time
import uuid

import requests
from server import Server, database

WRITERS = 8
TRANSACTION_SIZE = 5
SYSTEM = "urn:example:crash-test"
HEADERS = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


class Ledger:
    """What the server said it has done."""

    def __init__(self):
        self.lock = threading.Lock()
        self.versions = {}  # (id, version) -> text that this version holds
        self.transactions = {}  # group -> acknowledged?

    def acknowledge(self, resource):
        key = resource["id"], int(resource["meta"]["versionId"])
        with self.lock:
            self.versions[key] = resource["code"]["text"]

    def sent(self, group):
        with self.lock:
            self.transactions[group] = False

    def acknowledge_transaction(self, group):
        with self.lock:
            self.transactions[group] = True


def basic(text, group=None):
    resource = {"resourceType": "Basic", "code": {"text": text}}
    if group:
        resource["identifier"] = [{"system": SYSTEM, "value": group}]
    return resource


def expect(answer, *statuses):
    if answer.status_code not in statuses:
        raise AssertionError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")
    return answer.json()


def write(base_url, token, ledger, killed, problems):
    """Until the kill breaks the connection: a create, three updates of it, a transaction."""
    try:
        with requests.Session() as session:
            session.headers.update(HEADERS | {"Authorization": f"Bearer {token}"})
            while True:
                sent = session.post(f"{base_url}/Basic", json=basic(uuid.uuid4().hex), timeout=60)
                made = expect(sent, 201)
                ledger.acknowledge(made)
                for _ in range(3):
                    body = {**basic(uuid.uuid4().hex), "id": made["id"]}
                    sent = session.put(f"{base_url}/Basic/{made['id']}", json=body, timeout=60)
                    ledger.acknowledge(expect(sent, 200))
                transaction(session, base_url, ledger)
    except Exception as problem:  # noqa: BLE001 - reported by the main thread
        broken = isinstance(problem, requests.RequestException)
        if not (broken and killed.is_set()):
            problems.append(problem)


def transaction(session, base_url, ledger):
    group = uuid.uuid4().hex
    ledger.sent(group)
    request = {"method": "POST", "url": "Basic"}
    entries = [{"resource": basic(f"{n}", group), "request": request} for n in range(TRANSACTION_SIZE)]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    expect(session.post(base_url, json=body, timeout=60), 200)
    ledger.acknowledge_transaction(group)


def load_and_kill(server, ledger):
    killed, problems = threading.Event(), []
    work = (server.base_url, server.token(), ledger, killed, problems)
    writers = [threading.Thread(target=write, args=work) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(random.uniform(0.5, 2.0))
    killed.set()
    server.kill()
    for writer in writers:
        writer.join()
    if problems:
        raise problems[0]


def verify(base_url, token, ledger):
    """Every claim of the ledger, against the server that was started again."""
    newest = {}
    with requests.Session() as session:
        session.headers.update(HEADERS | {"Authorization": f"Bearer {token}"})
        for (identity, version), text in ledger.versions.items():
            url = f"{base_url}/Basic/{identity}/_history/{version}"
            found = expect(session.get(url), 200)
            assert found["code"]["text"] == text, f"{url} holds something else"
            newest[identity] = max(version, newest.get(identity, 0))
        for identity, version in newest.items():
            current = expect(session.get(f"{base_url}/Basic/{identity}"), 200)
            assert int(current["meta"]["versionId"]) >= version, f"Basic/{identity} went back"
        for group, acknowledged in ledger.transactions.items():
            query = {"identifier": f"{SYSTEM}|{group}", "_count": 100}
            found = expect(session.get(f"{base_url}/Basic", params=query), 200).get("entry", [])
            allowed = {TRANSACTION_SIZE} if acknowledged else {0, TRANSACTION_SIZE}
            assert len(found) in allowed, f"transaction {group}: {len(found)} of {TRANSACTION_SIZE}"


def main(which, rounds):
    with database(which) as url:
        for number in range(1, rounds + 1):
            # A ledger of its own for each round keeps the check short.
            ledger = Ledger()
            load_and_kill(Server(url), ledger)
            server = Server(url)
            try:
                verify(server.base_url, server.token(), ledger)
            finally:
                server.kill()
            done = sum(ledger.transactions.values())
            assert ledger.versions, "the server was killed before it acknowledged anything"
            print(f"{which}, round {number}: {len(ledger.versions)} versions and {done} transactions kept")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)
