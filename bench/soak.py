"""A long run: reads, searches and writes in turns, and what the memory does meanwhile."""

import time

import load
import workloads

MIX = ["read", "s1", "s5", "s8", "create", "update", "bundle", "checked"]
# Seconds of each workload before the next has its turn.
TURN = 4


def soak(service, folder, patients, minutes, level):
    """Resident megabytes at the end of each minute, and what went wrong on the way."""
    runner = load.Load(service.base, folder, TURN, 1)
    requests = {name: workloads.requests(workloads.BY_ID[name], patients) for name in MIX}
    began = time.monotonic()
    memory, wrong = [service.memory()], []
    turn = 0
    while len(memory) <= minutes:
        name = MIX[turn % len(MIX)]
        turn += 1
        figure = runner.measure(workloads.BY_ID[name], requests[name], [level])[level]
        if figure.void:
            wrong.append(f"{name}: {figure.void}")
        if time.monotonic() - began >= 60 * len(memory):
            memory.append(service.memory())
    return memory, wrong
