"""Random histories and what they amount to, worked out a second time: plainly, slowly, day by day.

    histories.py COUNT [SEED]

prints one JSON object a line: the records, the day of the question, and the expected course of the
Y-BOCS totals and trials of serotonin reuptake inhibitors. Standard library only. The figures stand
here as the sources have them, not as the service's files do: Mataix-Cols 2016 (response from 35 %,
remission from 12 points down, a week; relapse from 13 points up, a month), the 25 % of a partial
response, and the APA's 8 weeks with 4 at the target dose.
"""

import datetime
import json
import random
import sys
from fractions import Fraction

MEASURES = "https://unloop.dev/fhir/CodeSystem/measures"
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


def ratings(records, code, today):
    """(moment, id, day, value) of what counts, in order; and whether all is certain."""
    found, certain = [], True
    for record in records:
        if record["resourceType"] != "Observation" or record["code"]["coding"][0]["code"] != code:
            continue
        if record["status"] not in ("final", "amended", "corrected"):
            continue
        when = record["effectiveDateTime"]
        first, last = days_of(when)
        if first != last:
            certain = False
            continue
        minutes = 0
        if "T" in when:
            minutes = int(when[11:13]) * 60 + int(when[14:16])
        if first <= today:
            found.append((first * 1440 + minutes, record["id"], first, record["valueInteger"]))
    return sorted(found), certain


def impression(found, day):
    values = [value for _, _, other, value in found if other == day]
    return values[-1] if values else None


def both(*answers):
    """Kleene's and; None is unknown."""
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def is_response(base, value, improvement, severity):
    share = None if base == 0 else Fraction(base - value, base) >= Fraction(35, 100)
    return both(share, None if improvement is None else improvement <= 2)


def is_partial(base, value, improvement, severity):
    share = None if base == 0 else Fraction(25, 100) <= Fraction(base - value, base) < Fraction(35, 100)
    return both(share, None if improvement is None else improvement >= 3)


def is_remission(base, value, improvement, severity):
    return both(value <= 12, None if severity is None else severity <= 2)


def is_relapse(base, value, improvement, severity):
    return both(value >= 13, None if improvement is None else improvement >= 6)


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


def course(records, sessions, today):
    totals, certain = ratings(records, "ybocs-total", today)
    improvements, also = ratings(records, "cgi-improvement", today)
    severities, too = ratings(records, "cgi-severity", today)
    sessions = [day for day in sessions if day <= today]
    result = {"certain": certain and also and too, "baseline": None, "outcomes": []}
    start = None
    if totals and not sessions:
        start = 0
    for place, (_, _, day, _) in enumerate(totals):
        if sessions and day <= min(sessions):
            start = place
    if start is None:
        return result
    _, result["baseline"], before, base = totals[start]
    points = totals[start + 1:]

    def judged(holds, weeks, skip=0):
        kept = points[skip:]
        truths = [holds(base, value, impression(improvements, day), impression(severities, day))
                  for _, _, day, value in kept]
        days = [day for _, _, day, _ in kept]
        edge = points[skip - 1][2] if skip else before
        return stretch(truths, days, edge, today, weeks * 7)

    response = judged(is_response, 1)
    partial = judged(is_partial, 1)
    remission = judged(is_remission, 1)
    relapse = ("not-met", False)
    if response[0] == "met":
        for place in range(len(points)):
            # The first rating by which there has been a response.
            cut = points[:place + 1]
            truths = [is_response(base, value, impression(improvements, day), None) for _, _, day, value in cut]
            spans = [cut[-1][2] - cut[k][2] for k in range(len(cut)) if all(truth is True for truth in truths[k:])]
            if any(span >= 7 for span in spans):
                relapse = judged(is_relapse, 4, place + 1)
                break
    elif response[0] == "undetermined":
        # It can only follow what may have been a response.
        truths = [is_response(base, value, impression(improvements, day), None) for _, _, day, value in points]
        first = next(place for place, truth in enumerate(truths) if truth is not False)
        verdict, _ = judged(is_relapse, 4, first + 1)
        relapse = ("not-met" if verdict == "not-met" else "undetermined", False)
    named = zip(("response", "partial-response", "remission", "relapse"), (response, partial, remission, relapse))
    result["outcomes"] = [[name, *verdict] for name, verdict in named]
    return result


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


def observation(number, code, day, value, dice):
    when = date_of(day)
    if dice.random() < 0.3:
        when += f"T{dice.randrange(24):02}:{dice.randrange(60):02}:00Z"
    elif dice.random() < 0.01:
        when = when[:7]
    status = dice.choices(["final", "amended", "entered-in-error", "preliminary"], [90, 5, 3, 2])[0]
    return {
        "resourceType": "Observation", "id": f"o{number:03}", "status": status,
        "code": {"coding": [{"system": MEASURES, "code": code}]},
        "effectiveDateTime": when, "valueInteger": value,
    }


def scores(dice, records):
    day = 20_000 + dice.randrange(300)
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
    dice.shuffle(records)
    return day


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


def history(dice):
    records = []
    last = scores(dice, records)
    statements(dice, records)
    sessions = sorted(20_000 + dice.randrange(400) for _ in range(dice.choice([0, 0, 1, 3])))
    today = last + dice.choice([-10, 0, 0, 1, 6, 7, 8, 28, 60])
    administrations = [
        {"resourceType": "MedicationAdministration", "id": f"s{number}", "status": "completed",
         "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "6130"}]},
         "subject": {"reference": "Patient/p"}, "effectiveDateTime": date_of(day)}
        for number, day in enumerate(sessions)
    ]
    return {
        "records": records + administrations, "today": today,
        "course": course(records, sessions, today), "trials": trials(records, today),
    }


def main():
    count = int(sys.argv[1])
    dice = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    for _ in range(count):
        print(json.dumps(history(dice), separators=(",", ":")))


if __name__ == "__main__":
    main()
