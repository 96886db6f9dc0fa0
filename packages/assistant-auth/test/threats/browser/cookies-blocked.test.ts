/** Browsers that keep no cookie, or lose them on the way. */
import { describe, expect, it } from 'vitest';
import { createAccountBrowser, expectFormRejected, staleFormMessage } from '../../account-browser.ts';
import { createTestBrowser, gptRequest, readRedirect } from '../../browser.ts';
import { deploy, issuer } from '../../deployment.ts';
import { expectCookiesPage, expectErrorPage, missingTransactionMessage } from '../../expect-error.ts';
import {
  continueToProvider,
  listBindingCookies,
  listTransactionCookies,
  startAuthorization,
} from '../../flows.ts';
import { createSpyProvider } from '../../spy-provider.ts';
import { createSpyStorage } from '../../spy-storage.ts';

const staleConsent =
  'This page has expired or belongs to another browser. Go back to the app and start again.';

const createSystem = () => {
  const provider = createSpyProvider();
  const storage = createSpyStorage();
  return { provider, storage, deployment: deploy({ providers: [provider], storage }) };
};

describe('B23', () => {
  it.each([{ choice: 'google' }, { choice: 'continue' }, { cancel: '1' }])(
    'B23.1 at the consent: %j is answered with what is missing, and begins nothing',
    async (choice) => {
      const { provider, storage, deployment } = createSystem();
      const { browser, consent } = await startAuthorization(deployment);
      for (const forgotten of [true, false]) {
        if (forgotten) browser.cookies.clear();
        else browser.cookies.set('theme', 'dark');
        const response = await browser.submitConsent(consent, choice);
        await expectCookiesPage(response, deployment, 'consent');
        expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.no-cookies' });
      }
      expect(provider.authorizationRequests).toEqual([]);
      expect(storage.calls).toEqual([]);
    },
  );

  it('B23.1 at the consent: the same form goes on once its cookie is there', async () => {
    const { deployment } = createSystem();
    const { browser, consent } = await startAuthorization(deployment);
    const cookies = [...browser.cookies];
    browser.cookies.clear();
    await expectCookiesPage(
      await browser.submitConsent(consent, { choice: 'google' }),
      deployment,
      'consent',
    );
    for (const [name, value] of cookies) browser.cookies.set(name, value);
    expect((await browser.submitConsent(consent, { choice: 'google' })).status).toBe(303);
  });

  it('B23.2 not blocked: what is wrong with the form itself is said first', async () => {
    const { deployment } = createSystem();
    const { consent } = await startAuthorization(deployment);
    const stranger = createTestBrowser(deployment);
    const elsewhere = new Request(`${issuer}/authorize/consent`, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ consent, choice: 'google' }),
    });
    await expectErrorPage(await deployment.fetch(elsewhere), deployment, staleConsent);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.origin' });
    await expectErrorPage(
      await stranger.submitConsent('forged', { choice: 'google' }),
      deployment,
      staleConsent,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.unreadable' });
    deployment.advance(1800);
    await expectErrorPage(
      await stranger.submitConsent(consent, { choice: 'google' }),
      deployment,
      staleConsent,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.expired' });
  });

  it('B23.2 not blocked: a browser with another binding cookie is told that the page is not its own', async () => {
    const { deployment } = createSystem();
    const { consent } = await startAuthorization(deployment);
    const { browser } = await startAuthorization(deployment);
    await expectErrorPage(
      await browser.submitConsent(consent, { choice: 'google' }),
      deployment,
      staleConsent,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.csrf' });
  });

  it('B23.3 at the callback: no cookie of ours at all', async () => {
    const { provider, storage, deployment } = createSystem();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    browser.cookies.clear();
    for (const other of [undefined, 'theme', '__Host-another-app', '__Secure-csrf-12345678']) {
      if (other !== undefined) browser.cookies.set(other, 'x');
      const response = await browser.visit(callbackUrl({ code: 'ada' }));
      await expectCookiesPage(response, deployment, 'callback');
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.no-cookies' });
    }
    expect(provider.tokenRequests).toEqual([]);
    expect(storage.calls).toEqual([]);
  });

  it('B23.3 at the callback: any other cookie of ours shows that cookies are kept', async () => {
    const { deployment } = createSystem();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    for (const name of listTransactionCookies(browser.cookies)) browser.cookies.delete(name);
    await expectErrorPage(
      await browser.visit(callbackUrl({ code: 'ada' })),
      deployment,
      missingTransactionMessage,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.missing' });
  });

  it.each(['/sign-in', '/sign-out', '/apps/end', '/link', '/link/confirm', '/unlink', '/export', '/delete'])(
    'B23.4 at the account page: POST /account%s does nothing, and says what is missing',
    async (action) => {
      const { provider, storage, deployment } = createSystem();
      const accountBrowser = createAccountBrowser(deployment);
      const { form } = await accountBrowser.openAccountPage();
      accountBrowser.cookies.clear();
      const fields = { choice: 'google', all: '1', confirm: 'yes' };
      await expectCookiesPage(await accountBrowser.post(action, fields, form), deployment, 'account');
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'account-form.no-cookies' });
      expect(provider.authorizationRequests).toEqual([]);
      expect(storage.calls).toEqual([]);
    },
  );

  it('B23.4 at the account page: an expired form is not blamed on cookies', async () => {
    const { deployment } = createSystem();
    const accountBrowser = createAccountBrowser(deployment);
    const { form } = await accountBrowser.openAccountPage();
    accountBrowser.cookies.clear();
    deployment.advance(1800);
    await expectFormRejected(
      await accountBrowser.post('/sign-in', { choice: 'google' }, form),
      deployment,
      staleFormMessage,
    );
  });

  it('B23.5 cleared in the middle: each next step says so, and starting again works', async () => {
    const { deployment } = createSystem();
    const { browser, consent } = await startAuthorization(deployment);
    browser.cookies.clear();
    await expectCookiesPage(
      await browser.submitConsent(consent, { choice: 'google' }),
      deployment,
      'consent',
    );
    const again = await browser.openSignInPage(gptRequest);
    expect(listBindingCookies(browser.cookies)).toHaveLength(1);
    await expectErrorPage(
      await browser.submitConsent(consent, { choice: 'google' }),
      deployment,
      staleConsent,
    );
    const sent = readRedirect(await browser.submitConsent(again.consent, { choice: 'google' }));
    const state = sent.searchParams.get('state') ?? '';
    const url = `${issuer}/callback/google?${new URLSearchParams({ state, code: 'ada' })}`;
    browser.cookies.clear();
    await expectCookiesPage(await browser.visit(url), deployment, 'callback');
    expect((await browser.signIn(gptRequest)).searchParams.has('code')).toBe(true);
  });

  it('B23.5 cleared in the middle: an account whose cookies are gone shows how to sign in', async () => {
    const { deployment } = createSystem();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const { form } = await accountBrowser.openAccountPage();
    accountBrowser.cookies.clear();
    await expectCookiesPage(await accountBrowser.post('/sign-out', {}, form), deployment, 'account');
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    await accountBrowser.signInToAccount();
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });
});
