import { describe, expect, it } from 'vitest';
import { StorageUnavailable } from '../src/index.ts';
import { computeGoogleTokenIdentifiers } from '../src/providers/security-events/google.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { doubleHash } from './providers/security-events/double-hash.ts';
import type { Claims } from './providers/signing.ts';
import {
  adaSubject,
  appleNotification,
  deployForSecurityEvents,
  googleEvent,
  issuerUrls,
  jsonHeaders,
  now,
  oauth,
  risc,
  securityEventHeaders,
  sendAppleNotification,
  sendGoogleEvent,
} from './security-event-fixtures.ts';

const everything = ['later', 'now', 'session'];
const theirs = '1//0gAbCdEfGhIjKlMnOpQrStUvWxYz-0123456789';

const expectRefused = async (
  response: Response,
  { err = 'invalid_request', description, status = 400 }: Partial<Refused> = {},
): Promise<void> => {
  expect([response.status, await response.json()]).toEqual([
    status,
    { err, description: description ?? expect.any(String) },
  ]);
  expect(Object.fromEntries(response.headers)).toEqual({
    'cache-control': 'no-store',
    'content-language': 'en',
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
    ...(status === 503 && { 'retry-after': '10' }),
  });
};

interface Refused {
  readonly err: string;
  readonly description: string;
  readonly status: number;
}

