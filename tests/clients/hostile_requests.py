"""The load test: two hundred hostile requests beside an ordinary client.

    hostile_requests.py sqlite|postgres

The server may use 1 GB of data (RLIMIT_DATA: its heap and the stacks of its threads,
what it would be killed for; the limit of the address space would count what is only
reserved). Nothing may abort it, no answer is a 5xx but 503 with Retry-After, and the
ordinary client goes on. On PostgreSQL the backends are stopped (SIGSTOP) at the end:
requests are answered within their deadline.
"""

import concurrent.futures
import http.client
import os
import signal
import subprocess
import sys
import threading
import time

import requests
from hostile_corpus import corpus
from server import BINARY, Server, database, origin

AT_ONCE = 12
MEMORY = 1 << 30
DEADLINE_S = 8
# Of the ordinary client's requests 99 in 100 are answered within a second; of a server
# that is not optimised within three.
PATIENCE_S = 1.0 if "/release/" in BINARY else 3.0
PATIENTS = 20


def observation(patient, number):
    return {"resourceType": "Observation", "status": "final", "code": {"coding": [
        {"system": "http://loinc.org", "code": "8867-4"}], "text": f"pulse {number}"},
        "category": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "subject": {"reference": patient}, "effectiveDateTime": f"2026-01-{number % 28 + 1:02}T10:00:00Z",
        "valueQuantity": {"value": 60 + number % 40, "unit": "/min",
                          "system": "http://unitsofmeasure.org", "code": "/min"}}


def fill(base, session):
    """Patients with observations, and some large records. Answers two of the patients."""
    ids = []
    for number in range(PATIENTS):
        made = session.post(f"{base}/Patient", json={
            "resourceType": "Patient", "name": [{"family": f"Load{number}", "text": "x" * 1_000}]}, timeout=60)
        made.raise_for_status()
        ids.append(made.json()["id"])
        entries = [{"request": {"method": "POST", "url": "Observation"},
                    "resource": observation(f"Patient/{ids[-1]}", n)} for n in range(60)]
        entries.append({"request": {"method": "POST", "url": "Basic"}, "resource": {
            "resourceType": "Basic", "code": {"text": "y" * 600_000}, "subject": {"reference": f"Patient/{ids[-1]}"}}})
        written = session.post(base, timeout=60, json={
            "resourceType": "Bundle", "type": "transaction", "entry": entries})
        written.raise_for_status()
    return ids[0], ids[1]


class Ordinary(threading.Thread):
    """Reads, searches and writes as a clinic does, one request after the other."""

    def __init__(self, base, token, patient):
        super().__init__(daemon=True)
        self.base, self.patient = base, patient
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.ended = threading.Event()
        self.times, self.problems = [], []

    def run(self):
        turn = 0
        while not self.ended.is_set():
            turn += 1
            begun = time.monotonic()
            try:
                if turn % 10 == 0:
                    answer = self.session.post(
                        f"{self.base}/Observation", json=observation(f"Patient/{self.patient}", turn), timeout=30)
                elif turn % 3 == 0:
                    answer = self.session.get(f"{self.base}/Observation?patient={self.patient}&_count=5", timeout=30)
                else:
                    answer = self.session.get(f"{self.base}/Patient/{self.patient}", timeout=30)
                if answer.status_code not in (200, 201):
                    self.problems.append(f"{answer.status_code} {answer.text[:300]}")
            except requests.RequestException as problem:
                self.problems.append(repr(problem)[:300])
            self.times.append(time.monotonic() - begun)
            time.sleep(0.02)

    def p99(self):
        return sorted(self.times)[max(0, int(len(self.times) * 0.99) - 1)]


