// An EHR calls the CDS services: calls as the public CDS Hooks sandbox makes them,
// signed with jose, and what is fetched for a service fetched with fhir-kit-client.
//
//   node cds_hooks.mjs EHR_BASE_URL SERVICE_BASE_URL PORT
//
// EHR_TOKEN, SERVICE_TOKEN: bearer tokens of the two servers for system/*.cruds. PORT: where
// the EHR publishes its keys. https://cds-hooks.hl7.org/2.0/

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Client } from 'fhir-kit-client';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

const [ehrUrl, serviceUrl, port] = process.argv.slice(2);
const root = serviceUrl.replace(/\/fhir$/, '');
const ISSUER = `http://127.0.0.1:${port}`;
const KEYS = `${ISSUER}/.well-known/jwks.json`;
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const ehr = new Client({ baseUrl: ehrUrl, bearerToken: process.env.EHR_TOKEN });

const pair = await generateKeyPair('ES384', { extractable: true });
const published = { ...(await exportJWK(pair.publicKey)), kid: 'ehr-1', alg: 'ES384', use: 'sig' };
const site = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ keys: [published] }));
});
await new Promise((ready) => site.listen(Number(port), '127.0.0.1', ready));

async function signed(url, claims = {}) {
  const token = new SignJWT({ jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES384', typ: 'JWT', kid: 'ehr-1', jku: KEYS })
    .setIssuer(ISSUER)
    .setAudience(claims.aud ?? url)
    .setIssuedAt()
    .setExpirationTime('2m');
  return token.sign(pair.privateKey);
}

async function post(url, token, content) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(content) });
  const text = await answer.text();
  assert.ok(answer.status < 500, `${answer.status} ${text}`);
  return { status: answer.status, content: text ? JSON.parse(text) : null };
}

// https://cds-hooks.hl7.org/2.0/#prefetch-template
async function prefetch(service, context) {
  const fetched = {};
  for (const [key, template] of Object.entries(service.prefetch ?? {})) {
    const query = template.replace(/{{context\.(\w+)}}/g, (_, name) => context[name]);
    fetched[key] = await ehr.request(query);
  }
  return fetched;
}

