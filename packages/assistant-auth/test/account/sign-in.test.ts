/** Signing in to and out of the account page, and reauthentication. */
import { describe, expect, it } from 'vitest';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import {
  createAccountBrowser,
  expectAccountRedirect,
  expectFormRejected,
  readButtonValues,
  staleFormMessage,
} from '../account-browser.ts';
import { gptSignIn, readRedirect } from '../browser.ts';
import { deploy, issuer, keys } from '../deployment.ts';
import { accountDestination, expectErrorPage, expectFailurePage } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

const day = 86_400;
const sealers = createSealers(parseKeyRing(keys), issuer, [], (length) => new Uint8Array(length));
describe('the account page without a session', () => {
  it('offers every provider, without a call to storage', async () => {
    const storage = createSpyStorage();
    const accountBrowser = createAccountBrowser(deploy({ storage }));
    const { response, html, kind } = await accountBrowser.openAccountPage();
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
    expect(storage.calls).toEqual([]);
  });

  it('redirects to the chosen provider, and requests reauthentication', async () => {
    const provider = createSpyProvider();
    const deployment = deploy({ providers: [provider] });
    const accountBrowser = createAccountBrowser(deployment);
    const response = await accountBrowser.post('/sign-in', { choice: 'google' });
    expect(response.status).toBe(303);
    expect(readRedirect(response).origin).toBe('https://google.example');
    expect(provider.authorizationRequests).toEqual([
      expect.objectContaining({
        redirectUri: `${issuer}/callback/google`,
        reauthenticate: { since: deployment.now() },
      }),
    ]);
  });

  it.each([[{}], [{ choice: '' }], [{ choice: 'nobody' }], [{ choice: 'continue' }]])(
    'refuses an unknown choice: %j',
    async (fields) => {
      const deployment = deploy();
      const response = await createAccountBrowser(deployment).post('/sign-in', fields);
      await expectFormRejected(response, deployment, 'Choose a sign-in method.');
    },
  );
});

describe('signing in', () => {
  it('starts a session, which is a grant of the account page, in one cookie', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const accountBrowser = createAccountBrowser(deployment);
    const response = await accountBrowser.signInToAccount();
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`${issuer}/account`);
    const cookies = response.headers.getSetCookie();
    expect(cookies).toEqual([
      expect.stringMatching(/^__Host-tx-[\w-]{8}=; .*Max-Age=0$/),
      expect.stringMatching(/^__Host-done-[\w-]{8}=[\w-]+; .*Max-Age=600$/),
      '__Host-provider=google; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000',
      expect.stringMatching(
        /^__Host-session=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=2592000$/,
      ),
    ]);
    const opened = await sealers.session.open(accountBrowser.cookies.get('__Host-session') ?? '');
    expect(opened).toMatchObject({
      kind: 'opened',
      value: {
        signedInAt: deployment.now(),
        expiresAt: deployment.now() + 30 * day,
        verifiedProfile: { emailVerified: false, claims: { sub: 'ada' } },
      },
    });
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'redeemCode']);
    expect(deployment.log.at(-1)).toMatchObject({
      event: 'signed-in',
      clientId: 'account',
      provider: 'google',
    });
    expect((await accountBrowser.openAccountPage()).html).toContain('ada@example.com');
  });

  it('signs in the same user as through ChatGPT', async () => {
    const deployment = deploy();
    await gptSignIn(deployment, 'ada');
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    expect((await accountBrowser.openAccountPage()).html).toContain('Words GPT');
  });

  it('starts a session that expires after seven unused days, and after thirty days in any case', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    for (let days = 0; days < 30; days += 6) {
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
      deployment.advance(6 * day);
    }
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    await accountBrowser.signInToAccount();
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    deployment.advance(7 * day);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    expect(accountBrowser.cookies.has('__Host-session')).toBe(false);
  });

  it('ends the previous session in the same browser', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const first = accountBrowser.cookies.get('__Host-session') ?? '';
    await accountBrowser.signInToAccount('bob');
    expect((await accountBrowser.openAccountPage()).html).toContain('bob@example.com');
    accountBrowser.cookies.set('__Host-session', first);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
  });

  it('that is canceled at the provider returns to the account page without a session', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const response = await accountBrowser.submitThroughProvider(
      '/sign-in',
      { choice: 'google' },
      { error: 'access_denied' },
    );
    expect((await expectAccountRedirect(accountBrowser, response, 'not-confirmed')).kind).toBe('sign-in');
    expect(accountBrowser.cookies.has('__Host-session')).toBe(false);
  });

  it('that the publisher refuses shows an error page', async () => {
    const deployment = deploy({ resolveUser: async () => ({ kind: 'refused', reason: 'not one of us' }) });
    const response = await createAccountBrowser(deployment).signInToAccount();
    await expectFailurePage(
      response,
      deployment,
      'This account is not allowed to sign in here.',
      403,
      accountDestination,
    );
  });

  it('calls resolveUser as for any client', async () => {
    const resolveUserCalls: unknown[] = [];
    const deployment = deploy({
      resolveUser: async ({ subject }, { id, name }) => {
        resolveUserCalls.push([subject, id, name]);
        return { kind: 'accepted', userId: 'their-7' };
      },
    });
    await createAccountBrowser(deployment).signInToAccount();
    expect(resolveUserCalls).toEqual([['ada', 'account', 'the account page']]);
    expect(await deployment.storage.readAccount('their-7')).toBeDefined();
  });

  it('works even if the claims do not fit into a cookie', async () => {
    const provider = createSpyProvider();
    const providerWithLargeClaims = {
      ...provider,
      handleCallback: async (...callbackArguments: Parameters<typeof provider.handleCallback>) => ({
        ...(await provider.handleCallback(...callbackArguments)),
        claims: { groups: 'x'.repeat(4000) },
      }),
    };
    const accountBrowser = createAccountBrowser(deploy({ providers: [providerWithLargeClaims] }));
    const response = await accountBrowser.signInToAccount();
    expect(Math.max(...response.headers.getSetCookie().map((line) => line.length))).toBeLessThan(4096);
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });
});