def send(origin_url, tokens, asked):
    """What is wrong with the answer, if anything."""
    headers = {**asked.headers, "Authorization": f"Bearer {tokens[asked.token]}", "Accept-Encoding": "identity"}
    try:
        with requests.request(asked.method, origin_url + asked.path, data=asked.content,
                              headers=headers, timeout=60, stream=True) as answer:
            size = sum(len(piece) for piece in answer.iter_content(1 << 16))
    except (requests.RequestException, http.client.HTTPException) as problem:
        # A server may end the connection over content that it does not want to read.
        kind = "reset" if "reset" in repr(problem).lower() or "Broken pipe" in repr(problem) else "broken"
        return None if kind == "reset" and asked.content else f"{asked.name}: {problem!r:.300}"
    if answer.status_code >= 500 and not (answer.status_code == 503 and answer.headers.get("Retry-After")):
        return f"{asked.name}: {answer.status_code}"
    if size > 200 << 20:
        return f"{asked.name}: {size} bytes"
    return None


def stopped_backends(server, url, token):
    """Stops the backends: requests are answered within the deadline, and go on behind it."""
    asked = "SELECT pid FROM pg_stat_activity WHERE application_name = 'unloop' AND datname = current_database()"
    found = subprocess.run(["psql", "-qAt", "-c", asked, url], stdout=subprocess.PIPE, text=True, check=True)
    pids = [int(pid) for pid in found.stdout.split()]
    header = {"Authorization": f"Bearer {token}"}
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    except PermissionError:
        print("   SKIPPED: the backends of PostgreSQL are another user's, so they cannot be stopped")
        return []
    problems = []
    try:
        begun = time.monotonic()
        answer = requests.get(f"{server.base_url}/Patient/none", headers=header, timeout=60)
        took = time.monotonic() - begun
        if answer.status_code != 503 or not answer.headers.get("Retry-After"):
            problems.append(f"stopped backends: {answer.status_code}")
        if took > DEADLINE_S + 5:
            problems.append(f"stopped backends: answered after {took:.0f} s")
        print(f"   stopped backends: {answer.status_code} after {took:.1f} s")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    for _ in range(20):
        again = requests.get(f"{server.base_url}/Patient/none", headers=header, timeout=60)
        if again.status_code == 404:
            return problems
        time.sleep(0.5)
    return [*problems, f"after the stop: {again.status_code} {again.text[:200]}"]


def peak(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next((line.split()[1] for line in status if line.startswith("VmHWM")), "0")


def attack(url):
    server = Server(url, memory=MEMORY, UNLOOP_REQUEST_SECONDS=str(DEADLINE_S), UNLOOP_STATEMENT_SECONDS="3")
    base = server.base_url
    session = requests.Session()
    tokens = {"all": server.token(), "read": server.token("system/*.rs")}
    session.headers["Authorization"] = f"Bearer {tokens['all']}"
    # What hostile patches do to their patient is not the ordinary client's concern.
    patient, attacked = fill(base, session)
    tokens["patient"] = server.unloop("token", "issue", "--scope", "patient/*.rs", "--patient", attacked)
    tokens["nothing"] = server.token("system/Practitioner.r")
    requests_ = corpus(attacked)
    ordinary = Ordinary(base, tokens["all"], patient)
    ordinary.start()
    time.sleep(1)
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        problems = [p for p in pool.map(lambda asked: send(origin(base), tokens, asked), requests_) if p]
    took = time.monotonic() - begun
    ordinary.ended.set()
    ordinary.join()
    problems += ordinary.problems
    print(f"   {len(requests_)} hostile requests in {took:.0f} s, {len(ordinary.times)} ordinary ones beside them: "
          f"p99 {ordinary.p99() * 1000:.0f} ms, peak {int(peak(server.process.pid)) // 1024} MB")
    if ordinary.p99() > PATIENCE_S:
        problems.append(f"the ordinary client waited {ordinary.p99():.2f} s (p99)")
    if server.process.poll() is not None:
        problems.append(f"the server ended with {server.process.returncode}")
    elif url.startswith("postgres"):
        problems += stopped_backends(server, url, tokens["all"])
    if problems:
        server.kill()
        raise SystemExit("\n".join([*problems[:40], server.output()]))
    server.stop()


def main():
    which = sys.argv[1] if len(sys.argv) == 2 else "sqlite"
    print(f"== hostile requests: {which}")
    with database(which) as url:
        attack(url)


if __name__ == "__main__":
    main()
