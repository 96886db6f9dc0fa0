/** Threats L4 to L9: client assertions, metadata documents and registration. */
import { describe, expect, it, vi } from 'vitest';
import { isAllowedUrl } from '../../src/mcp-clients/fetch-document.ts';
import type { McpClientsOptions } from '../../src/mcp-clients/index.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { createTestBrowser, expectTokens, requestTokens } from '../browser.ts';
import { type Deployment, issuer } from '../deployment.ts';
import {
  expectErrorPage,
  expectTokenError,
  invalidClientError,
  invalidCodeError,
  invalidRefreshTokenError,
} from '../expect-error.ts';
import {
  buildDocument,
  buildRedemption,
  createWeb,
  deployWith,
  documentRequest,
  documentUrl,
  obtainCodeFor,
  obtainTokensFor,
  refreshFor,
  register,
} from '../mcp-clients/web.ts';
import {
  type Claims,
  createUnsignedToken,
  generateKey,
  replaceClaims,
  type SigningKey,
  sign,
  signWithPublicKey,
} from '../providers/signing.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { postForm } from '../token-requests.ts';

const keysUrl = 'https://client.example/oauth/jwks.json';
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const key = await generateKey('key-1');
const otherKey = await generateKey('key-2');

/** Publishes a client with keys, and returns what a test needs to sign assertions. */
const createKeyClient = (
  changes: Parameters<typeof buildDocument>[0] = {},
  keys: readonly SigningKey[] = [key],
) => {
  const web = createWeb();
  web.publish(
    documentUrl,
    buildDocument({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: keysUrl, ...changes }),
  );
  const publishKeys = (published: readonly SigningKey[], headers = {}) =>
    web.publish(keysUrl, { keys: published.map((one) => one.published) }, headers);
  publishKeys(keys);
  const deployment = deployWith(web);
  let count = 0;
  const buildClaims = (changes: Claims = {}): Claims => ({
    iss: documentUrl,
    sub: documentUrl,
    aud: issuer,
    iat: deployment.now(),
    exp: deployment.now() + 60,
    jti: `assertion-${count++}`,
    ...changes,
  });
  return {
    web,
    deployment,
    publishKeys,
    buildClaims,
    assert: async (changes: Claims = {}, signingKey = key, header: Claims = {}) =>
      toForm(await sign(buildClaims(changes), signingKey, header)),
  };
};

const toForm = (assertion: string) => ({
  client_assertion_type: assertionType,
  client_assertion: assertion,
});

type Form = Readonly<Record<string, string>>;

/** Signs in, and redeems the code with these credentials. */
const redeemWith = async (deployment: Deployment, credentials: Form): Promise<Response> =>
  requestTokens(
    deployment,
    buildRedemption(documentRequest, await obtainCodeFor(deployment, documentRequest), credentials),
  );

const lastRefusal = ({ log }: Deployment) => log.findLast(({ event }) => event === 'refused');

/** Expects that the credentials are refused, and that the code can still be redeemed with valid ones. */
const expectRefused = async (
  { deployment, assert }: ReturnType<typeof createKeyClient>,
  credentials: Form,
  cause?: string,
): Promise<void> => {
  const form = buildRedemption(documentRequest, await obtainCodeFor(deployment, documentRequest));
  await expectTokenError(await requestTokens(deployment, { ...form, ...credentials }), invalidClientError);
  if (cause !== undefined)
    expect(lastRefusal(deployment)).toMatchObject({ reason: 'authentication.assertion', cause });
  expect((await requestTokens(deployment, { ...form, ...(await assert()) })).status).toBe(200);
};

/** Refreshes with an assertion, and expects that the next refresh without one is refused. */
const expectAssertionRequired = async (
  { deployment, assert }: ReturnType<typeof createKeyClient>,
  token: string,
): Promise<void> => {
  const { refresh_token: next } = await expectTokens(
    await refreshFor(deployment, documentRequest, token, await assert()),
  );
  await expectTokenError(await refreshFor(deployment, documentRequest, next), invalidRefreshTokenError);
};

