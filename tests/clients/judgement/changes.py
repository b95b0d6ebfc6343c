"""What may go wrong, or be harmless: each change takes a `records.Maker`."""

import datetime

from .facts import ATC, ICD10CM, LOINC, RXNORM, SNOMED, UNII
from .records import concept
from .reasons import MEASURES

OIDS = {SNOMED: "urn:oid:2.16.840.1.113883.6.96", ICD10CM: "urn:oid:2.16.840.1.113883.6.90",
        RXNORM: "urn:oid:2.16.840.1.113883.6.88", ATC: "urn:oid:2.16.840.1.113883.6.73"}


def spelled(maker, system):
    """A code system by its URL or, sometimes, its OID."""
    return OIDS[system] if system in OIDS and maker.random.random() < 0.25 else system


def later_pressure(maker):
    upper, lower = maker.random.choice([(200, 115), (150, 85), (120, 95), (118, 76)])
    shape = maker.random.choice(["85354-9", "55284-4"])
    maker.add_next(maker.pressure(maker.time(maker.random.choice([2, 5, 12])), upper, lower, shape))


def single_pressures(maker):
    upper, lower = maker.random.choice([(200, 115), (150, 85), (118, 76)])
    when = maker.time(3)
    maker.add_next(maker.observation("8480-6", when, maker.quantity(upper, "mm[Hg]")))
    maker.add_next(maker.observation("8462-4", when, maker.quantity(lower, "mm[Hg]")))


def old_pressure(maker):
    maker.add("bp", maker.pressure(maker.time(maker.random.choice([70, 120, 600])), 122, 78))


def no_pressure(maker):
    maker.drop("bp")


def sign(maker):
    code, unit, value = maker.random.choice([
        ("8867-4", "/min", 195), ("8867-4", "/min", 38), ("8867-4", "/min", 72), ("2708-6", "%", 85),
        ("59408-5", "%", 88), ("2708-6", "%", 98), ("68999-2", "/min", 140)])
    maker.add_next(maker.observation(code, maker.time(maker.random.choice([2, 15])), maker.quantity(value, unit)))


