"""Random histories and what they amount to, worked out a second time: plainly, slowly, day by day.

    histories.py COUNT [SEED]

prints one JSON object a line: the records, the day of the question, and the expected course of the
Y-BOCS totals and trials of serotonin reuptake inhibitors. Standard library only. The figures stand
here as the sources have them, not as the service's files do: Mataix-Cols 2016 (response from 35 %,
remission from 12 points down, a week; relapse from 13 points up, a month), the 25 % of a partial
response with at least minimal improvement, and the APA's 8 weeks with 4 at the target dose.

What change is measured from: the last rating before the first dose of the course, by time. Without
times a rating of that day counts as before only where it is the only one of its day; where there are
more, whether they lie before or behind it is unclear. A day is that of the offset in the dateTime. An
impression of the clinician belongs to a rating of the same course within a week.
A course begins with the first session, with that of another plan (unless the plan keeps up what was
reached), and after more than 90 days without one that no plan covers.
"""

import datetime
import json
import random
import sys
from fractions import Fraction

MEASURES = "https://unloop.dev/fhir/CodeSystem/measures"
KINDS = "https://unloop.dev/fhir/CodeSystem/appointment-kind"
COURSE = "https://unloop.dev/fhir/course"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
EPOCH = datetime.date(1970, 1, 1)

# Ingredient and the low end of the usual target dose, mg a day.
TARGETS = {"2556": 40, "2597": 100, "321988": 20, "4493": 40, "42355": 200, "32937": 40, "36437": 200}


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


# ---- the course of the scores


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


# ---- trials


def daily_dose(record):
    """mg a day as a fraction; None where it cannot be told."""
    dosages = record.get("dosage", [])
    if not dosages:
        return None
    total = Fraction(0)
    for dosage in dosages:
        if dosage.get("asNeededBoolean"):
            return None
        rates = dosage.get("doseAndRate", [])
        if not rates or "timing" not in dosage:
            return None
        timing = dosage["timing"]
        if "repeat" in timing:
            repeat = timing["repeat"]
            length = {"d": 1, "wk": 7}[repeat["periodUnit"]] * repeat["period"]
            times = Fraction(repeat["frequency"], length)
        else:
            times = {"QD": 1, "BID": 2, "TID": 3}[timing["code"]["coding"][0]["code"]]
        total += Fraction(str(rates[0]["doseQuantity"]["value"])) * times
    return total


def trials(records, today):
    """[drug, adequacy, days for certain, days at the dose for certain] of each, in order."""
    by_drug = {}
    for record in records:
        if record["resourceType"] != "MedicationStatement":
            continue
        status = record["status"]
        if status in ("entered-in-error", "not-taken", "intended"):
            continue
        period = record.get("effectivePeriod", {})
        start = days_of(period["start"]) if "start" in period else None
        end = days_of(period["end"]) if "end" in period else None
        if end:
            sure_last, last = end
        elif status == "active":
            sure_last = last = today
        else:
            sure_last, last = (start[1] if start else None), today
        last = min(last, today)
        sure = set()
        if start and sure_last is not None:
            sure = set(range(start[1], min(sure_last, today) + 1))
        first = start[0] if start else last
        if first > last:
            continue
        drug = record["medicationCodeableConcept"]["coding"][0]["code"]
        dose = daily_dose(record)
        enough = None if dose is None else dose >= TARGETS[drug]
        by_drug.setdefault(drug, []).append((first, last, sure, start is None, enough))
    result = []
    for drug, parts in by_drug.items():
        parts.sort(key=lambda part: part[:2])
        groups, reach = [], None
        for part in parts:
            # Up to a week without a dose does not end a trial.
            if reach is None or part[0] - reach - 1 > 7:
                groups.append([])
            reach = part[1] if reach is None else max(reach, part[1])
            groups[-1].append(part)
        for group in groups:
            sure, maybe, sure_dose, maybe_dose = set(), set(), set(), set()
            endless = endless_dose = False
            for first, last, certain, no_start, enough in group:
                possible = set(range(first, last + 1))
                sure |= certain
                maybe |= possible
                if enough is True:
                    sure_dose |= certain
                if enough is not False:
                    maybe_dose |= possible
                endless |= no_start
                endless_dose |= no_start and enough is not False
            if len(sure) >= 56 and len(sure_dose) >= 28:
                verdict = "adequate"
            elif (len(maybe) < 56 and not endless) or (len(maybe_dose) < 28 and not endless_dose):
                verdict = "inadequate"
            else:
                verdict = "undetermined"
            result.append([drug, verdict, len(sure), len(sure_dose)])
    return sorted(result)


