"""The service under test: started, asked, watched and stopped; or another server's
base URL, which is only asked."""

import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
import concurrent.futures

import data

FHIR_JSON = "application/fhir+json"
# Bearer token of the server that is asked, also for requests.lua.
TOKEN = "BENCH_TOKEN"
# Seals the signing keys of databases that are thrown away.
SECRET = "of the benchmark, and of nothing else"


def ask(url, method="GET", body=""):
    """Status and content, whatever the status is."""
    headers = {"Accept": FHIR_JSON, "Content-Type": FHIR_JSON}
    if TOKEN in os.environ:
        headers["Authorization"] = f"Bearer {os.environ[TOKEN]}"
    request = urllib.request.Request(url, method=method, data=body.encode() or None, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Other:
    """A server that runs already."""

    def __init__(self, base):
        self.base = base.rstrip("/")

    def load(self, patients):
        """Resources per second of batches of updates, eight at a time."""
        entries = [{"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}
                   for resource in data.resources(patients)]
        # References may be checked: the patients come first, and alone.
        began = time.monotonic()
        for part in (entries[:patients], entries[patients:]):
            chunks = [part[at:at + 100] for at in range(0, len(part), 100)]
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(self.batch, chunks))
        return len(entries) / (time.monotonic() - began)

    def batch(self, entries):
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        status, answer = ask(self.base, "POST", data.text(bundle))
        if status != 200:
            raise RuntimeError(f"loading was answered with {status}: {answer[:300]!r}")


class Service:
    """Our own binary on a store."""

    def __init__(self, binary, database_url, folder):
        self.binary = str(pathlib.Path(binary).resolve())
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("UNLOOP_")}
        self.environment["DATABASE_URL"] = database_url
        self.environment["UNLOOP_SECRET"] = SECRET
        # One caller from one address sends all that it can.
        for limit in ("UNLOOP_RATE_ADDRESS", "UNLOOP_RATE_CALLER"):
            self.environment[limit] = "0"
        self.process = None
        self.base = ""

    def import_files(self, files):
        """Seconds that the import of the files took."""
        began = time.monotonic()
        with open(self.folder / "import.log", "w", encoding="utf-8") as log:
            done = subprocess.run([self.binary, "import", *files], env=self.environment, cwd=self.folder,
                                  stdout=log, stderr=log, check=False)
        if done.returncode != 0:
            raise RuntimeError("the import failed: " + (self.folder / "import.log").read_text()[-600:])
        return time.monotonic() - began

    def start(self, path):
        """Milliseconds from the start to the first answer."""
        port = free_port()
        self.base = f"http://127.0.0.1:{port}/fhir"
        environment = self.environment | {"UNLOOP_BIND": f"127.0.0.1:{port}"}
        self.get_token(environment | {"UNLOOP_BASE_URL": self.base})
        log = open(self.folder / "serve.log", "a", encoding="utf-8")
        began = time.monotonic()
        self.process = subprocess.Popen([self.binary, "serve"], env=environment, cwd=self.folder, stdout=log, stderr=log)
        while time.monotonic() < began + 60:
            try:
                status, answer = ask(f"{self.base}/{path}")
                if status != 200:
                    raise RuntimeError(f"the first answer is {status}: {answer[:300]!r}")
                return (time.monotonic() - began) * 1000
            except urllib.error.URLError:
                if self.process.poll() is not None:
                    raise RuntimeError("the service ended: see " + str(self.folder / "serve.log")) from None
                time.sleep(0.002)
        raise RuntimeError("no answer within a minute")

    def get_token(self, environment):
        done = subprocess.run([self.binary, "token", "issue", "--scope", "system/*.cruds", "--ttl", "1d"],
                              env=environment, cwd=self.folder, stdout=subprocess.PIPE, text=True, check=True)
        os.environ[TOKEN] = done.stdout.strip()

    def memory(self):
        """Resident megabytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def processor(self):
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if self.process:
            # Nobody else may see it.
            os.environ.pop(TOKEN, None)
            self.process.terminate()
            self.process.wait(timeout=60)
            self.process = None
