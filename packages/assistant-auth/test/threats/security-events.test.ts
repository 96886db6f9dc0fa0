/** Security events that are forged, replayed or meant for someone else: they revoke nothing. */
import { describe, expect, it } from 'vitest';
import { decodeBase64url } from '../../src/oauth/secrets.ts';
import { clientSecret, issuerKey } from '../providers/fake-issuer.ts';
import {
  createUnsignedToken,
  generateKey,
  jwtPrefix,
  replaceClaims,
  sign,
  signWithPublicKey,
  signWithSecret,
} from '../providers/signing.ts';
import {
  adaSubject,
  appleNotification,
  deployForSecurityEvents,
  googleEvent,
  type IssuerName,
  jsonHeaders,
  logoutToken,
  now,
  risc,
  type SecurityEventDeployment,
  securityEventHeaders,
  sendAppleNotification,
  sendGoogleEvent,
  sendLogoutToken,
} from '../security-event-fixtures.ts';
import { attacker, buildAddressHeaders, failedClientLimit } from '../wrong-secrets.ts';

const forgerKey = await generateKey('key-1');
const unknownKey = await generateKey('key-9');

/** Sends the token that `changeToken` creates from a genuine one to the security event endpoint of a provider. */
type SendEvent = (
  fixture: SecurityEventDeployment,
  changeToken: (genuineToken: string) => string | Promise<string>,
) => Promise<Response>;

const senders: Readonly<Record<IssuerName, SendEvent>> = {
  acme: async (fixture, changeToken) => sendLogoutToken(fixture, changeToken(await logoutToken())),
  google: async (fixture, changeToken) => sendGoogleEvent(fixture, changeToken(await googleEvent())),
  apple: async (fixture, changeToken) => {
    const { payload } = JSON.parse(await appleNotification());
    return sendAppleNotification(fixture, JSON.stringify({ payload: await changeToken(payload) }));
  },
};

const readClaims = (token: string) =>
  JSON.parse(new TextDecoder().decode(decodeBase64url(token.split('.')[1] ?? '')));

const forgeries: readonly (readonly [
  name: string,
  changeToken: (genuineToken: string) => string | Promise<string>,
])[] = [
  ['alg none', (token) => createUnsignedToken(readClaims(token), 'none')],
  ['alg None', (token) => createUnsignedToken(readClaims(token), 'None')],
  ['HS256 with the public key', (token) => signWithPublicKey(readClaims(token), issuerKey)],
  ['HS256 with our secret', (token) => signWithSecret(readClaims(token), clientSecret, 'key-1')],
  ['another key with the provider’s kid', (token) => signAgain(token, forgerKey)],
  ['a key that the provider does not know', (token) => signAgain(token, unknownKey)],
  [
    'other claims with a genuine signature',
    (token) => replaceClaims(token, { ...readClaims(token), sub: 'eve' }),
  ],
  ['no signature', (token) => token.replace(/[^.]+$/, '')],
  ['a truncated token', (token) => token.split('.').slice(0, 2).join('.')],
  ['no token', () => 'their-token'],
];

const signAgain = (token: string, key: typeof forgerKey): Promise<string> => sign(readClaims(token), key);

const table = Object.entries(senders).flatMap(([provider, sendEvent]) =>
  forgeries.map(([name, changeToken]) => [name, provider, sendEvent, changeToken] as const),
);

/** Only ID tokens have the name without `https://`. */
const similarGoogleIssuers = [
  ...['accounts.google.com', 'accounts.google.com/', 'http://accounts.google.com', '//accounts.google.com'],
  ...['https://accounts.google.com.evil.example', 'https://accounts.google.com:443', 'https://google.com'],
  ...['HTTPS://accounts.google.com', 'https://Accounts.google.com', 'https://accounts.google.com/x', ''],
];

