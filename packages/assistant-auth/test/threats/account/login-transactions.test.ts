import { describe, expect, it } from 'vitest';
import { type AccountBrowser, createAccountBrowser } from '../../account-browser.ts';
import { gptRequest, readRedirect } from '../../browser.ts';
import { type Deployment, deploy } from '../../deployment.ts';
import {
  accountDestination,
  expectCompletedPage,
  expectCookiesPage,
  expectErrorPage,
  missingTransactionMessage,
} from '../../expect-error.ts';

const stale =
  'This sign-in has expired or was started in another browser. Go back to the app and start again.';

/** Sent to a provider to sign in at the account page; where a browser comes back to. */
const sent = async (accountBrowser: AccountBrowser, subject: string, provider = 'google'): Promise<URL> => {
  const to = readRedirect(await accountBrowser.post('/sign-in', { choice: provider }));
  const back = new URL(to.searchParams.get('redirect_uri') ?? '');
  back.search = new URLSearchParams({
    state: to.searchParams.get('state') ?? '',
    code: subject,
  }).toString();
  return back;
};

const expectNoIdentity = async (
  deployment: Deployment,
  accountBrowser: AccountBrowser,
  response: Response,
  message: string = missingTransactionMessage,
) => {
  await expectErrorPage(response, deployment, message);
  expect(accountBrowser.cookies.has('__Host-session')).toBe(false);
  expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
};

describe('B1', () => {
  it('B1.1 browser: a consent that offers to continue is good in the browser that was shown it alone', async () => {
    const deployment = deploy();
    const [ada, mallory] = [createAccountBrowser(deployment), createAccountBrowser(deployment)];
    for (const [accountBrowser, subject] of [
      [ada, 'ada'],
      [mallory, 'mallory'],
    ] as const)
      await accountBrowser.signInToAccount(subject, 'google', { refresh: 'r-1' });
    const { consent } = await mallory.openSignInPage(gptRequest);
    await ada.openSignInPage(gptRequest);
    const response = await ada.submitConsent(consent, { choice: 'continue' });
    await expectErrorPage(
      response,
      deployment,
      'This page has expired or belongs to another browser. Go back to the app and start again.',
    );
  });

  it('B1.5 a transaction cookie before consent: the account page sets none before a provider is chosen', async () => {
    const accountBrowser = createAccountBrowser(deploy());
    await accountBrowser.openAccountPage();
    expect([...accountBrowser.cookies.keys()].filter((name) => name.startsWith('__Host-tx-'))).toEqual([]);
  });
});

describe('B2', () => {
  it('B2.1 opened in the victim’s browser: the way to a provider from somebody’s account page signs nobody in', async () => {
    const deployment = deploy();
    const [mallory, ada] = [createAccountBrowser(deployment), createAccountBrowser(deployment)];
    const url = await sent(mallory, 'ada');
    await expectCookiesPage(await ada.visit(url.href), deployment, 'callback');
    expect(ada.cookies.size).toBe(0);
    await ada.openAccountPage();
    await expectNoIdentity(deployment, ada, await ada.visit(url.href));
  });
});

describe('B5', () => {
  it('B5.1 one provider’s answer for another’s: signs nobody in at the account page', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    const url = await sent(ada, 'ada');
    url.pathname = '/callback/other';
    await expectNoIdentity(deployment, ada, await ada.visit(url.href), stale);
    expect(await deployment.storage.findUser({ provider: 'other', subject: 'ada' })).toBeUndefined();
  });
});

describe('B6', () => {
  it('B6.1 at the callback: nobody is signed in to the attacker’s account', async () => {
    const deployment = deploy();
    const [mallory, ada] = [createAccountBrowser(deployment), createAccountBrowser(deployment)];
    await ada.openAccountPage();
    const url = await sent(mallory, 'mallory');
    await expectNoIdentity(deployment, ada, await ada.visit(url.href));
    // Nor while a login transaction of one's own is under way.
    await sent(ada, 'ada');
    await expectNoIdentity(deployment, ada, await ada.visit(url.href));
  });
});

describe('B7', () => {
  it('B7.1 state replay: a login transaction signs in once, also with its cookie put back', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    const url = await sent(ada, 'ada');
    const before = new Map(ada.cookies);
    await ada.visit(url.href);
    await ada.post('/sign-out');
    await expectCompletedPage(await ada.visit(url.href), 'ended', accountDestination);
    for (const [name, value] of before) ada.cookies.set(name, value);
    await expectCompletedPage(await ada.visit(url.href), 'ended', accountDestination);
    expect(ada.cookies.has('__Host-session')).toBe(false);
  });

  it('B7.2 expiry: a login transaction for the account page takes ten minutes at most', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    const url = await sent(ada, 'ada');
    deployment.advance(600);
    await expectNoIdentity(deployment, ada, await ada.visit(url.href), stale);
  });

  it('B7.3 two tabs at once: both arrive, and the later one is the session', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    const [first, second] = [await sent(ada, 'ada'), await sent(ada, 'bob', 'other')];
    await ada.visit(second.href);
    expect((await ada.openAccountPage()).html).toContain('bob@example.com');
    await ada.visit(first.href);
    expect((await ada.openAccountPage()).html).toContain('ada@example.com');
  });
});