describe('private_key_jwt', () => {
  it('signs in, redeems, refreshes and revokes with assertions', async () => {
    const { deployment, assert } = createKeyClient();
    const tokens = await obtainTokensFor(deployment, documentRequest, await assert());
    const refreshed = await refreshFor(deployment, documentRequest, tokens.refresh_token, await assert());
    const { access_token: token } = await expectTokens(refreshed);
    const inspected = await postForm(deployment, '/introspect', { ...(await assert()), token });
    expect(await inspected.json()).toMatchObject({ active: true, client_id: documentUrl });
    const revoked = await postForm(deployment, '/revoke', { ...(await assert()), token });
    expect([revoked.status, await revoked.json()]).toEqual([200, {}]);
  });

  it.each(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'])(
    'accepts the algorithm %s',
    async (algorithm) => {
      const signingKey = await generateKey('key-3', algorithm);
      const { deployment, assert } = createKeyClient({}, [signingKey]);
      expect((await redeemWith(deployment, await assert({}, signingKey))).status).toBe(200);
    },
  );

  it('accepts keys in the document itself', async () => {
    const changes = { jwks_uri: undefined, jwks: { keys: [key.published] } };
    const { deployment, assert } = createKeyClient(changes);
    expect((await redeemWith(deployment, await assert())).status).toBe(200);
  });

  it('works without client_id, which the assertion contains', async () => {
    const { deployment, assert } = createKeyClient();
    const code = await obtainCodeFor(deployment, documentRequest);
    const { client_id: _, ...form } = buildRedemption(documentRequest, code, await assert());
    expect((await requestTokens(deployment, form)).status).toBe(200);
  });

  it.each<[string, Claims, Claims]>([
    ['HS256 with the public key', {}, {}],
    ['no signature', {}, {}],
    ['another type of token', {}, { typ: 'at+jwt' }],
    ['a critical header extension', {}, { crit: ['b64'], b64: true }],
  ])('L4.1 algorithm: refuses %s', async (name, changes, header) => {
    const client = createKeyClient();
    const claims = client.buildClaims(changes);
    const assertion =
      name === 'no signature'
        ? await createUnsignedToken(claims, 'none')
        : name.startsWith('HS256')
          ? await signWithPublicKey(claims, key)
          : await sign(claims, key, header);
    await expectRefused(client, toForm(assertion));
  });

  it('L4.1 algorithm: refuses an algorithm other than the one that the document names', async () => {
    const ecKey = await generateKey('key-4', 'ES256');
    const client = createKeyClient({ token_endpoint_auth_signing_alg: 'RS256' }, [key, ecKey]);
    await expectRefused(client, await client.assert({}, ecKey));
  });

  it('L4.2 jti replay: accepts an assertion once, at any endpoint', async () => {
    const { deployment, assert } = createKeyClient();
    const assertion = await assert();
    const tokens = await obtainTokensFor(deployment, documentRequest, assertion);
    await expectTokenError(await redeemWith(deployment, assertion), invalidClientError);
    expect(lastRefusal(deployment)).toMatchObject({ reason: 'authentication.assertion-replayed' });
    for (const response of [
      await refreshFor(deployment, documentRequest, tokens.refresh_token, assertion),
      await postForm(deployment, '/revoke', { ...assertion, token: tokens.access_token }),
      await postForm(deployment, '/introspect', { ...assertion, token: tokens.access_token }),
    ])
      await expectTokenError(response, invalidClientError);
    // Nothing was used up or revoked.
    const fresh = await assert();
    expect((await refreshFor(deployment, documentRequest, tokens.refresh_token, fresh)).status).toBe(200);
  });

  it('L4.2 jti replay: an assertion that was used to revoke cannot be used to redeem', async () => {
    const client = createKeyClient();
    const { access_token: token } = await obtainTokensFor(
      client.deployment,
      documentRequest,
      await client.assert(),
    );
    const assertion = await client.assert();
    expect((await postForm(client.deployment, '/revoke', { ...assertion, token })).status).toBe(200);
    await expectRefused(client, assertion);
  });

  it('L12.4 unauthenticated introspection: refuses a client that can be public, unless it sends an assertion', async () => {
    const { deployment, assert } = createKeyClient({
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    });
    const { access_token: token } = await obtainTokensFor(deployment, documentRequest);
    const inspectWith = (form: Form) => postForm(deployment, '/introspect', { ...form, token });
    await expectTokenError(await inspectWith({ client_id: documentUrl }), invalidClientError);
    expect(lastRefusal(deployment)).toMatchObject({ reason: 'authentication.method' });
    expect(await (await inspectWith(await assert())).json()).toMatchObject({ active: true });
  });

  it('L12.5 unauthenticated introspection: refuses a public client that is not in the configuration, without looking it up for a token that is not ours', async () => {
    const web = createWeb();
    web.publish(documentUrl, buildDocument());
    const deployment = deployWith(web);
    const { access_token: token } = await obtainTokensFor(deployment, documentRequest);
    const redirect_uri = 'https://claude.ai/api/mcp/auth_callback';
    const metadata = {
      redirect_uris: [redirect_uri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    };
    const { client_id }: { client_id: string } = await (await register(deployment, metadata)).json();
    const registered = await obtainTokensFor(deployment, { ...documentRequest, client_id, redirect_uri });
    for (const form of [
      { client_id: documentUrl, token },
      { client_id, token: registered.access_token },
      { client_id, token: registered.refresh_token },
    ]) {
      await expectTokenError(await postForm(deployment, '/introspect', form), invalidClientError);
      expect([form, lastRefusal(deployment)?.reason]).toEqual([form, 'authentication.method']);
    }
    const requests = web.requested.length;
    for (const client_id of [documentUrl, 'https://other.example/client.json'])
      await expectTokenError(
        await postForm(deployment, '/introspect', { client_id, token: 'x' }),
        invalidClientError,
      );
    expect(web.requested).toHaveLength(requests);
  });

  it('L4.9 stored assertions: a client without a grant stores nothing, however many assertions it sends', async () => {
    const { deployment, assert } = createKeyClient();
    const record = vi.spyOn(deployment.storage, 'recordAssertion');
    const redeem = vi.spyOn(deployment.storage, 'redeemCode');
    for (let count = 0; count < 5; count++) {
      for (const [path, status] of [
        ['/revoke', 200],
        ['/introspect', 401],
      ] as const)
        expect((await postForm(deployment, path, { ...(await assert()), token: 'x' })).status).toBe(status);
      const form = buildRedemption(documentRequest, 'x', await assert());
      expect((await requestTokens(deployment, form)).status).toBe(400);
    }
    expect([record, redeem].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('L4.9 stored assertions: with one grant, a client can store 30 in a minute', async () => {
    const { deployment, assert } = createKeyClient();
    const form = buildRedemption(documentRequest, await obtainCodeFor(deployment, documentRequest));
    const { access_token: token } = await expectTokens(
      await requestTokens(deployment, { ...form, ...(await assert()) }),
    );
    const redeem = vi.spyOn(deployment.storage, 'redeemCode');
    for (let count = 0; count < 35; count++)
      await requestTokens(deployment, { ...form, ...(await assert()) });
    expect(redeem.mock.calls).toHaveLength(29);
    for (const path of ['/revoke', '/introspect'] as const)
      await expectTokenError(await postForm(deployment, path, { ...(await assert()), token }), {
        status: 429,
        error: 'temporarily_unavailable',
        error_description: 'Too many requests for this grant. Try again in a minute.',
      });
  });

  it('L4.2 jti replay: of 50 concurrent redemptions with one assertion, one succeeds', async () => {
    const { deployment, assert } = createKeyClient();
    const assertion = await assert();
    const codes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => obtainCodeFor(deployment, documentRequest, `user-${index}`)),
    );
    const responses = await Promise.all(
      codes.map((code) => requestTokens(deployment, buildRedemption(documentRequest, code, assertion))),
    );
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it.each([
    ['the issuer', issuer],
    ['the issuer with a slash', `${issuer}/`],
    ['the token endpoint', `${issuer}/token`],
    ['a list of both', [issuer, `${issuer}/token`]],
  ])('L4.3 audience: accepts %s', async (_, aud) => {
    const { deployment, assert } = createKeyClient();
    expect((await redeemWith(deployment, await assert({ aud }))).status).toBe(200);
  });

  it.each([
    ['another server', 'https://other.example'],
    ['another server besides this one', [issuer, 'https://other.example']],
    ['the resource', `${issuer}/api`],
    ['a path that starts like the token endpoint', `${issuer}/token/x`],
    ['an empty list', []],
    ['nothing', undefined],
    ['a number', 1],
  ])('L4.3 audience: refuses %s', async (_, aud) => {
    const client = createKeyClient();
    await expectRefused(client, await client.assert({ aud }), 'it is for another server');
  });

  it('L4.3 audience: an explicitly typed assertion must name only the issuer', async () => {
    const client = createKeyClient();
    const typ = 'client-authentication+jwt';
    for (const aud of [`${issuer}/token`, [issuer]])
      await expectRefused(client, await client.assert({ aud }, key, { typ }), 'it is for another server');
    expect((await redeemWith(client.deployment, await client.assert({}, key, { typ }))).status).toBe(200);
  });

  it.each<[string, (now: number) => Claims, string]>([
    ['none', () => ({ exp: undefined }), 'a time is missing or not a number'],
    ['a text', (now) => ({ exp: String(now + 60) }), 'a time is missing or not a number'],
    ['the past', (now) => ({ exp: now - 30 }), 'it has expired'],
    ['more than an hour ahead', (now) => ({ exp: now + 3631 }), 'it expires too far in the future'],
    ['not valid yet', (now) => ({ nbf: now + 31 }), 'it is not valid yet'],
    ['issued in the future', (now) => ({ iat: now + 31 }), 'it is not valid yet'],
    ['without jti', () => ({ jti: undefined }), 'it has no usable jti'],
    ['a jti that is a number', () => ({ jti: 7 }), 'it has no usable jti'],
    ['a jti of 256 characters', () => ({ jti: 'x'.repeat(256) }), 'it has no usable jti'],
  ])('L4.4 expiry horizon: refuses %s', async (_, change, cause) => {
    const client = createKeyClient();
    await expectRefused(client, await client.assert(change(client.deployment.now())), cause);
  });

  it('L4.4 expiry horizon: accepts an hour, and 30 seconds of difference between the clocks', async () => {
    const { deployment, assert } = createKeyClient();
    const now = deployment.now();
    for (const claims of [{ exp: now + 3630 }, { exp: now - 29 }, { iat: now + 30, nbf: now + 30 }])
      expect((await redeemWith(deployment, await assert(claims))).status).toBe(200);
  });

  it.each(['with another key', 'changed', 'of another client', 'about another client', 'garbage'])(
    'L4.5 forged, never none: refuses an assertion %s, even if the client can be public',
    async (kind) => {
      const client = createKeyClient({ token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] });
      const { assert, buildClaims } = client;
      const forged = async (): Promise<Form> => {
        switch (kind) {
          case 'with another key':
            return assert({}, otherKey);
          case 'changed':
            return toForm(replaceClaims((await assert()).client_assertion, buildClaims()));
          case 'of another client':
            return assert({ iss: 'https://other.example/client.json' });
          case 'about another client':
            return { ...(await assert({ sub: 'gpt' })), client_id: documentUrl };
          default:
            return toForm('x.y.z');
        }
      };
      await expectRefused(client, await forged());
    },
  );

  it('L4.5 forged, never none: refuses an assertion without its type, or a type without an assertion', async () => {
    const client = createKeyClient({ token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] });
    const { client_assertion } = await client.assert();
    const saml = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer';
    for (const form of [
      { client_assertion },
      { client_assertion_type: assertionType },
      { client_assertion, client_assertion_type: saml },
    ])
      await expectRefused(client, form);
  });

  it('L4.6 key rotation: accepts a new key at once, and then no longer the removed one', async () => {
    const { deployment, assert, publishKeys } = createKeyClient();
    publishKeys([key], { 'cache-control': 'max-age=300' });
    expect((await redeemWith(deployment, await assert())).status).toBe(200);
    deployment.advance(11);
    publishKeys([otherKey], { 'cache-control': 'max-age=300' });
    expect((await redeemWith(deployment, await assert({}, otherKey))).status).toBe(200);
    await expectTokenError(await redeemWith(deployment, await assert({}, key)), invalidClientError);
  });

  it('L4.6 key rotation: reads the keys again at most every ten seconds, however many forgeries arrive', async () => {
    const { deployment, assert, web } = createKeyClient();
    const form = buildRedemption(documentRequest, await obtainCodeFor(deployment, documentRequest));
    for (let attempt = 0; attempt < 15; attempt++)
      await requestTokens(deployment, { ...form, ...(await assert({}, otherKey)) });
    expect(web.requested.filter((url) => url === keysUrl)).toHaveLength(1);
    deployment.advance(11);
    await requestTokens(deployment, { ...form, ...(await assert({}, otherKey)) });
    expect(web.requested.filter((url) => url === keysUrl)).toHaveLength(2);
  });

  it('L4.6 key rotation: finds the right one of several keys, even without a key ID', async () => {
    const { deployment, buildClaims } = createKeyClient({}, [otherKey, key]);
    const assertion = await sign(buildClaims(), key, { kid: undefined });
    expect((await redeemWith(deployment, toForm(assertion))).status).toBe(200);
  });

  it.each<[string, unknown]>([
    ['lists', [[]]],
    ['text', ['x']],
    ['null', [null]],
    ['deep nesting', [JSON.parse(`${'['.repeat(2000)}${']'.repeat(2000)}`)]],
    ['a private key', [{ kty: 'oct', k: 'AAAA' }]],
    ['20 other keys before the right one', [...Array(20).fill({}), key.published]],
  ])('L4.10 hostile keys: refuses an assertion, with a 401, if the keys are %s', async (_, keys) => {
    const { deployment, assert, web } = createKeyClient();
    web.publish(keysUrl, { keys });
    await expectTokenError(await redeemWith(deployment, await assert()), invalidClientError);
  });

  it.each([1, null, {}, []])(
    'L4.10 hostile keys: refuses the type %j in the header with a 401',
    async (typ) => {
      const { deployment, assert } = createKeyClient();
      await expectTokenError(
        await redeemWith(deployment, await assert({}, key, { typ })),
        invalidClientError,
      );
    },
  );

  it('L4.10 hostile keys: if an invalid assertion causes a read that fails, the cached keys stay', async () => {
    const { deployment, assert, web } = createKeyClient();
    await redeemWith(deployment, await assert());
    deployment.advance(11);
    web.fail(keysUrl, 404);
    const response = await redeemWith(deployment, await assert({}, otherKey));
    expect(response.status).toBe(503);
    expect((await redeemWith(deployment, await assert())).status).toBe(200);
  });

  it.each([
    ['the keys cannot be read', keysUrl],
    ['the document cannot be read', documentUrl],
  ])('L4.7 no fresh keys: responds with 503 if %s, and uses up nothing', async (_, url) => {
    const { deployment, assert, web, publishKeys } = createKeyClient();
    await redeemWith(deployment, await assert());
    deployment.advance(3600);
    web.fail(url);
    const code = await obtainCodeFor(deployment, documentRequest);
    for (let attempt = 0; attempt < 25; attempt++) {
      const response = await requestTokens(
        deployment,
        buildRedemption(documentRequest, code, await assert()),
      );
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    }
    web.publish(
      documentUrl,
      buildDocument({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: keysUrl }),
    );
    publishKeys([key]);
    deployment.advance(10);
    const form = buildRedemption(documentRequest, code, await assert());
    expect((await requestTokens(deployment, form)).status).toBe(200);
  });

  it('L4.8 weaker method at a refresh: if the code was redeemed with an assertion, a refresh without one is refused', async () => {
    const both = { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] };
    const client = createKeyClient(both);
    const { refresh_token: token } = await obtainTokensFor(
      client.deployment,
      documentRequest,
      await client.assert(),
    );
    await expectTokenError(
      await refreshFor(client.deployment, documentRequest, token),
      invalidRefreshTokenError,
    );
    await expectAssertionRequired(client, token);
  });

  it('L4.8 weaker method at a refresh: a stronger method is accepted, and required from then on', async () => {
    const both = { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] };
    const client = createKeyClient(both);
    const { refresh_token: token } = await obtainTokensFor(client.deployment, documentRequest);
    await expectAssertionRequired(client, token);
  });

  it('L4.8 weaker method at a refresh: a client whose document no longer allows none must use its key', async () => {
    const both = { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] };
    const { deployment, web } = createKeyClient(both);
    const { refresh_token: token } = await obtainTokensFor(deployment, documentRequest);
    web.publish(
      documentUrl,
      buildDocument({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: keysUrl }),
    );
    deployment.advance(3600);
    await expectTokenError(await refreshFor(deployment, documentRequest, token), invalidClientError);
  });

  it('is refused for a client without keys', async () => {
    const { assert } = createKeyClient();
    const web = createWeb();
    web.publish(documentUrl, buildDocument());
    await expectTokenError(await redeemWith(deployWith(web), await assert()), invalidClientError);
  });
});