describe('an event of Google’s', () => {
  it.each<[string, string, readonly string[]]>([
    ['sessions-revoked', risc, everything],
    ['tokens-revoked', oauth, everything],
    ['account-disabled', risc, everything],
    ['account-purged', risc, everything],
    ['account-credential-change-required', risc, ['session']],
    ['account-enabled', risc, []],
    ['something-new', risc, []],
  ])('ends what it ends: %s', async (name, kind, ended) => {
    const fixture = await deployForSecurityEvents();
    const response = await sendGoogleEvent(fixture, googleEvent({ [kind + name]: { subject: adaSubject } }));
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(await fixture.listRevokedGrants('google')).toEqual(ended);
    expect(await fixture.listRevokedGrants('acme')).toEqual([]);
    expect(fixture.log()).toEqual([
      {
        event: 'security-event',
        endpoint: 'events',
        requestId: expect.any(String),
        provider: 'google',
        securityEvent: name === 'something-new' ? 'unknown' : name,
      },
    ]);
    expect(fixture.storage.calls).toEqual(ended.length === 0 ? [] : ['recordSecurityEvent']);
  });

  it.each([undefined, 'hijacking', 'bulk-account'])('ends as much for the reason %s', async (reason) => {
    const fixture = await deployForSecurityEvents();
    await sendGoogleEvent(
      fixture,
      googleEvent({ [`${risc}account-disabled`]: { subject: adaSubject, reason } }),
    );
    expect(await fixture.listRevokedGrants('google')).toEqual(everything);
  });

  it.each<[string, unknown]>([
    ['issuer and subject', { ...adaSubject, iss: issuerUrls.google }],
    ['the claims of ID tokens', { subject_type: 'id_token_claims', sub: 'ada', email: 'ada@example.com' }],
  ])('names people by %s', async (_, subject) => {
    const fixture = await deployForSecurityEvents();
    await sendGoogleEvent(fixture, googleEvent({ [`${risc}account-disabled`]: { subject } }));
    expect(await fixture.listRevokedGrants('google')).toEqual(everything);
  });

  it.each<[string, unknown]>([
    ['an address alone', { subject_type: 'id_token_claims', email: 'ada@example.com' }],
    ['a token in words that are new', { subject_type: 'oauth_token', token_identifier_alg: 'x', token: 'y' }],
    ['a token of nobody', { subject_type: 'oauth_token', token_identifier_alg: 'prefix', token: 'y' }],
    ['somebody unknown', { ...adaSubject, sub: 'eve' }],
  ])('that names %s is taken, and ends nothing', async (_, subject) => {
    const fixture = await deployForSecurityEvents();
    const response = await sendGoogleEvent(fixture, googleEvent({ [`${oauth}token-revoked`]: { subject } }));
    expect(response.status).toBe(202);
    expect(await fixture.listRevokedGrants('google')).toEqual([]);
  });

  it.each<[string, () => Promise<string> | string]>([
    ['prefix', () => theirs.slice(0, 16)],
    ['hash_base64_sha512_sha512', () => doubleHash(theirs)],
  ])('that names a token alone ends what rests on it: %s', async (token_identifier_alg, named) => {
    const storage = memoryStorage();
    const fixture = await deployForSecurityEvents({ storage });
    const tokenIdentifiers = await computeGoogleTokenIdentifiers(theirs);
    await storage.storeUpstreamToken({
      provider: 'google',
      subject: 'ada',
      sealedRefreshToken: 'sealed',
      tokenIdentifiers,
    });
    const subject = {
      ...{ subject_type: 'oauth_token', token_type: 'refresh_token', token_identifier_alg },
      token: await named(),
    };
    const response = await sendGoogleEvent(fixture, googleEvent({ [`${oauth}token-revoked`]: { subject } }));
    expect(response.status).toBe(202);
    expect(await fixture.listRevokedGrants('google')).toEqual(everything);
    expect(await fixture.listRevokedGrants('apple')).toEqual([]);
  });

  it('that verifies the stream is taken, and its text is not logged', async () => {
    const fixture = await deployForSecurityEvents();
    const event = { [`${risc}verification`]: { state: 'their-state' } };
    expect((await sendGoogleEvent(fixture, googleEvent(event))).status).toBe(202);
    expect(fixture.log()).toMatchObject([{ event: 'security-event', securityEvent: 'verification' }]);
    expect(JSON.stringify(fixture.log())).not.toContain('their-');
  });

  it.each<[string, Claims]>([
    ['an issuer without a slash', { iss: issuerUrls.google }],
    ['an expiry in the past', { exp: now - 9999 }],
    ['an age of seven days', { iat: now - 7 * 86_400 }],
    ['several audiences', { aud: ['another', 'our-client-id'] }],
  ])('may have %s', async (_, changes) => {
    const fixture = await deployForSecurityEvents();
    expect((await sendGoogleEvent(fixture, googleEvent(undefined, changes))).status).toBe(202);
  });

  it('that was delayed leaves alone who came back meanwhile', async () => {
    const fixture = await deployForSecurityEvents();
    expect((await sendGoogleEvent(fixture, googleEvent(undefined, { iat: now - 200 }))).status).toBe(202);
    expect(await fixture.listRevokedGrants('google')).toEqual([]);
  });

  it.each<[string, unknown, Claims, string]>([
    ['from another issuer', undefined, { iss: 'https://evil.example/' }, 'invalid_issuer'],
    ['with two slashes', undefined, { iss: `${issuerUrls.google}//` }, 'invalid_issuer'],
    ['for somebody else', undefined, { aud: 'another' }, 'invalid_audience'],
    ['that is too old', undefined, { iat: now - 7 * 86_400 - 31 }, 'invalid_request'],
    ['from the future', undefined, { iat: now + 31 }, 'invalid_request'],
    ['without a name', undefined, { jti: undefined }, 'invalid_request'],
    ['without events', undefined, { events: undefined }, 'invalid_request'],
    ['with no event', {}, {}, 'invalid_request'],
    ['with a text for events', 'account-disabled', {}, 'invalid_request'],
    ['about nobody', { [`${risc}account-disabled`]: {} }, {}, 'invalid_request'],
    ['that is nothing', { [`${risc}account-disabled`]: null }, {}, 'invalid_request'],
    [
      'about people of another issuer',
      { [`${risc}account-disabled`]: { subject: { ...adaSubject, iss: 'https://evil.example' } } },
      {},
      'invalid_request',
    ],
  ])('%s is refused in the words of RFC 8935, and ends nothing', async (_, events, changes, err) => {
    const fixture = await deployForSecurityEvents();
    await expectRefused(await sendGoogleEvent(fixture, googleEvent(events, changes)), { err });
    expect(fixture.storage.calls).toEqual([]);
  });
});

