/** What makes Microsoft Microsoft: an issuer for every tenant, and a person who is known by tenant and object id. */
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { type MicrosoftSettings, microsoft } from '../../src/providers/microsoft.ts';
import {
  callback,
  captureProviderError,
  challenge,
  clientId,
  clientSecret,
  createIssuer,
  upstreamRequest,
} from './hostile-issuer.ts';
import { type Claims, generateKey, sign } from './signing.ts';

const site = 'https://login.microsoftonline.com';
const contoso = '8f3d3c1e-0f5a-4f0e-9d3b-5a1f0a2b7c11';
const fabrikam = '0c6d1a52-7a3e-4a3c-8d0e-1f2e3d4c5b6a';
const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad';
const oid = '00000000-0000-0000-66f3-3332eca7ea81';
const issuerOf = (tenant: string) => `${site}/${tenant}/v2.0`;

/** Microsoft as it answers for a tenant setting, with a person of `tid` at the other end. */
const setUp = (tenant: string | undefined, tid: string, claims: Claims = {}, named = '{tenantid}') => {
  const issuer = createIssuer(issuerOf(tenant ?? 'common'));
  issuer.override({
    metadata: { issuer: issuerOf(named) },
    claims: { iss: issuerOf(tid), tid, oid, sub: 'pairwise-subject', ...claims },
  });
  const settings: MicrosoftSettings = { clientId, clientSecret, ...(tenant === undefined ? {} : { tenant }) };
  const provider = microsoft(settings);
  return {
    issuer,
    provider,
    handleCallback: (answer = callback()) => provider.handleCallback(answer, upstreamRequest, issuer.io),
  };
};

const invalid = (reason: string) => ({ kind: 'invalid', reason });
const foreignName = invalid('unexpected JWT "iss" (issuer) claim value');
const otherTenant = invalid('the issuer does not match the tenant');
const forbiddenTenant = invalid('the tenant is not allowed');
const noOid = invalid('the ID token has no valid oid');

describe('the way to Microsoft', () => {
  test('asks for a refresh token and lets the person choose the account, and forwards nothing of the client’s', async () => {
    const { issuer, provider } = setUp(undefined, contoso);
    const url = await provider.authorizationUrl(upstreamRequest, issuer.io);
    expect(issuer.requests.map((request) => request.url)).toEqual([
      'https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration',
    ]);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      prompt: 'select_account',
      client_id: clientId,
      response_type: 'code',
      redirect_uri: upstreamRequest.redirectUri,
      scope: 'openid email profile offline_access',
      state: upstreamRequest.state,
      nonce: upstreamRequest.nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
  });

  test('is called microsoft, answers in the query, and lists the errors that mean revoked', () => {
    expect(microsoft({ clientId, clientSecret, tenant: contoso.toUpperCase() })).toMatchObject({
      id: 'microsoft',
      displayName: 'Microsoft',
      responseMode: 'query',
      configuredUrls: [issuerOf(contoso)],
      revokedErrors: ['invalid_grant', 'interaction_required', 'consent_required'],
    });
  });

  test('goes to a fake provider on loopback when it is given one', () => {
    const provider = microsoft({ clientId, clientSecret, baseUrl: 'http://127.0.0.1:4001' });
    expect(provider.configuredUrls).toEqual(['http://127.0.0.1:4001/common/v2.0']);
  });

  test.each(['', 'everybody', 'contoso.onmicrosoft.com', `${contoso}0`, `${contoso}/..`, 'common/v2.0'])(
    'knows no tenant called %j',
    (tenant) => {
      expect(() => microsoft({ clientId, clientSecret, tenant })).toThrow(
        new ConfigurationError(
          'providers.microsoft.tenant',
          'must be common, organizations, consumers or the id of a tenant.',
        ),
      );
    },
  );
});

describe('a person at Microsoft', () => {
  test.each([
    ['common', contoso, '{tenantid}'],
    ['common', consumers, '{tenantid}'],
    ['organizations', contoso, '{tenantid}'],
    ['consumers', consumers, consumers],
    [contoso, contoso, contoso],
  ])('of those called %s is known by tenant and object id: %s', async (tenant, tid, named) => {
    const { handleCallback } = setUp(tenant, tid, {}, named);
    expect(await handleCallback()).toMatchObject({
      provider: 'microsoft',
      subject: `${tid}.${oid}`,
      label: 'ada@example.com',
      refreshToken: 'their-refresh-token',
      claims: { iss: issuerOf(tid), tid, oid },
    });
  });

  test('is another person in another tenant', async () => {
    const one = await setUp('common', contoso).handleCallback();
    const other = await setUp('common', fabrikam).handleCallback();
    expect(one.subject).not.toBe(other.subject);
  });

  test.each([true, 'true', undefined])(
    'B9.2 e-mail as a key: is nobody’s proof of an address, whatever the token says (%s), and is not known by it',
    async (email_verified) => {
      const { handleCallback } = setUp('common', contoso, { email: 'ceo@fabrikam.example', email_verified });
      expect(await handleCallback()).toMatchObject({
        subject: `${contoso}.${oid}`,
        email: 'ceo@fabrikam.example',
        emailVerified: false,
      });
    },
  );

  test('B9.2 e-mail as a key: stays the same person with another address', async () => {
    const before = await setUp('common', contoso, { email: 'ada@contoso.example' }).handleCallback();
    const after = await setUp('common', contoso, { email: 'ada.marlow@contoso.example' }).handleCallback();
    expect(after.subject).toBe(before.subject);
  });
});