describe('the URL of a metadata document', () => {
  it.each([
    ['L5.1 private: 10/8', 'https://10.0.0.1/client.json'],
    ['L5.1 private: 172.16/12', 'https://172.16.0.1/client.json'],
    ['L5.1 private: 192.168/16', 'https://192.168.0.1/client.json'],
    ['L5.1 private: IPv6', 'https://[fd00::1]/client.json'],
    ['L5.1 private: a name', 'https://db.internal/client.json'],
    ['L5.1 private: a single label', 'https://intranet/client.json'],
    ['L5.1 private: any IP address', 'https://93.184.216.34/client.json'],
    ['L5.2 loopback: IPv4', 'https://127.0.0.1/client.json'],
    ['L5.2 loopback: IPv6', 'https://[::1]/client.json'],
    ['L5.2 loopback: localhost', 'https://localhost/client.json'],
    ['L5.2 loopback: a name below localhost', 'https://app.localhost/client.json'],
    ['L5.2 loopback: http', 'http://127.0.0.1/client.json'],
    ['L5.2 loopback: a dot at the end', 'https://localhost./client.json'],
    ['L5.3 link-local: IPv4', 'https://169.254.169.254/latest/meta-data'],
    ['L5.3 link-local: IPv6', 'https://[fe80::1]/client.json'],
    ['L5.3 link-local: a name', 'https://printer.local/client.json'],
    ['L5.4 mapped: dotted', 'https://[::ffff:127.0.0.1]/client.json'],
    ['L5.4 mapped: hexadecimal', 'https://[::ffff:7f00:1]/client.json'],
    ['L5.5 decimal: 2130706433', 'https://2130706433/client.json'],
    ['L5.6 hex: 0x7f000001', 'https://0x7f000001/client.json'],
    ['L5.6 hex: 0x7f.1', 'https://0x7f.1/client.json'],
    ['L5.7 octal: 0177.0.0.1', 'https://0177.0.0.1/client.json'],
    ['L5.8 NAT64: 64:ff9b', 'https://[64:ff9b::7f00:1]/client.json'],
    ['L5.9 own zone: the issuer', `${issuer}/client.json`],
    ['L5.9 own zone: a host below it', 'https://api.words.example/client.json'],
    ['L5.9 own zone: a host above it', 'https://example/client.json'],
    ['L5.9 own zone: another case', 'https://WORDS.example/client.json'],
    ['L5.9 own zone: a dot at the end', 'https://words.example./client.json'],
    ['L5.15 other URLs: http', 'http://client.example/client.json'],
    ['L5.15 other URLs: a port', 'https://client.example:8443/client.json'],
    ['L5.15 other URLs: the default port', 'https://client.example:443/client.json'],
    ['L5.15 other URLs: credentials', 'https://u:p@client.example/client.json'],
    ['L5.15 other URLs: a fragment', 'https://client.example/client.json#x'],
    ['L5.15 other URLs: a query', 'https://client.example/client.json?x'],
    ['L5.15 other URLs: no path', 'https://client.example/'],
    ['L5.15 other URLs: nothing but the origin', 'https://client.example'],
    ['L5.15 other URLs: dot segments', 'https://client.example/a/../client.json'],
    ['L5.15 other URLs: encoded dot segments', 'https://client.example/%2e%2e/client.json'],
    ['L5.15 other URLs: a backslash', 'https://client.example\\client.json'],
    ['L5.15 other URLs: a space', ' https://client.example/client.json'],
    ['L5.15 other URLs: another scheme', 'file:///etc/passwd'],
    ['L5.15 other URLs: data', 'data:application/json,{}'],
    ['L5.15 other URLs: an IDN that is not in ASCII', 'https://clïent.example/client.json'],
    ['L5.15 other URLs: too long', `https://client.example/${'x'.repeat(250)}`],
  ])('%s is refused, and nothing is fetched', async (_, client_id) => {
    const web = createWeb();
    const deployment = deployWith(web, {}, { fetch: web.fetch });
    const request = { ...documentRequest, client_id };
    const { response } = await createTestBrowser(deployment).openSignInPage(request);
    await expectErrorPage(
      response,
      deployment,
      'The client ID is not an allowed URL for a metadata document.',
    );
    await expectTokenError(await requestTokens(deployment, buildRedemption(request, 'x')), invalidCodeError);
    expect(web.requested).toEqual([]);
  });

  it('L5.9 own zone: refuses the hosts of all resources', () => {
    const policy = { issuer: parseIssuer(issuer), resources: ['https://api.other.example/v1'] };
    expect(isAllowedUrl('https://api.other.example/client.json', policy)).toBe(false);
    expect(isAllowedUrl('https://client.example/client.json', policy)).toBe(true);
  });
});

