"""The figures as Markdown."""


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def levels(figures):
    """Per second at each level of concurrency, and the times at the last."""
    if not figures:
        return ""
    void = next((figure.void for figure in figures.values() if figure.void), "")
    if void:
        return f"void: {void}"
    last = list(figures.values())[-1]
    rates = " / ".join(number(figure.per_second) for figure in figures.values())
    return f"{rates} · {last.p50:.1f} / {last.p99:.1f}"


def ratio(workload, figures, limit, level):
    """What is reached of the limit; for a bundle in resources, against single rows."""
    if workload.id not in limit:
        return ""
    ours, most = figures[workload.id][level], limit[workload.id][level]
    if ours.void or not most.per_second:
        return "void"
    reached = ours.per_second * max(1, workload.writes) / most.per_second
    missed = "" if reached >= workload.target else " **missed**"
    return f"{reached:.2f} (of {workload.target}){missed}"


def rows(head, lines):
    text = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(text + ["| " + " | ".join(line) + " |" for line in lines])


def figures(chosen, columns):
    level = chosen.levels[-1]
    shown = "/".join(str(each) for each in chosen.levels)
    head = ["", "request"] + [f"{name}, per second at {shown} · p50 / p99 ms at {level}" for name in columns]
    compared = [name for name in columns if name == "postgres" and "limit" in columns]
    head += [f"{name} / limit at {level}" for name in compared]
    lines = []
    for workload in chosen.workloads:
        line = [workload.id, f"`{workload.what}`"]
        line += [levels(column[0].get(workload.id, {})) for column in columns.values()]
        line += [ratio(workload, columns[name][0], columns["limit"][0], level) for name in compared]
        lines.append(line)
    return "\n\n".join([rows(head, lines)] + notes(chosen, columns) + [others(columns)]) + "\n"


def notes(chosen, columns):
    level = chosen.levels[-1]
    figures = {name: column[0] for name, column in columns.items() if name != "limit"}
    return [note for note in (against_bare(figures.get("sqlite"), level), of_the_check(figures, level)) if note]


def share(figures, part, whole, level):
    """Nothing where one of them was not measured, or is void."""
    measured = [figures[name][level] for name in (part, whole) if name in figures]
    if len(measured) < 2 or any(figure.void for figure in measured):
        return None
    return f"{measured[0].per_second / measured[1].per_second:.2f}"


def against_bare(figures, level):
    """SQLite against the handler that does the least."""
    if not figures:
        return ""
    bare = number(figures["bare"][level].per_second)
    shares = [(name, share(figures, name, "bare", level)) for name in ("read", "s1")]
    parts = ", ".join(f"{name} {reached}" for name, reached in shares if reached)
    return f"SQLite at {level} against the service's emptiest handler ({bare} per second): {parts} (of 0.4)." if parts else ""


def of_the_check(figures, level):
    """A medicine with its check against one that no rule checks."""
    shares = [(name, share(column, "checked", "plain", level)) for name, column in figures.items()]
    parts = ", ".join(f"{name} {reached}" for name, reached in shares if reached)
    return f"Of the rate of plain creates the check at {level} leaves: {parts} (of 0.6)." if parts else ""


def others(columns):
    names = list(dict.fromkeys(name for _, other in columns.values() for name in other))
    lines = [[name] + [number(other[name]) if name in other else "" for _, other in columns.values()] for name in names]
    return rows(["", *columns], lines)


def growth(chosen, columns, grown):
    """How many times slower each workload is with more data."""
    level = chosen.levels[-1]
    lines = []
    for workload in chosen.workloads:
        line = [workload.id]
        for name in columns:
            before, after = columns[name][0][workload.id][level], grown[name][0][workload.id][level]
            void = before.void or after.void or not after.per_second
            line.append("void" if void else
                        f"{number(before.per_second)} → {number(after.per_second)} ({before.per_second / after.per_second:.2f} times slower)")
        lines.append(line)
    return rows([f"{chosen.growth} times the data"] + [f"{name}, per second at {level}" for name in columns], lines) + "\n"


def memory(columns):
    """Resident megabytes by minute under mixed load."""
    minutes = [str(minute) for minute in range(max(len(memory) for memory, _ in columns.values()))]
    lines = [[name] + [number(megabytes) for megabytes in memory] for name, (memory, _) in columns.items()]
    wrong = [f"{name}: {one}" for name, (_, found) in columns.items() for one in found]
    return rows(["MB at minute"] + minutes, lines) + "\n\n" + ("\n".join(wrong) or "No errors.") + "\n"
