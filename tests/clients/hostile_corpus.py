"""Two hundred requests that would take a service down which does not bound them.

Each is a Hostile: method, path below the origin, content, headers and which token
it is sent with. The kinds are those of issue 12, sections B to D, and their kin.
"""

import base64
import collections
import gzip
import json

Hostile = collections.namedtuple("Hostile", "name method path content headers token")

FHIR = {"Content-Type": "application/fhir+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
ZIPPED = {"Content-Encoding": "gzip"}
WIDE = 2_000_000


def hostile(name, method, path, content=None, headers=FHIR, token="all"):
    if isinstance(content, (dict, list)):
        content = json.dumps(content)
    if isinstance(content, str):
        content = content.encode()
    return Hostile(name, method, path, content, headers, token)


def zipped(name, method, path, content, headers=FHIR, token="all"):
    return Hostile(name, method, path, gzip.compress(content.encode(), 6), {**headers, **ZIPPED}, token)


def bundle(kind, entries):
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def entry(method, url, resource=None):
    made = {"request": {"method": method, "url": url}}
    return {**made, "resource": resource} if resource else made


def patches(patient):
    """JSON Patch and FHIRPath Patch, directly, by condition and in bundles."""
    def copies(source, target, times):
        return [{"op": "copy", "from": source, "path": target}] * times

    grow = {
        "copy-doubles": copies("/name", "/name/-", 40),
        "copy-doubles-1000": copies("/name", "/name/-", 1_000),
        "copy-nests": [{"op": "add", "path": "/contained", "value": [{"a": []}]}]
        + copies("/contained", "/contained/0/a", 500),
        "copy-whole": copies("", "/extension", 64),
        "add-in-front": [{"op": "add", "path": "/name/0", "value": {}}] * 100_000,
        "many-tests": [{"op": "test", "path": "/resourceType", "value": "Patient"}] * 100_000,
        "large-values": [{"op": "add", "path": "/name/-", "value": {"text": "x" * 100_000}}] * 100,
        "deep-value": [{"op": "add", "path": "/name" + "/0" * n, "value": [[]]} for n in range(900)],
        "moves": [{"op": "move", "from": "/name/0", "path": "/name/-"}] * 1_000,
    }
    for name, operations in grow.items():
        yield hostile(name, "PATCH", f"/fhir/Patient/{patient}", operations, JSON_PATCH)
        yield hostile(f"{name}-conditional", "PATCH", f"/fhir/Patient?_id={patient}", operations, JSON_PATCH)
        data = base64.b64encode(json.dumps(operations).encode()).decode()
        binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
        for kind in ("batch", "transaction"):
            content = bundle(kind, [entry("PATCH", f"Patient/{patient}", binary)] * (1 if kind == "transaction" else 5))
            yield hostile(f"{name}-{kind}", "POST", "/fhir", content)
    for path, times in (("Patient.descendants()", 200), ("Patient.name", 5_000), ("Patient.name.where(true)", 900)):
        part = [{"name": "type", "valueCode": "insert"}, {"name": "path", "valueString": path},
                {"name": "index", "valueInteger": 0}, {"name": "value", "valueString": "x"}]
        operations = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}] * times}
        yield hostile(f"fhirpath {path}", "PATCH", f"/fhir/Patient/{patient}", operations)


def batches(patient):
    reads = {
        "everything": f"Patient/{patient}/$everything",
        "history": "_history?_count=1000",
        "search": "Observation?_count=1000",
        "revinclude": "Patient?_revinclude=*&_count=1000",
        "read": f"Patient/{patient}",
        "missing": "Patient/none",
        "stats": "Observation/$lastn?category=vital-signs&max=100",
        "conditional": f"Patient?identifier=urn:x|{patient}",
    }
    for name, url in reads.items():
        for times in (200, 10_000):
            content = json.dumps(bundle("batch", [entry("GET", url)] * times))
            yield zipped(f"batch-{name}-{times}", "POST", "/fhir", content, token="read" if times == 200 else "patient")
    for name in ("everything", "search", "history"):
        content = json.dumps(bundle("transaction", [entry("GET", reads[name])] * 500))
        yield zipped(f"transaction-{name}", "POST", "/fhir", content)
    conditional = [entry("PUT", f"Basic?identifier=urn:y|{n}", {"resourceType": "Basic"}) for n in range(2_000)]
    yield hostile("batch-conditional-put", "POST", "/fhir", bundle("batch", conditional))
    yield hostile("bundle-in-bundle", "POST", "/fhir", bundle("batch", [entry("POST", "", bundle("batch", []))] * 500))


