/** Which keys are believed, for how long, and how often they are asked for. */
import { describe, expect, test } from 'vitest';
import {
  callback,
  captureProviderError,
  createIssuer,
  createOidcProvider,
  issuerKey,
  type MockIssuer,
  upstreamRequest,
} from './hostile-issuer.ts';
import { generateKey, type SigningKey, sign } from './signing.ts';

const badSignature = { kind: 'invalid', reason: 'JWT signature verification failed' };
const noKey = {
  kind: 'invalid',
  reason: 'error when selecting a JWT verification key, no applicable keys found',
};
const unreadable = { kind: 'invalid', reason: 'the signing keys could not be read' };

const sameName = await generateKey('key-1');
const newName = await generateKey('key-2');

const setUp = () => {
  const issuer = createIssuer();
  const provider = createOidcProvider(issuer);
  return {
    issuer,
    signIn: () => provider.handleCallback(callback(), upstreamRequest, issuer.io),
    keyRequests: () => issuer.asked().filter((endpoint) => endpoint === 'keys').length,
  };
};

/** Signs with a key; publishes it too, unless it is a forger's. */
const signWith = (issuer: MockIssuer, key: SigningKey, published = key) =>
  issuer.override({ makeIdToken: (claims) => sign(claims, key), keys: { keys: [published.published] } });

