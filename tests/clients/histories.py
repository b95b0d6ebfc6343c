"""Random histories and what they amount to, worked out a second time: plainly, slowly, day by day.

    histories.py COUNT [SEED]

prints one JSON object a line: the records, the day of the question, and the expected course of the
Y-BOCS totals and trials of serotonin reuptake inhibitors. Standard library only. The figures stand
here as the sources have them, not as the service's files do: Mataix-Cols 2016 (response from 35 %,
remission from 12 points down, a week; relapse from 13 points up, a month), the 25 % of a partial
response with at least minimal improvement, and the APA's 8 weeks with 4 at the target dose.
"""

import json
import random
import sys
from fractions import Fraction

from expected_course import course, date_of, days_of

MEASURES = "https://unloop.dev/fhir/CodeSystem/measures"
KINDS = "https://unloop.dev/fhir/CodeSystem/appointment-kind"
COURSE = "https://unloop.dev/fhir/course"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

# Ingredient and the low end of the usual target dose, mg a day.
TARGETS = {"2556": 40, "2597": 100, "321988": 20, "4493": 40, "42355": 200, "32937": 40, "36437": 200}


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
