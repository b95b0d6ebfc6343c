"""The workloads: what is asked for, with which answer, and the hand-written SQL
that gives the same answer from tables made for nothing else (see limits.py)."""

import dataclasses
import random
import urllib.parse

import data

# Requests of one workload; they are sent one after the other, again and again.
REQUESTS = 2000
ENTRIES = 50
# The handler that does the least, below the root of our own service.
BARE = "health/live"
VITAL = ["8867-4", "9279-1", "8310-5", "29463-7", "85354-9"]


@dataclasses.dataclass(frozen=True)
class Workload:
    id: str
    what: str
    # (chance, number of patients) -> (method, path below the base, body or "")
    make: object
    # Runs in pgbench with patients and days as variables. Without it there is no limit to compare with.
    sql: str = ""
    # The path is beside the FHIR base, not below it.
    beside: bool = False
    # Resources that one request writes.
    writes: int = 0
    target: float = 0.0


def someone(chance, patients):
    return chance.randrange(patients)


def query(resource_type, **terms):
    return f"{resource_type}?" + urllib.parse.urlencode(terms, safe=":/$,")


def get(path):
    return "GET", path, ""


def read(chance, patients):
    return get(f"Patient/p{someone(chance, patients)}")


def create(chance, patients):
    return "POST", "Observation", data.text(data.observation(someone(chance, patients), chance.randrange(10_000)))


def update(chance, patients):
    of, index = someone(chance, patients), chance.randrange(data.OBSERVATIONS)
    changed = data.observation(of, index)
    changed["id"] = f"o{of}-{index}"
    changed["status"] = chance.choice(["final", "amended", "corrected"])
    return "PUT", f"Observation/o{of}-{index}", data.text(changed)