describe('a notification of Apple’s', () => {
  const of = (type: unknown, sub: unknown = 'ada') =>
    appleNotification({ type, sub, event_time: now * 1000 });

  it.each([
    ['consent-revoked', everything, 'consent-revoked'],
    ['account-delete', everything, 'account-delete'],
    ['account-deleted', everything, 'account-deleted'],
    ['email-disabled', [], 'email-disabled'],
    ['email-enabled', [], 'email-enabled'],
    ['something-new', [], 'unknown'],
  ])('ends as much as it says: %s', async (type, ended, securityEvent) => {
    const fixture = await deployForSecurityEvents();
    const response = await sendAppleNotification(fixture, of(type));
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(await fixture.listRevokedGrants('apple')).toEqual(ended);
    expect(await fixture.listRevokedGrants('google')).toEqual([]);
    expect(fixture.log()).toMatchObject([{ event: 'security-event', provider: 'apple', securityEvent }]);
  });

  it.each<[string, string | Promise<string>]>([
    ['without payload', '{}'],
    ['that is no JSON', 'payload'],
    ['that is nothing', 'null'],
    ['whose payload is no text', '{"payload":7}'],
    ['whose event is no JSON', appleNotification('consent-revoked')],
    ['without an event', appleNotification(undefined, { events: undefined })],
    [
      'whose event is an object',
      appleNotification(undefined, { events: { type: 'consent-revoked', sub: 'ada' } }),
    ],
    ['whose event has no text', appleNotification(undefined, { events: { toString: 'consent-revoked' } })],
    ['without a type', of(undefined)],
    ['about nobody', of('consent-revoked', null)],
    ['that has expired', appleNotification(undefined, { exp: now - 30 })],
  ])('%s is refused, and ends nothing', async (_, body) => {
    const fixture = await deployForSecurityEvents();
    await expectRefused(await sendAppleNotification(fixture, body));
    expect(fixture.storage.calls).toEqual([]);
  });

  it('from another issuer, or for somebody else, is refused', async () => {
    const fixture = await deployForSecurityEvents();
    const foreign = appleNotification(undefined, { iss: 'https://evil.example' });
    await expectRefused(await sendAppleNotification(fixture, foreign), { err: 'invalid_issuer' });
    const theirs = appleNotification(undefined, { aud: 'another' });
    await expectRefused(await sendAppleNotification(fixture, theirs), { err: 'invalid_audience' });
  });
});

describe('a request', () => {
  it.each(['nobody', 'acme', 'google/x', ''])('for %j is answered 404', async (provider) => {
    const { post, storage } = await deployForSecurityEvents();
    await expectRefused(await post(`/events/${provider}`, await googleEvent(), securityEventHeaders), {
      description: 'Nothing is taken here from a provider of this name.',
      status: 404,
    });
    expect(storage.calls).toEqual([]);
  });

  it.each([
    ['Google', '/events/google', 'application/json'],
    ['Google', '/events/google', 'text/plain'],
    ['Google', '/events/google', ''],
    ['Apple', '/events/apple', 'application/secevent+jwt'],
  ])('is of the type that %s sends (%s, %j)', async (_, path, type) => {
    const { post } = await deployForSecurityEvents();
    const body = new TextEncoder().encode(await googleEvent());
    await expectRefused(await post(path, body, type === '' ? {} : { 'content-type': type }), {
      description: 'The body is not of the type that this provider sends.',
    });
  });

  it('may say the type with parameters and in capitals', async () => {
    const { post } = await deployForSecurityEvents();
    const type = 'Application/SecEvent+JWT; charset=utf-8';
    const response = await post('/events/google', await googleEvent(), { 'content-type': type });
    expect(response.status).toBe(202);
  });

  it('of more than 16 KiB is refused', async () => {
    const { post } = await deployForSecurityEvents();
    for (const [path, type] of [
      ['/events/google', securityEventHeaders],
      ['/events/apple', jsonHeaders],
    ] as const)
      await expectRefused(await post(path, 'x'.repeat(16_385), type), { status: 413 });
  });

  it('is answered 503 when storage is out of reach', async () => {
    const recordSecurityEvent = () => Promise.reject(new StorageUnavailable('no route'));
    const fixture = await deployForSecurityEvents({ storage: { ...memoryStorage(), recordSecurityEvent } });
    await expectRefused(await sendGoogleEvent(fixture), { err: 'temporarily_unavailable', status: 503 });
    expect(await fixture.listRevokedGrants('google')).toEqual([]);
  });
});