def bodies():
    """Content that costs before it is refused, at every route that takes some."""
    wide = '{"resourceType":"Patient","name":[' + "{}," * WIDE + "{}]}"
    shapes = {
        "wide-array": wide,
        "wide-numbers": '{"resourceType":"Patient","name":[' + "1," * WIDE + "1]}",
        "many-keys": '{"resourceType":"Patient",' + ",".join(f'"k{n}":1' for n in range(600_000)) + "}",
        "deep": '{"resourceType":"Patient","name":' + "[" * 100_000 + "]" * 100_000 + "}",
        "long-number": '{"resourceType":"Patient","multipleBirthInteger":' + "9" * 4_000_000 + "}",
        "huge-string": '{"resourceType":"Patient","language":"' + "x" * 12_000_000 + '"}',
        "bomb": '{"resourceType":"Patient","language":"' + " " * 60_000_000 + '"}',
        "empty-objects": '{"resourceType":"Bundle","type":"batch","entry":[' + "{}," * 9_000 + "{}]}",
        "narrative": '{"resourceType":"Basic","text":{"status":"generated","div":"' + "<p>" * 300_000 + '"}}',
    }
    routes = ("/fhir/Patient", "/fhir", "/fhir/Patient/$validate", "/cds-services/ketamine-medication-check-sign",
              "/auth/token", "/admin/clients")
    for name, content in shapes.items():
        for route in routes[: 4 if name not in ("wide-array", "bomb") else 6]:
            for token in ("all", "nothing") if route == "/fhir/Patient" else ("all",):
                yield zipped(f"{name} {route} {token}", "POST", route, content, token=token)


def searches(patient):
    wide = [
        "Patient?_revinclude=*&_count=1000",
        "Observation?_include=*&_count=1000",
        "?_revinclude=*&_count=1000",
        "Patient?_include:iterate=*&_revinclude:iterate=*&_count=1",
        "Observation?_include:iterate=*&_revinclude:iterate=*&_count=1",
        "_history?_count=1000",
        "Observation/_history?_count=1000",
        f"Patient/{patient}/$everything",
        f"Patient/{patient}/*?_count=1000",
        "Observation?_sort=-date&_count=1000&_total=accurate",
        "Observation?code:not=x&_count=1000&_total=accurate",
        "Observation?value-quantity=gt0&_count=1000",
        "Observation?subject.name:contains=a&_count=1000",
        "Patient?_has:Observation:patient:_has:Observation:subject:code=x&_count=1000",
        "Patient?name:contains=a&_count=1000&_total=accurate",
        "Observation?patient.general-practitioner.name=a",
        "Basic?_count=1000",
        "Basic/_history?_count=1000",
        "Observation?code=" + ",".join(f"c{n}" for n in range(900)),
        "Observation?_id=" + ",".join(f"i{n}" for n in range(900)),
    ]
    for url in wide:
        for token in ("all", "read", "patient"):
            yield hostile(f"GET {url[:60]} {token}", "GET", f"/fhir/{url}", token=token)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for parameter in ("code", "_id", "subject", "value-quantity"):
        values = ",".join(f"v{n}" for n in range(100_000))
        yield hostile(f"form {parameter}", "POST", "/fhir/Observation/_search", f"{parameter}={values}", form)
    yield hostile("form pairs", "POST", "/fhir/Observation/_search", "&".join(["code=x"] * 50_000), form)


def addresses(patient):
    """Long and crooked addresses and headers, and operations that read much."""
    long = {
        "elements": "Patient?_elements=" + ",".join(["name"] * 1_400),
        "segments": "Patient/" + "a/" * 3_000,
        "percent": "Patient?name=" + "%00" * 2_000,
        "parameters": "Observation?" + "&".join(["code=x"] * 1_000),
        "sort": "Observation?_sort=" + ",".join(["date", "-code"] * 400),
        "includes": "Observation?" + "&".join(["_include=Observation:subject"] * 200),
        "chain": "Observation?" + ".".join(["subject:Patient"] * 400) + "=x",
        "too-long": "Patient?name=" + "x" * 60_000,
        "since": "_history?_since=0001-01-01&_count=10000",
        "near": "Location?near=" + "1|" * 2_000,
    }
    for name, url in long.items():
        for token in ("all", "patient"):
            yield hostile(f"address {name} {token}", "GET", f"/fhir/{url}", token=token)
    for name in ("If-None-Exist", "If-Match", "Prefer", "Accept", "X-Request-Id", "traceparent"):
        headers = {**FHIR, name: "a=b," * 1_500}
        yield hostile(f"header {name}", "POST", "/fhir/Basic", {"resourceType": "Basic"}, headers)
    operations = ("$ketamine-candidacy", "$medication-compatibility", "$sri-trials", "$ybocs-trajectory", "$access-log")
    for name in operations:
        yield hostile(f"operation {name}", "GET", f"/fhir/Patient/{patient}/{name}")


def corpus(patient):
    """The same two hundred in the same order, of all kinds in turn."""
    kinds = [list(made) for made in (
        patches(patient), batches(patient), bodies(), searches(patient), addresses(patient))]
    mixed = []
    for turn in range(max(map(len, kinds))):
        mixed += [kind[turn] for kind in kinds if turn < len(kind)]
    return mixed[:200]
