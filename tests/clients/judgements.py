"""Asks a running server about random patients, and an independent judge about its answers.

    judgements.py BASE_URL [COUNT [SEED]]      UNLOOP_TEST_TOKEN: a token for system/*.cruds

Where the judge finds a reason, the service must not say go (session readiness),
eligible for review (candidacy), or compatible and complete (medicines). The judge
reads the shared clinical facts and shares no code with the service.
"""

import collections
import concurrent.futures
import datetime
import json
import os
import pathlib
import random
import sys

import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from judgement.changes import change
from judgement.facts import FOLDER, Facts
from judgement.medicines import Medicines
from judgement.reasons import Record
from judgement.records import Maker

BLOCKING = {"block", "refer-urgent"}
WORKERS = 8


def parts(answer):
    """`name` -> first value of each parameter."""
    found = {}
    for one in answer.get("parameter", ()):
        value = next((one[key] for key in one if key.startswith("value")), None)
        found.setdefault(one["name"], value)
    return found


class Client:
    def __init__(self, base_url):
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {os.environ.get('UNLOOP_TEST_TOKEN', '')}"
        self.session.headers["Content-Type"] = "application/fhir+json"

    def put(self, content):
        url = f"{self.base_url}/{content['resourceType']}/{content['id']}"
        answer = self.session.put(url, json=content)
        answer.raise_for_status()

    def transaction(self, bundle):
        return self.session.post(self.base_url, json=bundle)

    def ask(self, address):
        answer = self.session.get(f"{self.base_url}/{address}")
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


def record_reasons(record, setting, consent):
    """What speaks against the session, and against the course."""
    session = [*record.pressure_reasons(setting), *record.sign_reasons(), *record.suicide_reasons(14),
               *record.person_reasons(), *record.pregnancy_reasons(), *record.event_reasons(),
               *record.condition_reasons(BLOCKING)]
    if consent.pop("wrong", False):
        session.append("the consent is not for this, denied or not active")
    course = [*record.suicide_reasons(14), *record.person_reasons(), *record.pregnancy_reasons(),
              *record.condition_reasons(BLOCKING)]
    return session, course


def judge_one(base_url, facts, seed, number):
    """The disagreements about one record, and what the service said."""
    now = datetime.datetime.now(datetime.timezone.utc)
    maker = Maker(facts, random.Random(f"{seed}-{number}"), f"{seed}x{number}", now)
    maker.base()
    change(maker)
    consent = maker.resources["consent"]
    record = Record(facts, list(maker.resources.values()), maker.id("p"), now)
    session, course = record_reasons(record, maker.setting, consent)
    if maker.resources["s"]["participant"][1]["status"] != "accepted":
        session.append("the companion or driver has not accepted")
    if any("old_" in name for name in maker.changes):
        session += [f"{name}: too old" for name in maker.changes if name in ("old_answers",)]
        course += [f"{name}: too old" for name in maker.changes if name in ("old_answers", "old_score")]
    medicines = list(Medicines(record).reasons(maker.setting))
    client = Client(base_url)
    stored = client.transaction(maker.bundle())
    if stored.status_code != 200:
        return {"refused": stored.text[:300], "changes": maker.changes}
    readiness = client.ask(f"Appointment/{maker.id('s')}/$session-readiness")
    candidacy = client.ask(f"Patient/{maker.id('p')}/$ketamine-candidacy?setting={maker.setting}")
    compatible = client.ask(f"Patient/{maker.id('p')}/$medication-compatibility?setting={maker.setting}")
    said = {
        "go": parts(readiness).get("overall") == "go",
        "eligible": parts(candidacy).get("overall") == "eligible-for-review",
        "compatible": parts(compatible).get("overall") == "compatible" and parts(compatible).get("complete") is True,
    }
    reasons = {"go": session + medicines, "eligible": course, "compatible": medicines}
    wrong = [f"said {name}, but {reasons[name][:3]}" for name in said if said[name] and reasons[name]]
    stricter = [name for name in said if not said[name] and not reasons[name]]
    answers = {"go": readiness, "eligible": candidacy, "compatible": compatible}
    return {"said": said, "wrong": wrong, "changes": maker.changes, "number": number,
            "stricter": {name: answers[name] for name in stricter}}


def main():
    base_url = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    seed = sys.argv[3] if len(sys.argv) > 3 else datetime.datetime.now().strftime("%H%M%S")
    if not FOLDER.is_dir():
        if os.environ.get("CI") == "true":
            raise SystemExit(f"the clinical facts are not at {FOLDER}")
        print(f"ignored: judgements (the clinical facts are not at {FOLDER}; set UNLOOP_SHARED)")
        return
    facts = Facts()
    client = Client(base_url)
    client.put({"resourceType": "Practitioner", "id": "judge"})
    print(f"judgements: {count} records, seed {seed}")
    said, refused, stricter, wrong = collections.Counter(), [], collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for one in pool.map(lambda number: judge_one(base_url, facts, seed, number), range(count)):
            if "refused" in one:
                refused.append(one)
                continue
            said.update(name for name, yes in one["said"].items() if yes)
            stricter.update(one["stricter"].keys())
            if one["wrong"]:
                wrong.append(f"record {one['number']} ({', '.join(one['changes'])}): {'; '.join(one['wrong'])}")
            if os.environ.get("UNLOOP_JUDGEMENTS_SHOW") in one["stricter"]:
                print(one["changes"], json.dumps(one["stricter"][os.environ["UNLOOP_JUDGEMENTS_SHOW"]])[:6000])
    print(f"said: {dict(said)}; refused as a transaction: {len(refused)}; stricter than the judge: {dict(stricter)}")
    for one in refused[:3]:
        print(f"refused ({', '.join(one['changes'])}): {one['refused']}")
    if wrong:
        raise SystemExit("\n".join(["The judge disagrees:", *wrong[:40]]))
    # An answer that is never given proves nothing.
    for name in ("go", "eligible", "compatible"):
        if said[name] < count // 100:
            raise SystemExit(f"{name} was said {said[name]} times of {count}: the records are too hard")


if __name__ == "__main__":
    main()
