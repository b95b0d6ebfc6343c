"""Random patients: one for whom everything is right, and what may go wrong.

Each change adds or replaces resources. Spellings vary on purpose: code systems by
URL and OID, text only, unknown codes, late values, linked patients.
"""

import datetime

from .facts import ATC, ICD10CM, LOINC, RXNORM, SNOMED, UNII
from .reasons import MEASURES

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
KIND = "https://unloop.dev/fhir/CodeSystem/appointment-kind"
SETTING = "https://unloop.dev/fhir/CodeSystem/session-setting"
UCUM = "http://unitsofmeasure.org"


def concept(system, code):
    return {"coding": [{"system": system, "code": code}]}


def category(code):
    return [concept("http://terminology.hl7.org/CodeSystem/observation-category", code)]


class Maker:
    """Makes the resources of one record. `number` keeps the ids of records apart."""

    def __init__(self, facts, random, number, now):
        self.facts, self.random, self.number, self.now = facts, random, number, now
        self.setting = random.choice(["home", "clinic"])
        self.made = 0
        self.resources = {}
        self.changes = []

    # Building blocks -------------------------------------------------------

    def id(self, name):
        return f"j{self.number}-{name}"

    def add(self, name, content):
        self.resources[name] = {"id": self.id(name), **content}

    def add_next(self, content):
        self.made += 1
        self.add(f"x{self.made}", content)

    def drop(self, name):
        self.resources.pop(name, None)

    def patient(self, name="p"):
        return {"reference": f"Patient/{self.id(name)}"}

    def time(self, minutes=0, days=0):
        when = self.now - minutes * MINUTE - days * DAY
        zone = self.random.choice([0, 0, -5, 2, 5.5])
        local = when.astimezone(datetime.timezone(datetime.timedelta(hours=zone)))
        return local.isoformat(timespec="seconds")

    def loinc(self):
        """LOINC by its URL or, sometimes, another spelling that feeds use."""
        others = ["urn:oid:2.16.840.1.113883.6.1", "http://loinc.org/", "https://loinc.org"]
        return self.random.choice(others) if self.random.random() < 0.2 else LOINC

    def observation(self, code, when, value, system=None, kind="vital-signs"):
        system = system or self.loinc()
        return {"resourceType": "Observation", "status": "final", "category": category(kind),
                "code": concept(system, code), "subject": self.patient(), "effectiveDateTime": when, **value}

    def quantity(self, value, unit):
        return {"valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}

    def pressure(self, when, upper, lower, shape="85354-9"):
        half = lambda code, value: {"code": concept(self.loinc(), code), **self.quantity(value, "mm[Hg]")}
        parts = [half("8480-6", upper), half("8462-4", lower)]
        if shape == "55284-4":
            parts.reverse()
        return self.observation(shape, when, {"component": parts})

    def condition(self, system, code, patient="p", text=None, certainty="confirmed"):
        kinds = {"code": {"text": text} if text else concept(system, code)}
        return {"resourceType": "Condition", "subject": self.patient(patient), **kinds,
                "clinicalStatus": concept(CLINICAL, "active"),
                "verificationStatus": concept(VERIFIED, certainty)}

    def medicine(self, coded, resource_type="MedicationStatement", patient="p"):
        content = {"resourceType": resource_type, "status": "active", "subject": self.patient(patient),
                   "medicationCodeableConcept": coded}
        if resource_type == "MedicationRequest":
            content |= {"intent": "order", "authoredOn": self.time(days=3)}
        if resource_type == "MedicationStatement":
            content |= {"effectivePeriod": {"start": self.time(days=30)}}
        if resource_type == "MedicationAdministration":
            content |= {"status": "completed", "effectiveDateTime": self.time(minutes=30)}
        if resource_type == "MedicationDispense":
            content |= {"status": "completed", "whenHandedOver": self.time(days=1)}
        return content

    def screen(self, when, value):
        return self.observation("93374-7", when, value, kind="survey")

    # The record where nothing is wrong ------------------------------------

    def base(self):
        start, end = self.now + 10 * MINUTE, self.now + 160 * MINUTE
        role = "PART" if self.setting == "home" else "ESC"
        self.add("p", {"resourceType": "Patient", "active": True, "birthDate": "1990-04-02", "gender": "male",
                       "name": [{"family": "Test", "given": [self.id("p")]}]})
        self.add("r", {"resourceType": "RelatedPerson", "active": True, "patient": self.patient()})
        self.add("s", {"resourceType": "Appointment", "status": "booked", "start": self.stamp(start),
                       "end": self.stamp(end), "serviceType": [concept(KIND, "ketamine-session")],
                       "serviceCategory": [concept(SETTING, self.setting)],
                       "participant": [
                           {"actor": self.patient(), "status": "accepted", "required": "required"},
                           {"actor": {"reference": f"RelatedPerson/{self.id('r')}"}, "status": "accepted",
                            "required": "required", "type": [concept(PARTICIPATION, role)]}]})
        self.add("consent", {"resourceType": "Consent", "status": "active", "patient": self.patient(),
                             "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "treatment"),
                             "category": [{"text": "Ketamine"}], "policy": [{"uri": "https://example.org/c"}],
                             "dateTime": self.time(days=2)})
        self.add("ocd", self.condition(SNOMED, "191736004"))
        self.add("y", {**self.observation("ybocs-total", self.time(days=10), {"valueInteger": 27},
                                          MEASURES, "survey"), "performer": [{"reference": "Practitioner/judge"}],
                       "method": concept(SNOMED, "840418002")})
        self.add("bp", self.pressure(self.time(20), 124, 78))
        self.add("screen", self.screen(self.time(40), {"valueCodeableConcept": concept(LOINC, "LA9194-7")}))
        self.add("m", self.medicine(concept(RXNORM, "321988")))
        self.add("old", {"resourceType": "MedicationStatement", "status": "completed", "subject": self.patient(),
                         "medicationCodeableConcept": concept(RXNORM, "36437"),
                         "effectivePeriod": {"start": "2025-01-01", "end": "2025-06-30"},
                         "dosage": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                                     "doseAndRate": [{"doseQuantity": {"value": 200, "unit": "mg",
                                                                       "system": UCUM, "code": "mg"}}]}]})
        self.answers(days=5)

    def stamp(self, when):
        return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def answers(self, days):
        links = ["erp", "function", "psychosis", "substance-use", "therapy", "label-contraindication", "pregnancy",
                 *self.more_links]
        items = [{"linkId": link, "answer": [{"valueBoolean": True}]} for link in links]
        self.add("q", {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": self.patient(),
                       "questionnaire": "https://unloop.dev/fhir/Questionnaire/ketamine-candidacy",
                       "authored": self.time(days=days), "item": items})

    # Further statements that the service's own Questionnaire asks about.
    more_links = ("intracranial-pressure", "heart", "liver", "eye-pressure", "capacity", "bladder", "kidney", "seizure",
                  "airway", "dissociation", "porphyria")

    def bundle(self):
        entries = [{"fullUrl": f"https://example.org/{one['resourceType']}/{one['id']}", "resource": one,
                    "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
                   for one in self.resources.values()]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