def bundle(chance, patients):
    """An encounter, and what was observed in it."""
    of = someone(chance, patients)
    address = f"urn:uuid:{data.uuid(chance)}"
    encounter = {
        "resourceType": "Encounter", "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/p{of}"}, "period": {"start": data.day(of), "end": data.day(of)},
    }
    entries = [{"fullUrl": address, "resource": encounter, "request": {"method": "POST", "url": "Encounter"}}]
    for _ in range(ENTRIES - 1):
        observed = data.observation(of, chance.randrange(10_000))
        observed["encounter"] = {"reference": address}
        entries.append({"resource": observed, "request": {"method": "POST", "url": "Observation"}})
    return "POST", "", data.text({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def s1(chance, patients):
    return get(query("Observation", patient=f"p{someone(chance, patients)}", code=f"{data.LOINC}|{chance.choice(VITAL)}"))


def s2(chance, patients):
    terms = {"patient": f"p{someone(chance, patients)}", "category": "vital-signs",
             "date": f"ge{data.day(data.DAYS // 4)}", "_sort": "-date", "_count": "20"}
    return get(query("Observation", **terms))


def s3(chance, patients):
    somebody = data.patient(someone(chance, patients))
    return get(query("Patient", name=somebody["name"][0]["family"][:4], birthdate=somebody["birthDate"]))


def s4(chance, patients):
    return get(query("MedicationStatement", patient=f"p{someone(chance, patients)}",
                     _include="MedicationStatement:subject"))


def s5(chance, patients):
    """A day and a status of an appointment that exists."""
    one = data.appointment(someone(chance, patients), chance.randrange(data.APPOINTMENTS))
    return get(query("Appointment", date=one["start"][:10], status=one["status"]))


def s6(chance, _patients):
    least = chance.choice(["105", "110", "112"])
    return get(query("Observation", **{"code-value-quantity": f"{data.LOINC}|8867-4$gt{least}|{data.UCUM}|/min"}))


def s7(chance, patients):
    return get(query("Observation", **{"subject:Patient.identifier": f"{data.MRN}|M{someone(chance, patients)}"}))


def s8(chance, patients):
    return get(f"Patient/p{someone(chance, patients)}/$everything")


def plain(chance, patients):
    """The same medicine as in `checked`, in a record that no rule is about."""
    resource = medicine(chance, patients)
    return "POST", "MedicationDispense", data.text({
        "resourceType": "MedicationDispense", "status": "completed", "subject": resource["subject"],
        "medicationCodeableConcept": resource["medicationCodeableConcept"],
        "whenHandedOver": resource["effectivePeriod"]["start"],
        "dosageInstruction": resource["dosage"],
    })


def checked(chance, patients):
    return "POST", "MedicationStatement", data.text(medicine(chance, patients))


def medicine(chance, patients):
    resource = data.medication(someone(chance, patients), chance.randrange(10_000))
    del resource["id"]
    return resource


def cds(chance, patients):
    """Ketamine is selected for somebody whose medicines stand here."""
    of = someone(chance, patients)
    order = {"resourceType": "MedicationRequest", "id": "k", "status": "draft", "intent": "order",
             "subject": {"reference": f"Patient/p{of}"},
             "medicationCodeableConcept": data.code("http://www.nlm.nih.gov/research/umls/rxnorm", *data.MEDICATIONS[0])}
    context = {"userId": "Practitioner/d", "patientId": f"p{of}", "selections": ["MedicationRequest/k"],
               "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}}
    call = {"hook": "order-select", "hookInstance": data.uuid(chance), "context": context}
    return "POST", "cds-services/ketamine-medication-check", data.text(call)


# The first four letters of every family name.
BEGINNINGS = "".join(name[:4].lower() for name in data.FAMILIES)
SOMEONE = "\\set p random(0, :patients - 1)\n"
WORKLOADS = [
    Workload("read", "GET Patient/{id}", read, target=0.5,
             sql=SOMEONE + "SELECT body FROM doc WHERE type = 'Patient' AND id = 'p' || :p::int;"),
    Workload("create", "POST Observation", create, writes=1, target=0.3,
             sql="INSERT INTO written (body) VALUES (:body);"),
    Workload("update", "PUT Observation/{id}", update, writes=1, target=0.3,
             sql=SOMEONE + f"\\set i random(0, {data.OBSERVATIONS - 1})\n"
             "UPDATE doc SET body = :body WHERE type = 'Observation' AND id = 'o' || :p::int || '-' || :i::int;"),
    Workload("bundle", f"transaction of {ENTRIES} creates", bundle, writes=ENTRIES, target=0.5,
             sql="INSERT INTO written (body) VALUES (:body);"),
    Workload("s1", "Observation?patient&code", s1, target=0.5, sql=SOMEONE +
             "SELECT body FROM observation WHERE patient = 'p' || :p::int AND code = '8867-4' ORDER BY id LIMIT 21;"),
    Workload("s2", "Observation?patient&category&date=ge&_sort=-date&_count=20", s2, target=0.5, sql=SOMEONE +
             "SELECT body FROM observation WHERE patient = 'p' || :p::int AND category = 'vital-signs'"
             f" AND at >= '{data.day(data.DAYS // 4)}' ORDER BY at DESC, id LIMIT 21;"),
    Workload("s3", "Patient?name&birthdate", s3, target=0.5, sql=SOMEONE +
             f"\\set b :p * 7919 % {data.BIRTHS}\n\\set f :p % {len(data.FAMILIES)} * 4 + 1\n"
             f"SELECT body FROM patient WHERE birth = date '{data.FIRST_BIRTH}' + :b::int"
             f" AND family ^@ substr('{BEGINNINGS}', :f::int, 4) ORDER BY id LIMIT 21;"),
    Workload("s4", "MedicationStatement?patient&_include=subject", s4, target=0.5, sql=SOMEONE +
             "SELECT m.body FROM medication m WHERE m.patient = 'p' || :p::int"
             " UNION ALL SELECT body FROM patient WHERE id = 'p' || :p::int;"),
    Workload("s5", "Appointment?date&status (all patients)", s5, target=0.4, sql=f"\\set d random(0, {data.DAYS - 1})\n"
             f"SELECT body FROM appointment WHERE at >= date '{data.FIRST_DAY}' + :d::int"
             f" AND at < date '{data.FIRST_DAY}' + :d::int + 1 AND status = 'booked' ORDER BY id LIMIT 21;"),
    Workload("s6", "Observation?code-value-quantity=…$gt… (all patients)", s6, target=0.4, sql="\\set q random(105, 112)\n"
             "SELECT body FROM observation WHERE code = '8867-4' AND unit = '/min' AND value > :q::int ORDER BY id LIMIT 21;"),
    Workload("s7", "Observation?subject:Patient.identifier", s7, target=0.5, sql=SOMEONE +
             "SELECT body FROM observation WHERE patient ="
             " (SELECT id FROM patient WHERE identifier = 'M' || :p::int) ORDER BY id LIMIT 21;"),
    Workload("s8", "Patient/{id}/$everything", s8, target=0.4, sql=SOMEONE +
             "SELECT body FROM patient WHERE id = 'p' || :p::int"
             " UNION ALL SELECT body FROM observation WHERE patient = 'p' || :p::int"
             " UNION ALL SELECT body FROM medication WHERE patient = 'p' || :p::int"
             " UNION ALL SELECT body FROM appointment WHERE patient = 'p' || :p::int;"),
    Workload("plain", "POST MedicationDispense, which no rule checks", plain, writes=1),
    Workload("checked", "POST MedicationStatement, with its check", checked, writes=1),
    Workload("cds", "POST cds-services/ketamine-medication-check (order-select)", cds, beside=True),
]
BY_ID = {workload.id: workload for workload in WORKLOADS}


def requests(workload, patients):
    """The same for the same workload and scale. Bundles are long: fewer of them do."""
    chance = random.Random(workload.id)
    return [workload.make(chance, patients) for _ in range(REQUESTS // max(1, workload.writes))]