describe('an identity with an invisible label', () => {
  it.each([' ', '\u00A0\u200B'])('is shown and exported without a label: %j', async (label) => {
    const google = createProvider('google', 'Google');
    const handleCallback: typeof google.handleCallback = async (...callbackArguments) => ({
      ...(await google.handleCallback(...callbackArguments)),
      label,
    });
    const accountBrowser = createAccountBrowser(deploy({ providers: [{ ...google, handleCallback }] }));
    await accountBrowser.signInToAccount();
    const { html, kind } = await accountBrowser.openAccountPage();
    expect(kind).toBe('account');
    expect(html).toMatch(/<h3[^>]*><bdi translate="no">Google<\/bdi><\/h3>/);
    const { identities } = Object(await (await accountBrowser.post('/export')).json());
    expect(identities).toEqual([expect.not.objectContaining({ label: expect.anything() })]);
  });
});

describe('signing out', () => {
  it('ends this session, and disconnects no app', async () => {
    const deployment = deploy();
    await gptSignIn(deployment, 'ada');
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const sessionCookie = accountBrowser.cookies.get('__Host-session') ?? '';
    expect(
      (await expectAccountRedirect(accountBrowser, await accountBrowser.post('/sign-out'), 'signed-out'))
        .kind,
    ).toBe('sign-in');
    // The session issued no access token, so no revocation is recorded for the APIs.
    const page = await deployment.storage.readRevocations(undefined, deployment.now(), 10);
    expect(page).toMatchObject({ revocations: [] });
    accountBrowser.cookies.set('__Host-session', sessionCookie);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    await accountBrowser.signInToAccount();
    expect((await accountBrowser.openAccountPage()).html).toContain('Words GPT');
  });

  it('shows a notice once, and only in this browser', async () => {
    const accountBrowser = createAccountBrowser(deploy());
    await accountBrowser.signInToAccount();
    const { html } = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/sign-out'),
      'signed-out',
    );
    expect(html).toContain('You’re signed out.');
    expect((await accountBrowser.openAccountPage()).html).not.toContain('role="status"');
    accountBrowser.cookies.set('__Host-notice', 'linked');
    expect((await accountBrowser.openAccountPage()).html).not.toContain('role="status"');
    accountBrowser.cookies.set('__Host-notice', '<b>');
    expect((await accountBrowser.openAccountPage()).html).not.toContain('role="status"');
  });
});

