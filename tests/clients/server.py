"""Starts and ends a built server on a database of its own. Standard library only.

    server.py DATABASE_URL -- COMMAND...

runs COMMAND with UNLOOP_TEST_BASE_URL and UNLOOP_TEST_TOKEN, then ends the server with SIGTERM. A
DATABASE_URL that is just `sqlite` or `postgres` asks for a fresh database: a file
in a temporary folder, or one made in the cluster at UNLOOP_TEST_POSTGRES_URL.
"""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("UNLOOP_BINARY") or os.path.join(
    os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), "debug", "unloop"
)
# Seals the signing keys of databases that are thrown away.
SECRET = "of the client tests, and of nothing else"
START_LIMIT_S = 60
STOP_LIMIT_S = 60


class Server:
    """A running `unloop serve` on a free port of the loopback interface."""

    def __init__(self, database_url, bind="127.0.0.1:0", memory=None, **settings):
        self.log = tempfile.TemporaryFile("w+")
        # Nothing of the caller's own settings may leak into the server.
        env = {k: v for k, v in os.environ.items() if not k.startswith(("UNLOOP_", "OTEL_"))}
        env.update(DATABASE_URL=database_url, UNLOOP_BIND=bind, UNLOOP_SECRET=SECRET)
        # One address stands for many clients.
        env.update(UNLOOP_RATE_ADDRESS="0", UNLOOP_RATE_CALLER="0", UNLOOP_RATE_AUTH="0")
        env.update(settings)
        self.env = env
        self.process = subprocess.Popen(
            [BINARY, "serve"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            # Bytes of heap and stacks; more of them ends it.
            preexec_fn=memory and (lambda: resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))),
        )
        self.base_url = None
        self._announced = threading.Event()
        threading.Thread(target=self._read_output, daemon=True).start()
        self._wait_until_ready()

    def _read_output(self):
        # Reads to the end: a full pipe would block the server.
        for line in self.process.stdout:
            found = re.search(r"http://[^\s\"',)]+", line)
            if found and not self.base_url:
                self.base_url = found.group(0).rstrip("/")
                self._announced.set()
        self._announced.set()

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_LIMIT_S
        self._announced.wait(START_LIMIT_S)
        if not self.base_url:
            self.fail("did not print its base URL")
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.fail(f"ended with status {self.process.returncode}")
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                with urllib.request.urlopen(f"{origin(self.base_url)}/health/ready", timeout=5):
                    return
            time.sleep(0.05)
        self.fail("was not ready in time")

    def fail(self, reason):
        self.process.kill()
        self.process.wait()
        raise SystemExit(f"{BINARY} serve {reason}\n{self.output()}")

    def output(self):
        self.log.seek(0)
        return self.log.read()[-8000:]

    def unloop(self, *arguments):
        """What a command prints that is run with the server's settings."""
        env = {**self.env, "UNLOOP_BASE_URL": self.base_url}
        done = subprocess.run([BINARY, *arguments], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def token(self, scope="system/*.cruds"):
        return self.unloop("token", "issue", "--scope", scope, "--ttl", "12h")

    def kill(self):
        """What a power cut or the kernel's memory killer does: no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            status = self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.fail("did not end on SIGTERM")
        if status != 0:
            raise SystemExit(f"the server ended with status {status}\n{self.output()}")


def origin(base_url):
    """`http://127.0.0.1:8080` of `http://127.0.0.1:8080/fhir`."""
    return "/".join(base_url.split("/")[:3])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def database(which):
    """A DATABASE_URL; for `sqlite` and `postgres` a fresh one that is removed after use."""
    if which == "sqlite":
        with tempfile.TemporaryDirectory(prefix="unloop-clients-") as folder:
            yield f"sqlite:{folder}/unloop.db"
    elif which == "postgres":
        cluster = os.environ.get("UNLOOP_TEST_POSTGRES_URL")
        if not cluster:
            raise SystemExit("UNLOOP_TEST_POSTGRES_URL is not set: run this by scripts/with-postgres")
        name = f"clients_{uuid.uuid4().hex}"
        sql(cluster, f"CREATE DATABASE {name}")
        try:
            yield f"{cluster.rsplit('/', 1)[0]}/{name}"
        finally:
            sql(cluster, f"DROP DATABASE {name} WITH (FORCE)")
    else:
        yield which


def sql(url, statement):
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, url], check=True)


def main():
    which, separator, *command = sys.argv[1:] or [""]
    if separator != "--" or not command:
        raise SystemExit(__doc__)
    with database(which) as url:
        server = Server(url)
        env = {**os.environ, "UNLOOP_TEST_BASE_URL": server.base_url,
               "UNLOOP_TEST_TOKEN": server.token()}
        try:
            status = subprocess.run(command, env=env, stdin=subprocess.DEVNULL).returncode
            if status != 0:
                print(f"--- the server's log ---\n{server.output()}", file=sys.stderr)
        except BaseException:
            server.kill()
            raise
        server.stop()
    sys.exit(status)


if __name__ == "__main__":
    # An ended run has to take its server along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