describe('signing keys', () => {
  test('B8.8 unknown kid: however many bad tokens come, the keys are read once in ten seconds', async () => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    expect(keyRequests()).toBe(1);
    signWith(issuer, newName, issuerKey);
    issuer.advance(9);
    expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(0);
    issuer.advance(1);
    for (let attempt = 0; attempt < 5; attempt++) expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(1);
    issuer.advance(9);
    expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(0);
    issuer.advance(1);
    expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(1);
  });

  test('B8.8 unknown kid: keys that were read for this very token are not read twice', async () => {
    const { issuer, signIn, keyRequests } = setUp();
    signWith(issuer, newName, issuerKey);
    expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(1);
  });

  test.each([
    ['under a new name', newName],
    ['under the old name', sameName],
  ])('that change %s are read again once, and the sign-in goes on', async (_, key) => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    issuer.advance(10);
    signWith(issuer, key);
    keyRequests();
    expect(await signIn()).toMatchObject({ subject: 'person-1' });
    expect(keyRequests()).toBe(1);
    expect(await signIn()).toMatchObject({ subject: 'person-1' });
    expect(keyRequests()).toBe(0);
  });

  test('that changed let everybody in who comes at the same moment', async () => {
    const { issuer, signIn } = setUp();
    await signIn();
    issuer.advance(10);
    signWith(issuer, sameName);
    const all = await Promise.all([signIn(), signIn(), signIn()]);
    expect(all.map(({ subject }) => subject)).toEqual(['person-1', 'person-1', 'person-1']);
  });

  test('of a forger are asked for once, and the forgery is refused', async () => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    issuer.advance(10);
    signWith(issuer, sameName, issuerKey);
    keyRequests();
    expect(await captureProviderError(signIn())).toEqual(badSignature);
    expect(keyRequests()).toBe(1);
  });

  test.each([
    ['at the same moment', () => Response.json({ keys: [issuerKey.published] })],
    ['while the issuer gives none', () => new Response(null, { status: 429 })],
  ])('B8.8 unknown kid: of fifty bad tokens %s, five ask for keys', async (_, keys) => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    issuer.advance(10);
    issuer.override({ makeIdToken: (claims) => sign(claims, newName), endpointOverrides: { keys } });
    keyRequests();
    await Promise.all(Array.from({ length: 50 }, () => captureProviderError(signIn())));
    expect(keyRequests()).toBe(5);
    issuer.advance(9);
    await captureProviderError(signIn());
    expect(keyRequests()).toBe(0);
    issuer.advance(1);
    issuer.override({ makeIdToken: (claims) => sign(claims, newName), keys: { keys: [newName.published] } });
    expect(await signIn()).toMatchObject({ subject: 'person-1' });
  });

  test('that cannot be read again leave the old ones in force', async () => {
    const { issuer, signIn } = setUp();
    await signIn();
    issuer.advance(10);
    issuer.override({
      makeIdToken: (claims) => sign(claims, newName),
      endpointOverrides: { keys: () => new Response(null, { status: 503 }) },
    });
    expect(await captureProviderError(signIn())).toEqual({
      kind: 'unavailable',
      reason: 'id.example answered with status 503',
    });
    issuer.override({ endpointOverrides: { keys: () => new Response(null, { status: 503 }) } });
    expect(await signIn()).toMatchObject({ subject: 'person-1' });
  });

  test('are read again after five minutes and not before', async () => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    keyRequests();
    issuer.advance(299);
    await signIn();
    expect(keyRequests()).toBe(0);
    issuer.advance(1);
    await signIn();
    expect(keyRequests()).toBe(1);
  });

  test('that were withdrawn are forgotten after five minutes', async () => {
    const { issuer, signIn } = setUp();
    await signIn();
    issuer.override({ keys: { keys: [newName.published] } });
    issuer.advance(300);
    expect(await captureProviderError(signIn())).toEqual(noKey);
  });

  test('are looked for where the newest metadata says', async () => {
    const { issuer, signIn } = setUp();
    issuer.advance(0);
    await signIn();
    issuer.advance(3500);
    await signIn();
    issuer.override({ metadata: { jwks_uri: 'https://id.example/other-keys' } });
    issuer.advance(100);
    issuer.requests.length = 0;
    await signIn();
    expect(issuer.requests.map(({ url }) => url)).toEqual([
      'https://id.example/.well-known/openid-configuration',
      'https://id.example/token',
      'https://id.example/other-keys',
    ]);
  });

  test.each(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'])(
    'of the algorithm %s are believed',
    async (alg) => {
      const { issuer, signIn } = setUp();
      const key = await generateKey('key-1', alg);
      issuer.override({
        metadata: { id_token_signing_alg_values_supported: ['RS256', alg] },
        makeIdToken: (claims) => sign(claims, key),
        keys: { keys: [key.published] },
      });
      expect(await signIn()).toMatchObject({ subject: 'person-1' });
    },
  );

  test.each([
    ['that the issuer does not name', ['RS256']],
    ['when the issuer names none', undefined],
    ['when what the issuer names is unreadable', 'ES256'],
  ])('of an algorithm %s are not believed', async (_, algorithms) => {
    const { issuer, signIn, keyRequests } = setUp();
    const key = await generateKey('key-1', 'ES256');
    issuer.override({
      metadata: { id_token_signing_alg_values_supported: algorithms },
      makeIdToken: (claims) => sign(claims, key),
      keys: { keys: [key.published] },
    });
    expect(await captureProviderError(signIn())).toEqual({
      kind: 'invalid',
      reason: 'unexpected JWT "alg" header parameter',
    });
    expect(keyRequests()).toBe(0);
  });

  test.each([
    ['no object', [], unreadable],
    ['no list', { keys: {} }, unreadable],
    ['a list of texts', { keys: ['key-1'] }, unreadable],
    ['a list of lists', { keys: [[]] }, unreadable],
    ['nothing', { keys: [] }, noKey],
    ['a key for encryption', { keys: [{ ...issuerKey.published, use: 'enc' }] }, noKey],
    ['a key of another kind', { keys: [{ kty: 'oct', kid: 'key-1', k: 'AAAA' }] }, noKey],
    [
      'half a key',
      { keys: [{ kty: 'RSA', kid: 'key-1', alg: 'RS256' }] },
      { kind: 'invalid', reason: 'the response could not be read' },
    ],
  ])('that are %s are not believed', async (_, keys, refused) => {
    const { issuer, signIn } = setUp();
    issuer.override({ keys });
    expect(await captureProviderError(signIn())).toEqual(refused);
  });
});