describe('the response with a metadata document', () => {
  const openWith = async (respond: (request: Request) => Response | Promise<Response>) => {
    const web = createWeb();
    web.serve(documentUrl, respond);
    const deployment = deployWith(web);
    const { response } = await createTestBrowser(deployment).openSignInPage(documentRequest);
    return { web, response, cause: lastRefusal(deployment)?.cause };
  };
  const json = { 'content-type': 'application/json' };

  it.each([301, 302, 303, 307, 308])('L5.10 redirects: does not follow status %i', async (status) => {
    const location = 'https://client.example/other.json';
    const { web, response, cause } = await openWith(
      () => new Response(null, { status, headers: { location } }),
    );
    expect([response.status, cause]).toEqual([400, 'it is a redirect, and redirects are not followed']);
    expect(web.requested).toEqual([documentUrl]);
  });

  it('L5.17 headers: reads a long Cache-Control in linear time', async () => {
    const cacheControl = `a${' '.repeat(100_000)}b, max-age=60`;
    const { response } = await openWith(() =>
      Response.json(buildDocument(), { headers: { 'cache-control': cacheControl } }),
    );
    expect(response.status).toBe(200);
  });

  it('L5.10 redirects: tells fetch not to follow them', async () => {
    const modes: string[] = [];
    await openWith((request) => {
      modes.push(request.redirect);
      return Response.json(buildDocument());
    });
    expect(modes).toEqual(['manual']);
  });

  it('L5.11 oversized: accepts 5,120 bytes, and stops reading after that', async () => {
    const document = JSON.stringify(buildDocument({ padding: '' }));
    const pad = (length: number) =>
      JSON.stringify(buildDocument({ padding: 'x'.repeat(length - document.length) }));
    expect((await openWith(() => new Response(pad(5120), { headers: json }))).response.status).toBe(200);
    const tooLong = await openWith(() => new Response(pad(5121), { headers: json }));
    expect([tooLong.response.status, tooLong.cause]).toEqual([400, 'it has more than 5120 bytes']);
    let sent = 0;
    let isCanceled = false;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 1024;
        controller.enqueue(new Uint8Array(1024).fill(32));
      },
      cancel() {
        isCanceled = true;
      },
    });
    const result = await openWith(() => new Response(endless, { headers: json }));
    expect(result.response.status).toBe(400);
    expect([sent < 20_000, isCanceled]).toEqual([true, true]);
  });

  it('L5.12 compressed: counts the decompressed bytes, and asks for no compression', async () => {
    let acceptEncoding: string | null = null;
    const bomb = new Blob([new Uint8Array(1_000_000).fill(32)])
      .stream()
      .pipeThrough(new CompressionStream('gzip'));
    const result = await openWith((request) => {
      acceptEncoding = request.headers.get('accept-encoding');
      return new Response(bomb.pipeThrough(new DecompressionStream('gzip')), { headers: json });
    });
    expect([result.response.status, result.cause]).toEqual([400, 'it has more than 5120 bytes']);
    expect(acceptEncoding).toBe('identity');
  });

  it.each(['before the headers', 'in the body'])(
    'L5.13 slow: gives up after three seconds %s',
    async (where) => {
      const never = new Promise<never>(() => {});
      const stalled = new ReadableStream({ pull: () => never });
      const { response, cause } = await openWith(() =>
        where === 'in the body' ? new Response(stalled, { headers: json }) : never,
      );
      expect([response.status, cause]).toEqual([503, 'it took too long']);
    },
  );

  it.each(['text/html', 'text/plain; x=application/json', 'application/jsonp', 'image/svg+xml', ''])(
    'L5.14 wrong type: refuses %j',
    async (type) => {
      const { response, cause } = await openWith(
        () =>
          new Response(new TextEncoder().encode(JSON.stringify(buildDocument())), {
            headers: { 'content-type': type },
          }),
      );
      expect([response.status, cause]).toEqual([400, 'its content type is not JSON']);
    },
  );
});

