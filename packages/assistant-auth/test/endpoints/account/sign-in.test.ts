import { describe, expect, test } from 'vitest';
import { parseKeyRing } from '../../../src/seal/key-ring.ts';
import { memoryLedger } from '../../../src/storage/memory.ts';
import { createVault } from '../../../src/tokens/sealers.ts';
import { buttons, createVisitor, expectBack, expectUnheeded, staleForm } from '../../account-visitor.ts';
import { deploy, issuer, keys } from '../../deployment.ts';
import { gptSignIn, locationOf } from '../../person.ts';
import { createProvider } from '../../provider.ts';
import { expectErrorPage } from '../../refusals.ts';
import { watchLedger } from '../../watched-ledger.ts';
import { watchProvider } from '../../watched-provider.ts';

const day = 86_400;
const vault = createVault(parseKeyRing(keys), issuer, [], (length) => new Uint8Array(length));
describe('the account page of nobody', () => {
  test('offers every provider, stores nothing and asks storage nothing', async () => {
    const ledger = watchLedger();
    const visitor = createVisitor(deploy({ ledger }));
    const { response, html, kind } = await visitor.see();
    expect(kind).toBe('sign-in');
    expect([...html.matchAll(/name="choice" value="(\w+)"/g)].map(([, id]) => id)).toEqual([
      'google',
      'other',
    ]);
    expect(Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'))).toEqual({
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(ledger.calls).toEqual([]);
  });

  test('leads to the chosen provider, and wants a new proof there', async () => {
    const provider = watchProvider();
    const deployment = deploy({ providers: [provider] });
    const visitor = createVisitor(deployment);
    const response = await visitor.post('/sign-in', { choice: 'google' });
    expect(response.status).toBe(303);
    expect(locationOf(response).origin).toBe('https://google.example');
    expect(provider.begun).toEqual([
      expect.objectContaining({
        redirectUri: `${issuer}/callback/google`,
        fresh: { since: deployment.now() },
      }),
    ]);
  });

  test.each([[{}], [{ choice: '' }], [{ choice: 'nobody' }], [{ choice: 'continue' }]])(
    'leads nowhere for a choice that is none: %j',
    async (fields) => {
      const deployment = deploy();
      const response = await createVisitor(deployment).post('/sign-in', fields);
      await expectUnheeded(response, deployment, 'Choose one of the ways to sign in.');
    },
  );
});

describe('signing in there', () => {
  test('begins a session that is a grant of the account page, in one cookie', async () => {
    const ledger = watchLedger();
    const deployment = deploy({ ledger });
    const visitor = createVisitor(deployment);
    const response = await visitor.enter();
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`${issuer}/account`);
    const cookies = response.headers.getSetCookie();
    expect(cookies).toEqual([
      expect.stringMatching(/^__Host-tx-[\w-]{8}=; .*Max-Age=0$/),
      expect.stringMatching(/^__Host-done-[\w-]{8}=[\w-]+; .*Max-Age=600$/),
      expect.stringMatching(
        /^__Host-session=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=2592000$/,
      ),
    ]);
    const opened = await vault.session.open(visitor.cookies.get('__Host-session') ?? '');
    expect(opened).toMatchObject({
      kind: 'opened',
      value: {
        signedInAt: deployment.now(),
        expiresAt: deployment.now() + 30 * day,
        vouched: { emailVerified: false, claims: { sub: 'ada' } },
      },
    });
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn', 'redeemCode']);
    expect(deployment.log.at(-1)).toMatchObject({
      event: 'signed-in',
      clientId: 'account',
      provider: 'google',
    });
    expect((await visitor.see()).html).toContain('ada@example.com');
  });

  test('is the same user as through ChatGPT', async () => {
    const deployment = deploy();
    await gptSignIn(deployment, 'ada');
    const visitor = createVisitor(deployment);
    await visitor.enter();
    expect((await visitor.see()).html).toContain('Words GPT');
  });

  test('lives seven days unused and thirty in all', async () => {
    const deployment = deploy();
    const visitor = createVisitor(deployment);
    await visitor.enter();
    for (let days = 0; days < 30; days += 6) {
      expect((await visitor.see()).kind).toBe('account');
      deployment.advance(6 * day);
    }
    expect((await visitor.see()).kind).toBe('sign-in');
    await visitor.enter();
    expect((await visitor.see()).kind).toBe('account');
    deployment.advance(7 * day);
    expect((await visitor.see()).kind).toBe('sign-in');
    expect(visitor.cookies.has('__Host-session')).toBe(false);
  });

  test('ends the session before it in the same browser', async () => {
    const deployment = deploy();
    const visitor = createVisitor(deployment);
    await visitor.enter();
    const first = visitor.cookies.get('__Host-session') ?? '';
    await visitor.enter('bob');
    expect((await visitor.see()).html).toContain('bob@example.com');
    visitor.cookies.set('__Host-session', first);
    expect((await visitor.see()).kind).toBe('sign-in');
  });

  test('given up at the provider leads back, with nobody signed in', async () => {
    const deployment = deploy();
    const visitor = createVisitor(deployment);
    const response = await visitor.journey('/sign-in', { choice: 'google' }, { error: 'access_denied' });
    expect((await expectBack(visitor, response, 'not-confirmed')).kind).toBe('sign-in');
    expect(visitor.cookies.has('__Host-session')).toBe(false);
  });

  test('refused by the publisher ends on a page', async () => {
    const deployment = deploy({ admit: async () => ({ kind: 'refused', reason: 'not one of us' }) });
    const response = await createVisitor(deployment).enter();
    await expectErrorPage(response, deployment, 'This account may not sign in here.', 403);
  });

  test('asks the publisher as for any client', async () => {
    const asked: unknown[] = [];
    const deployment = deploy({
      admit: async ({ subject }, { id, name }) => {
        asked.push([subject, id, name]);
        return { kind: 'admitted', userId: 'their-7' };
      },
    });
    await createVisitor(deployment).enter();
    expect(asked).toEqual([['ada', 'account', 'the account page']]);
    expect(await deployment.ledger.readAccount('their-7')).toBeDefined();
  });

  test('with claims that fit no cookie still works', async () => {
    const provider = watchProvider();
    const large = {
      ...provider,
      identify: async (...journey: Parameters<typeof provider.identify>) => ({
        ...(await provider.identify(...journey)),
        claims: { groups: 'x'.repeat(4000) },
      }),
    };
    const visitor = createVisitor(deploy({ providers: [large] }));
    const response = await visitor.enter();
    expect(Math.max(...response.headers.getSetCookie().map((line) => line.length))).toBeLessThan(4096);
    expect((await visitor.see()).kind).toBe('account');
  });
});

