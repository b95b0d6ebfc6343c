"""Makes up the records that the benchmark runs on: the same for the same scale.

For each patient 40 Observations (vital signs, blood pressure with components,
laboratory; LOINC and UCUM), 3 MedicationStatements and 5 Appointments.
"""

import datetime
import json
import random

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
MRN = "http://hospital.example.org/mrn"

# code, display, category, unit, unit as shown, mean, deviation
MEASURED = [
    ("8867-4", "Heart rate", "vital-signs", "/min", "beats/min", 76, 14),
    ("9279-1", "Respiratory rate", "vital-signs", "/min", "breaths/min", 15, 3),
    ("8310-5", "Body temperature", "vital-signs", "Cel", "degrees C", 36.8, 0.4),
    ("29463-7", "Body weight", "vital-signs", "kg", "kg", 78, 15),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "laboratory", "mg/dL", "mg/dL", 98, 18),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "laboratory", "mg/dL", "mg/dL", 0.9, 0.2),
    ("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma",
     "laboratory", "U/L", "U/L", 27, 9),
]
PRESSURE = ("85354-9", "Blood pressure panel with all children optional")
FAMILIES = ["Adler", "Brandt", "Castro", "Dubois", "Eriksen", "Fischer", "García", "Hansen", "Ivanov",
            "Jansen", "Kowalski", "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi",
            "Schäfer", "Tanaka", "Ueda", "Varga", "Weber", "Xuan", "Yilmaz", "Zhang"]
GIVEN = ["Anna", "Ben", "Clara", "David", "Elif", "Felix", "Grace", "Hugo", "Ines", "Jonas", "Kira",
         "Liam", "Mona", "Noah", "Olga", "Paul", "Rosa", "Sam", "Tara", "Vera"]
MEDICATIONS = [("6130", "ketamine"), ("36437", "sertraline"), ("4493", "fluoxetine"), ("2597", "clomipramine")]
STATUSES = ["booked", "fulfilled", "cancelled", "noshow"]
FIRST_DAY = datetime.date(2024, 1, 1)
DAYS = 500
FIRST_BIRTH = datetime.date(1940, 1, 1)
BIRTHS = 25000
OBSERVATIONS = 40
MEDICATION_STATEMENTS = 3
APPOINTMENTS = 5
PER_PATIENT = 1 + OBSERVATIONS + MEDICATION_STATEMENTS + APPOINTMENTS


def day(number):
    return (FIRST_DAY + datetime.timedelta(days=number % DAYS)).isoformat()


def birth(number):
    """Days after the first birth; pgbench computes the same."""
    return number * 7919 % BIRTHS


def uuid(chance):
    return "-".join(f"{chance.getrandbits(4 * n):0{n}x}" for n in (8, 4, 4, 4, 12))


def code(system, value, display):
    return {"coding": [{"system": system, "code": value, "display": display}], "text": display}


def quantity(value, unit, shown):
    return {"value": value, "unit": shown, "system": UCUM, "code": unit}


def patient(number):
    chance = random.Random(f"patient {number}")
    given = chance.choice(GIVEN)
    family, born = FAMILIES[number % len(FAMILIES)], FIRST_BIRTH + datetime.timedelta(days=birth(number))
    return {
        "resourceType": "Patient", "id": f"p{number}",
        "text": {"status": "generated", "div":
                 f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{given} {family}, born {born}. A made-up person '
                 "of a benchmark; any likeness to a living one is chance.</p></div>"},
        "identifier": [{"use": "usual", "system": MRN, "value": f"M{number}"}],
        "active": True,
        "name": [{"use": "official", "family": family, "given": [given, chance.choice(GIVEN)]}],
        "telecom": [{"system": "phone", "value": f"+49 30 555 {number:05}", "use": "home"},
                    {"system": "email", "value": f"patient{number}@example.org"}],
        "gender": chance.choice(["female", "male", "other"]),
        "birthDate": born.isoformat(),
        "address": [{"use": "home", "line": [f"{chance.randrange(1, 200)} Hauptstraße"], "city": "Berlin",
                     "postalCode": f"{chance.randrange(10115, 14199)}", "country": "DE"}],
        "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
                                      "code": chance.choice("MSD")}]},
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "de"}]}, "preferred": True}],
    }