describe('a redirect before the user has seen a page', () => {
  const openInvalid = async (redirect_uri: string, changes: Record<string, string> = {}) => {
    const web = createWeb();
    web.publish(documentUrl, buildDocument({ redirect_uris: [redirect_uri] }));
    const deployment = deployWith(web);
    const { response_type: _, ...request } = { ...documentRequest, redirect_uri, ...changes };
    const { response } = await createTestBrowser(deployment).openSignInPage(request);
    return { deployment, response };
  };

  it.each([
    'https://client.example/callback',
    'https://victim.example/phish?x=1',
    'com.example.app:/callback',
    'x-apple.systempreferences:x',
  ])(
    'L6.2 open redirector: an error is not redirected to %s, because anyone can publish it',
    async (redirect) => {
      const { deployment, response } = await openInvalid(redirect);
      await expectErrorPage(response, deployment, 'The parameter response_type is missing.');
      const none = await openInvalid(redirect, { prompt: 'none' });
      expect(none.response.headers.get('location')).toBeNull();
    },
  );

  it.each(['https://claude.ai/api/mcp/auth_callback', 'http://localhost/callback'])(
    'L6.2 open redirector: an error is redirected to %s, which is on the list or on loopback',
    async (redirect) => {
      const { response } = await openInvalid(redirect);
      expect(response.headers.get('location')).toContain(`${redirect}?error=invalid_request`);
    },
  );

  it('L6.2 open redirector: a user who cancels is redirected', async () => {
    const web = createWeb();
    web.publish(documentUrl, buildDocument());
    const browser = createTestBrowser(deployWith(web));
    const { consent } = await browser.openSignInPage(documentRequest);
    const response = await browser.submitConsent(consent, { cancel: '1' });
    expect(response.headers.get('location')).toContain('https://client.example/callback?error=access_denied');
  });
});