// https://cds-hooks.hl7.org/2.0/#card-attributes
function checkCard(card) {
  const known = ['uuid', 'summary', 'detail', 'indicator', 'source', 'suggestions',
    'selectionBehavior', 'overrideReasons', 'links', 'extension'];
  assert.deepEqual(Object.keys(card).filter((name) => !known.includes(name)), []);
  assert.match(card.uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.ok(card.summary.length > 0 && card.summary.length < 140, card.summary);
  assert.ok(['info', 'warning', 'critical'].includes(card.indicator));
  assert.equal(typeof card.source.label, 'string');
  for (const link of card.links ?? []) {
    assert.ok(new URL(link.url) && typeof link.label === 'string');
    assert.ok(['absolute', 'smart'].includes(link.type));
  }
  for (const { code, system, display } of card.overrideReasons ?? []) {
    assert.ok(code && display && new URL(system));
  }
  assert.equal('selectionBehavior' in card, 'suggestions' in card);
  for (const suggestion of card.suggestions ?? []) {
    assert.ok(['at-most-one', 'any'].includes(card.selectionBehavior));
    assert.ok(suggestion.label && suggestion.uuid);
    for (const action of suggestion.actions) {
      assert.ok(['create', 'update', 'delete'].includes(action.type) && action.description);
      assert.equal('resourceId' in action, action.type === 'delete');
    }
  }
}

const medicine = (code) => ({ coding: [{ system: RXNORM, code }] });
const subject = { reference: 'Patient/ehr-patient' };
const draft = (id, code) => ({ resourceType: 'MedicationRequest', id, status: 'draft',
  intent: 'order', subject, medicationCodeableConcept: medicine(code) });
const bundle = (resources) => ({ resourceType: 'Bundle', type: 'collection',
  entry: resources.map((resource) => ({ resource })) });
const context = { userId: 'Practitioner/ehr-user', patientId: 'ehr-patient' };
const fhirAuthorization = { access_token: process.env.EHR_TOKEN, token_type: 'Bearer',
  expires_in: 300, scope: 'system/*.cruds', subject: 'unloop' };
const KETAMINE = '6130';
const TRANYLCYPROMINE = '10734';

async function services() {
  const answer = await fetch(`${root}/cds-services`);
  assert.equal(answer.status, 200);
  const found = (await answer.json()).services;
  for (const service of found) {
    for (const name of ['hook', 'description', 'id']) assert.equal(typeof service[name], 'string');
  }
  return new Map(found.map((service) => [service.hook, service]));
}

async function call(service, content, claims) {
  const url = `${root}/cds-services/${service.id}`;
  const asked = { hook: service.hook, hookInstance: randomUUID(), ...content };
  const answer = await post(url, await signed(url, claims), asked);
  for (const card of answer.content?.cards ?? []) checkCard(card);
  return answer;
}

const tests = {
  async 'an order is checked, and the card is answered'() {
    const service = (await services()).get('order-sign');
    const orders = { ...context, draftOrders: bundle([draft('mao', TRANYLCYPROMINE)]) };
    const { status, content } = await call(service, { context: orders, fhirServer: ehrUrl });
    assert.equal(status, 200, JSON.stringify(content));
    const [card] = content.cards;
    assert.equal(card.indicator, 'critical');
    const [suggestion] = card.suggestions;
    assert.equal(suggestion.actions[0].resourceId, 'MedicationRequest/mao');
    const url = `${root}/cds-services/${service.id}/feedback`;
    const outcomeTimestamp = new Date().toISOString();
    const { code, system } = card.overrideReasons[0];
    for (const answer of [
      { outcome: 'accepted', acceptedSuggestions: [{ id: suggestion.uuid }] },
      { outcome: 'overridden', overrideReason: { reason: { code, system }, userComment: 'seen' } },
    ]) {
      const feedback = [{ card: card.uuid, outcomeTimestamp, ...answer }];
      const told = await post(url, await signed(url), { feedback });
      assert.equal(told.status, 200, JSON.stringify(told.content));
    }
    const unknown = [{ card: randomUUID(), outcome: 'overridden', outcomeTimestamp }];
    assert.equal((await post(url, await signed(url), { feedback: unknown })).status, 400);
  },

  async 'only what is selected'() {
    const service = (await services()).get('order-select');
    const draftOrders = bundle([draft('mao', TRANYLCYPROMINE), draft('ket', KETAMINE)]);
    const cards = async (selections) => {
      const asked = { context: { ...context, selections, draftOrders }, prefetch: await prefetch(service, context) };
      return (await call(service, asked)).content.cards;
    };
    assert.equal((await cards(['MedicationRequest/mao'])).length, 1);
    assert.deepEqual(await cards([]), []);
  },

  async 'what the patient takes comes along, or is read from the EHR'() {
    const service = (await services()).get('order-sign');
    const asked = { context: { ...context, draftOrders: bundle([draft('ket', KETAMINE)]) }, fhirServer: ehrUrl };
    const along = await call(service, { ...asked, prefetch: await prefetch(service, context) });
    const read = await call(service, { ...asked, fhirAuthorization });
    for (const { content } of [along, read]) {
      // Behind the medicines stands what was not checked: the patient is not known here.
      assert.deepEqual(content.cards.map(({ indicator }) => indicator), ['critical', 'warning'], JSON.stringify(content));
    }
    const blind = (await call(service, asked)).content.cards;
    assert.match(blind[0].summary, /^Not checked/);
    const elsewhere = await call(service, { ...asked, fhirServer: 'https://other.example.org/fhir', fhirAuthorization });
    assert.match(elsewhere.content.cards[0].summary, /^Not checked/);
  },

  async 'a chart of somebody unknown here has no cards'() {
    const service = (await services()).get('patient-view');
    const { status, content } = await call(service, { context, fhirServer: ehrUrl });
    assert.deepEqual({ status, content }, { status: 200, content: { cards: [] } });
  },

  async 'what is not signed for this service is refused'() {
    const service = (await services()).get('patient-view');
    assert.equal((await call(service, { context }, { aud: root })).status, 401);
    const url = `${root}/cds-services/${service.id}`;
    const once = await signed(url);
    const asked = { hook: service.hook, hookInstance: randomUUID(), context };
    assert.equal((await post(url, once, asked)).status, 200);
    assert.equal((await post(url, once, asked)).status, 401);
    assert.equal((await post(url, 'x', asked)).status, 401);
    assert.equal((await call(service, {})).status, 400);
  },
};

const made = await post(`${root}/admin/clients`, process.env.SERVICE_TOKEN,
  { client_id: 'ehr', scope: 'system/*.rs', jwks_uri: KEYS });
assert.equal(made.status, 201, JSON.stringify(made.content));
await ehr.update({ resourceType: 'Patient', id: 'ehr-patient', body: { resourceType: 'Patient', id: 'ehr-patient' } });
await ehr.update({ resourceType: 'MedicationStatement', id: 'taken', body: { resourceType: 'MedicationStatement',
  id: 'taken', status: 'active', subject, medicationCodeableConcept: medicine(TRANYLCYPROMINE) } });

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`FAIL ${name}\n${error.stack}`);
  }
}
console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
site.close();
process.exitCode = failed ? 1 : 0;
