// An identity provider that was not written here, on a port of this machine.
//
//   node identity_provider.mjs PORT KEY_ID AUDIENCE
//
// Gives JWT access tokens for AUDIENCE to the client `ehr` by client_credentials,
// signed with a new key of that id. https://github.com/panva/node-oidc-provider

import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, kid, audience] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const key = { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES384', use: 'sig' };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [key] },
  clients: [{
    client_id: 'ehr',
    client_secret: 'of the client tests, and of nothing else',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }],
  enabledJWA: { idTokenSigningAlgValues: ['ES384'] },
  clientDefaults: { id_token_signed_response_alg: 'ES384' },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (context, resource) => ({
        scope: 'system/*.cruds system/*.rs',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'ES384' } },
      }),
      defaultResource: () => audience,
    },
  },
});
provider.listen(port, '127.0.0.1', () => console.log('ready'));