describe('metadata that changes during a sign-in', () => {
  it.each<[string, Parameters<typeof buildDocument>[0]]>([
    ['its redirect URI', { redirect_uris: ['https://client.example/new'] }],
    ['its ID', { client_id: 'https://client.example/other.json' }],
  ])(
    'L6.1 metadata between consent and token: no code is sent if a client changes %s',
    async (_, changes) => {
      const web = createWeb();
      const noStore = { 'cache-control': 'no-store' };
      web.publish(documentUrl, buildDocument(), noStore);
      const deployment = deployWith(web);
      const browser = createTestBrowser(deployment);
      const { consent } = await browser.openSignInPage(documentRequest);
      web.publish(documentUrl, buildDocument(changes), noStore);
      const response = await browser.submitConsent(consent, { choice: 'google' });
      // The document of another client is not used. The cached copy is.
      expect(response.status).toBe(changes !== undefined && 'client_id' in changes ? 303 : 400);
      expect(response.headers.get('location') ?? '').not.toContain('code=');
    },
  );

  it('L6.1 metadata between consent and token: no code is sent at the callback, either', async () => {
    const web = createWeb();
    const noStore = { 'cache-control': 'no-store' };
    web.publish(documentUrl, buildDocument(), noStore);
    const deployment = deployWith(web);
    const browser = createTestBrowser(deployment);
    const { consent } = await browser.openSignInPage(documentRequest);
    const toProvider = await browser.submitConsent(consent, { choice: 'google' });
    const state = new URL(toProvider.headers.get('location') ?? '').searchParams.get('state') ?? '';
    web.publish(documentUrl, buildDocument({ redirect_uris: ['https://evil.example/'] }), noStore);
    const query = new URLSearchParams({ state, code: 'subject-1' });
    const response = await browser.visit(`${issuer}/callback/google?${query}`);
    await expectErrorPage(response, deployment, 'The redirect URI is not registered for this app.');
  });

  it('L6.1 metadata between consent and token: a client that was removed cannot redeem its code', async () => {
    const web = createWeb();
    web.publish(documentUrl, buildDocument(), { 'cache-control': 'no-store' });
    const deployment = deployWith(web);
    const code = await obtainCodeFor(deployment, documentRequest);
    web.remove(documentUrl);
    await expectTokenError(
      await requestTokens(deployment, buildRedemption(documentRequest, code)),
      invalidClientError,
    );
  });
});

