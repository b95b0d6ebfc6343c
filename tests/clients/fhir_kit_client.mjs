// fhir-kit-client, a FHIR client that was not written here, does a day's work.
//
//   node fhir_kit_client.mjs BASE_URL ANSWERS_FILE
//
// Every answer with content is appended to ANSWERS_FILE, one per line, for answers.py.
// https://hl7.org/fhir/R4/http.html, https://hl7.org/fhir/R4/search.html

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { Client } from 'fhir-kit-client';

const [baseUrl, answersFile] = process.argv.slice(2);

const plainFetch = globalThis.fetch;
globalThis.fetch = async (...request) => {
  const answer = await plainFetch(...request);
  const text = await answer.clone().text();
  assert.ok(answer.status < 500, `${answer.status} ${text}`);
  if (text) appendFileSync(answersFile, `${JSON.stringify(JSON.parse(text))}\n`);
  return answer;
};

const SYSTEM = 'urn:example:client-tests';
const client = new Client({ baseUrl, bearerToken: process.env.UNLOOP_TEST_TOKEN });

const newIdentifier = () => ({ system: SYSTEM, value: randomUUID() });
const token = ({ system, value }) => `${system}|${value}`;
const patient = (identifier) => ({
  resourceType: 'Patient',
  identifier: [identifier],
  name: [{ family: 'Kit', given: ['Ada'] }],
  gender: 'female',
});
const observation = (reference, identifier, value = 72) => ({
  resourceType: 'Observation',
  status: 'final',
  identifier: [identifier],
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  subject: { reference },
  valueQuantity: { value, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
});
const bundle = (type, entry) => ({ resourceType: 'Bundle', type, entry });
const posting = (resource) => ({ resource, request: { method: 'POST', url: resource.resourceType } });
const resources = (answer) => (answer.entry ?? []).map((item) => item.resource);
const types = (answer) => resources(answer).map((resource) => resource.resourceType).sort();
const status = (code) => (error) => error.response?.status === code;

async function newPatient() {
  const identifier = newIdentifier();
  const made = await client.create({ resourceType: 'Patient', body: patient(identifier) });
  return { identifier, made };
}

const tests = {
  async 'the capabilities name the version'() {
    const statement = await client.capabilityStatement();
    assert.equal(statement.fhirVersion, '4.0.1');
    const types = statement.rest[0].resource.map(({ type }) => type);
    for (const type of ['Patient', 'Observation', 'Appointment']) assert.ok(types.includes(type));
  },

  async 'create, read, vread, update'() {
    const { made } = await newPatient();
    const { id } = made;
    const read = await client.read({ resourceType: 'Patient', id });
    assert.deepEqual(read, made);
    const body = { ...read, gender: 'other' };
    const updated = await client.update({ resourceType: 'Patient', id, body });
    assert.notEqual(updated.meta.versionId, made.meta.versionId);
    const version = made.meta.versionId;
    const earlier = await client.vread({ resourceType: 'Patient', id, version });
    assert.equal(earlier.gender, 'female');
  },

  async 'an update of a stale version is refused'() {
    const { made } = await newPatient();
    const { id } = made;
    const options = { headers: { 'If-Match': `W/"${made.meta.versionId}"` } };
    const update = () => client.update({ resourceType: 'Patient', id, body: made, options });
    await client.update({ resourceType: 'Patient', id, body: { ...made, gender: 'other' }, options });
    await assert.rejects(update(), status(412));
  },

  async 'a patch changes one element'() {
    const { made } = await newPatient();
    const jsonPatch = [{ op: 'replace', path: '/gender', value: 'unknown' }];
    const patched = await client.patch({ resourceType: 'Patient', id: made.id, jsonPatch });
    assert.equal(patched.gender, 'unknown');
  },

  async 'a conditional create and a conditional update find what is there'() {
    const { identifier, made } = await newPatient();
    const options = { headers: { 'If-None-Exist': `identifier=${token(identifier)}` } };
    await client.create({ resourceType: 'Patient', body: patient(identifier), options });
    const updated = await client.update({
      resourceType: 'Patient',
      searchParams: { identifier: token(identifier) },
      body: { ...patient(identifier), gender: 'other' },
    });
    assert.equal(updated.id, made.id);
    const found = await client.search({
      resourceType: 'Patient',
      searchParams: { identifier: token(identifier) },
    });
    assert.deepEqual(resources(found).map(({ id }) => id), [made.id]);
  },

  async 'a search includes both ways, by GET and by POST'() {
    const { identifier, made } = await newPatient();
    await client.create({
      resourceType: 'Observation',
      body: observation(`Patient/${made.id}`, identifier),
    });
    for (const postSearch of [false, true]) {
      const options = { postSearch };
      const forward = await client.resourceSearch({
        resourceType: 'Observation',
        searchParams: { identifier: token(identifier), _include: 'Observation:subject' },
        options,
      });
      assert.deepEqual(types(forward), ['Observation', 'Patient']);
      const backward = await client.resourceSearch({
        resourceType: 'Patient',
        searchParams: { identifier: token(identifier), _revinclude: 'Observation:subject' },
        options,
      });
      assert.deepEqual(types(backward), ['Observation', 'Patient']);
    }
  },

  async 'a compartment holds what is the patient\'s, and no more'() {
    const { identifier, made } = await newPatient();
    const other = await newPatient();
    for (const { id } of [made, other.made]) {
      const body = observation(`Patient/${id}`, identifier);
      await client.create({ resourceType: 'Observation', body });
    }
    const found = await client.compartmentSearch({
      resourceType: 'Observation',
      compartment: { resourceType: 'Patient', id: made.id },
    });
    assert.deepEqual(resources(found).map(({ subject }) => subject.reference), [`Patient/${made.id}`]);
    const everything = await client.operation({
      name: 'everything', resourceType: 'Patient', id: made.id, method: 'GET',
    });
    assert.deepEqual(types(everything), ['Observation', 'Patient']);
  },

  async 'paging reaches every match once'() {
    const { identifier, made } = await newPatient();
    const values = Array.from({ length: 53 }, (_, n) => n);
    const entry = values.map((n) => posting(observation(`Patient/${made.id}`, identifier, n)));
    const answer = await client.batch({ body: bundle('batch', entry) });
    assert.ok(answer.entry.every(({ response }) => response.status.startsWith('201')));
    const found = [];
    let page = await client.search({
      resourceType: 'Observation',
      searchParams: { identifier: token(identifier), _count: 10 },
    });
    while (page) {
      assert.ok(resources(page).length <= 10);
      found.push(...resources(page).map(({ valueQuantity }) => valueQuantity.value));
      page = await client.nextPage({ bundle: page });
    }
    assert.deepEqual(found.sort((a, b) => a - b), values);
  },

  async 'history of an instance, a type and the system'() {
    const { made } = await newPatient();
    const { id } = made;
    await client.update({ resourceType: 'Patient', id, body: { ...made, gender: 'other' } });
    await client.delete({ resourceType: 'Patient', id });
    const history = await client.history({ resourceType: 'Patient', id });
    const methods = history.entry.map(({ request }) => request.method);
    assert.deepEqual(methods, ['DELETE', 'PUT', 'POST']);
    for (const answer of [
      await client.typeHistory({ resourceType: 'Patient' }),
      await client.systemHistory(),
    ]) {
      assert.equal(answer.type, 'history');
      assert.ok(answer.entry.length > 0);
    }
  },

  async 'a transaction links its own entries'() {
    const identifier = newIdentifier();
    const fullUrl = `urn:uuid:${randomUUID()}`;
    const answer = await client.transaction({
      body: bundle('transaction', [
        posting(observation(fullUrl, identifier)),
        { fullUrl, ...posting(patient(identifier)) },
      ]),
    });
    assert.equal(answer.type, 'transaction-response');
    const [observed, person] = answer.entry.map(({ response }) => response.location);
    const id = observed.match(/Observation\/([^/]+)/)[1];
    const made = await client.read({ resourceType: 'Observation', id });
    assert.equal(made.subject.reference, person.match(/Patient\/[^/]+/)[0]);
    assert.equal((await client.resolve({ reference: made.subject.reference })).resourceType, 'Patient');
  },

  async 'a transaction that fails leaves nothing behind'() {
    const identifier = newIdentifier();
    const wrong = { request: { method: 'PUT', url: 'Observation/1' }, resource: { resourceType: 'Patient', id: '1' } };
    const body = bundle('transaction', [posting(patient(identifier)), wrong]);
    await assert.rejects(client.transaction({ body }), (error) => error.response?.status >= 400);
    const searchParams = { identifier: token(identifier) };
    const found = await client.search({ resourceType: 'Patient', searchParams });
    assert.deepEqual(resources(found), []);
  },

  async 'deleted is gone, unknown is not found'() {
    const { made } = await newPatient();
    const { id } = made;
    await client.delete({ resourceType: 'Patient', id });
    await assert.rejects(client.read({ resourceType: 'Patient', id }), status(410));
    await assert.rejects(client.read({ resourceType: 'Patient', id: randomUUID() }), status(404));
    await assert.rejects(client.search({ resourceType: 'Nothing' }), status(404));
    const searchParams = { nonsense: '1' };
    await assert.rejects(client.search({ resourceType: 'Patient', searchParams }), status(400));
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`FAIL ${name}\n${error.stack}\n${JSON.stringify(error.response ?? {})}`);
  }
}
console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
