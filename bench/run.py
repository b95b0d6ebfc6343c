"""Usage: bench/run.py [OPTIONS]

Measures a FHIR server beside the physical limit and prints tables in Markdown.
Without --url it measures this repository's release build on SQLite and, when
UNLOOP_TEST_POSTGRES_URL names a server, on PostgreSQL with pgbench beside it."""

import argparse
import os
import pathlib
import sys
import tempfile

import data
import limits
import load
import server
import soak
import table
import workloads

ROOT = pathlib.Path(__file__).parent.parent
GROWTH = ["s1", "s2", "s5", "create"]


def stores(chosen):
    """Those that can be measured, with or without a PostgreSQL."""
    postgres = "UNLOOP_TEST_POSTGRES_URL" in os.environ
    wanted = chosen.stores.replace(" ", "").split(",")
    return [store for store in ("postgres", "sqlite") if store in wanted and (store == "sqlite" or postgres)]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="FHIR base URL of a server that runs already; nothing is started")
    parser.add_argument("--loaded", action="store_true", help="with --url: it holds the data of this scale already")
    parser.add_argument("--binary", default=ROOT / "target/release/unloop", help="the binary to measure")
    parser.add_argument("--stores", default="sqlite,postgres", help="which stores to measure it on")
    parser.add_argument("--scale", type=float, default=0.2, help="1 is 1,000 patients, 49,000 resources (default 0.2)")
    parser.add_argument("--only", default="", help="these workloads, with commas between them")
    parser.add_argument("--concurrency", default="1,8,32")
    parser.add_argument("--seconds", type=int, default=10, help="of one run")
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts")
    parser.add_argument("--growth", type=int, default=0, metavar="TIMES",
                        help=f"measure {', '.join(GROWTH)} at the scale and at so many times the data")
    parser.add_argument("--soak", type=int, default=0, metavar="MINUTES",
                        help="instead of figures: so long under mixed load, with the memory at each minute")
    parser.add_argument("--import", dest="imported", type=pathlib.Path, metavar="FOLDER",
                        help="also time the import of the FHIR files in this folder (a Synthea set)")
    chosen = parser.parse_args()
    chosen.levels = [int(level) for level in chosen.concurrency.split(",")]
    names = chosen.only.split(",") if chosen.only else GROWTH if chosen.growth else list(workloads.BY_ID)
    unknown = set(names) - set(workloads.BY_ID)
    if unknown:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    if chosen.soak and (chosen.url or not stores(chosen)):
        parser.error("--soak starts this repository's service: leave out --url, and set UNLOOP_TEST_POSTGRES_URL for postgres")
    chosen.workloads = [workloads.BY_ID[name] for name in names]
    return chosen


def say(text):
    print(text, file=sys.stderr, flush=True)