describe('registration', () => {
  const metadata = { redirect_uris: ['http://localhost/callback'], token_endpoint_auth_method: 'none' };

  it('L8.1 flood: 500 registrations do not use storage, and neither does a request with such a client ID', async () => {
    const storage = createSpyStorage();
    const deployment = deployWith(createWeb(), {}, { storage });
    let client_id = '';
    for (let count = 0; count < 500; count++)
      client_id = (await (await register(deployment, metadata)).json<{ client_id: string }>()).client_id;
    const request = { ...documentRequest, client_id, redirect_uri: 'http://localhost:1/callback' };
    const { response } = await createTestBrowser(deployment).openSignInPage(request);
    expect(response.status).toBe(200);
    expect(storage.calls).toEqual([]);
  });

  it('L8.1 flood: requests with made-up client IDs do not use storage', async () => {
    const storage = createSpyStorage();
    const deployment = deployWith(createWeb(), {}, { storage });
    const { client_id: real } = await (await register(deployment, metadata)).json<{ client_id: string }>();
    for (const client_id of ['x', 'A'.repeat(500), `${real}A`, real.slice(0, -4), 'account', '__proto__']) {
      await createTestBrowser(deployment).openSignInPage({ ...documentRequest, client_id });
      await requestTokens(deployment, buildRedemption({ ...documentRequest, client_id }, 'x'));
    }
    expect(storage.calls).toEqual([]);
    // Only a URL without a document is looked up in storage, to delete the stored copy, if there is one.
    await createTestBrowser(deployment).openSignInPage(documentRequest);
    expect(storage.calls).toEqual(['readClient']);
  });

  it('L8.2 huge metadata: refuses a body of more than 16 KiB, and ignores what it does not use', async () => {
    const deployment = deployWith(createWeb());
    const huge = await register(deployment, { ...metadata, client_name: 'x'.repeat(16_384) });
    await expectTokenError(huge, {
      status: 413,
      error: 'invalid_request',
      error_description: 'The request is too large.',
    });
    const padded = await register(deployment, {
      ...metadata,
      padding: 'x'.repeat(16_000),
      client_name: 'y'.repeat(90),
    });
    const { client_id, client_name } = await padded.json<{ client_id: string; client_name: string }>();
    expect(client_name).toBe('y'.repeat(80));
    expect(client_id.length).toBeLessThan(300);
  });

  it('L8.2 huge metadata: the longest registration still signs in, and its token fits into a header', async () => {
    const deployment = deployWith(createWeb());
    const redirect_uris = Array.from({ length: 8 }, (_, at) => `http://localhost/${at}${'x'.repeat(46)}`);
    const longest = { ...metadata, redirect_uris, client_name: '😀'.repeat(80) };
    const { client_id } = await (await register(deployment, longest)).json<{ client_id: string }>();
    expect(client_id.length).toBeLessThan(1300);
    const request = { ...documentRequest, client_id, redirect_uri: redirect_uris[0] ?? '' };
    const { access_token: token } = await obtainTokensFor(deployment, request);
    const call = new Request(`${issuer}/api/x`, { headers: { authorization: `Bearer ${token}` } });
    expect(await deployment.broker.protect(call)).toMatchObject({ ok: true, client: { id: client_id } });
  });

  it('L8.3 reserved ids: ignores a client ID, a secret and a token in the request', async () => {
    const deployment = deployWith(createWeb());
    const reserved = {
      client_id: 'gpt',
      client_secret: 'chosen-by-the-client-0123456789-0123456789',
      client_id_issued_at: 1,
      client_secret_expires_at: 1,
      registration_access_token: 'x',
      registration_client_uri: 'https://evil.example/',
      id: 'account',
      kind: 'static',
    };
    const response = await register(deployment, { ...metadata, ...reserved });
    const registered = await response.json<Record<string, unknown>>();
    expect(registered).toMatchObject({
      client_id: expect.stringMatching(/^[\w-]{100,}$/),
      client_id_issued_at: deployment.now(),
    });
    for (const name of [
      'client_secret',
      'registration_access_token',
      'registration_client_uri',
      'id',
      'kind',
    ])
      expect(registered).not.toHaveProperty(name);
  });

  it('L8.4 reserved fields: takes no scopes, keys, logos or prototypes from the request', async () => {
    const deployment = deployWith(createWeb(), { scopes: ['words'] });
    const fields = {
      scope: 'words score admin',
      scopes: ['score'],
      jwks: { keys: [] },
      logo_uri: 'https://evil.example/logo.png',
      software_statement: 'x.y.z',
      offlineAccess: 'always',
    };
    const body = JSON.stringify({ ...metadata, ...fields }).replace('{', '{"__proto__":{"pkce":"optional"},');
    const registered = await (await register(deployment, body)).json<{ client_id: string; scope: string }>();
    expect(registered.scope).toBe('words offline_access');
    for (const name of Object.keys(fields).filter((field) => field !== 'scope'))
      expect(registered).not.toHaveProperty(name);
    const { code_challenge: _, code_challenge_method: __, ...withoutPkce } = documentRequest;
    const { response } = await createTestBrowser(deployment).openSignInPage({
      ...withoutPkce,
      client_id: registered.client_id,
      redirect_uri: 'http://localhost:1/callback',
    });
    expect(response.headers.get('location')).toContain('error=invalid_request');
  });
});

