"""The course of the Y-BOCS totals along the treatment, worked out a second time from the sources.

What change is measured from: the last rating before the first dose of the course, by time. Without
times a rating of that day counts as before only where it is the only one of its day; where there are
more, whether they lie before or behind it is unclear. A day is that of the offset in the dateTime. An
impression of the clinician belongs to a rating of the same course within a week.
A course begins with the first session, with that of another plan (unless the plan keeps up what was
reached), and after more than 90 days without one that no plan covers.
"""

import datetime
from fractions import Fraction

EPOCH = datetime.date(1970, 1, 1)


def date_of(day):
    return (EPOCH + datetime.timedelta(days=day)).isoformat()


def days_of(text):
    """The first and the last day that a date may mean."""
    parts = [int(part) for part in text[:10].split("-")]
    first = datetime.date(parts[0], parts[1] if len(parts) > 1 else 1, parts[2] if len(parts) > 2 else 1)
    if len(parts) == 3:
        last = first
    elif len(parts) == 2:
        last = (first.replace(day=28) + datetime.timedelta(days=4)).replace(day=1) - datetime.timedelta(days=1)
    else:
        last = datetime.date(parts[0], 12, 31)
    return (first - EPOCH).days, (last - EPOCH).days


def written(text):
    """(day as it is written, microseconds since 1970 in UTC or None for a date); None without a certain day."""
    first, last = days_of(text)
    if first != last:
        return None
    if "T" not in text:
        return first, None
    stamp = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return first, (stamp - epoch) // datetime.timedelta(microseconds=1)


def ratings(records, code, today):
    """(day, moment, id, value) of what counts, in order; and whether all is certain."""
    found, certain = [], True
    for record in records:
        if record["resourceType"] != "Observation" or record["code"]["coding"][0]["code"] != code:
            continue
        if record["status"] not in ("final", "amended", "corrected"):
            continue
        when = written(record["effectiveDateTime"])
        if when is None:
            certain = False
        elif when[0] <= today:
            found.append((when[0], when[1], record["id"], record["valueInteger"]))
    # A rating of a day without a time stands before those of that day that have one.
    return sorted(found, key=lambda one: (one[0], -1 if one[1] is None else one[1], one[2])), certain


def session_days(records, today):
    """[day, moment of the first dose or None, course or None] in order; and whether all is certain."""
    by_day, certain = {}, True
    kinds = {"MedicationAdministration": ("effectiveDateTime", ("completed", "in-progress", "stopped", "on-hold")),
             "Procedure": ("performedDateTime", ("completed", "in-progress", "stopped", "on-hold")),
             "Appointment": ("start", ("fulfilled",))}
    for record in records:
        kind = record["resourceType"]
        if kind not in kinds or record["status"] not in kinds[kind][1] + ("unknown",):
            continue
        when = written(record[kinds[kind][0]])
        if when is None or record["status"] == "unknown":
            certain = False
        elif when[0] <= today:
            labels = [one["value"] for one in record.get("identifier", [])]
            by_day.setdefault(when[0], []).append((kind, when[1], labels))
    result = []
    for day in sorted(by_day):
        moment = None
        for kind in kinds:
            moments = [one for name, one, _ in by_day[day] if name == kind]
            if moments and None not in moments:
                moment = min(moments)
                break
        labels = sorted(label for _, _, some in by_day[day] for label in some)
        result.append((day, moment, labels[0] if labels else None))
    return result, certain


def split(days, plans):
    """The places of the session days at which courses begin."""
    plans = [plan for plan in plans if plan["status"] != "entered-in-error"]
    by_name = {plan["identifier"][0]["value"]: plan for plan in plans}

    def limit(plan, end):
        text = plan.get("period", {}).get(end)
        return None if text is None else days_of(text)[0]

    starts, current = [], None
    for place, (day, _, label) in enumerate(days):
        if label is None:
            begun = [(limit(plan, "start"), name) for name, plan in by_name.items()
                     if limit(plan, "start") is not None and limit(plan, "start") <= day]
            label = max(begun)[1] if begun else None
        plan = by_name.get(label)
        if place == 0:
            starts.append(place)
            current = label
            continue
        if plan and any("clinic-maintenance" in uri for uri in plan.get("instantiatesUri", [])):
            continue
        other = label is not None and label != current
        if other and current is None:
            other = plan is not None and limit(plan, "start") is not None
        covers = plan is not None and (limit(plan, "start") is not None and limit(plan, "start") <= day
                                       and (limit(plan, "end") is None or day <= limit(plan, "end")))
        if other or (day - days[place - 1][0] > 90 and not covers):
            starts.append(place)
            current = label
        elif current is None:
            current = label
    return starts


def side(rating, all_of_them, dose):
    """Before the first dose of a course, after it, assumed to be before, or unclear."""
    day, moment, _, _ = rating
    if moment is not None and dose[1] is not None:
        return "before" if moment < dose[1] else "after"
    if day != dose[0]:
        return "before" if day < dose[0] else "after"
    alone = sum(1 for other in all_of_them if other[0] == day) == 1
    return "assumed" if alone else "unclear"


def impression(found, day):
    """The nearest within a week; of equally near ones the later."""
    best = None
    for other, _, _, value in found:
        if abs(other - day) <= 7 and (best is None or abs(other - day) <= best[0]):
            best = (abs(other - day), value)
    return None if best is None else best[1]


