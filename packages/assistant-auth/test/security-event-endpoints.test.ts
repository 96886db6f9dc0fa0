/** Security events (RFC 8417) and back-channel logout of a provider. */
import { describe, expect, it } from 'vitest';
import { apple, type BrokerStorage, type GoogleOptions, google, StorageUnavailable } from '../src/index.ts';
import { googleSecurityEvents } from '../src/providers/google-events.ts';
import { computeGoogleTokenIdentifiers } from '../src/providers/security-events/google.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { expectTokens, readRedirect } from './browser.ts';
import { gpt, redeem, refresh } from './clients.ts';
import { type Deployment, deploy, issuer } from './deployment.ts';
import { continueToProvider } from './flows.ts';
import { clientId, clientSecret, createFakeIssuer, issuerKey } from './providers/fake-issuer.ts';
import { doubleHash } from './providers/security-events/double-hash.ts';
import type { Claims } from './providers/signing.ts';
import {
  adaSubject,
  appleNotification,
  appleSettings,
  deployForSecurityEvents,
  googleEvent,
  issuerUrls,
  jsonHeaders,
  logoutToken,
  now,
  oauth,
  risc,
  securityEventHeaders,
  sendAppleNotification,
  sendGoogleEvent,
  sendLogoutToken,
} from './security-event-fixtures.ts';