describe('the server metadata', () => {
  const readMetadata = async (deployment: Deployment): Promise<Record<string, unknown>> =>
    (await deployment.fetch(new Request(`${issuer}/.well-known/oauth-authorization-server`))).json();

  const members = [
    ...['client_id_metadata_document_supported', 'registration_endpoint'],
    'token_endpoint_auth_signing_alg_values_supported',
  ];

  it.each<[McpClientsOptions, readonly string[], boolean]>([
    [{ metadataDocuments: false }, ['registration_endpoint'], false],
    [
      { registration: false },
      ['client_id_metadata_document_supported', 'token_endpoint_auth_signing_alg_values_supported'],
      true,
    ],
  ])('L9.1 what is off: with %j, names only %j', async (options, expected, hasKeys) => {
    const web = createWeb();
    web.publish(documentUrl, buildDocument());
    const deployment = deployWith(web, options);
    const metadata = await readMetadata(deployment);
    const { token_endpoint_auth_methods_supported: methods } = metadata;
    expect(members.filter((name) => name in metadata)).toEqual(expected);
    expect([methods].flat().includes('private_key_jwt')).toBe(hasKeys);
    const { response } = await createTestBrowser(deployment).openSignInPage(documentRequest);
    expect(response.status).toBe(options.metadataDocuments === false ? 400 : 200);
    const path = deployment.paths.includes('/register');
    expect(path).toBe(options.registration !== false);
  });
});
