/** Providers whose configuration changes: removed, or with another issuer under the same ID. */
import { describe, expect, it } from 'vitest';
import type { BrokerOptions, IdentityProvider } from '../../src/index.ts';
import type { ErrorReason } from '../../src/oauth/protocol-error.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { signIn } from '../../src/testing/storage-contract/sample.ts';
import { createAccountBrowser, readButtonValues, readHiddenField } from '../account-browser.ts';
import { callApi, createTestBrowser, expectTokens, gptRequest } from '../browser.ts';
import { app, gpt, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import { type Deployment, deploy, issuer, serverSecret } from '../deployment.ts';
import { expectTokenError } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { buildCookieHeader, continueToProvider } from '../flows.ts';
import {
  deployForSecurityEvents,
  issuerUrls,
  sendAppleNotification,
  sendGoogleEvent,
  sendLogoutToken,
} from '../security-event-fixtures.ts';
import { createSpyStorage } from '../spy-storage.ts';

const testClients: readonly (readonly [string, TestClient])[] = [
  ['ChatGPT', gpt],
  ['a public client', app],
  ['a confidential client', server],
];

/** Deploys again on the same storage, with other options and the same clock. */
const redeploy = (deployment: Deployment, changes: Partial<BrokerOptions>): Deployment =>
  deploy({ storage: deployment.storage, now: deployment.now, ...changes });

const unavailable = {
  status: 503,
  error: 'temporarily_unavailable',
  error_description: 'The service is temporarily unavailable. Try again in a moment.',
};

describe('a provider that was removed from the configuration', () => {
  const removed = { providers: [createProvider('other', 'Other')] };

  it.each(testClients)(
    'F11.1 removed: a refresh by %s gets 503, and succeeds when the provider is configured again',
    async (_, testClient) => {
      const deployment = deploy();
      const { access_token, refresh_token } = await obtainTokens(deployment, testClient);
      const storage = createSpyStorage(deployment.storage);
      const withoutProvider = redeploy(deployment, { ...removed, storage });
      for (const _attempt of [1, 2, 3])
        await expectTokenError(await refresh(withoutProvider, testClient, refresh_token), unavailable);
      expect(storage.calls).toEqual([]);
      expect(withoutProvider.log.at(-1)).toMatchObject({
        ...{ event: 'refused', endpoint: 'token', reason: 'refresh.provider-removed', cause: 'google' },
      });
      expect((await callApi(withoutProvider, access_token)).ok).toBe(true);
      await expectTokens(await refresh(redeploy(deployment, {}), testClient, refresh_token));
    },
  );

  it('F11.2 reuse: a replaced token revokes nothing while the provider is removed, and is detected afterwards', async () => {
    const deployment = deploy();
    const first = await obtainTokens(deployment, app);
    const second = await expectTokens(await refresh(deployment, app, first.refresh_token));
    const third = await expectTokens(await refresh(deployment, app, second.refresh_token));
    const withoutProvider = redeploy(deployment, removed);
    await expectTokenError(await refresh(withoutProvider, app, first.refresh_token), unavailable);
    expect((await refresh(deployment, app, third.refresh_token)).status).toBe(200);
    expect((await refresh(deployment, app, first.refresh_token)).status).toBe(400);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'refresh.reused' });
  });

  it('F11.2 reuse: an expired token, and one of another client, are refused as before', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, app);
    const withoutProvider = redeploy(deployment, removed);
    expect((await refresh(withoutProvider, server, refresh_token)).status).toBe(400);
    deployment.advance(30 * 86_400);
    expect((await refresh(withoutProvider, app, refresh_token)).status).toBe(400);
    expect(withoutProvider.log.at(-1)).toMatchObject({ reason: 'refresh.expired' });
  });

  it('F11.3 nobody is signed out: introspection, revocation and the account page work', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, server);
    const ada = createAccountBrowser(deployment);
    await ada.signInToAccount('ada', 'google', { refresh: 'theirs' });
    const withoutProvider = redeploy(deployment, removed);
    const post = (path: string) =>
      withoutProvider.fetch(
        new Request(issuer + path, {
          method: 'POST',
          body: new URLSearchParams({
            client_id: 'server',
            client_secret: serverSecret,
            token: refresh_token,
          }),
        }),
      );
    expect(await (await post('/introspect')).json()).toMatchObject({ active: true });
    const account = await withoutProvider.fetch(
      new Request(`${issuer}/account`, { headers: { cookie: buildCookieHeader(ada.cookies) } }),
    );
    expect(await account.text()).toContain('action="/account/sign-out"');
    expect((await post('/revoke')).status).toBe(200);
    expect((await refresh(redeploy(deployment, {}), server, refresh_token)).status).toBe(400);
  });

  it('F11.3 nobody is signed out: a session stays, but no sign-in can continue in it', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    await ada.signInToAccount('ada', 'google', { refresh: 'theirs' });
    const withoutProvider = redeploy(deployment, removed);
    const browser = createTestBrowser(withoutProvider);
    for (const [name, value] of ada.cookies) browser.cookies.set(name, value);
    const { response, consent } = await browser.openSignInPage(gptRequest);
    expect(await response.text()).not.toContain('value="continue"');
    expect((await browser.submitConsent(consent, { choice: 'continue' })).status).toBe(200);
    expect((await ada.openAccountPage()).kind).toBe('account');
  });

  const read = async () => {
    throw new Error('this provider sends nothing');
  };
  const [readLogoutToken, securityEvents] = [read, { contentType: 'application/json', read }] as const;

  it('F11.3 nobody is signed out: a security event revokes nothing', async () => {
    const fixture = await deployForSecurityEvents({
      broker: { providers: [{ ...createProvider('other', 'Other'), readLogoutToken, securityEvents }] },
    });
    for (const response of [await sendGoogleEvent(fixture), await sendAppleNotification(fixture)])
      expect(response.status).toBe(404);
    expect((await sendLogoutToken(fixture)).status).toBe(404);
    expect(fixture.storage.calls).toEqual([]);
    expect(await fixture.listRevokedGrants('google')).toEqual([]);
  });
});

