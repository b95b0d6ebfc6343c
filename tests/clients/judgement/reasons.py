"""Every reason that speaks against a session, a course or a medicine list.

A slow and exhaustive reading of plain resources, written from the shared clinical
facts (horizons.md, vitals.json, screening.json, observation-codes.json, the value
sets). It shares no code with the service. It is one-sided on purpose: where it
finds a reason, the service must not say go, eligible or compatible.
"""

import datetime
import re

from .facts import ATC, LOINC, RXNORM, SNOMED, UNII

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)
MEASURES = "https://unloop.dev/fhir/CodeSystem/measures"
SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"
PRESSURE_PANELS = {"85354-9": (SYSTOLIC, DIASTOLIC), "55284-4": (SYSTOLIC, DIASTOLIC),
                   "96607-7": ("96608-5", "96609-3")}
HEART_RATE = {"11328-2", "68999-2", "69000-8", "69001-6", "8867-4"}
SATURATION = {"2708-6", "59408-5"}
ITEM_RISK = {"93246-7": 0, "93247-5": 0, "93248-3": 1, "93249-1": 2, "93250-9": 2, "93267-3": 1, "93269-9": 2}
RISK = {"LA9194-7": 0, "LA6751-7": 1, "LA9193-9": 2, "risk-low": 0, "risk-moderate": 1, "risk-high": 2}
ITEM9 = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}
NOT_COUNTED = {"entered-in-error", "cancelled"}


def codings(concept):
    return [one for one in (concept or {}).get("coding", ()) if one.get("code")]


def codes(concept, system=None):
    return {one["code"] for one in codings(concept) if system is None or one.get("system") == system}


def moment(resource, zone=datetime.timezone.utc):
    """When an Observation was made, by its last moment."""
    value = resource.get("effectiveDateTime") or (resource.get("effectivePeriod") or {}).get("end")
    if not value:
        return None
    if len(value) == 10:
        day = datetime.datetime.fromisoformat(value).replace(tzinfo=zone)
        return day + DAY - datetime.timedelta(seconds=1)
    return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))