describe('reauthentication', () => {
  it('starts a new session that counts as reauthenticated for five minutes', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    expect((await accountBrowser.openAccountPage()).html).not.toContain('value="confirm"');
    deployment.advance(300);
    expect((await accountBrowser.openAccountPage()).html).toContain('value="confirm"');
    const before = accountBrowser.cookies.get('__Host-session') ?? '';
    const { html } = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.reauthenticate(),
      'confirmed',
    );
    expect(html).not.toContain('value="confirm"');
    accountBrowser.cookies.set('__Host-session', before);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
  });

  it.each([
    ['a user without an account', 'carol'],
    ['another user', 'bob'],
  ])('changes nothing for %s, and creates no user', async (_, subject) => {
    const deployment = deploy();
    await gptSignIn(deployment, 'bob');
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    deployment.advance(300);
    const { html } = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.reauthenticate(subject),
      'not-confirmed',
    );
    expect(html).toContain('ada@example.com');
    expect(html).toContain('value="confirm"');
    expect(await deployment.storage.findUser({ provider: 'google', subject: 'carol' })).toBeUndefined();
  });

  it('fails if its new grant has been revoked in the meantime, and does not change the session', async () => {
    const storage = memoryStorage();
    const deployment = deploy({
      storage: {
        ...storage,
        redeemCode: async (redemption) => {
          const { grantId, clientId, now } = redemption;
          if (shouldRevoke) await storage.revoke({ kind: 'grant', id: grantId }, `of ${clientId}`, now);
          return storage.redeemCode(redemption);
        },
      },
    });
    let shouldRevoke = false;
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    deployment.advance(300);
    shouldRevoke = true;
    await expectErrorPage(await accountBrowser.reauthenticate(), deployment, staleFormMessage);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'session.changed' });
    const { html, kind } = await accountBrowser.openAccountPage();
    expect(kind).toBe('account');
    expect(html).toContain('value="confirm"');
  });

  it('fails if the publisher now maps the identity to another user', async () => {
    let userId = 'their-7';
    const deployment = deploy({ resolveUser: async () => ({ kind: 'accepted', userId }) });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    deployment.advance(300);
    userId = 'their-8';
    const before = accountBrowser.cookies.get('__Host-session');
    await expectErrorPage(await accountBrowser.reauthenticate(), deployment, staleFormMessage);
    expect(accountBrowser.cookies.get('__Host-session')).toBe(before);
  });

  it('is offered only with the providers of the linked identities', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    deployment.advance(300);
    expect(readButtonValues((await accountBrowser.openAccountPage()).html, 'choice')).toEqual(['google']);
  });

  it('is refused from a page of another session', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const { form } = await accountBrowser.openAccountPage();
    await accountBrowser.signInToAccount('bob');
    const response = await accountBrowser.post('/sign-in', { choice: 'google', purpose: 'confirm' }, form);
    await expectFormRejected(response, deployment, staleFormMessage);
  });

  it.each([
    ['that the provider reports', (now: number) => now - 200, 100],
    ['of the response, if the provider reports a future time', (now: number) => now + 200, 300],
    ['of the response, if the provider reports no valid time', () => 'yesterday', 300],
  ])('counts from the time %s', async (_, authTime, seconds) => {
    const google = createProvider('google', 'Google');
    const deployment = deploy({
      providers: [
        {
          ...google,
          async handleCallback(...callbackArguments) {
            const identity = await google.handleCallback(...callbackArguments);
            return { ...identity, claims: { auth_time: authTime(deployment.now()) } };
          },
        },
      ],
    });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    deployment.advance(seconds - 1);
    expect((await accountBrowser.openAccountPage()).html).not.toContain('value="confirm"');
    deployment.advance(1);
    expect((await accountBrowser.openAccountPage()).html).toContain('value="confirm"');
  });

  it('without a session leads to the sign-in page', async () => {
    const accountBrowser = createAccountBrowser(deploy());
    const response = await accountBrowser.post('/sign-in', { choice: 'google', purpose: 'confirm' });
    expect((await expectAccountRedirect(accountBrowser, response, 'session-ended')).kind).toBe('sign-in');
  });
});

describe('a form of the account page', () => {
  it('is valid for half an hour', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const { form } = await accountBrowser.openAccountPage();
    deployment.advance(1799);
    expect((await accountBrowser.post('/sign-in', { choice: 'google' }, form)).status).toBe(303);
    deployment.advance(1);
    await expectFormRejected(
      await accountBrowser.post('/sign-in', { choice: 'google' }, form),
      deployment,
      staleFormMessage,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'account-form.expired' });
  });
});