def both(*answers):
    """Kleene's and; None is unknown."""
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def kind_of_response(base, value, improvement):
    """full, partial, none or unknown, by the table of the consensus: one of them for each pair."""
    if base == 0:
        return "unknown" if improvement is None or improvement <= 3 else "none"
    share = Fraction(base - value, base)
    if share < Fraction(25, 100):
        return "none"
    if improvement is None:
        return "unknown"
    if improvement >= 4:
        return "none"
    if share >= Fraction(35, 100):
        return "full" if improvement <= 2 else "partial"
    return "partial"


def is_response(base, value, improvement, severity):
    if base and Fraction(base - value, base) < Fraction(35, 100):
        return False
    kind = kind_of_response(base, value, improvement)
    if kind == "unknown":
        return False if improvement is not None and improvement > 2 else None
    return kind == "full"


def is_partial(base, value, improvement, severity):
    kind = kind_of_response(base, value, improvement)
    return None if kind == "unknown" else kind == "partial"


def is_remission(base, value, improvement, severity):
    return both(value <= 12, None if severity is None else severity <= 2)


def is_relapse(base, value, improvement, severity):
    return both(value >= 13, None if improvement is None else improvement >= 6)


def lowered(base, value, least, below):
    return None if base == 0 else Fraction(least, 100) <= Fraction(base - value, base) < Fraction(below, 100)


def stretch(truths, days, before, today, needed):
    """(verdict, whether the last rating belongs to it) of something that has to last."""
    count = len(truths)
    for i in range(count):
        for j in range(count - 1, i - 1, -1):
            if all(truth is True for truth in truths[i:j + 1]) and days[j] - days[i] >= needed:
                at_end = any(
                    all(truth is True for truth in truths[k:]) and days[-1] - days[k] >= needed
                    for k in range(count)
                )
                return "met", at_end
    i = 0
    while i < count:
        if truths[i] is False:
            i += 1
            continue
        j = i
        while j + 1 < count and truths[j + 1] is not False:
            j += 1
        earliest = min(days[i], (days[i - 1] if i > 0 else before) + 1)
        latest = max(days[j], days[j + 1] - 1 if j + 1 < count else today)
        if any(day + needed <= latest for day in range(earliest, latest + 1)):
            return "undetermined", False
        i = j + 1
    return "not-met", False


NAMES = ("response", "partial-response", "remission", "relapse",
         "response-by-score", "partial-response-by-score", "remission-by-score")


def outcomes(base, before, points, improvements, severities, today):
    """Of one course: `points` are (day, value, whether it is clear that it lies behind the dose)."""
    if not points:
        return [[name, "undetermined", False] for name in NAMES]

    def truth_at(holds, point):
        day, value, clear = point
        return holds(base, value, impression(improvements, day), impression(severities, day)) if clear else None

    def judged(holds, weeks, skip=0):
        kept = points[skip:]
        edge = points[skip - 1][0] if skip else before
        return stretch([truth_at(holds, point) for point in kept], [point[0] for point in kept],
                       edge, today, weeks * 7)

    response = judged(is_response, 1)
    relapse = ("not-met", False)
    truths = [truth_at(is_response, point) for point in points]
    if response[0] == "met":
        for place in range(len(points)):
            # The first rating by which there has been a response.
            spans = [points[place][0] - points[k][0] for k in range(place + 1)
                     if all(truth is True for truth in truths[k:place + 1])]
            if any(span >= 7 for span in spans):
                relapse = judged(is_relapse, 4, place + 1)
                break
    elif response[0] == "undetermined":
        # It can only follow what may have been a response.
        first = next(place for place, truth in enumerate(truths) if truth is not False)
        verdict, _ = judged(is_relapse, 4, first + 1)
        relapse = ("not-met" if verdict == "not-met" else "undetermined", False)
    found = (response, judged(is_partial, 1), judged(is_remission, 1), relapse,
             judged(lambda base, value, *_: lowered(base, value, 35, 10_000), 1),
             judged(lambda base, value, *_: lowered(base, value, 25, 35), 1),
             judged(lambda base, value, *_: value <= 12, 1))
    return [[name, *verdict] for name, verdict in zip(NAMES, found)]


def course(records, today):
    totals, certain = ratings(records, "ybocs-total", today)
    improvements, also = ratings(records, "cgi-improvement", today)
    severities, too = ratings(records, "cgi-severity", today)
    days, sure = session_days(records, today)
    starts = split(days, [one for one in records if one["resourceType"] == "CarePlan"])
    doses = [days[place] for place in starts]
    result = []
    for number, dose in enumerate(doses):
        following = doses[number + 1] if number + 1 < len(doses) else None

        def within(found):
            return [one for one in found if side(one, found, dose) == "after"
                    and (following is None or side(one, found, following) in ("before", "assumed"))]

        entry = {"dose": dose[0], "baseline": None, "assumed": False, "old": False, "outcomes": []}
        before = [one for one in totals if side(one, totals, dose) in ("before", "assumed")]
        if before:
            day, _, entry["baseline"], base = before[-1]
            entry["assumed"] = side(before[-1], totals, dose) == "assumed"
            entry["old"] = dose[0] - day > 90
            points = []
            for one in totals:
                here = side(one, totals, dose)
                there = "before" if following is None else side(one, totals, following)
                if here in ("after", "unclear") and there != "after":
                    clear = here == "after" and there != "unclear"
                    points.append((one[0], one[3], clear))
            entry["outcomes"] = outcomes(base, day, points, within(improvements), within(severities), today)
        result.append(entry)
    return {"certain": certain and also and too and sure, "courses": result}
