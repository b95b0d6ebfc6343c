"""fhirpy, a FHIR client that was not written here, does a day's work.

https://hl7.org/fhir/R4/http.html, https://hl7.org/fhir/R4/search.html
"""

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import ResourceNotFound


def observation(client, subject, identifier, value="72"):
    return client.resource(
        "Observation",
        status="final",
        identifier=[identifier],
        code={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        subject=subject,
        effectiveDateTime="2024-05-01T10:00:00Z",
        valueQuantity={"value": int(value), "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    )


def version(resource):
    return resource["meta"]["versionId"]


def types(resources):
    return sorted(resource["resourceType"] for resource in resources)


def test_the_capabilities_name_the_version_and_the_types(client):
    statement = client.execute("metadata", method="get")
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"
    served = {resource["type"] for resource in statement["rest"][0]["resource"]}
    assert {"Patient", "Observation", "MedicationStatement", "Appointment"} <= served


def test_what_was_created_is_read_back(client, patient):
    patient.save()
    assert patient.id and patient["meta"]["lastUpdated"]
    found = client.get("Patient", patient.id)
    assert found["name"] == [{"family": "Clienttest", "given": ["Ada"]}]
    assert version(found) == version(patient)


def test_an_update_makes_a_new_version_and_history_keeps_both(client, patient):
    patient.save()
    first = version(patient)
    patient["birthDate"] = "1991-04-01"
    patient.save()
    assert version(patient) != first

    history = client.execute(f"Patient/{patient.id}/_history", method="get")
    assert history["type"] == "history"
    assert [entry["request"]["method"] for entry in history["entry"]] == ["PUT", "POST"]
    assert [version(entry["resource"]) for entry in history["entry"]] == [version(patient), first]

    earlier = client.execute(f"Patient/{patient.id}/_history/{first}", method="get")
    assert earlier["birthDate"] == "1990-04-01"


def test_refresh_asks_whether_it_changed(client, patient):
    patient.save()
    same = version(patient)
    patient.refresh()  # If-None-Match: 304
    assert version(patient) == same


def test_a_search_includes_what_it_refers_to(client, patient, identifier, token):
    patient.save()
    observation(client, patient.to_reference(), identifier).save()
    search = client.resources("Observation").search(identifier=token).include("Observation", "subject")
    bundle = search.fetch_raw()
    assert bundle["type"] == "searchset"
    modes = {entry["resource"]["resourceType"]: entry["search"]["mode"] for entry in bundle["entry"]}
    assert modes == {"Observation": "match", "Patient": "include"}


def test_a_search_includes_what_refers_to_it(client, patient, identifier, token):
    patient.save()
    observation(client, patient.to_reference(), identifier).save()
    search = client.resources("Patient").search(identifier=token).revinclude("Observation", "subject")
    bundle = search.fetch_raw()
    assert types(entry["resource"] for entry in bundle["entry"]) == ["Observation", "Patient"]


def test_paging_reaches_every_match_once(client, patient, identifier):
    patient.save()
    entries = [
        {
            "request": {"method": "POST", "url": "Observation"},
            "resource": observation(client, patient.to_reference(), identifier, str(n)).serialize(),
        }
        for n in range(53)
    ]
    answer = client.resource("Bundle", type="batch", entry=entries).save()
    assert {entry["response"]["status"][:3] for entry in answer["entry"]} == {"201"}

    search = client.resources("Observation").search(patient=patient.id).limit(10)
    found = [resource["valueQuantity"]["value"] for resource in search]
    assert sorted(found) == list(range(53))
    ids = {resource.id for resource in search.sort("-_lastUpdated")}
    assert len(ids) == 53


def test_a_conditional_create_finds_what_is_there(base_url, client, patient, identifier, token):
    once = SyncFHIRClient(base_url, extra_headers={"If-None-Exist": f"identifier={token}"})
    made = once.resource("Patient", **patient).create()
    once.resource("Patient", **patient).create()
    found = client.resources("Patient").search(identifier=token).fetch_all()
    assert [resource.id for resource in found] == [made.id]


def test_a_conditional_update_creates_and_then_updates(client, patient, token):
    matching = client.resources("Patient").search(identifier=token)
    made, created = matching.update(patient)
    assert created
    patient["gender"] = "other"
    updated, created = matching.update(patient)
    assert not created
    assert updated.id == made.id and updated["gender"] == "other"
    assert version(updated) != version(made)


def test_a_json_patch_changes_one_element(base_url, client, patient):
    patient.save()
    headers = {"Content-Type": "application/json-patch+json"}
    patching = SyncFHIRClient(base_url, extra_headers=headers)
    operations = [
        {"op": "test", "path": "/gender", "value": "female"},
        {"op": "replace", "path": "/gender", "value": "unknown"},
    ]
    patched = patching.execute(f"Patient/{patient.id}", method="patch", data=operations)
    assert patched["gender"] == "unknown"
    assert client.get("Patient", patient.id)["gender"] == "unknown"


def test_a_transaction_links_its_own_entries(client, patient, identifier, token):
    urn = "urn:uuid:0b1b7c0a-8f4e-4a4c-9f0a-4b6f9f6f1a11"
    entries = [
        {
            "request": {"method": "POST", "url": "Observation"},
            "resource": observation(client, {"reference": urn}, identifier).serialize(),
        },
        {
            "fullUrl": urn,
            "request": {"method": "POST", "url": "Patient"},
            "resource": patient.serialize(),
        },
    ]
    answer = client.resource("Bundle", type="transaction", entry=entries).save()
    assert answer["type"] == "transaction-response"
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201", "201"]
    made = client.resources("Patient").search(identifier=token).get()
    linked = client.resources("Observation").search(identifier=token).get()
    assert linked["subject"]["reference"] == f"Patient/{made.id}"


def test_everything_has_the_patient_and_what_is_theirs(client, patient, identifier):
    patient.save()
    observation(client, patient.to_reference(), identifier).save()
    bundle = patient.execute("$everything", method="get")
    assert types(entry["resource"] for entry in bundle["entry"]) == ["Observation", "Patient"]


def test_what_was_deleted_is_gone_but_its_versions_stay(client, patient, token):
    patient.save()
    patient.delete()
    with pytest.raises(ResourceNotFound):
        client.get("Patient", patient.id)
    assert client.resources("Patient").search(identifier=token).fetch() == []
    earlier = client.execute(f"Patient/{patient.id}/_history/{version(patient)}", method="get")
    assert earlier["id"] == patient.id


def test_an_unknown_id_is_not_found(client, identifier, answers):
    with pytest.raises(ResourceNotFound):
        client.get("Patient", identifier["value"])
    assert answers[-1]["resourceType"] == "OperationOutcome"