describe('signing out', () => {
  test('ends this session, and no app', async () => {
    const deployment = deploy();
    await gptSignIn(deployment, 'ada');
    const visitor = createVisitor(deployment);
    await visitor.enter();
    const kept = visitor.cookies.get('__Host-session') ?? '';
    expect((await expectBack(visitor, await visitor.post('/sign-out'), 'signed-out')).kind).toBe('sign-in');
    // No access token came from it, so that none is to be remembered as dead.
    const news = await deployment.ledger.revocationsSince(undefined, deployment.now(), 10);
    expect(news).toMatchObject({ revocations: [] });
    visitor.cookies.set('__Host-session', kept);
    expect((await visitor.see()).kind).toBe('sign-in');
    await visitor.enter();
    expect((await visitor.see()).html).toContain('Words GPT');
  });

  test('is said once, and by nobody else', async () => {
    const visitor = createVisitor(deploy());
    await visitor.enter();
    const { html } = await expectBack(visitor, await visitor.post('/sign-out'), 'signed-out');
    expect(html).toContain('You are signed out.');
    expect((await visitor.see()).html).not.toContain('role="status"');
    visitor.cookies.set('__Host-notice', 'linked');
    expect((await visitor.see()).html).not.toContain('role="status"');
    visitor.cookies.set('__Host-notice', '<b>');
    expect((await visitor.see()).html).not.toContain('role="status"');
  });
});

