"""One workload against one base URL by wrk, and whether its figures count."""

import dataclasses
import json
import pathlib
import re
import statistics
import subprocess
import urllib.parse

from server import ask

HERE = pathlib.Path(__file__).parent
# So many requests are sent and read before a workload is measured.
SAMPLE = 20


@dataclasses.dataclass
class Figure:
    per_second: float
    p50: float
    p99: float
    # Why the figure does not count.
    void: str = ""


def is_empty(content):
    """A bundle or a list of cards with nothing, where there should be something."""
    answer = json.loads(content)
    return answer.get("cards") == [] or answer.get("resourceType") == "Bundle" and not answer.get("entry")


def sample(base, requests):
    """Mean size of the answers, and what is wrong with them."""
    sizes = []
    for method, path, body in requests[:SAMPLE]:
        status, content = ask(f"{base}/{path}" if path else base, method, body)
        if status not in (200, 201):
            return 0, f"{status} for {method} {path}: {content[:200].decode(errors='replace')}"
        if is_empty(content):
            return 0, f"an empty answer to {method} {path}"
        sizes.append(len(content))
    return statistics.mean(sizes), ""


class Load:
    def __init__(self, base, folder, seconds, runs):
        self.base = base
        self.folder = folder
        self.seconds = seconds
        self.runs = runs

    def measure(self, workload, requests, levels):
        """The median of the runs for each level of concurrency."""
        size, wrong = sample(self.base, requests)
        if wrong:
            return {level: Figure(0, 0, 0, wrong) for level in levels}
        file = self.folder / f"{workload.id}.tsv"
        file.write_text("".join(f"{method}\t{path}\t{body}\n" for method, path, body in requests), encoding="utf-8")
        # What POST and PUT answer may be left out by another server: only searches and cards have to bring something.
        least = size / 2 if requests[0][0] == "GET" or workload.beside else 0
        self.run(file, levels[-1], max(1, self.seconds // 2), 0)
        figures = {}
        for level in levels:
            runs = sorted((self.run(file, level, self.seconds, least) for _ in range(self.runs)),
                          key=lambda figure: figure.per_second)
            figures[level] = next((run for run in runs if run.void), runs[len(runs) // 2])
        return figures

    def run(self, file, concurrency, seconds, least):
        base = urllib.parse.urlsplit(self.base)
        command = ["wrk", "-t", "1", "-c", str(concurrency), "-d", f"{seconds}s", "--timeout", "30s",
                   "-s", str(HERE / "requests.lua"), f"{base.scheme}://{base.netloc}", "--", str(file), base.path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        line = re.search(r"^figures (.*)$", done.stdout, re.MULTILINE)
        if not line:
            raise RuntimeError(f"wrk: {done.stderr.strip() or done.stdout.strip()}")
        found = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line.group(1))}
        void = ""
        if found["errors"]:
            void = f"{found['errors']} errors"
        elif not found["requests"]:
            void = "no answer"
        elif found["bytes"] / found["requests"] < least:
            void = "empty answers"
        return Figure(found["requests"] * 1e6 / found["microseconds"], found["p50"] / 1000, found["p99"] / 1000, void)