def observation(of, index):
    """The index-th observation of a patient, without its id."""
    chance = random.Random(f"observation {of} {index}")
    kind = index % (len(MEASURED) + 1)
    when = f"{day(chance.randrange(DAYS))}T{chance.randrange(8, 18):02}:{chance.randrange(60):02}:00+01:00"
    made = {
        "resourceType": "Observation",
        "text": {"status": "generated", "div":
                 f'<div xmlns="http://www.w3.org/1999/xhtml"><p>Measured at {when} in the practice, sitting, '
                 "after five minutes of rest.</p></div>"},
        "identifier": [{"system": "http://hospital.example.org/observation", "value": f"{of}-{index}"}],
        "status": "final",
    }
    pressure = kind == len(MEASURED)
    if pressure:
        name, category = PRESSURE, "vital-signs"
    else:
        entry = MEASURED[kind]
        name, category = entry[:2], entry[2]
    made["category"] = [{"coding": [{"system": CATEGORY, "code": category}]}]
    made["code"] = code(LOINC, *name)
    made["subject"] = {"reference": f"Patient/p{of}"}
    made["effectiveDateTime"] = when
    made["issued"] = when
    made["performer"] = [{"display": "Study nurse"}]
    if pressure:
        diastolic = round(chance.gauss(79, 12))
        # No heart has a systolic pressure that is not above the diastolic one.
        systolic = diastolic + max(10, round(chance.gauss(45, 12)))
        made["component"] = [
            {"code": code(LOINC, loinc, shown), "valueQuantity": quantity(value, "mm[Hg]", "mmHg")}
            for loinc, shown, value in [("8480-6", "Systolic blood pressure", systolic),
                                        ("8462-4", "Diastolic blood pressure", diastolic)]]
    else:
        made["valueQuantity"] = quantity(round(chance.gauss(entry[5], entry[6]), 1), entry[3], entry[4])
    return made


def medication(of, index):
    chance = random.Random(f"medication {of} {index}")
    value, name = chance.choice(MEDICATIONS)
    return {
        "resourceType": "MedicationStatement", "id": f"m{of}-{index}", "status": "active",
        "medicationCodeableConcept": code("http://www.nlm.nih.gov/research/umls/rxnorm", value, name),
        "subject": {"reference": f"Patient/p{of}"},
        "effectivePeriod": {"start": day(chance.randrange(DAYS))},
        "dosage": [{"text": "once daily in the morning", "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": quantity(chance.choice([25, 50, 100]), "mg", "mg")}]}],
    }


def appointment(of, index):
    chance = random.Random(f"appointment {of} {index}")
    on, hour = day(chance.randrange(DAYS)), chance.randrange(8, 17)
    return {
        "resourceType": "Appointment", "id": f"a{of}-{index}", "status": STATUSES[index % len(STATUSES)],
        "serviceType": [code("http://terminology.hl7.org/CodeSystem/service-type", "124", "General Practice")],
        "description": "Infusion and monitoring", "minutesDuration": 50,
        "start": f"{on}T{hour:02}:00:00Z", "end": f"{on}T{hour:02}:50:00Z",
        "participant": [{"actor": {"reference": f"Patient/p{of}"}, "status": "accepted"}],
    }


def resources(patients):
    """Every resource with an id, in an order in which links point backwards."""
    for of in range(patients):
        yield patient(of)
    for of in range(patients):
        for index in range(OBSERVATIONS):
            made = observation(of, index)
            yield {"resourceType": made.pop("resourceType"), "id": f"o{of}-{index}", **made}
        for index in range(MEDICATION_STATEMENTS):
            yield medication(of, index)
        for index in range(APPOINTMENTS):
            yield appointment(of, index)


def text(resource):
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":"))


def write(folder, patients):
    """NDJSON files of at most 5,000 lines; returns how many resources and bytes they hold."""
    count = size = 0
    out = None
    for resource in resources(patients):
        if count % 5000 == 0:
            if out:
                out.close()
            out = open(folder / f"{count // 5000:05}.ndjson", "w", encoding="utf-8")
        line = text(resource)
        size += len(line.encode())
        count += 1
        out.write(line + "\n")
    out.close()
    return count, size