describe('proving once more who is there', () => {
  test('begins a new session, in which five minutes count as proven', async () => {
    const deployment = deploy();
    const visitor = createVisitor(deployment);
    await visitor.enter();
    expect((await visitor.see()).html).not.toContain('value="prove"');
    deployment.advance(300);
    expect((await visitor.see()).html).toContain('value="prove"');
    const before = visitor.cookies.get('__Host-session') ?? '';
    const { html } = await expectBack(visitor, await visitor.prove(), 'proven');
    expect(html).not.toContain('value="prove"');
    visitor.cookies.set('__Host-session', before);
    expect((await visitor.see()).kind).toBe('sign-in');
  });

  test.each([
    ['somebody unknown', 'carol'],
    ['somebody else', 'bob'],
  ])('does nothing for %s, and makes no user of them', async (_, subject) => {
    const deployment = deploy();
    await gptSignIn(deployment, 'bob');
    const visitor = createVisitor(deployment);
    await visitor.enter();
    deployment.advance(300);
    const { html } = await expectBack(visitor, await visitor.prove(subject), 'not-confirmed');
    expect(html).toContain('ada@example.com');
    expect(html).toContain('value="prove"');
    expect(await deployment.ledger.findUser({ provider: 'google', subject: 'carol' })).toBeUndefined();
  });

  test('is no proof when what it rests on ended meanwhile, and leaves the session as it was', async () => {
    const ledger = memoryLedger();
    const deployment = deploy({
      ledger: {
        ...ledger,
        redeemCode: async (redemption) => {
          const { grantId, clientId, now } = redemption;
          if (endsNow) await ledger.revoke({ kind: 'grant', id: grantId }, `of ${clientId}`, now);
          return ledger.redeemCode(redemption);
        },
      },
    });
    let endsNow = false;
    const visitor = createVisitor(deployment);
    await visitor.enter();
    deployment.advance(300);
    endsNow = true;
    await expectErrorPage(await visitor.prove(), deployment, staleForm);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'session.changed' });
    const { html, kind } = await visitor.see();
    expect(kind).toBe('account');
    expect(html).toContain('value="prove"');
  });

  test('is none of somebody who is another user by the publisher’s word of just now', async () => {
    let userId = 'their-7';
    const deployment = deploy({ admit: async () => ({ kind: 'admitted', userId }) });
    const visitor = createVisitor(deployment);
    await visitor.enter();
    deployment.advance(300);
    userId = 'their-8';
    const before = visitor.cookies.get('__Host-session');
    await expectErrorPage(await visitor.prove(), deployment, staleForm);
    expect(visitor.cookies.get('__Host-session')).toBe(before);
  });

  test('is offered with the providers that they signed in with before, and no other', async () => {
    const deployment = deploy();
    const visitor = createVisitor(deployment);
    await visitor.enter();
    deployment.advance(300);
    expect(buttons((await visitor.see()).html, 'choice')).toEqual(['google']);
  });

  test('is refused from a page of another session', async () => {
    const deployment = deploy();
    const visitor = createVisitor(deployment);
    await visitor.enter();
    const { form } = await visitor.see();
    await visitor.enter('bob');
    const response = await visitor.post('/sign-in', { choice: 'google', purpose: 'prove' }, form);
    await expectUnheeded(response, deployment, staleForm);
  });

  test.each([
    ['when the provider says that it was', (now: number) => now - 200, 100],
    ['now, where the provider names a time to come', (now: number) => now + 200, 300],
    ['now, where what it names is no time', () => 'yesterday', 300],
  ])('counts from %s', async (_, authTime, seconds) => {
    const google = createProvider('google', 'Google');
    const deployment = deploy({
      providers: [
        {
          ...google,
          async identify(...journey) {
            const identity = await google.identify(...journey);
            return { ...identity, claims: { auth_time: authTime(deployment.now()) } };
          },
        },
      ],
    });
    const visitor = createVisitor(deployment);
    await visitor.enter();
    deployment.advance(seconds - 1);
    expect((await visitor.see()).html).not.toContain('value="prove"');
    deployment.advance(1);
    expect((await visitor.see()).html).toContain('value="prove"');
  });

  test('without a session leads to signing in', async () => {
    const visitor = createVisitor(deploy());
    const response = await visitor.post('/sign-in', { choice: 'google', purpose: 'prove' });
    expect((await expectBack(visitor, response, 'session-ended')).kind).toBe('sign-in');
  });
});

describe('a form of the account page', () => {
  test('is good for half an hour', async () => {
    const deployment = deploy();
    const visitor = createVisitor(deployment);
    const { form } = await visitor.see();
    deployment.advance(1799);
    expect((await visitor.post('/sign-in', { choice: 'google' }, form)).status).toBe(303);
    deployment.advance(1);
    await expectUnheeded(await visitor.post('/sign-in', { choice: 'google' }, form), deployment, staleForm);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'account-form.expired' });
  });
});
