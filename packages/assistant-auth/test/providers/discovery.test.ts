/** Metadata that an issuer should not have sent, and how long good metadata is believed. */
import { describe, expect, test } from 'vitest';
import {
  callback,
  captureProviderError,
  createIssuer,
  createOidcProvider,
  upstreamRequest,
} from './hostile-issuer.ts';
import type { Claims } from './signing.ts';

const invalid = (reason: string) => ({ kind: 'invalid', reason });

const refuseMetadata = async (metadata: Claims) => {
  const issuer = createIssuer();
  issuer.override({ metadata });
  const refused = await captureProviderError(
    createOidcProvider(issuer).authorizationUrl(upstreamRequest, issuer.io),
  );
  expect(issuer.asked()).toEqual(['discovery']);
  return refused;
};

describe('metadata', () => {
  test.each(['https://evil.example', 'https://id.example/other', 'http://id.example'])(
    'of the issuer %s is not that of https://id.example',
    async (issuer) => {
      expect(await refuseMetadata({ issuer })).toEqual(
        invalid('"response" body "issuer" property does not match the expected value'),
      );
    },
  );

  test.each([[undefined], [7], ['']])('with %j as issuer is refused', async (issuer) => {
    expect(await refuseMetadata({ issuer })).toMatchObject({ kind: 'invalid' });
  });

  const addresses = [
    undefined,
    7,
    '',
    '/relative',
    'http://id.example/plain',
    'http://127.0.0.1/plain',
    'javascript:alert(1)',
    'data:application/json,{}',
    'https://user@id.example/',
    'https://:password@id.example/',
    'https://id.example/#fragment',
  ];
  const named = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'];
  test.each(named.flatMap((name) => addresses.map((address) => [name, address] as const)))(
    'of an https issuer with %s %j is refused',
    async (name, address) => {
      expect(await refuseMetadata({ [name]: address })).toEqual(
        invalid(`the ${name} of id.example is not an allowed URL`),
      );
    },
  );

  test.each([
    ['a list', '[]', '"response" body must be a top level object'],
    ['nothing', 'null', '"response" body must be a top level object'],
    ['half a document', '{"issuer":', 'failed to parse "response" body as JSON'],
  ])('that is %s is refused', async (_, body, reason) => {
    const issuer = createIssuer();
    const headers = { 'content-type': 'application/json' };
    issuer.override({ endpointOverrides: { discovery: () => new Response(body, { headers }) } });
    expect(
      await captureProviderError(createOidcProvider(issuer).authorizationUrl(upstreamRequest, issuer.io)),
    ).toEqual(invalid(reason));
  });

  test.each<Claims>([
    { scopes_supported: 'openid offline_access' },
    { scopes_supported: { openid: true } },
    { scopes_supported: 7 },
    { claims_supported: 7, claim_types_supported: 'normal' },
    { response_types_supported: 'code', response_modes_supported: null, grant_types_supported: {} },
    { id_token_signing_alg_values_supported: null },
    { id_token_encryption_alg_values_supported: 'RSA-OAEP', userinfo_signing_alg_values_supported: 7 },
    { code_challenge_methods_supported: 'S256', mtls_endpoint_aliases: null },
    { userinfo_endpoint: 7, end_session_endpoint: {}, introspection_endpoint: [] },
    { revocation_endpoint: null, registration_endpoint: false, service_documentation: 7 },
    { token_endpoint_auth_methods_supported: null },
    { token_endpoint_auth_signing_alg_values_supported: 'RS256', request_parameter_supported: 'no' },
  ])('with unused or optional members of the wrong type lets people sign in: %j', async (metadata) => {
    const issuer = createIssuer();
    issuer.override({ metadata });
    const provider = createOidcProvider(issuer);
    await provider.authorizationUrl(upstreamRequest, issuer.io);
    expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).toMatchObject({
      subject: 'person-1',
    });
    expect(await provider.validateRefreshToken('their-refresh-token', issuer.io)).toMatchObject({
      kind: 'active',
    });
  });

  test('is read again after an hour and not before', async () => {
    const issuer = createIssuer();
    const provider = createOidcProvider(issuer);
    await provider.authorizationUrl(upstreamRequest, issuer.io);
    issuer.override({ metadata: { authorization_endpoint: 'https://id.example/moved' } });
    issuer.advance(3599);
    expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).pathname).toBe('/authorize');
    issuer.advance(1);
    expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).pathname).toBe('/moved');
    expect(issuer.asked()).toEqual(['discovery', 'discovery']);
  });

  test('that was refused is asked for again by the next person', async () => {
    const issuer = createIssuer();
    const provider = createOidcProvider(issuer);
    issuer.override({ metadata: { issuer: 'https://evil.example' } });
    await captureProviderError(provider.authorizationUrl(upstreamRequest, issuer.io));
    issuer.override({});
    expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).pathname).toBe('/authorize');
  });

  test('keeps the path of an issuer that has one', async () => {
    const issuer = createIssuer('https://id.example/realms/words');
    await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
    expect(issuer.requests[0]?.url).toBe('https://id.example/realms/words/.well-known/openid-configuration');
  });
});