class Run:
    def __init__(self, chosen, folder, patients):
        self.chosen = chosen
        self.folder = folder
        self.patients = patients
        self.files = folder / f"records-{patients}"
        self.files.mkdir()
        self.count, self.bytes = data.write(self.files, patients)
        self.requests = {workload.id: workloads.requests(workload, patients) for workload in chosen.workloads}
        say(f"{patients} patients, {self.count} resources of {self.bytes // self.count} bytes on average")

    def measure(self, base):
        """Figures by workload and concurrency. What writes comes last: reading finds the data as loaded."""
        figures = {}
        for workload in sorted(self.chosen.workloads, key=lambda workload: workload.writes):
            root = base.removesuffix("/fhir") if workload.beside else base
            runner = load.Load(root, self.folder, self.chosen.seconds, self.chosen.runs)
            figures[workload.id] = runner.measure(workload, self.requests[workload.id], self.chosen.levels)
            say(f"  {workload.id}: " + table.levels(figures[workload.id]))
        return figures

    def filled(self, store):
        """Our own service, not started yet, where it keeps the records, and how long they took to come in."""
        url = self.database(store)
        service = server.Service(self.chosen.binary, url, self.folder)
        seconds = service.import_files([str(self.files)])
        if store == "postgres":
            limits.psql(url, "VACUUM ANALYZE")
        return service, url, seconds

    def soak(self, store):
        """The memory by minute, and what went wrong."""
        service, _, _ = self.filled(store)
        service.start("Patient/p1")
        try:
            return soak.soak(service, self.folder, self.patients, self.chosen.soak, self.chosen.levels[-1])
        finally:
            service.stop()

    def service(self, store):
        """Figures of our own service on a store, and what else there is to say of it."""
        service, url, seconds = self.filled(store)
        other = {"import, resources/s": self.count / seconds}
        other["bytes on disk per resource"] = self.size(store, url) / self.count
        other["start to first answer, ms"] = service.start("Patient/p1")
        try:
            other["memory idle, MB"] = service.memory()
            figures = self.measure(service.base)
            other["memory loaded, MB"] = service.memory()
            if store == "sqlite":
                figures["bare"] = self.bare(service.base)
        finally:
            service.stop()
        if self.chosen.imported:
            other["import of the folder, seconds"] = self.import_folder(store)
        return figures, other

    def import_folder(self, store):
        service = server.Service(self.chosen.binary, self.database(store), self.folder)
        return service.import_files([str(self.chosen.imported.resolve())])

    def bare(self, base):
        """The handler that does the least, as the limit of everything behind HTTP."""
        workload = workloads.Workload("bare", "GET health", None)
        root = base.removesuffix("/fhir")
        runner = load.Load(root, self.folder, self.chosen.seconds, self.chosen.runs)
        return runner.measure(workload, [workloads.get(workloads.BARE)], self.chosen.levels)

    def database(self, store):
        if store == "postgres":
            return limits.fresh_database(os.environ["UNLOOP_TEST_POSTGRES_URL"], "unloop_bench")
        for old in self.folder.glob("unloop.db*"):
            old.unlink()
        return f"sqlite:{self.folder / 'unloop.db'}"

    def size(self, store, url):
        if store == "postgres":
            return int(limits.psql(url, "SELECT pg_database_size(current_database())"))
        return sum(file.stat().st_size for file in self.folder.glob("unloop.db*"))

    def limits(self):
        """What pgbench does, by workload and concurrency, and COPY's resources per second."""
        limit = limits.Limits(os.environ["UNLOOP_TEST_POSTGRES_URL"], self.folder, self.patients)
        copy = limit.fill()
        figures = {}
        for workload in self.chosen.workloads:
            if not workload.sql:
                continue
            # A bundle's resources are held against rows that are inserted one by one.
            body = next((body for _, _, body in self.requests[workload.id] if body), "")
            if workload.writes > 1:
                body = data.text(data.observation(1, 1))
            figures[workload.id] = {level: load.Figure(*limit.run(workload, body, level, self.chosen.seconds))
                                    for level in self.chosen.levels}
            say(f"  limit {workload.id}: " + table.levels(figures[workload.id]))
        return figures, {"import, resources/s": copy}


def measure(run, chosen):
    """All columns of one scale: name -> (figures, other)."""
    if chosen.url:
        other_server = server.Other(chosen.url)
        other = {} if chosen.loaded else {"loaded by HTTP, resources/s": other_server.load(run.patients)}
        return {"server": (run.measure(other_server.base), other)}
    columns = {}
    if "postgres" in stores(chosen):
        say("limit")
        columns["limit"] = run.limits()
    for store in stores(chosen):
        say(store)
        columns[store] = run.service(store)
    return columns


def main():
    chosen = options()
    patients = max(20, round(1000 * chosen.scale))
    with tempfile.TemporaryDirectory(prefix="unloop-bench-") as folder:
        folder = pathlib.Path(folder)
        if chosen.soak:
            run = Run(chosen, folder, patients)
            print(table.memory({store: run.soak(store) for store in stores(chosen)}))
            return
        columns = measure(Run(chosen, folder, patients), chosen)
        print(table.figures(chosen, columns))
        if chosen.growth:
            grown = measure(Run(chosen, folder, patients * chosen.growth), chosen)
            print(table.growth(chosen, columns, grown))


if __name__ == "__main__":
    main()
