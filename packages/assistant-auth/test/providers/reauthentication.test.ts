/** Reauthentication: what each provider is asked, and what counts as proof. */
import fc from 'fast-check';
import { exportPKCS8 } from 'jose';
import { describe, expect, test } from 'vitest';
import { apple, github, google, microsoft, type UpstreamRequest } from '../../src/index.ts';
import {
  callback,
  captureProviderError,
  clientId,
  clientSecret,
  createIssuer,
  createOidcProvider,
  upstreamRequest,
} from './hostile-issuer.ts';
import { createOAuth2Provider } from './hostile-server.ts';
import { type Claims, generateKey } from './signing.ts';

const now = 1_800_000_000;
const since = now - 100;
const reauthentication: UpstreamRequest = { ...upstreamRequest, reauthenticate: { since } };

const noAuthTime = 'the ID token has no auth_time';
const invalidAuthTime = 'the auth_time of the ID token is not a valid time';
const notReauthenticated = 'the person did not authenticate again';

const setUp = (claims: Claims, authTime: 'required' | 'optional' = 'required') => {
  const issuer = createIssuer();
  issuer.override({ claims });
  const provider = createOidcProvider(issuer, { authTime });
  return {
    handleCallback: (transaction: UpstreamRequest) =>
      provider.handleCallback(callback(), transaction, issuer.io),
  };
};

describe('the way to an issuer', () => {
  test('asks for a new proof, whatever is asked at every sign-in', async () => {
    const issuer = createIssuer();
    const provider = createOidcProvider(issuer, {
      authorizationParameters: { prompt: 'consent', hd: 'example.com' },
    });
    const [usual, asked] = [
      await provider.authorizationUrl(upstreamRequest, issuer.io),
      await provider.authorizationUrl(reauthentication, issuer.io),
    ];
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      ...Object.fromEntries(usual.searchParams),
      prompt: 'login',
      max_age: '0',
    });
    expect(usual.searchParams.get('prompt')).toBe('consent');
    expect(usual.searchParams.has('max_age')).toBe(false);
  });

  test('asks as the publisher has it, where that was said', async () => {
    const issuer = createIssuer();
    const provider = createOidcProvider(issuer, { reauthentication: { acr_values: 'fresh' } });
    const { searchParams } = await provider.authorizationUrl(reauthentication, issuer.io);
    expect(searchParams.get('acr_values')).toBe('fresh');
    expect(searchParams.has('prompt')).toBe(false);
  });
});

describe('an ID token after a requested reauthentication', () => {
  test.each([
    ['B17.4 a session from long before', { auth_time: now - 86_400 }, notReauthenticated],
    ['B17.4 a session from 31 s before', { auth_time: since - 31 }, notReauthenticated],
    ['B17.4 no word on it', { auth_time: undefined }, noAuthTime],
    ['B17.4 a future instant', { auth_time: now + 31 }, invalidAuthTime],
    ['B17.4 half a second', { auth_time: now - 0.5 }, invalidAuthTime],
  ])('%s is refused', async (_, claims, reason) => {
    expect(await captureProviderError(setUp(claims).handleCallback(reauthentication))).toEqual({
      kind: 'invalid',
      reason,
    });
  });

  test.each([
    ['text', String(now)],
    ['nothing', null],
    ['less than nothing', -now],
  ])('B17.4 that calls the instant %s is refused', async (_, auth_time) => {
    for (const authTime of ['required', 'optional'] as const)
      expect(
        await captureProviderError(setUp({ auth_time }, authTime).handleCallback(reauthentication)),
      ).toMatchObject({
        kind: 'invalid',
      });
  });

  test('is held to what it says also where it need not say it', async () => {
    const { handleCallback } = setUp({ auth_time: since - 31 }, 'optional');
    expect(await captureProviderError(handleCallback(reauthentication))).toEqual({
      kind: 'invalid',
      reason: notReauthenticated,
    });
    expect(await setUp({}, 'optional').handleCallback(reauthentication)).toMatchObject({
      subject: 'person-1',
    });
  });

  test('proves it exactly from 30 s before the instant on, until 30 s from now', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: -200, max: 200 }), async (ago) => {
        const outcome = await setUp({ auth_time: now - ago })
          .handleCallback(reauthentication)
          .then(
            () => 'proven',
            () => 'refused',
          );
        expect(outcome).toBe(ago >= -30 && ago <= 130 ? 'proven' : 'refused');
      }),
      { numRuns: 60 },
    ));

  test('is of no interest where any sign-in will do', async () => {
    for (const auth_time of [undefined, now - 86_400])
      expect(await setUp({ auth_time }).handleCallback(upstreamRequest)).toMatchObject({
        subject: 'person-1',
      });
  });
});

const privateKey = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
const settings = { clientId, clientSecret };
const appleSettings = { clientId, teamId: 'TEAM000000', keyId: 'KEY0000000', privateKey };
const tid = '8f3d3c1e-0f5a-4f0e-9d3b-5a1f0a2b7c11';
const theirs = {
  iss: `https://login.microsoftonline.com/${tid}/v2.0`,
  ...{ tid, oid: '00000000-0000-0000-66f3-3332eca7ea81' },
};

describe('a vendor', () => {
  test.each([
    [
      'Google',
      'https://accounts.google.com',
      google(settings),
      { prompt: 'select_account', max_age: '0' },
      {},
    ],
    ['Microsoft', theirs.iss, microsoft({ ...settings, tenant: tid }), { prompt: 'login' }, theirs],
    ['Apple', 'https://appleid.apple.com', apple(appleSettings), {}, {}],
  ])(
    'is asked as strongly as it can be, and held to what it says: %s',
    async (_, site, provider, asked, who) => {
      const issuer = createIssuer(site);
      const url = await provider.authorizationUrl(reauthentication, issuer.io);
      const { prompt, max_age } = Object.fromEntries(url.searchParams);
      expect({ ...(prompt && { prompt }), ...(max_age && { max_age }) }).toEqual(asked);
      issuer.override({ claims: who });
      expect(await provider.handleCallback(callback(), reauthentication, issuer.io)).toMatchObject({
        provider: provider.id,
      });
      issuer.override({ claims: { ...who, auth_time: since - 31 } });
      expect(
        await captureProviderError(provider.handleCallback(callback(), reauthentication, issuer.io)),
      ).toEqual({
        kind: 'invalid',
        reason: notReauthenticated,
      });
    },
  );

  test('without ID tokens can be asked, and proves nothing', async () => {
    const { searchParams } = await github(settings).authorizationUrl(reauthentication, createIssuer().io);
    expect(searchParams.get('prompt')).toBe('select_account');
    const plain = await createOAuth2Provider().authorizationUrl(reauthentication, createIssuer().io);
    expect([...plain.searchParams.keys()]).not.toContain('prompt');
  });

  test('cannot be asked by what every sign-in sets itself', () => {
    expect(() => createOAuth2Provider({ reauthentication: { state: 'x' } })).toThrow(
      expect.objectContaining({ option: 'providers.acme.reauthentication' }),
    );
  });
});
