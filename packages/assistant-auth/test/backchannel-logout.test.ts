import { describe, expect, it } from 'vitest';
import { StorageUnavailable } from '../src/index.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { issuer } from './deployment.ts';
import { issuerKey } from './providers/hostile-issuer.ts';
import type { Claims } from './providers/signing.ts';
import { deployForSecurityEvents, logoutToken, now, sendLogoutToken } from './security-event-fixtures.ts';

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
  it('ends sessions, and grants without offline access, of the session that it names', async () => {
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

  it('ends every grant where the publisher has it so', async () => {
    const fixture = await deployForSecurityEvents({ acme: { logoutEndsGrants: true } });
    await sendLogoutToken(fixture);
    expect(await fixture.listRevokedGrants()).toEqual(['later', 'now', 'session']);
  });

  it.each<[string, Claims, readonly string[]]>([
    ['the person alone', { sid: undefined }, ['now', 'session']],
    ['the session alone', { sub: undefined }, ['now', 'session']],
    ['another session of theirs', { sid: 'sid-2' }, []],
    ['a session of somebody else', { sub: 'bob' }, []],
    ['somebody who is not known here', { sub: 'bob', sid: undefined }, []],
  ])('that names %s is taken', async (_, names, ended) => {
    const fixture = await deployForSecurityEvents();
    expect((await sendLogoutToken(fixture, logoutToken(names))).status).toBe(200);
    expect(await fixture.listRevokedGrants()).toEqual(ended);
  });

  it.each<[string, Claims]>([
    ['no type', {}],
    ['the type of any JWT', { typ: 'JWT' }],
    ['its type in capitals', { typ: 'LOGOUT+JWT' }],
    ['its type as a media type', { typ: 'application/logout+jwt' }],
  ])('may bear %s', async (_, header) => {
    const fixture = await deployForSecurityEvents();
    expect((await sendLogoutToken(fixture, logoutToken({}, issuerKey, header))).status).toBe(200);
  });

  it.each<[string, Claims]>([
    ['no expiry', { exp: undefined }],
    ['the oldest age', { iat: now - 3630, exp: undefined }],
    ['an instant 30 s ahead', { iat: now + 30 }],
    ['an expiry 29 s ago', { exp: now - 29 }],
    ['several audiences', { aud: ['another', 'our-client-id'] }],
    ['another event beside', { events: { [logoutEvent]: {}, 'https://x.example/other': {} } }],
  ])('may have %s', async (_, changes) => {
    const fixture = await deployForSecurityEvents();
    expect((await sendLogoutToken(fixture, logoutToken(changes))).status).toBe(200);
  });

  const age = 'The token is too old, or not valid yet.';
  const content = 'The token does not say what it has to say here.';

  it.each<[string, Claims, string]>([
    ['from another issuer', { iss: 'https://evil.example' }, 'The token is of another issuer.'],
    ['from nobody', { iss: undefined }, 'The token is of another issuer.'],
    ['of an issuer with a slash', { iss: 'https://id.example/' }, 'The token is of another issuer.'],
    ['for another client', { aud: 'another' }, 'The token is for somebody else.'],
    ['that has expired', { exp: now - 30 }, age],
    ['whose expiry is text', { exp: `${now + 9}` }, age],
    ['that is 31 s ahead', { iat: now + 31 }, age],
    ['that is too old', { iat: now - 3631 }, age],
    ['that is not valid yet', { nbf: now + 31 }, age],
    ['without an instant', { iat: undefined }, content],
    ['whose instant is text', { iat: `${now}` }, content],
    ['without a name', { jti: undefined }, content],
    ['with an empty name', { jti: '' }, content],
    ['with an endless name', { jti: 'x'.repeat(256) }, content],
    ['whose name is a number', { jti: 7 }, content],
    ['without events', { events: undefined }, content],
    ['without this event', { events: { 'https://x.example/other': {} } }, content],
    ['whose event is no object', { events: { [logoutEvent]: 'yes' } }, content],
    ['whose event is nothing', { events: { [logoutEvent]: null } }, content],
    ['whose events are a list', { events: [logoutEvent] }, content],
    ['with a nonce', { nonce: 'nonce-1' }, content],
    ['with an empty nonce', { nonce: null }, content],
    ['that names nobody', { sub: undefined, sid: undefined }, content],
    ['whose person is a number', { sub: 7 }, content],
    ['whose session is a list', { sid: ['sid-1'] }, content],
    ['whose person is empty', { sub: '', sid: undefined }, content],
  ])('%s is refused, and ends nothing', async (_, changes, description) => {
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
    ['nobody', 'nobody'],
    ['a provider that sends none', 'google'],
    ['a provider that sends other security events', 'apple'],
    ['a path below a provider', 'acme/x'],
    ['no provider', ''],
  ])('for %s is answered 404', async (_, provider) => {
    const fixture = await deployForSecurityEvents();
    await expectRefused(
      await sendLogoutToken(fixture, logoutToken(), provider),
      'Nothing is taken here from a provider of this name.',
      404,
    );
    expect(fixture.storage.calls).toEqual([]);
  });

  it('brings its token once, in a form', async () => {
    const { post } = await deployForSecurityEvents();
    const token = await logoutToken();
    const twice = new URLSearchParams([
      ['logout_token', token],
      ['logout_token', token],
    ]);
    const path = '/backchannel-logout/acme';
    await expectRefused(await post(path, twice), 'A parameter is given more than once.');
    await expectRefused(await post(path, new URLSearchParams()), 'The parameter logout_token is missing.');
    await expectRefused(
      await post(path, JSON.stringify({ logout_token: token }), { 'content-type': 'application/json' }),
      'The body must be application/x-www-form-urlencoded.',
    );
    await expectRefused(
      await post(path, new URLSearchParams({ logout_token: 'x'.repeat(17_000) })),
      'The request is too large.',
      413,
    );
  });

  it.each(['GET', 'PUT', 'OPTIONS'])('that is a %s is answered 405', async (method) => {
    const { deployment } = await deployForSecurityEvents();
    const response = await deployment.fetch(new Request(`${issuer}/backchannel-logout/acme`, { method }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('is answered 503 when storage is out of reach, and succeeds when it is sent again', async () => {
    const memory = memoryStorage();
    const outage = { now: true };
    const recordSecurityEvent: typeof memory.recordSecurityEvent = async (securityEvent) => {
      if (outage.now) throw new StorageUnavailable('no route');
      return memory.recordSecurityEvent(securityEvent);
    };
    const fixture = await deployForSecurityEvents({ storage: { ...memory, recordSecurityEvent } });
    const token = await logoutToken();
    const response = await sendLogoutToken(fixture, token);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    outage.now = false;
    expect((await sendLogoutToken(fixture, token)).status).toBe(200);
    expect(await fixture.listRevokedGrants()).toEqual(['now', 'session']);
  });

  it('is answered 503 when the issuer’s keys are out of reach, and nobody is counted for it', async () => {
    const fetch = () => Promise.resolve(new Response(null, { status: 503 }));
    const fixture = await deployForSecurityEvents({ broker: { fetch } });
    for (let turn = 0; turn < 25; turn++) {
      const response = await sendLogoutToken(fixture);
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    }
    expect(fixture.storage.calls).toEqual([]);
  });
});
