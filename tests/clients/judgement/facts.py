"""The clinical facts, read from the shared data and from nothing of the service.

The folder is `UNLOOP_SHARED`, or `../shared` beside the repository.
"""

import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDER = pathlib.Path(os.environ.get("UNLOOP_SHARED") or ROOT.parent / "shared") / "clinical"

SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD9CM = "http://hl7.org/fhir/sid/icd-9-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
UNII = "http://fdasis.nlm.nih.gov"


def load(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


class Facts:
    """Condition sets, drugs with their rules, and names, as the shared files have them."""

    def __init__(self):
        sets = load("valuesets/condition-sets.json")
        self.sets = sets["sets"] if isinstance(sets["sets"], list) else list(sets["sets"].values())
        self.aliases = {row["oid"]: row["system"] for row in sets["systemAliases"]}
        self.harmless = set(load("valuesets/condition-coverage.json")["syntheaInNoSet"])
        self.rules = load("interactions.json")["rules"]
        self.drugs = {drug["key"]: drug for drug in load("drug-codes.json")["drugs"]}
        self.own = load("valuesets/own-substance.json")

    def canonical_system(self, system):
        """The URL of a code system, by any of its spellings; `None` where none is given."""
        if not system:
            return None
        name = system.strip().rstrip("/")
        if name.lower().startswith("urn:oid:"):
            return self.aliases.get(name[8:], name)
        return name

    def sets_of_coding(self, coding):
        """The condition sets that hold the coding."""
        system, code = self.canonical_system(coding.get("system")), coding.get("code") or ""
        return [one for one in self.sets if self._holds(one, system, code)]

    def _holds(self, one, system, code):
        bare = code.replace(".", "").upper()
        starts = lambda prefixes: any(bare.startswith(p.replace(".", "").upper()) for p in prefixes)
        if system == SNOMED:
            groups = one.get("snomed") or {}
            return any(code in groups.get(name, ()) for name in ("published", "matched", "named"))
        if system == ICD10CM:
            return starts((one.get("icd10cm") or {}).get("prefixes", ()))
        if system == ICD10:
            who = one.get("icd10who") or {}
            return starts(who.get("prefixes", ())) and not starts(who.get("except", ()) or ("~",))
        if system == ICD9CM:
            return code in ((one.get("icd9cm") or {}).get("codes", ()))
        return False

    def codes_of_set(self, one):
        """(system, code) of every coding that the set names itself."""
        groups = one.get("snomed") or {}
        for name in ("published", "matched", "named"):
            yield from ((SNOMED, code) for code in groups.get(name, ()))
        yield from ((ICD10CM, code) for code in (one.get("icd10cm") or {}).get("prefixes", ()))

    def rules_of_drug(self, key):
        """The interaction rules that a drug of drug-codes.json meets."""
        drug = self.drugs[key]
        atc = [row["code"] for row in drug.get("atc") or ()]
        for rule in self.rules:
            match = rule["match"]
            by_key = key in match.get("drugKeys", ())
            by_atc = any(code.startswith(prefix) for code in atc for prefix in match.get("atcPrefixes") or ())
            if by_key or by_atc:
                yield rule

    def severity(self, key, setting):
        """The gravest severity of a drug in a setting, or `None` where no rule has it. A rule
        that names this drug alone decides instead of those of its class."""
        order = ["compatible", "monitor", "caution", "contraindicated"]
        rules = list(self.rules_of_drug(key))
        own = [rule for rule in rules if rule["match"].get("drugKeys") == [key]]
        found = [rule["severity"][setting] for rule in own or rules]
        return max(found, key=order.index) if found else None