describe('plain http', () => {
  const loopbacks = ['http://127.0.0.1:4001', 'http://localhost:4001', 'http://[::1]:4001'];

  test.each(loopbacks)('is used for %s when the broker is on loopback too', async (url) => {
    const issuer = createIssuer(url);
    const io = { ...issuer.io, allowLoopbackHttp: true };
    expect(await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, io)).toMatchObject({
      subject: 'person-1',
    });
  });

  test.each(loopbacks)('is not used for %s when the broker is elsewhere', async (url) => {
    const issuer = createIssuer(url);
    expect(
      await captureProviderError(
        createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
      ),
    ).toEqual(invalid(`the issuer of ${new URL(url).host} is not an allowed URL`));
    expect(issuer.asked()).toEqual([]);
  });

  test.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])(
    'does not lead a loopback issuer away from loopback by %s',
    async (name) => {
      const issuer = createIssuer('http://127.0.0.1:4001');
      issuer.override({ metadata: { [name]: 'http://id.example/away' } });
      const io = { ...issuer.io, allowLoopbackHttp: true };
      expect(
        await captureProviderError(createOidcProvider(issuer).authorizationUrl(upstreamRequest, io)),
      ).toEqual(invalid(`the ${name} of 127.0.0.1:4001 is not an allowed URL`));
    },
  );

  test.each([
    ...['https://127.0.0.1:8443/x', 'https://10.0.0.5/x', 'https://169.254.169.254/x', 'https://[::1]/x'],
    ...['https://2130706433/x', 'https://0x7f.1/x', 'https://localhost/x', 'https://a.localhost./x'],
  ])('does not lead an issuer behind the publisher’s wall: %s', async (address) => {
    for (const name of ['token_endpoint', 'jwks_uri']) {
      const issuer = createIssuer();
      issuer.override({ metadata: { [name]: address } });
      expect(
        await captureProviderError(
          createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
        ),
      ).toEqual(invalid(`the ${name} of id.example is not an allowed URL`));
      expect(issuer.asked()).toEqual(['discovery']);
    }
  });

  test('is used in numbers by an issuer that is configured so', async () => {
    const issuer = createIssuer('https://10.0.0.5');
    expect(
      await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
    ).toMatchObject({ subject: 'person-1' });
  });

  test('is not used by an https issuer, even when the broker is on loopback', async () => {
    const issuer = createIssuer();
    issuer.override({ metadata: { token_endpoint: 'http://127.0.0.1:4001/token' } });
    const io = { ...issuer.io, allowLoopbackHttp: true };
    expect(
      await captureProviderError(createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, io)),
    ).toEqual(invalid('the token_endpoint of id.example is not an allowed URL'));
  });
});
