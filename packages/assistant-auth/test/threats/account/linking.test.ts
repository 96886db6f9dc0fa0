import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../../src/index.ts';
import {
  type AccountBrowser,
  createAccountBrowser,
  expectAccountRedirect,
  expectFormRejected,
  readButtonValues,
  readHiddenField,
  staleFormMessage,
} from '../../account-browser.ts';
import { readRedirect } from '../../browser.ts';
import { type Deployment, deploy } from '../../deployment.ts';
import { expectErrorPage, missingTransactionMessage } from '../../expect-error.ts';
import { createProvider } from '../../fake-provider.ts';
import { createSpyProvider } from '../../spy-provider.ts';

const cat = { provider: 'other', subject: 'cat' } as const;

const linkedTo = (deployment: Deployment) => deployment.storage.findUser(cat);

const signInToAccount = async (deployment: Deployment, subject: string): Promise<AccountBrowser> => {
  const accountBrowser = createAccountBrowser(deployment);
  await accountBrowser.signInToAccount(subject);
  return accountBrowser;
};

/** Sent to the other provider to link it; how a browser comes back from there. */
const inProgress = async (accountBrowser: AccountBrowser) => {
  const sent = readRedirect(await accountBrowser.post('/link', { choice: 'other' }));
  const state = sent.searchParams.get('state') ?? '';
  return `${sent.searchParams.get('redirect_uri')}?${new URLSearchParams({ state, code: 'cat' })}`;
};

const question = async (accountBrowser: AccountBrowser, url: string) => {
  const html = await (await accountBrowser.visit(url)).text();
  return { link: readHiddenField(html, 'link'), form: readHiddenField(html, 'form') };
};

describe('B17', () => {
  it('B17.1 stale session: a proof of more than five minutes ago begins no link and writes none', async () => {
    const deployment = deploy();
    const ada = await signInToAccount(deployment, 'ada');
    const { link, form } = await question(ada, await inProgress(ada));
    deployment.advance(300);
    for (const [action, fields] of [
      ['/link', { choice: 'other' }],
      ['/link/confirm', { link, confirm: '1' }],
    ] as const)
      await expectAccountRedirect(ada, await ada.post(action, fields, form), 'confirmation-required');
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.2 foreign link: the URL of somebody’s login transaction links nothing in another browser', async () => {
    const deployment = deploy();
    const [mallory, ada] = [
      await signInToAccount(deployment, 'mallory'),
      await signInToAccount(deployment, 'ada'),
    ];
    await expectErrorPage(await ada.visit(await inProgress(mallory)), deployment, missingTransactionMessage);
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.2 foreign link: nor does a login transaction that was planted there with its cookie', async () => {
    const deployment = deploy();
    const [mallory, ada] = [
      await signInToAccount(deployment, 'mallory'),
      await signInToAccount(deployment, 'ada'),
    ];
    const url = await inProgress(mallory);
    for (const [name, value] of mallory.cookies)
      if (name.startsWith('__Host-tx-')) ada.cookies.set(name, value);
    await expectErrorPage(await ada.visit(url), deployment, staleFormMessage);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'session.changed' });
  });

  it('B17.2 foreign link: nor does the answer to a question that somebody else was asked', async () => {
    const deployment = deploy();
    const [mallory, ada] = [
      await signInToAccount(deployment, 'mallory'),
      await signInToAccount(deployment, 'ada'),
    ];
    const asked = await question(mallory, await inProgress(mallory));
    await expectFormRejected(
      await ada.post('/link/confirm', { link: asked.link, confirm: '1' }),
      deployment,
      staleFormMessage,
    );
    await expectFormRejected(
      await ada.post('/link/confirm', { link: asked.link, confirm: '1' }, asked.form),
      deployment,
      staleFormMessage,
    );
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: who signed in during the login transaction is linked to nothing', async () => {
    const deployment = deploy();
    const browser = await signInToAccount(deployment, 'ada');
    const url = await inProgress(browser);
    await browser.signInToAccount('bob');
    await expectErrorPage(await browser.visit(url), deployment, staleFormMessage);
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: nor is the same person in another session than the one that asked', async () => {
    const deployment = deploy();
    const browser = await signInToAccount(deployment, 'ada');
    const url = await inProgress(browser);
    await browser.reauthenticate('ada');
    await expectErrorPage(await browser.visit(url), deployment, staleFormMessage);
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: nor who signed in while the question, or a page, was open', async () => {
    const deployment = deploy();
    const browser = await signInToAccount(deployment, 'ada');
    const { link, form } = await question(browser, await inProgress(browser));
    const page = await browser.openAccountPage();
    await browser.signInToAccount('bob');
    await expectFormRejected(
      await browser.post('/link/confirm', { link, confirm: '1' }, form),
      deployment,
      staleFormMessage,
    );
    const fresh = (await browser.openAccountPage()).form;
    await expectFormRejected(
      await browser.post('/link/confirm', { link, confirm: '1' }, fresh),
      deployment,
      staleFormMessage,
    );
    for (const action of ['/delete', '/export', '/apps/end', '/sign-out', '/link'])
      await expectFormRejected(
        await browser.post(action, { confirm: 'yes', all: '1', choice: 'other' }, page.form),
        deployment,
        staleFormMessage,
      );
    expect(await linkedTo(deployment)).toBeUndefined();
    expect((await browser.openAccountPage()).html).toContain('bob@example.com');
  });

  it('B17.3 session switched meanwhile: a page’s Continue names one person and signs in no other', async () => {
    const deployment = deploy();
    const browser = createAccountBrowser(deployment);
    await browser.signInToAccount('ada', 'google', { refresh: 'r-1' });
    const { consent } = await browser.openSignInPage({
      response_type: 'code',
      client_id: 'gpt',
      redirect_uri: 'https://chat.openai.com/aip/g-1234567890abcdef1234567890abcdef/oauth/callback',
    });
    await browser.signInToAccount('bob', 'google', { refresh: 'r-2' });
    const response = await browser.submitConsent(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
  });

  it('B17.4 provider session reused silently: every login transaction from the account page wants a new proof', async () => {
    const [google, other] = [createSpyProvider(), createSpyProvider('other')];
    const deployment = deploy({ providers: [google, other] });
    const accountBrowser = await signInToAccount(deployment, 'ada');
    deployment.advance(10);
    await accountBrowser.reauthenticate('ada');
    await inProgress(accountBrowser);
    const since = deployment.now();
    expect(google.authorizationRequests.map(({ reauthenticate }) => reauthenticate)).toEqual([
      { since: since - 10 },
      { since },
    ]);
    expect(google.tokenRequests.map(({ reauthenticate }) => reauthenticate)).toEqual([
      { since: since - 10 },
      { since },
    ]);
    expect(other.authorizationRequests.map(({ reauthenticate }) => reauthenticate)).toEqual([{ since }]);
  });

  it('B17.4 provider session reused silently: a provider that reuses one signs nobody in', async () => {
    const google = createProvider('google', 'Google');
    const deployment = deploy({
      providers: [google, { ...createProvider('other', 'Other'), handleCallback: silent }],
    });
    const accountBrowser = await signInToAccount(deployment, 'ada');
    const response = await accountBrowser.visit(await inProgress(accountBrowser));
    expect(response.status).toBe(500);
    expect(await linkedTo(deployment)).toBeUndefined();
  });
});

/** As the OpenID Connect providers do, when `auth_time` is of before the login transaction. */
const silent = async () => {
  throw new ProviderError('invalid', 'the person did not authenticate again');
};