describe('security events', () => {
  const allGrants = ['later', 'now', 'session'];
  const refreshToken = '1//0gAbCdEfGhIjKlMnOpQrStUvWxYz-0123456789';

  const expectRefused = async (
    response: Response,
    { err = 'invalid_request', description, status = 400 }: Partial<ErrorResponse> = {},
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

  interface ErrorResponse {
    readonly err: string;
    readonly description: string;
    readonly status: number;
  }

  describe('an event from Google', () => {
    it.each<[string, string, readonly string[]]>([
      ['sessions-revoked', risc, allGrants],
      ['tokens-revoked', oauth, allGrants],
      ['account-disabled', risc, allGrants],
      ['account-purged', risc, allGrants],
      ['account-credential-change-required', risc, ['session']],
      ['account-enabled', risc, []],
      ['something-new', risc, []],
    ])('revokes what its type requires: %s', async (name, kind, revokedGrants) => {
      const fixture = await deployForSecurityEvents();
      const response = await sendGoogleEvent(
        fixture,
        googleEvent({ [kind + name]: { subject: adaSubject } }),
      );
      expect([response.status, await response.text()]).toEqual([202, '']);
      expect(Object.fromEntries(response.headers)).toEqual({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      expect(await fixture.listRevokedGrants('google')).toEqual(revokedGrants);
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
      expect(fixture.storage.calls).toEqual(revokedGrants.length === 0 ? [] : ['recordSecurityEvent']);
    });

    it.each([undefined, 'hijacking', 'bulk-account'])(
      'revokes the same for the reason %s',
      async (reason) => {
        const fixture = await deployForSecurityEvents();
        await sendGoogleEvent(
          fixture,
          googleEvent({ [`${risc}account-disabled`]: { subject: adaSubject, reason } }),
        );
        expect(await fixture.listRevokedGrants('google')).toEqual(allGrants);
      },
    );

    it.each<[string, unknown]>([
      ['issuer and subject', { ...adaSubject, iss: issuerUrls.google }],
      ['the issuer of an ID token', { ...adaSubject, iss: 'accounts.google.com' }],
      ['the claims of ID tokens', { subject_type: 'id_token_claims', sub: 'ada', email: 'ada@example.com' }],
    ])('can identify the user by %s', async (_, subject) => {
      const fixture = await deployForSecurityEvents();
      await sendGoogleEvent(fixture, googleEvent({ [`${risc}account-disabled`]: { subject } }));
      expect(await fixture.listRevokedGrants('google')).toEqual(allGrants);
    });

    it.each<[string, unknown]>([
      ['only an email address', { subject_type: 'id_token_claims', email: 'ada@example.com' }],
      [
        'a token in an unknown format',
        { subject_type: 'oauth_token', token_identifier_alg: 'x', token: 'y' },
      ],
      ['an unknown token', { subject_type: 'oauth_token', token_identifier_alg: 'prefix', token: 'y' }],
      ['an unknown subject', { ...adaSubject, sub: 'eve' }],
    ])('that names %s is accepted, and revokes nothing', async (_, subject) => {
      const fixture = await deployForSecurityEvents();
      const response = await sendGoogleEvent(
        fixture,
        googleEvent({ [`${oauth}token-revoked`]: { subject } }),
      );
      expect(response.status).toBe(202);
      expect(await fixture.listRevokedGrants('google')).toEqual([]);
    });

    it.each<[string, () => Promise<string> | string]>([
      ['prefix', () => refreshToken.slice(0, 16)],
      ['hash_base64_sha512_sha512', () => doubleHash(refreshToken)],
    ])(
      'that names only a token revokes what depends on it: %s',
      async (token_identifier_alg, buildIdentifier) => {
        const storage = memoryStorage();
        const fixture = await deployForSecurityEvents({ storage });
        const tokenIdentifiers = await computeGoogleTokenIdentifiers(refreshToken);
        await storage.storeUpstreamToken({
          provider: 'google',
          subject: 'ada',
          sealedRefreshToken: 'sealed',
          tokenIdentifiers,
        });
        const subject = {
          ...{ subject_type: 'oauth_token', token_type: 'refresh_token', token_identifier_alg },
          token: await buildIdentifier(),
        };
        const response = await sendGoogleEvent(
          fixture,
          googleEvent({ [`${oauth}token-revoked`]: { subject } }),
        );
        expect(response.status).toBe(202);
        expect(await fixture.listRevokedGrants('google')).toEqual(allGrants);
        expect(await fixture.listRevokedGrants('apple')).toEqual([]);
      },
    );

    it('that verifies the stream is accepted, and its state is not logged', async () => {
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
    ])('can have %s', async (_, changes) => {
      const fixture = await deployForSecurityEvents();
      expect((await sendGoogleEvent(fixture, googleEvent(undefined, changes))).status).toBe(202);
    });

    it('that was delayed does not affect a user who has signed in again in the meantime', async () => {
      const fixture = await deployForSecurityEvents();
      expect((await sendGoogleEvent(fixture, googleEvent(undefined, { iat: now - 200 }))).status).toBe(202);
      expect(await fixture.listRevokedGrants('google')).toEqual([]);
    });

    it.each<[string, unknown, Claims, string]>([
      ['from another issuer', undefined, { iss: 'https://evil.example/' }, 'invalid_issuer'],
      ['from an issuer with two slashes', undefined, { iss: `${issuerUrls.google}//` }, 'invalid_issuer'],
      ['for another audience', undefined, { aud: 'another' }, 'invalid_audience'],
      ['that is too old', undefined, { iat: now - 7 * 86_400 - 31 }, 'invalid_request'],
      ['from the future', undefined, { iat: now + 31 }, 'invalid_request'],
      ['without a jti', undefined, { jti: undefined }, 'invalid_request'],
      ['without events', undefined, { events: undefined }, 'invalid_request'],
      ['with no event', {}, {}, 'invalid_request'],
      ['with a string for events', 'account-disabled', {}, 'invalid_request'],
      ['without a subject', { [`${risc}account-disabled`]: {} }, {}, 'invalid_request'],
      ['that is null', { [`${risc}account-disabled`]: null }, {}, 'invalid_request'],
      [
        'about users of another issuer',
        { [`${risc}account-disabled`]: { subject: { ...adaSubject, iss: 'https://evil.example' } } },
        {},
        'invalid_request',
      ],
    ])('%s is refused with an error of RFC 8935, and revokes nothing', async (_, events, changes, err) => {
      const fixture = await deployForSecurityEvents();
      await expectRefused(await sendGoogleEvent(fixture, googleEvent(events, changes)), { err });
      expect(fixture.storage.calls).toEqual([]);
    });
  });

  describe('without the option securityEvents of google', () => {
    const googleIssuer = createFakeIssuer(issuerUrls.google);

    const deployGoogle = (storage: BrokerStorage, options: Partial<GoogleOptions>): Deployment =>
      deploy({
        providers: [google({ clientId, clientSecret, ...options })],
        ...{ storage, fetch: googleIssuer.io.fetch },
      });

    /** Two brokers with the same storage: without the option, and with it. */
    const deployBoth = () => {
      const storage = memoryStorage();
      return {
        without: deployGoogle(storage, {}),
        with: deployGoogle(storage, { securityEvents: googleSecurityEvents() }),
      };
    };

    /** Signs a user in, and returns the client's refresh token. Google issues `refreshToken`. */
    const signIn = async (deployment: Deployment): Promise<string> => {
      const { authorizationUrl, returnFromProvider } = await continueToProvider(deployment, gpt.request);
      const nonce = authorizationUrl.searchParams.get('nonce');
      googleIssuer.override({ claims: { nonce }, tokens: { refresh_token: refreshToken } });
      const redirect = readRedirect(await returnFromProvider({ code: 'code-1' }));
      const code = redirect.searchParams.get('code') ?? '';
      return (await expectTokens(await redeem(deployment, gpt, code))).refresh_token;
    };

    /** Sends an event that names only `refreshToken`. */
    const sendTokenEvent = async ({ fetch, now: readTime }: Deployment): Promise<Response> => {
      const token = refreshToken.slice(0, 16);
      const subject = { subject_type: 'oauth_token', token_identifier_alg: 'prefix', token };
      const body = await googleEvent({ [`${oauth}token-revoked`]: { subject } }, { iat: readTime() });
      const headers = securityEventHeaders;
      return fetch(new Request(`${issuer}/events/google`, { method: 'POST', body, headers }));
    };

    it('Google’s events get a 404, and revoke nothing', async () => {
      const providers = [google({ clientId, clientSecret }), apple(appleSettings)];
      const fixture = await deployForSecurityEvents({ broker: { providers } });
      await expectRefused(await sendGoogleEvent(fixture), {
        description: 'This provider does not send events to this URL.',
        status: 404,
      });
      expect(fixture.storage.calls).toEqual([]);
      expect(await fixture.listRevokedGrants('google')).toEqual([]);
      expect((await sendAppleNotification(fixture)).status).toBe(202);
    });

    it('tokens have no stored identifiers, so an event that names only a token revokes nothing', async () => {
      for (const [option, status] of [
        ['without', 200],
        ['with', 401],
      ] as const) {
        const deployments = deployBoth();
        const token = await signIn(deployments[option]);
        expect((await sendTokenEvent(deployments.with)).status).toBe(202);
        expect((await refresh(deployments[option], gpt, token)).status).toBe(status);
      }
    });

    it('a user whose token has stored identifiers stays signed in, and the next token has none', async () => {
      const deployments = deployBoth();
      const token = await signIn(deployments.with);
      googleIssuer.override({ tokens: { refresh_token: `${refreshToken} 2` } });
      expect((await refresh(deployments.without, gpt, token)).status).toBe(200);
      expect((await sendTokenEvent(deployments.with)).status).toBe(202);
      expect((await refresh(deployments.without, gpt, token)).status).toBe(200);
    });
  });

  describe('a notification from Apple', () => {
    const buildNotification = (type: unknown, sub: unknown = 'ada') =>
      appleNotification({ type, sub, event_time: now * 1000 });

    it.each([
      ['consent-revoked', allGrants, 'consent-revoked'],
      ['account-delete', allGrants, 'account-delete'],
      ['account-deleted', allGrants, 'account-deleted'],
      ['email-disabled', [], 'email-disabled'],
      ['email-enabled', [], 'email-enabled'],
      ['something-new', [], 'unknown'],
    ])('revokes what its event type requires: %s', async (type, revokedGrants, securityEvent) => {
      const fixture = await deployForSecurityEvents();
      const response = await sendAppleNotification(fixture, buildNotification(type));
      expect([response.status, await response.text()]).toEqual([202, '']);
      expect(await fixture.listRevokedGrants('apple')).toEqual(revokedGrants);
      expect(await fixture.listRevokedGrants('google')).toEqual([]);
      expect(fixture.log()).toMatchObject([{ event: 'security-event', provider: 'apple', securityEvent }]);
    });

    it.each<[string, string | Promise<string>]>([
      ['without a payload', '{}'],
      ['that is not JSON', 'payload'],
      ['that is null', 'null'],
      ['whose payload is not a string', '{"payload":7}'],
      ['whose event is not JSON', appleNotification('consent-revoked')],
      ['without an event', appleNotification(undefined, { events: undefined })],
      [
        'whose event is an object',
        appleNotification(undefined, { events: { type: 'consent-revoked', sub: 'ada' } }),
      ],
      [
        'whose event is an object with toString',
        appleNotification(undefined, { events: { toString: 'consent-revoked' } }),
      ],
      ['without a type', buildNotification(undefined)],
      ['without a subject', buildNotification('consent-revoked', null)],
      ['that has expired', appleNotification(undefined, { exp: now - 30 })],
    ])('%s is refused, and revokes nothing', async (_, body) => {
      const fixture = await deployForSecurityEvents();
      await expectRefused(await sendAppleNotification(fixture, body));
      expect(fixture.storage.calls).toEqual([]);
    });

    it('from another issuer or for another audience is refused', async () => {
      const fixture = await deployForSecurityEvents();
      const otherIssuer = appleNotification(undefined, { iss: 'https://evil.example' });
      await expectRefused(await sendAppleNotification(fixture, otherIssuer), { err: 'invalid_issuer' });
      const otherAudience = appleNotification(undefined, { aud: 'another' });
      await expectRefused(await sendAppleNotification(fixture, otherAudience), { err: 'invalid_audience' });
    });
  });

  describe('a request', () => {
    it.each(['nobody', 'acme', 'google/x', ''])('for %j gets a 404', async (provider) => {
      const { post, storage } = await deployForSecurityEvents();
      await expectRefused(await post(`/events/${provider}`, await googleEvent(), securityEventHeaders), {
        description: 'This provider does not send events to this URL.',
        status: 404,
      });
      expect(storage.calls).toEqual([]);
    });

    it.each([
      ['Google', '/events/google', 'application/json'],
      ['Google', '/events/google', 'text/plain'],
      ['Google', '/events/google', ''],
      ['Apple', '/events/apple', 'application/secevent+jwt'],
    ])('must have the content type that %s sends (%s, %j)', async (_, path, type) => {
      const { post } = await deployForSecurityEvents();
      const body = new TextEncoder().encode(await googleEvent());
      await expectRefused(await post(path, body, type === '' ? {} : { 'content-type': type }), {
        description: 'The Content-Type does not match what this provider sends.',
      });
    });

    it('can have a content type with parameters and in any case', async () => {
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

    it('gets a 503 if storage is unavailable', async () => {
      const recordSecurityEvent = () => Promise.reject(new StorageUnavailable('no route'));
      const fixture = await deployForSecurityEvents({ storage: { ...memoryStorage(), recordSecurityEvent } });
      await expectRefused(await sendGoogleEvent(fixture), { err: 'temporarily_unavailable', status: 503 });
      expect(await fixture.listRevokedGrants('google')).toEqual([]);
    });
  });
});

describe('back-channel logout', () => {
  const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

  const expectRefused = async (response: Response, description: string, status = 400): Promise<void> => {
    expect([response.status, await response.json()]).toEqual([
      status,
      { error: expect.any(String), error_description: description },
    ]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/json',
    });
  };

  describe('a logout token', () => {
    it('revokes sessions and grants without offline access of the session that it names', async () => {
      const fixture = await deployForSecurityEvents();
      const response = await sendLogoutToken(fixture);
      expect([response.status, await response.text()]).toEqual([200, '']);
      expect(Object.fromEntries(response.headers)).toEqual({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      expect(await fixture.listRevokedGrants()).toEqual(['now', 'session']);
      expect(await fixture.listRevokedGrants('google')).toEqual([]);
      expect(fixture.log()).toEqual([
        {
          event: 'security-event',
          endpoint: 'backchannel-logout',
          requestId: expect.any(String),
          provider: 'acme',
          securityEvent: 'logout',
        },
      ]);
    });

    it('revokes every grant if configured', async () => {
      const fixture = await deployForSecurityEvents({ acme: { logoutEndsGrants: true } });
      await sendLogoutToken(fixture);
      expect(await fixture.listRevokedGrants()).toEqual(['later', 'now', 'session']);
    });

    it.each<[string, Claims, readonly string[]]>([
      ['only the user', { sid: undefined }, ['now', 'session']],
      ['only the session', { sub: undefined }, ['now', 'session']],
      ['another session of the user', { sid: 'sid-2' }, []],
      ['a session of another user', { sub: 'bob' }, []],
      ['an unknown user', { sub: 'bob', sid: undefined }, []],
    ])('that names %s is accepted', async (_, claims, revokedGrants) => {
      const fixture = await deployForSecurityEvents();
      expect((await sendLogoutToken(fixture, logoutToken(claims))).status).toBe(200);
      expect(await fixture.listRevokedGrants()).toEqual(revokedGrants);
    });

    it.each<[string, Claims]>([
      ['no type', {}],
      ['the generic type JWT', { typ: 'JWT' }],
      ['its type in uppercase', { typ: 'LOGOUT+JWT' }],
      ['its type as a full media type', { typ: 'application/logout+jwt' }],
    ])('can have %s', async (_, header) => {
      const fixture = await deployForSecurityEvents();
      expect((await sendLogoutToken(fixture, logoutToken({}, issuerKey, header))).status).toBe(200);
    });

    it.each<[string, Claims]>([
      ['no expiry', { exp: undefined }],
      ['the maximum age', { iat: now - 3630, exp: undefined }],
      ['an iat 30 s ahead', { iat: now + 30 }],
      ['an expiry 29 s ago', { exp: now - 29 }],
      ['several audiences', { aud: ['another', 'our-client-id'] }],
      ['another event in addition', { events: { [logoutEvent]: {}, 'https://x.example/other': {} } }],
    ])('can have %s', async (_, changes) => {
      const fixture = await deployForSecurityEvents();
      expect((await sendLogoutToken(fixture, logoutToken(changes))).status).toBe(200);
    });

    const age = 'The token is too old or not valid yet.';
    const content = 'The token does not have the required claims.';

    it.each<[string, Claims, string]>([
      ['from another issuer', { iss: 'https://evil.example' }, 'The token is from another issuer.'],
      ['without an issuer', { iss: undefined }, 'The token is from another issuer.'],
      [
        'of an issuer with a trailing slash',
        { iss: 'https://id.example/' },
        'The token is from another issuer.',
      ],
      ['for another client', { aud: 'another' }, 'The token is for another audience.'],
      ['that has expired', { exp: now - 30 }, age],
      ['whose expiry is a string', { exp: `${now + 9}` }, age],
      ['whose iat is 31 s ahead', { iat: now + 31 }, age],
      ['that is too old', { iat: now - 3631 }, age],
      ['that is not valid yet', { nbf: now + 31 }, age],
      ['without an iat', { iat: undefined }, content],
      ['whose iat is a string', { iat: `${now}` }, content],
      ['without a jti', { jti: undefined }, content],
      ['with an empty jti', { jti: '' }, content],
      ['with a jti that is too long', { jti: 'x'.repeat(256) }, content],
      ['whose jti is a number', { jti: 7 }, content],
      ['without events', { events: undefined }, content],
      ['without the logout event', { events: { 'https://x.example/other': {} } }, content],
      ['whose event is not an object', { events: { [logoutEvent]: 'yes' } }, content],
      ['whose event is null', { events: { [logoutEvent]: null } }, content],
      ['whose events are an array', { events: [logoutEvent] }, content],
      ['with a nonce', { nonce: 'nonce-1' }, content],
      ['with a nonce that is null', { nonce: null }, content],
      ['without sub and sid', { sub: undefined, sid: undefined }, content],
      ['whose sub is a number', { sub: 7 }, content],
      ['whose sid is an array', { sid: ['sid-1'] }, content],
      ['whose sub is empty', { sub: '', sid: undefined }, content],
    ])('%s is refused, and revokes nothing', async (_, changes, description) => {
      const fixture = await deployForSecurityEvents();
      await expectRefused(await sendLogoutToken(fixture, logoutToken(changes)), description);
      expect(fixture.storage.calls).toEqual([]);
    });

    it('of another type is refused', async () => {
      const fixture = await deployForSecurityEvents();
      for (const typ of ['at+jwt', 'secevent+jwt', 'application/at+jwt', ''])
        await expectRefused(await sendLogoutToken(fixture, logoutToken({}, issuerKey, { typ })), content);
    });
  });

  describe('a request', () => {
    it.each([
      ['an unknown provider', 'nobody'],
      ['a provider that sends events instead', 'google'],
      ['a provider that sends notifications instead', 'apple'],
      ['a path below a provider', 'acme/x'],
      ['no provider', ''],
    ])('for %s gets a 404', async (_, provider) => {
      const fixture = await deployForSecurityEvents();
      await expectRefused(
        await sendLogoutToken(fixture, logoutToken(), provider),
        'This provider does not send events to this URL.',
        404,
      );
      expect(fixture.storage.calls).toEqual([]);
    });

    it('must contain its token once, in a form', async () => {
      const { post } = await deployForSecurityEvents();
      const token = await logoutToken();
      const repeatedForm = new URLSearchParams([
        ['logout_token', token],
        ['logout_token', token],
      ]);
      const path = '/backchannel-logout/acme';
      await expectRefused(await post(path, repeatedForm), 'A parameter was sent more than once.');
      await expectRefused(await post(path, new URLSearchParams()), 'The parameter logout_token is missing.');
      await expectRefused(
        await post(path, JSON.stringify({ logout_token: token }), { 'content-type': 'application/json' }),
        'The Content-Type must be application/x-www-form-urlencoded.',
      );
      await expectRefused(
        await post(path, new URLSearchParams({ logout_token: 'x'.repeat(17_000) })),
        'The request is too large.',
        413,
      );
    });

    it.each(['GET', 'PUT', 'OPTIONS'])('with %s gets a 405', async (method) => {
      const { deployment } = await deployForSecurityEvents();
      const response = await deployment.fetch(new Request(`${issuer}/backchannel-logout/acme`, { method }));
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    });

    it('gets a 503 if storage is unavailable, and succeeds if it is retried', async () => {
      const memory = memoryStorage();
      const outage = { isActive: true };
      const recordSecurityEvent: typeof memory.recordSecurityEvent = async (securityEvent) => {
        if (outage.isActive) throw new StorageUnavailable('no route');
        return memory.recordSecurityEvent(securityEvent);
      };
      const fixture = await deployForSecurityEvents({ storage: { ...memory, recordSecurityEvent } });
      const token = await logoutToken();
      const response = await sendLogoutToken(fixture, token);
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
      outage.isActive = false;
      expect((await sendLogoutToken(fixture, token)).status).toBe(200);
      expect(await fixture.listRevokedGrants()).toEqual(['now', 'session']);
    });

    it('gets a 503 if the issuer’s keys are unavailable, without being counted as a failure', async () => {
      const fetch = () => Promise.resolve(new Response(null, { status: 503 }));
      const fixture = await deployForSecurityEvents({ broker: { fetch } });
      for (let attempt = 0; attempt < 25; attempt++) {
        const response = await sendLogoutToken(fixture);
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
      }
      expect(fixture.storage.calls).toEqual([]);
    });
  });
});