describe('a provider ID with another issuer', () => {
  const received: string[] = [];

  /** Fakes the new issuer, and records the tokens that it receives. */
  const changedProvider: IdentityProvider = {
    ...createProvider('google', 'Google'),
    subjectNamespace: 'https://mallory.example',
    validateRefreshToken: async (token) => {
      received.push(token);
      return { kind: 'revoked' };
    },
    revoke: async (token) => void received.push(token),
  };
  const changed = { providers: [changedProvider, createProvider('other', 'Other')] };

  const expectChanged = async (
    response: Response,
    { log }: Deployment,
    reason: ErrorReason = 'provider.changed',
  ): Promise<void> => {
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('Use another sign-in method, or contact us');
    expect(log.at(-1)).toMatchObject({ event: 'refused', reason });
  };

  /** Ada has an account with a session, whose identity can be rechecked. */
  const signInAda = async () => {
    received.length = 0;
    const deployment = deploy({ storage: memoryStorage() });
    const ada = createAccountBrowser(deployment);
    await ada.signInToAccount('ada', 'google', { refresh: 'theirs' });
    const userId = await deployment.storage.findUser({ provider: 'google', subject: 'ada' });
    if (userId === undefined) throw new Error('Ada is unknown');
    const readAccount = () => deployment.storage.readAccount(userId);
    return { deployment, ada, userId, readAccount, after: redeploy(deployment, changed) };
  };

  it.each([
    ['the same subject', 'ada'],
    ['an unknown subject', 'mallory'],
  ])('B28.1 sign-in: %s gets a page, and the client gets nothing', async (_, subject) => {
    const { deployment, readAccount, after } = await signInAda();
    const account = await readAccount();
    const { returnFromProvider, callbackUrl, browser } = await continueToProvider(after);
    await expectChanged(await returnFromProvider({ code: subject }), after);
    // A reload shows the reason again, and does not ask the provider.
    await expectChanged(await browser.visit(callbackUrl({ code: subject })), after, 'transaction.replayed');
    expect(await readAccount()).toEqual(account);
    expect(await deployment.storage.findUser({ provider: 'google', subject: 'mallory' })).toBeUndefined();
    // Another provider is not affected, and neither is the earlier configuration.
    const other = await continueToProvider(after, gptRequest, 'other');
    expect((await other.returnFromProvider({ code: 'mallory' })).status).toBe(303);
    await obtainTokens(deployment, gpt);
  });

  it('B28.1 sign-in: the account page is refused, too', async () => {
    const { readAccount, after } = await signInAda();
    const account = await readAccount();
    const mallory = createAccountBrowser(after);
    await expectChanged(await mallory.signInToAccount('ada'), after);
    expect((await mallory.openAccountPage()).kind).toBe('sign-in');
    expect(await readAccount()).toEqual(account);
  });

  it('B28.2 link: no identity of the other issuer is added to an account', async () => {
    const { deployment, after, readAccount } = await signInAda();
    const eve = createAccountBrowser(deployment);
    await eve.signInToAccount('eve', 'other');
    const mallory = createAccountBrowser(after);
    for (const [name, value] of eve.cookies) mallory.cookies.set(name, value);
    const html = await (
      await mallory.submitThroughProvider('/link', { choice: 'google' }, { code: 'mallory' })
    ).text();
    const fields = { link: readHiddenField(html, 'link'), confirm: '1' };
    await expectChanged(await mallory.post('/link/confirm', fields, readHiddenField(html, 'form')), after);
    expect(await deployment.storage.findUser({ provider: 'google', subject: 'mallory' })).toBeUndefined();
    expect((await readAccount())?.identities).toHaveLength(1);
  });

  it('B28.2 link: an identity that is added after the change belongs to the issuer that verified it', async () => {
    const storage = memoryStorage();
    const deployment = deploy({ storage });
    const after = redeploy(deployment, changed);
    const eve = createAccountBrowser(deployment);
    await eve.signInToAccount('eve', 'other');
    const html = await (
      await eve.submitThroughProvider('/link', { choice: 'google' }, { code: 'ada' })
    ).text();
    const later = createAccountBrowser(after);
    for (const [name, value] of eve.cookies) later.cookies.set(name, value);
    const fields = { link: readHiddenField(html, 'link'), confirm: '1' };
    expect((await later.post('/link/confirm', fields, readHiddenField(html, 'form'))).status).toBe(303);
    expect(await storage.findUser({ provider: 'google', subject: 'ada' })).toBeDefined();
    const { returnFromProvider } = await continueToProvider(after);
    await expectChanged(await returnFromProvider({ code: 'ada' }), after);
    await obtainTokens(deployment, gpt);
  });

  it.each([
    ['is due', 601],
    ['is still valid', 0],
  ])('B28.3 session: no sign-in continues in it if its recheck %s', async (_, seconds) => {
    const { deployment, ada, readAccount, after } = await signInAda();
    // The first one rechecks the identity at its own issuer.
    const first = await ada.openSignInPage(gptRequest);
    expect((await ada.submitConsent(first.consent, { choice: 'continue' })).status).toBe(303);
    deployment.advance(seconds);
    const account = await readAccount();
    const browser = createTestBrowser(after);
    for (const [name, value] of ada.cookies) browser.cookies.set(name, value);
    const { consent } = await browser.openSignInPage(gptRequest);
    const response = await browser.submitConsent(consent, { choice: 'continue' });
    if (seconds === 0) await expectChanged(response, after);
    else expect(await response.text()).toContain('confirm');
    expect(received).toEqual([]);
    expect((await readAccount())?.grants).toHaveLength(account?.grants.length ?? 0);
  });

  it.each(testClients)(
    'B28.4 stored token: a recheck at a refresh by %s does not send it, and signs nobody out',
    async (_, testClient) => {
      const { deployment, after, readAccount } = await signInAda();
      const { returnFromProvider } = await continueToProvider(deployment, testClient.request);
      const redirect = await returnFromProvider({ code: 'ada' });
      const code = new URL(redirect.headers.get('location') ?? '').searchParams.get('code') ?? '';
      const { refresh_token } = await expectTokens(await redeem(deployment, testClient, code));
      deployment.advance(601);
      await expectTokens(await refresh(after, testClient, refresh_token));
      expect(received).toEqual([]);
      expect(after.log).toContainEqual(
        expect.objectContaining({ event: 'recheck-failed', cause: 'the provider was changed' }),
      );
      expect((await readAccount())?.identities).toMatchObject([{ hasUpstreamToken: true }]);
    },
  );

  it.each(['/delete', '/unlink'])('B28.4 stored token: %s does not send it to be revoked', async (action) => {
    const { deployment, ada, after, userId, readAccount } = await signInAda();
    await deployment.storage.linkIdentity({
      ...{ userId, session: (await readAccount())?.grants[0]?.id ?? '', now: deployment.now() },
      ...{ identity: { provider: 'other', subject: 'cat' }, subjectNamespace: 'https://other.example' },
    });
    const browser = createAccountBrowser(after);
    for (const [name, value] of ada.cookies) browser.cookies.set(name, value);
    const { html } = await browser.openAccountPage();
    const [identity = ''] = readButtonValues(html, 'identity');
    await browser.post(action, action === '/delete' ? { confirm: 'yes' } : { identity });
    expect((await readAccount())?.identities.map(({ provider }) => provider)).toEqual(
      action === '/delete' ? undefined : ['other'],
    );
    expect(received).toEqual([]);
    expect(after.log).toContainEqual(
      expect.objectContaining({ event: 'revocation-failed', cause: 'Error: the provider was changed' }),
    );
  });

  it.each([
    ['a logout token', 'acme', sendLogoutToken],
    ['an event from Google', 'google', sendGoogleEvent],
    ['a notification from Apple', 'apple', sendAppleNotification],
  ] as const)('B28.5 security event: %s revokes nothing', async (_, provider, send) => {
    const storage = memoryStorage();
    // Someone signed in with the provider when it had another issuer.
    await storage.recordSignIn(
      signIn({
        grantId: 'first',
        identity: { provider, subject: 'eve' },
        subjectNamespace: issuerUrls.acme + provider,
      }),
    );
    const fixture = await deployForSecurityEvents({ storage });
    const response = await send(fixture);
    expect(response.status).toBe(503);
    expect(fixture.log().at(-1)).toMatchObject({ reason: 'security-event.provider-changed' });
    expect(await storage.readGrantStatus('first')).toBe('active');
  });
});