# ---- made up


def clock(dice):
    """A time of the day; few hours and zones, so that times meet."""
    zone = dice.choice(["Z", "Z", "+00:00", "+02:00", "-05:00", "+13:00"])
    return f"T{dice.choice([0, 8, 9, 10, 10, 11, 16, 23]):02}:{dice.choice([0, 0, 30]):02}:00{zone}"


def observation(number, code, day, value, dice):
    when = date_of(day)
    if dice.random() < 0.5:
        when += clock(dice)
    elif dice.random() < 0.01:
        when = when[:7]
    status = dice.choices(["final", "amended", "entered-in-error", "preliminary"], [90, 5, 3, 2])[0]
    return {
        "resourceType": "Observation", "id": f"o{number:03}", "status": status,
        "code": {"coding": [{"system": MEASURES, "code": code}]},
        "effectiveDateTime": when, "valueInteger": value,
    }


def scores(dice, records):
    first = day = 20_000 + dice.randrange(300)
    base = dice.choice([0, 8, 20, 23, 24, 26, 28, 30, 33, 34, 36, 40])
    number = 0
    mood = dice.random()
    value = base
    # Some go the whole way, better and then worse; the others wander.
    way = dice.random() < 0.2
    for place in range(dice.randrange(9)):
        if place:
            day += dice.choice([0, 1, 3, 6, 7, 8, 14, 14, 21, 27, 28, 29, 35])
            edges = [base * 65 // 100, base * 65 // 100 + 1, base * 3 // 4, base * 3 // 4 + 1, 12, 13, value, value]
            value = min(40, dice.choice(edges + [dice.randrange(41)]))
            if way:
                value = dice.choice([base // 2, base * 65 // 100]) if place < 3 else dice.choice([13, max(13, base)])
        records.append(observation(number, "ybocs-total", day, value, dice))
        number += 1
        better = value < base if dice.random() < 0.9 else dice.random() < 0.5
        if way:
            better, mood = place < 3, 1
        if dice.random() < 0.5 + mood / 2:
            cgi = dice.choice([1, 2, 2, 3] if better else [3, 5, 6, 7])
            records.append(observation(number, "cgi-improvement", day, cgi, dice))
            number += 1
        if dice.random() < 0.5 + mood / 2:
            cgi = dice.choice([1, 2, 2, 3] if value <= 13 else [3, 4, 6])
            records.append(observation(number, "cgi-severity", day, cgi, dice))
            number += 1
    return first, day


def dosage(dice, target):
    amount = dice.choice([target, target, target, target / 2, target / 4, target + 10, target - 1])
    style = dice.randrange(8)
    dose = {"doseAndRate": [{"doseQuantity": {"value": amount, "unit": "mg"}}]}
    if style < 4:
        dose["timing"] = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    elif style == 4:
        dose["timing"] = {"code": {"coding": [{"code": dice.choice(["QD", "BID", "TID"])}]}}
    elif style == 5:
        dose["timing"] = {"repeat": {"frequency": dice.choice([3, 7, 14]), "period": 1, "periodUnit": "wk"}}
    elif style == 6:
        dose["asNeededBoolean"] = True
        dose["timing"] = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    return [dose]


def statements(dice, records):
    start = 19_000 + dice.randrange(600)
    drugs = dice.sample(sorted(TARGETS), 2)
    for number in range(dice.randrange(6)):
        drug = dice.choice(drugs)
        length = dice.choice([6, 20, 27, 28, 29, 54, 55, 56, 57, 90])
        end = start + length
        exact = dice.random()

        def written(day):
            return date_of(day)[:10 if exact < 0.9 else 7 if exact < 0.97 else 4]

        period = {"start": written(start), "end": written(end)}
        if exact >= 0.9 and period["start"] > period["end"]:
            period["end"] = period["start"]
        status = dice.choices(["active", "completed", "stopped", "entered-in-error", "intended", "not-taken"],
                              [20, 50, 20, 4, 3, 3])[0]
        for name in ("start", "end"):
            if dice.random() < 0.08:
                del period[name]
        record = {
            "resourceType": "MedicationStatement", "id": f"m{number}", "status": status,
            "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": drug}]},
            "subject": {"reference": "Patient/p"},
        }
        if period:
            record["effectivePeriod"] = period
        if dice.random() < 0.9:
            record["dosage"] = dosage(dice, TARGETS[drug])
        records.append(record)
        start = end + dice.choice([-20, 0, 1, 7, 8, 9, 30])