def worse_screen(maker):
    value = maker.random.choice([
        {"valueCodeableConcept": concept(MEASURES, "risk-high")},
        {"valueCodeableConcept": concept(LOINC, "LA9193-9")},
        {"valueCodeableConcept": concept(LOINC, "LA6751-7")},
        {"valueCodeableConcept": {"text": "High risk"}},
        {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA9193-9"}], "text": "see note"}},
        {"valueString": "high"}, {"valueString": "not done"}, {},
    ])
    maker.add_next(maker.screen(maker.time(maker.random.choice([1, 10, 30])), value))


def screen_item(maker):
    code = maker.random.choice(["93248-3", "93249-1", "93250-9", "93269-9"])
    part = {"code": concept(LOINC, code), "valueCodeableConcept": concept(LOINC, "LA33-6")}
    maker.add_next(maker.observation("93373-9", maker.time(5), {"component": [part]}, kind="survey"))


def old_screen(maker):
    days = maker.random.choice([20, 60, 400])
    maker.add("screen", maker.screen(maker.time(days=days), {"valueCodeableConcept": concept(LOINC, "LA9194-7")}))


def item_nine(maker):
    value = maker.random.choice([
        {"valueInteger": 2}, {"valueCodeableConcept": concept(LOINC, "LA6570-1")},
        {"valueCodeableConcept": concept(LOINC, "LA6568-5")}, {"valueInteger": 0}])
    maker.add_next(maker.observation("44260-8", maker.time(4), value, kind="survey"))


def active_problem(maker):
    wanted = [one for one in maker.facts.sets if one["action"] in ("block", "refer-urgent", "refer")]
    chosen = maker.random.choice(wanted)
    system, code = maker.random.choice(list(maker.facts.codes_of_set(chosen)))
    certainty = maker.random.choice(["confirmed", "confirmed", "provisional", "unconfirmed"])
    maker.add_next(maker.condition(spelled(maker, system), code, certainty=certainty))


def odd_problem(maker):
    kind = maker.random.randrange(4)
    if kind == 0:
        maker.add_next(maker.condition(SNOMED, "999480561000087100"))
    elif kind == 1:
        maker.add_next(maker.condition(None, None, text="Paranoid schizophrenia"))
    elif kind == 2:
        maker.add_next(maker.condition("urn:oid:1.2.3.4", "PSY-1"))
    else:
        maker.add_next(maker.condition(SNOMED, maker.random.choice(sorted(maker.facts.harmless))))


def old_answers(maker):
    maker.answers(days=maker.random.choice([100, 240, 730]))


def old_score(maker):
    maker.resources["y"]["effectiveDateTime"] = maker.time(days=maker.random.choice([100, 1100]))


def drug_of_list(maker, wanted=None):
    keys = sorted(key for key, drug in maker.facts.drugs.items() if (drug.get("rxcui") or {}).get("code"))
    return maker.facts.drugs[wanted or maker.random.choice(keys)]


def coded_drug(maker, drug):
    return concept(spelled(maker, RXNORM), drug["rxcui"]["code"])


KINDS = ["MedicationStatement", "MedicationRequest", "MedicationAdministration", "MedicationDispense"]


def medicine(maker):
    maker.add_next(maker.medicine(coded_drug(maker, drug_of_list(maker)), maker.random.choice(KINDS)))


def medicine_by_atc(maker):
    drug = drug_of_list(maker)
    for row in (drug.get("atc") or ())[:1]:
        maker.add_next(maker.medicine(concept(spelled(maker, ATC), row["code"]), maker.random.choice(KINDS)))


def medicine_by_name(maker):
    maker.add_next(maker.medicine({"text": drug_of_list(maker)["name"]}, maker.random.choice(KINDS)))


def half_understood(maker):
    drug = drug_of_list(maker, maker.random.choice(["escitalopram", "sertraline"]))
    coded = coded_drug(maker, drug)
    kind = maker.random.randrange(4)
    if kind == 0:
        coded["text"] = f"{drug['name']} with GHB"
    elif kind == 1:
        coded["text"] = f"{drug['name']} plus kratom"
    elif kind == 2:
        coded["coding"].append({"system": RXNORM, "code": "99999999"})
    else:
        coded = {"text": "something unheard of"}
    maker.add_next(maker.medicine(coded, maker.random.choice(KINDS)))


def no_medicine(maker):
    maker.drop("m")


def linked(maker):
    """An older record of the same person, directly or by one more step, that holds something."""
    maker.add("older", {"resourceType": "Patient", "active": False, "birthDate": "1990-04-02"})
    name = "older"
    if maker.random.random() < 0.4:
        name = "oldest"
        maker.add("oldest", {"resourceType": "Patient", "active": False, "birthDate": "1990-04-02"})
        maker.resources["older"]["link"] = [{"other": maker.patient("oldest"), "type": "replaces"}]
    maker.resources["p"]["link"] = [{"other": maker.patient("older"), "type": "replaces"}]
    if maker.random.random() < 0.5:
        maker.add_next(maker.medicine(concept(RXNORM, "10734"), patient=name))
    else:
        maker.add_next(maker.condition(SNOMED, "64905009", patient=name))


def person(maker):
    patient = maker.resources["p"]
    kind = maker.random.randrange(3)
    if kind == 0:
        patient["active"] = False
    elif kind == 1:
        patient["birthDate"] = f"{maker.now.year - 16}-01-01"
    else:
        patient["deceasedBoolean"] = True


def event(maker):
    maker.add_next({"resourceType": "AdverseEvent", "actuality": "actual", "subject": maker.patient(),
                    "date": maker.time(days=3),
                    "seriousness": concept("http://terminology.hl7.org/CodeSystem/adverse-event-seriousness",
                                           "Serious"),
                    "outcome": concept("http://terminology.hl7.org/CodeSystem/adverse-event-outcome",
                                       maker.random.choice(["ongoing", "resolved"]))})


def mania(maker):
    value = maker.random.choice([18, 6, 2])
    rated = maker.observation("altman-total", maker.time(days=1), {"valueInteger": value}, MEASURES, "survey")
    maker.add_next({**rated, "performer": [maker.patient()]})


def other_consent(maker):
    kind = maker.random.randrange(3)
    consent = maker.resources["consent"]
    if kind == 0:
        consent["category"] = [{"text": "Dental extraction"}]
    elif kind == 1:
        consent["provision"] = {"type": "deny"}
    else:
        consent["status"] = "inactive"
    consent["wrong"] = True


def allergy(maker):
    coded = maker.random.choice([
        concept(RXNORM, "6130"), concept(SNOMED, "373464007"), concept(UNII, "690G0D6V8H"),
        {"text": "special K"}, {"text": "Ketamine"}, concept(spelled(maker, ATC), "N01AX03")])
    maker.add_next({"resourceType": "AllergyIntolerance", "patient": maker.patient(), "code": coded,
                    "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                                              "active")})


def pregnancy(maker):
    maker.resources["p"]["gender"] = "female"
    kind = maker.random.randrange(3)
    if kind == 0:
        value = {"valueCodeableConcept": concept(SNOMED, "77386006")}
        maker.add_next(maker.observation("82810-3", maker.time(days=2), value, kind="social-history"))
    elif kind == 1:
        value = {"valueCodeableConcept": concept(SNOMED, "10828004")}
        maker.add_next(maker.observation("2106-3", maker.time(days=9), value, kind="laboratory"))
    else:
        value = {"valueCodeableConcept": concept(SNOMED, "60001007")}
        maker.add_next(maker.observation("82810-3", maker.time(days=2), value, kind="social-history"))


def companion(maker):
    maker.resources["s"]["participant"][1]["status"] = maker.random.choice(["tentative", "needs-action"])


def late_start(maker):
    """The session should have begun a quarter of an hour ago."""
    session = maker.resources["s"]
    session["start"] = maker.stamp(maker.now.replace(second=0, microsecond=0) - datetime.timedelta(minutes=15))


CHANGES = [later_pressure, single_pressures, old_pressure, no_pressure, sign, worse_screen, screen_item, old_screen,
           item_nine, active_problem, active_problem, odd_problem, old_answers, old_score, medicine, medicine,
           medicine_by_atc, medicine_by_name, half_understood, no_medicine, linked, person, event, mania,
           other_consent, allergy, pregnancy, companion, late_start, late_start]


def change(maker):
    """None to four changes, most records with few, so that some sessions can go."""
    for one in maker.random.sample(CHANGES, maker.random.choice([0, 1, 1, 1, 2, 2, 3, 4])):
        one(maker)
        maker.changes.append(one.__name__)
