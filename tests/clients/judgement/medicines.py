"""Every reason that speaks against calling a medicine list compatible and complete.

Written from drug-codes.json, interactions.json and own-substance.json of the shared
facts; it shares no code with the service. One-sided, as `reasons`.
"""

import re

from .facts import ATC, RXNORM, SNOMED, UNII
from .reasons import codings

TYPES = {"MedicationStatement": "medicationCodeableConcept", "MedicationRequest": "medicationCodeableConcept",
         "MedicationAdministration": "medicationCodeableConcept", "MedicationDispense": "medicationCodeableConcept"}
# Statuses with which a medicine can be in the body, or will be.
TAKEN = {"active", "in-progress", "intended", "on-hold", "unknown", "preparation"}
RECENT = {"MedicationAdministration", "MedicationDispense"}


class Medicines:
    def __init__(self, record):
        self.record, self.facts = record, record.facts
        self.by_code, self.by_name = {}, {}
        for key, drug in self.facts.drugs.items():
            self.by_name[drug["name"].lower()] = key
            if (drug.get("rxcui") or {}).get("code"):
                self.by_code[(RXNORM, drug["rxcui"]["code"])] = key
            for row in drug.get("atc") or ():
                self.by_code[(ATC, row["code"])] = key

    def concepts(self):
        """(resource, concept) of every medicine that may be in the body now."""
        for resource_type, member in TYPES.items():
            for one in self.record.of(resource_type):
                status = one.get("status")
                given = resource_type in RECENT and status == "completed"
                if status in TAKEN or given:
                    yield one, one.get(member) or {}

    def key_of_coding(self, coding):
        return self.by_code.get((self.facts.canonical_system(coding.get("system")), coding["code"]))

    def keys_of_text(self, text):
        words = re.sub(r"[^a-z0-9-]+", " ", text.lower()).strip()
        found = {key for name, key in self.by_name.items() if re.search(rf"\b{re.escape(name)}\b", words)}
        rest = words
        for name in sorted(self.by_name, key=len, reverse=True):
            rest = re.sub(rf"\b{re.escape(name)}\b", " ", rest)
        rest = re.sub(r"\b(\d+|mg|ml|oral|tablet|capsule|daily|once|hydrochloride|hcl)\b", " ", rest)
        return found, rest.split()

    def reasons(self, setting):
        seen = list(self.concepts())
        if not seen:
            yield "no medicine is recorded at all"
        for one, concept in seen:
            name = f"{one['resourceType']}/{one['id']}"
            keys, unknown = set(), []
            for coding in codings(concept):
                key = self.key_of_coding(coding)
                (keys.add(key) if key else unknown.append(coding["code"]))
            if concept.get("text"):
                found, rest = self.keys_of_text(concept["text"])
                keys |= found
                unknown += rest
            if unknown or not keys:
                yield f"{name} is not understood: {unknown}"
            for key in keys:
                severity = self.facts.severity(key, setting)
                if severity in ("caution", "contraindicated"):
                    yield f"{name}: {key} is {severity}"
        yield from self.allergy_reasons()

    def allergy_reasons(self):
        own = {(row["system"], row["code"]) for row in self.facts.own["codes"]}
        for one in self.record.of("AllergyIntolerance"):
            concept = one.get("code") or {}
            codes = {(self.facts.canonical_system(c.get("system")), c["code"]) for c in codings(concept)}
            text = (concept.get("text") or "").lower()
            if codes & own or "ketamine" in text or "special k" in text:
                yield f"an allergy to ketamine ({one['id']})"