describe('forged and replayed security events', () => {
  it.each(table)('B15.1 forged: %s, at %s, revokes nothing', async (_, __, sendEvent, changeToken) => {
    const fixture = await deployForSecurityEvents();
    const response = await sendEvent(fixture, changeToken);
    expect(response.status).toBe(400);
    expect(fixture.storage.calls).toEqual([]);
    for (const issuerName of ['acme', 'google', 'apple'] as const)
      expect(await fixture.listRevokedGrants(issuerName)).toEqual([]);
    expect(fixture.log()).toMatchObject([{ event: 'refused' }]);
    const log = JSON.stringify(fixture.log());
    expect(log).not.toMatch(/\bada\b|their-/);
    expect(log).not.toContain(jwtPrefix);
  });

  it('B15.1 forged: many get 429, and a genuine one among them is accepted', async () => {
    const fixture = await deployForSecurityEvents();
    const headers = buildAddressHeaders(attacker);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < failedClientLimit + 2; attempt++)
      statuses.push(
        (await sendLogoutToken(fixture, signAgain(await logoutToken(), forgerKey), 'acme', headers)).status,
      );
    expect(statuses).toEqual([...Array(failedClientLimit).fill(400), 429, 429]);
    const genuine = await sendLogoutToken(fixture, logoutToken(), 'acme', headers);
    expect(genuine.status).toBe(200);
    expect(fixture.storage.calls).toEqual(['recordSecurityEvent']);
    const response = await sendLogoutToken(fixture, 'x', 'acme', buildAddressHeaders('198.51.100.67'));
    expect([response.status, (await sendLogoutToken(fixture, 'x', 'neighbor', headers)).status]).toEqual([
      400, 400,
    ]);
  });

  it('B15.3 another audience: signed events for other clients do not use up the limit', async () => {
    const fixture = await deployForSecurityEvents();
    const headers = buildAddressHeaders(attacker);
    for (let attempt = 0; attempt < failedClientLimit + 2; attempt++) {
      const { status } = await sendLogoutToken(
        fixture,
        logoutToken({ aud: 'another-client' }),
        'acme',
        headers,
      );
      expect(status).toBe(400);
    }
    expect((await sendLogoutToken(fixture, logoutToken(), 'acme', headers)).status).toBe(200);
  });

  it('B15.1 forged: keys are fetched at most once in ten seconds', async () => {
    const fixture = await deployForSecurityEvents();
    for (let attempt = 0; attempt < 5; attempt++) await sendLogoutToken(fixture, logoutToken({}, unknownKey));
    fixture.deployment.advance(10);
    for (let attempt = 0; attempt < 5; attempt++) await sendLogoutToken(fixture, logoutToken({}, unknownKey));
    expect(fixture.keyRequests()).toBe(2);
  });

  it('B15.2 replayed: a logout token is accepted once', async () => {
    const fixture = await deployForSecurityEvents();
    const token = await logoutToken();
    expect((await sendLogoutToken(fixture, token)).status).toBe(200);
    const repeated = await sendLogoutToken(fixture, token);
    expect([repeated.status, await repeated.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'This token was already received.' },
    ]);
  });

  it('B15.2 replayed: a logout token does not end a session that started after it', async () => {
    const fixture = await deployForSecurityEvents();
    const token = await logoutToken({ jti: 'logout-2', sid: undefined });
    await sendLogoutToken(fixture, token);
    fixture.deployment.advance(3600);
    expect((await sendLogoutToken(fixture, token)).status).toBe(400);
    fixture.deployment.advance(60);
    expect((await sendLogoutToken(fixture, token)).status).toBe(400);
    expect(fixture.storage.calls).toEqual(['recordSecurityEvent']);
  });

  it('B15.2 replayed: an event is accepted again and changes nothing', async () => {
    const fixture = await deployForSecurityEvents();
    const token = await googleEvent();
    for (let attempt = 0; attempt < 2; attempt++)
      expect((await sendGoogleEvent(fixture, token)).status).toBe(202);
    expect(fixture.log().map(({ event }) => event)).toEqual(['security-event']);
    const otherEvent = await googleEvent({ [`${risc}sessions-revoked`]: { subject: adaSubject } });
    expect((await sendGoogleEvent(fixture, otherEvent)).status).toBe(202);
    expect(fixture.log()).toHaveLength(1);
  });

  it.each<[string, string | readonly string[] | undefined]>([
    ['another client', 'another-client'],
    ['other clients', ['another-client', 'a-third']],
    ['a client whose ID has the same prefix', 'our-client-id-2'],
    ['no audience', undefined],
    ['an empty list', []],
  ])('B15.3 for %s: revokes nothing', async (_, aud) => {
    const fixture = await deployForSecurityEvents();
    const responses = [
      await sendLogoutToken(fixture, logoutToken({ aud })),
      await sendGoogleEvent(fixture, googleEvent(undefined, { aud })),
      await sendAppleNotification(fixture, appleNotification(undefined, { aud })),
    ];
    expect(responses.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(fixture.storage.calls).toEqual([]);
    expect(fixture.log().map(({ reason }) => reason)).toEqual(Array(3).fill('security-event.audience'));
  });

  it.each(similarGoogleIssuers)('B25.2 similar names: an event from %j is refused', async (iss) => {
    const fixture = await deployForSecurityEvents();
    const response = await sendGoogleEvent(fixture, googleEvent(undefined, { iss }));
    expect([response.status, await response.json()]).toMatchObject([400, { err: 'invalid_issuer' }]);
    expect(fixture.storage.calls).toEqual([]);
  });

  it.each([
    [null],
    [7],
    [true],
    [[]],
    [['https://accounts.google.com']],
    [{}],
    [{ toString: 1, valueOf: 1 }],
  ])('B25.2 similar names: an event from %j, which is not text, is refused', async (iss) => {
    const fixture = await deployForSecurityEvents();
    const responses = [
      await sendGoogleEvent(fixture, googleEvent(undefined, { iss })),
      await sendLogoutToken(fixture, logoutToken({ iss })),
      await sendAppleNotification(fixture, appleNotification(undefined, { iss })),
    ];
    expect(responses.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(fixture.storage.calls).toEqual([]);
  });

  it.each(similarGoogleIssuers.filter((iss) => iss !== 'accounts.google.com'))(
    'B25.2 similar names: an event about a subject of %j is refused',
    async (iss) => {
      const fixture = await deployForSecurityEvents();
      const subject = { ...adaSubject, iss };
      const response = await sendGoogleEvent(
        fixture,
        googleEvent({ [`${risc}account-disabled`]: { subject } }),
      );
      expect(response.status).toBe(400);
      expect(fixture.storage.calls).toEqual([]);
    },
  );

  it('B15.3 for another provider: a token of one issuer is refused at the endpoint of another', async () => {
    const fixture = await deployForSecurityEvents();
    const responses = [
      await fixture.post(
        '/events/google',
        JSON.parse(await appleNotification()).payload,
        securityEventHeaders,
      ),
      await fixture.post('/events/apple', JSON.stringify({ payload: await googleEvent() }), jsonHeaders),
      await sendLogoutToken(fixture, googleEvent()),
      await sendGoogleEvent(fixture, logoutToken()),
    ];
    expect(responses.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    expect(fixture.storage.calls).toEqual([]);
  });

  it('B15.3 for another purpose: an ID token is not accepted as a logout token', async () => {
    const fixture = await deployForSecurityEvents();
    const idToken = logoutToken({ nonce: 'nonce-1', exp: now + 3600 }, issuerKey, {});
    expect((await sendLogoutToken(fixture, idToken)).status).toBe(400);
    expect((await sendLogoutToken(fixture, logoutToken({ events: undefined }, issuerKey, {}))).status).toBe(
      400,
    );
    expect(fixture.storage.calls).toEqual([]);
  });
});