class Record:
    """One patient's resources with those of every linked patient."""

    def __init__(self, facts, resources, patient, now):
        self.facts, self.now = facts, now
        self.resources = resources
        self.patients = self._linked(patient)
        self.patient = next(one for one in resources
                            if one["resourceType"] == "Patient" and one["id"] == patient)

    def _linked(self, first):
        people = [one for one in self.resources if one["resourceType"] == "Patient"]
        edges = {(one["id"], link["other"]["reference"].rsplit("/", 1)[-1])
                 for one in people for link in one.get("link", ())
                 if link["type"] in ("replaces", "replaced-by")}
        found, size = {first}, 0
        while size != len(found):
            size = len(found)
            for a, b in edges:
                if a in found or b in found:
                    found |= {a, b}
        return found

    def of(self, resource_type):
        for one in self.resources:
            if one["resourceType"] != resource_type:
                continue
            subject = one.get("subject") or one.get("patient") or {}
            if subject.get("reference", "").rsplit("/", 1)[-1] in self.patients:
                yield one

    def observations(self, wanted):
        for one in self.of("Observation"):
            if one.get("status") in NOT_COUNTED:
                continue
            if codes(one.get("code")) & set(wanted) and moment(one) is not None:
                yield one

    # Blood pressure -------------------------------------------------------

    def pressures(self):
        """(time, systolic, diastolic) of every reading with both values, in any shape."""
        singles = []
        for one in self.observations(set(PRESSURE_PANELS) | {SYSTOLIC, DIASTOLIC}):
            for panel, (upper, lower) in PRESSURE_PANELS.items():
                if panel in codes(one["code"]):
                    value = {code: number(part.get("valueQuantity")) for part in one.get("component", ())
                             for code in codes(part["code"])}
                    if value.get(upper) is not None and value.get(lower) is not None:
                        yield moment(one), value[upper], value[lower]
            for half in (SYSTOLIC, DIASTOLIC):
                if half in codes(one["code"]) and number(one.get("valueQuantity")) is not None:
                    singles.append((moment(one), half, number(one["valueQuantity"])))
        for when, half, value in singles:
            for other, other_half, other_value in singles:
                if half == SYSTOLIC and other_half == DIASTOLIC and abs(when - other) <= 2 * MINUTE:
                    yield max(when, other), value, other_value

    def pressure_reasons(self, setting):
        limit = (140, 90)
        fresh = [row for row in self.pressures() if self.now - 60 * MINUTE <= row[0] <= self.now + MINUTE]
        if not fresh:
            yield "no blood pressure of the last 60 minutes"
            return
        last = max(row[0] for row in fresh)
        for when, upper, lower in fresh:
            if when == last and (upper > limit[0] or lower > limit[1]):
                yield f"the last blood pressure {upper}/{lower} asks for a review"

    # Other signs ----------------------------------------------------------

    def sign_reasons(self):
        hour = self.now - 60 * MINUTE
        for wanted, low, high, name in ((HEART_RATE, 50, 110, "heart rate"), (SATURATION, 94, 1000, "SpO2")):
            rows = [(moment(one), number(one.get("valueQuantity"))) for one in self.observations(wanted)]
            rows = [row for row in rows if row[1] is not None and hour <= row[0] <= self.now + MINUTE]
            if rows:
                value = max(rows, key=lambda row: row[0])[1]
                if value < low or value > high:
                    yield f"{name} {value}"

    # Suicidality ----------------------------------------------------------

    def screens(self):
        """(time, level or None) of every screen; `None` is a screen that is not understood."""
        for one in self.observations({"93374-7", "93373-9", "cssrs-risk", *ITEM_RISK}):
            yield moment(one), screen_level(one)

    def suicide_reasons(self, days):
        start = self.now - days * DAY
        seen = [row for row in self.screens() if start <= row[0] <= self.now + MINUTE]
        if not any(level is not None for _, level in seen):
            yield "no screen for suicidality that is understood"
        for when, level in seen:
            if level is None and when >= max(row[0] for row in seen):
                yield "the last screen is not understood"
            if level:
                later_low = any(later > when and other == 0 for later, other in seen)
                if not later_low:
                    yield f"a screen shows risk level {level}"
        for one in self.observations({"44260-8"}):
            if moment(one).date() == self.now.date() and item9(one) != 0:
                yield "item 9 of PHQ-9 above 0, or not understood"
        for one, hit in self.active_sets():
            if hit["action"] == "refer-urgent":
                yield f"active condition in {hit['id']}"

    # Conditions -----------------------------------------------------------

    def active_conditions(self):
        for one in self.of("Condition"):
            verified = codes(one.get("verificationStatus"))
            clinical = codes(one.get("clinicalStatus"))
            if verified & {"refuted", "entered-in-error"} or clinical & {"inactive", "remission", "resolved"}:
                continue
            yield one

    def active_sets(self):
        for one in self.active_conditions():
            for coding in codings(one.get("code")):
                for hit in self.facts.sets_of_coding(coding):
                    yield one, hit

    def not_understood(self):
        for one in self.active_conditions():
            known = codings(one.get("code"))
            if not known:
                yield one
            for coding in known:
                system = self.facts.canonical_system(coding.get("system"))
                harmless = system == SNOMED and coding["code"] in self.facts.harmless
                if not self.facts.sets_of_coding(coding) and not harmless:
                    yield one

    def condition_reasons(self, actions):
        for one, hit in self.active_sets():
            if hit["action"] in actions:
                yield f"active {hit['id']} ({one['id']})"
        for one in self.not_understood():
            # An ICD-10-CM code outside the prefixes that call for attention is recognised.
            if not any(self.facts.canonical_system(coding.get("system")) not in (SNOMED, None)
                       for coding in codings(one.get("code"))):
                yield f"a problem that is not understood ({one['id']})"

    # The patient, pregnancy, events ---------------------------------------

    def person_reasons(self):
        if self.patient.get("deceasedBoolean") or self.patient.get("deceasedDateTime"):
            yield "deceased"
        if self.patient.get("active") is False:
            yield "inactive"
        if any(link["type"] == "replaced-by" for link in self.patient.get("link", ())):
            yield "replaced by another record"
        birth = datetime.date.fromisoformat(self.patient["birthDate"])
        if (self.now.date() - birth).days < 18 * 365.2425:
            yield "under age"

    def pregnancy_reasons(self):
        for one in self.observations({"82810-3"}):
            if "77386006" in codes(one.get("valueCodeableConcept")) and self.now - moment(one) < 30 * DAY:
                yield "pregnant"
        for one in self.observations({"2106-3", "2118-8"}):
            positive = codes(one.get("valueCodeableConcept")) & {"10828004", "LA6576-8"}
            positive |= {code for part in one.get("interpretation", ()) for code in codes(part)} & {"POS"}
            if positive and self.now - moment(one) < 45 * 7 * DAY:
                yield "positive pregnancy test"

    def event_reasons(self):
        for one in self.of("AdverseEvent"):
            serious = codes(one.get("seriousness")) & {"serious", "Serious"}
            over = codes(one.get("outcome")) & {"resolved", "recovered"}
            if serious and not over:
                yield "a serious adverse event that is not resolved"
        for one in self.observations({"altman-total", "838442002"}):
            if self.now - moment(one) < 7 * DAY and (one.get("valueInteger") or 0) >= 6:
                yield "Altman scale at 6 or more"


def number(quantity):
    value = (quantity or {}).get("value")
    return None if value is None else float(value)


def level_of_text(text):
    for word, level in (("high", 2), ("moderate", 1), ("low", 0)):
        if re.search(rf"\b{word}\b", text or "", re.IGNORECASE):
            return level
    return None


def screen_level(one):
    """0 low, 1 moderate, 2 high, `None` not understood: the worst of all that the screen says."""
    levels = []
    asked = codes(one["code"]) & set(ITEM_RISK)
    concept = one.get("valueCodeableConcept")
    if asked:
        yes = "LA33-6" in codes(concept) or one.get("valueBoolean") is True
        no = "LA32-8" in codes(concept) or one.get("valueBoolean") is False
        return max(ITEM_RISK[code] for code in asked) if yes else None if not no else None
    for code in codes(concept):
        levels.append(RISK.get(code))
    if concept and not codings(concept):
        levels.append(level_of_text(concept.get("text")))
    if one.get("valueString"):
        levels.append(level_of_text(one["valueString"]))
    for part in one.get("component", ()):
        for code in codes(part["code"]) & set(ITEM_RISK):
            if "LA33-6" in codes(part.get("valueCodeableConcept")):
                levels.append(ITEM_RISK[code])
        if "93374-7" in codes(part["code"]):
            levels.extend(RISK.get(code) for code in codes(part.get("valueCodeableConcept")))
    if not levels:
        return None
    known = [level for level in levels if level is not None]
    if known and max(known) > 0:
        return max(known)
    return None if None in levels else 0


def item9(one):
    if one.get("valueInteger") is not None:
        return one["valueInteger"]
    if one.get("valueQuantity"):
        return number(one["valueQuantity"])
    found = [ITEM9.get(code) for code in codes(one.get("valueCodeableConcept"))]
    return found[0] if found else None