def treatment(dice, records, day):
    """Sessions from about that day on, some of them in courses, and the plans of these."""
    day += dice.choice([-1, 0, 0, 0, 1, 1, 3, 14, 80, 100])
    number = 0
    for course_number in range(dice.choice([0, 1, 1, 2, 2, 3])):
        label = f"p/{course_number}"
        planned = dice.random() < 0.5
        first = day
        for _ in range(dice.choice([1, 1, 2, 4])):
            kind = dice.choices(["MedicationAdministration", "Procedure", "Appointment"], [6, 2, 3])[0]
            for name in {kind, dice.choice([kind, "Appointment"])}:
                timed = name == "Appointment" or dice.random() < 0.6
                when = date_of(day) + (clock(dice) if timed else "")
                status = dice.choices(["completed", "in-progress", "stopped", "not-done", "entered-in-error", "unknown"],
                                      [80, 5, 5, 5, 4, 1])[0]
                record = {"resourceType": name, "id": f"s{number}", "status": status}
                number += 1
                if name == "MedicationAdministration":
                    record["medicationCodeableConcept"] = {"coding": [{"system": RXNORM, "code": "6130"}]}
                    record["effectiveDateTime"] = when if dice.random() < 0.995 else date_of(day)[:7]
                else:
                    kind_of_it = {"coding": [{"system": KINDS, "code": "ketamine-session"}]}
                    if name == "Procedure":
                        record.update(code=kind_of_it, performedDateTime=when)
                    else:
                        record.update(serviceType=[kind_of_it], start=when)
                        record["status"] = dice.choice(["fulfilled", "fulfilled", "fulfilled", "booked", "noshow"])
                        if planned and dice.random() < 0.7:
                            record["identifier"] = [{"system": COURSE, "value": label}]
                records.append(record)
            day += dice.choice([3, 7, 7, 14, 60, 90, 91])
        if planned:
            plan = {"resourceType": "CarePlan", "id": f"plan{course_number}",
                    "status": dice.choices(["draft", "active", "completed", "entered-in-error"], [3, 3, 3, 1])[0],
                    "identifier": [{"system": COURSE, "value": label}]}
            if dice.random() < 0.9:
                plan["period"] = {"start": date_of(first - dice.choice([0, 0, 3]))}
                if dice.random() < 0.6:
                    plan["period"]["end"] = date_of(day)
            protocol = "clinic-maintenance" if course_number and dice.random() < 0.3 else "clinic-series"
            plan["instantiatesUri"] = [f"https://unloop.dev/fhir/protocol/{protocol}|1"]
            records.append(plan)
        day += dice.choice([-7, 0, 7, 30, 89, 90, 91, 120])


def history(dice):
    records = []
    first, last = scores(dice, records)
    statements(dice, records)
    treatment(dice, records, first)
    dice.shuffle(records)
    today = last + dice.choice([-10, 0, 0, 1, 6, 7, 8, 28, 60, 200])
    return {
        "records": records, "today": today,
        "course": course(records, today), "trials": trials(records, today),
    }


def main():
    count = int(sys.argv[1])
    dice = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    for _ in range(count):
        print(json.dumps(history(dice), separators=(",", ":")))


if __name__ == "__main__":
    main()
