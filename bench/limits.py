"""The physical limit: pgbench, prepared statements, hand-written SQL on tables made
for nothing but the question, in a database of its own on the same server.

The tables are filled by COPY from the same NDJSON files, and that COPY is the limit
of the import."""

import re
import subprocess
import time

import data

DATABASE = "unloop_bench_limit"
SCHEMA = """
CREATE TABLE doc (type text COLLATE "C", id text COLLATE "C", body text NOT NULL, PRIMARY KEY (type, id));
CREATE TABLE written (n bigserial PRIMARY KEY, body text NOT NULL);
"""
# The same documents by what the searches ask for. Every link has the collation of the id:
# a join between two collations cannot use an index.
ANSWERS = f"""
CREATE TABLE patient AS SELECT id, body, d -> 'identifier' -> 0 ->> 'value' AS identifier,
    (d ->> 'birthDate')::date AS birth, lower(d -> 'name' -> 0 ->> 'family') COLLATE "C" AS family
    FROM (SELECT id, body, body::jsonb AS d FROM doc WHERE type = 'Patient') s;
ALTER TABLE patient ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX ON patient (identifier);
CREATE INDEX ON patient (birth, family, id);
CREATE TABLE observation AS SELECT id, body, substr(d -> 'subject' ->> 'reference', 9) COLLATE "C" AS patient,
    d -> 'code' -> 'coding' -> 0 ->> 'code' AS code, d -> 'category' -> 0 -> 'coding' -> 0 ->> 'code' AS category,
    (d ->> 'effectiveDateTime')::timestamptz AS at, (d -> 'valueQuantity' ->> 'value')::numeric AS value,
    d -> 'valueQuantity' ->> 'code' AS unit
    FROM (SELECT id, body, body::jsonb AS d FROM doc WHERE type = 'Observation') s;
ALTER TABLE observation ADD PRIMARY KEY (id);
CREATE INDEX ON observation (patient, code, id);
CREATE INDEX ON observation (patient, category, at DESC, id);
CREATE INDEX ON observation (patient, id);
CREATE INDEX ON observation (code, unit, value);
CREATE TABLE medication AS SELECT id, body, substr(body::jsonb -> 'subject' ->> 'reference', 9) COLLATE "C" AS patient
    FROM doc WHERE type = 'MedicationStatement';
ALTER TABLE medication ADD PRIMARY KEY (id);
CREATE INDEX ON medication (patient);
CREATE TABLE appointment AS SELECT id, body, (d ->> 'start')::timestamptz AS at, d ->> 'status' AS status,
    substr(d -> 'participant' -> 0 -> 'actor' ->> 'reference', 9) COLLATE "C" AS patient
    FROM (SELECT id, body, body::jsonb AS d FROM doc WHERE type = 'Appointment') s;
ALTER TABLE appointment ADD PRIMARY KEY (id);
CREATE INDEX ON appointment (patient);
CREATE INDEX ON appointment (status, at, id);
VACUUM ANALYZE;
CHECKPOINT;
"""


def psql(url, sql, stdin=None):
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url]
    done = subprocess.run(command + (["-c", sql] if stdin else []), input=stdin or sql,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
    return done.stdout.strip()


def sibling(url, database):
    """The same server, another database."""
    return re.sub(r"/[^/?]*(\?|$)", rf"/{database}\1", url, count=1) if url.count("/") > 2 else f"{url}/{database}"


def fresh_database(url, database):
    psql(url, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    psql(url, f"CREATE DATABASE {database}")
    return sibling(url, database)


class Limits:
    def __init__(self, url, folder, patients):
        self.folder = folder
        self.patients = patients
        self.url = fresh_database(url, DATABASE)
        psql(self.url, SCHEMA)

    def fill(self):
        """Resources per second of COPY alone."""
        rows = []
        for resource in data.resources(self.patients):
            body = data.text(resource).replace("\\", "\\\\")
            rows.append(f"{resource['resourceType']}\t{resource['id']}\t{body}\n")
        began = time.monotonic()
        psql(self.url, "COPY doc FROM STDIN", "".join(rows))
        rate = len(rows) / (time.monotonic() - began)
        psql(self.url, ANSWERS)
        return rate

    def run(self, workload, body, concurrency, seconds):
        """Statements per second, and their median and 99th percentile in milliseconds."""
        script = self.folder / f"{workload.id}.sql"
        script.write_text(workload.sql + "\n", encoding="utf-8")
        for old in self.folder.glob("pgbench_log*"):
            old.unlink()
        command = ["pgbench", "-n", "-M", "prepared", "-c", str(concurrency), "-j", "1", "-T", str(seconds),
                   "-D", f"patients={self.patients}", "-D", f"body={body or '-'}", "-f", str(script),
                   "-l", "--log-prefix", str(self.folder / "pgbench_log"), self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode != 0 or not found:
            raise RuntimeError(f"pgbench: {done.stderr.strip()}")
        times = sorted(int(line.split()[2]) for log in self.folder.glob("pgbench_log*")
                       for line in log.read_text().splitlines())
        return float(found.group(1)), times[len(times) // 2] / 1000, times[len(times) * 99 // 100] / 1000