describe('a token of Microsoft’s', () => {
  test.each([
    ['of another tenant than it says', { tid: fabrikam }, otherTenant],
    ['that does not say its tenant', { tid: undefined }, otherTenant],
    ['whose issuer is the pattern', { iss: issuerOf('{tenantid}') }, foreignName],
    [
      'whose issuer is the pattern, and whose tenant is, too',
      { iss: issuerOf('{tenantid}'), tid: '{tenantid}' },
      foreignName,
    ],
    ['whose issuer is no tenant', { iss: issuerOf('common') }, foreignName],
    ['of another host', { iss: `https://login.evil.example/${contoso}/v2.0` }, foreignName],
    ['of another version', { iss: `https://sts.windows.net/${contoso}/` }, foreignName],
    ['whose issuer goes on', { iss: `${issuerOf(contoso)}/` }, foreignName],
    ['whose issuer begins alike', { iss: `${site}.evil.example/${contoso}/v2.0` }, foreignName],
    ['whose issuer holds two tenants', { iss: `${site}/${contoso}/${fabrikam}/v2.0` }, foreignName],
    [
      'whose issuer is a list',
      { iss: [issuerOf(contoso)] },
      invalid('unexpected JWT "iss" (issuer) claim type'),
    ],
    ['without an issuer', { iss: undefined }, invalid('JWT "iss" (issuer) claim missing')],
    ['without an object id', { oid: undefined }, noOid],
    ['whose object id is no id', { oid: 'ada@example.com' }, noOid],
    ['whose object id is a list', { oid: [`${oid}x`] }, noOid],
  ])('B9.1 templated issuer: %s is refused', async (_, claims, reason) => {
    expect(await captureProviderError(setUp('common', contoso, claims).handleCallback())).toEqual(reason);
  });

  test.each([
    ['of a personal account where organisations are asked for', 'organizations', consumers, '{tenantid}'],
    ['of an organisation where personal accounts are asked for', 'consumers', contoso, consumers],
    ['of another tenant than the one asked for', contoso, fabrikam, contoso],
  ])('B9.1 templated issuer: %s is refused', async (_, tenant, tid, named) => {
    expect(await captureProviderError(setUp(tenant, tid, {}, named).handleCallback())).toEqual(
      forbiddenTenant,
    );
  });

  test('B9.1 templated issuer: what fits is still nothing without Microsoft’s signature', async () => {
    const { issuer, handleCallback } = setUp('common', contoso);
    const forger = await generateKey('key-1');
    const iss = issuerOf(contoso);
    issuer.override({
      metadata: { issuer: issuerOf('{tenantid}') },
      claims: { iss, tid: contoso, oid },
      makeIdToken: (claims) => sign(claims, forger),
    });
    expect(await captureProviderError(handleCallback())).toEqual(
      invalid('JWT signature verification failed'),
    );
  });

  test.each([
    ['another tenant’s', issuerOf(fabrikam), false],
    ['personal accounts’', issuerOf(consumers), false],
    ['nobody’s', 'https://login.evil.example/{tenantid}/v2.0', false],
    ['no text', 7, false],
    ['its own', issuerOf(contoso), true],
    ['every tenant’s', issuerOf('{tenantid}'), true],
  ])('B9.1 templated issuer: signed with a key that says it is %s', async (_, keyOf, accepted) => {
    const { issuer, handleCallback } = setUp('common', contoso);
    const key = await generateKey('key-1');
    issuer.override({
      metadata: { issuer: issuerOf('{tenantid}') },
      claims: { iss: issuerOf(contoso), tid: contoso, oid },
      makeIdToken: (claims) => sign(claims, key),
      keys: { keys: [{ ...key.published, issuer: keyOf }] },
    });
    if (accepted) expect(await handleCallback()).toMatchObject({ subject: `${contoso}.${oid}` });
    else
      expect(await captureProviderError(handleCallback())).toEqual(
        invalid('error when selecting a JWT verification key, no applicable keys found'),
      );
  });

  test.each(['no JSON', '{}', '{"id_token":7}', '{"id_token":"e30"}', '{"id_token":"e30.e30."}'])(
    'B9.1 templated issuer: nothing readable is refused: %s',
    async (body) => {
      const { issuer, handleCallback } = setUp('common', contoso);
      const headers = { 'content-type': 'application/json' };
      issuer.override({
        metadata: { issuer: issuerOf('{tenantid}') },
        endpointOverrides: { token: () => new Response(body, { headers }) },
      });
      expect(await captureProviderError(handleCallback())).toMatchObject({ kind: 'invalid' });
    },
  );
});

describe('metadata of Microsoft’s', () => {
  test.each([
    ['common', contoso],
    ['organizations', 'organizations'],
    ['consumers', '{tenantid}'],
    [contoso, fabrikam],
    [contoso, '{tenantid}'],
  ])('for %s under the name %s is refused', async (tenant, named) => {
    const { handleCallback } = setUp(tenant, contoso, {}, named);
    expect(await captureProviderError(handleCallback())).toEqual(
      invalid('"response" body "issuer" property does not match the expected value'),
    );
  });
});

describe('an answer of Microsoft’s that names its issuer', () => {
  test('is accepted under the name of a tenant', async () => {
    const { handleCallback } = setUp('common', contoso);
    expect(await handleCallback(callback({ iss: issuerOf(contoso) }))).toMatchObject({
      subject: `${contoso}.${oid}`,
    });
  });

  test.each(['https://evil.example', issuerOf('common'), `https://evil.example/${contoso}/v2.0`])(
    'is refused under the name %s, before its code goes anywhere',
    async (iss) => {
      const { issuer, handleCallback } = setUp('common', contoso);
      expect(await captureProviderError(handleCallback(callback({ iss })))).toEqual(
        invalid('unexpected "iss" (issuer) response parameter value'),
      );
      expect(issuer.asked()).toEqual(['discovery']);
    },
  );
});
