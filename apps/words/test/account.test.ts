/** Tests the account page with the app's D1: linked providers, disconnecting apps, export and deletion. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import {
  type AccountBrowser,
  createAccountBrowser,
  readButtonValues,
  readHiddenField,
} from '../../../packages/assistant-auth/test/account-browser.ts';
import { emptyD1 } from '../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { type Deployment, deploy, origin } from './deployment.ts';
import { gptQuery, redeem, refresh, signInForTokens } from './flows.ts';

const getBrowserOptions = ({ app }: Deployment) => ({ issuer: origin, fetch: app.fetch });

const linkGitHub = async (accountBrowser: AccountBrowser, subject: string): Promise<void> => {
  const html = await (
    await accountBrowser.submitThroughProvider('/link', { choice: 'github' }, { code: subject })
  ).text();
  await accountBrowser.post(
    '/link/confirm',
    { link: readHiddenField(html, 'link'), confirm: '1' },
    readHiddenField(html, 'form'),
  );
};

const callScoring = async ({ call }: Deployment, method: string, token: string): Promise<unknown> =>
  (await call('/api/scoring', { method, token })).json();

/** Returns every row of every table, as one string. */
const readAllRows = async (): Promise<string> => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'd1_%' AND name NOT LIKE '_cf_%'",
  ).all<{ readonly name: string }>();
  expect(results.length).toBeGreaterThan(4);
  const rows = await env.DB.batch(results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`)));
  return JSON.stringify(rows.map(({ results: tableRows }) => tableRows));
};

it('finds the same score through Google and, once it is linked, GitHub', async () => {
  await emptyD1();
  const deployment = deploy();
  const token = await deployment.signIn('rechecked-ada');
  await callScoring(deployment, 'POST', token);
  const accountBrowser = createAccountBrowser(getBrowserOptions(deployment));
  await accountBrowser.signInToAccount('rechecked-ada');
  await linkGitHub(accountBrowser, '4711');
  const otherBrowser = createAccountBrowser(getBrowserOptions(deployment));
  await otherBrowser.signInToAccount('4711', 'github');
  const { consent } = await otherBrowser.openSignInPage(gptQuery);
  const consentResponse = await otherBrowser.submitConsent(consent, { choice: 'github' });
  const state = new URL(consentResponse.headers.get('location') ?? '').searchParams.get('state') ?? '';
  const callbackResponse = await otherBrowser.visit(
    `${origin}/callback/github?${new URLSearchParams({ state, code: '4711' })}`,
  );
  const code = new URL(callbackResponse.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const { access_token } = await redeem(deployment.call, code);
  expect(await callScoring(deployment, 'GET', access_token)).toMatchObject({ score: 1 });
  for (const browser of [accountBrowser, otherBrowser])
    expect((await browser.openAccountPage()).html).toContain('<dt>Words guessed</dt> <dd>1</dd>');
});

it('disconnects ChatGPT: its next call gets a 401 that starts a sign-in, and the score is kept', async () => {
  await emptyD1();
  const deployment = deploy();
  const tokens = await signInForTokens(deployment.call, 'rechecked-ada');
  await callScoring(deployment, 'POST', tokens.access_token);
  const accountBrowser = createAccountBrowser(getBrowserOptions(deployment));
  await accountBrowser.signInToAccount('rechecked-ada');
  const { html } = await accountBrowser.openAccountPage();
  expect(html).toContain('Words GPT');
  const [appKey = ''] = readButtonValues(html, 'app');
  await accountBrowser.post('/apps/disconnect', { app: appKey });
  await expect(refresh(deployment.call, tokens)).rejects.toThrow('no tokens: 401');
  deployment.advance(10);
  const response = await deployment.call('/api/scoring', { token: tokens.access_token });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect(await callScoring(deployment, 'GET', await deployment.signIn('rechecked-ada'))).toMatchObject({
    score: 1,
  });
});

it('includes the score and the rounds in the data export, without the word of an open round', async () => {
  await emptyD1();
  const deployment = deploy();
  const token = await deployment.signIn('rechecked-ada');
  await callScoring(deployment, 'POST', token);
  const play = async (path: string, body?: object): Promise<Readonly<Record<string, unknown>>> => {
    const options = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    return (await deployment.call(`/api/rounds${path}`, { method: 'POST', token, ...options })).json();
  };
  const { round } = await play('', { category: 'animals' });
  for (const guess of ['q', 'xyz']) await play(`/${round}/guesses`, { guess });
  await play(`/${round}/hints`);
  const accountBrowser = createAccountBrowser(getBrowserOptions(deployment));
  await accountBrowser.signInToAccount('rechecked-ada');
  expect(await (await accountBrowser.post('/export')).json()).toMatchObject({
    identities: [{ provider: 'google', subject: 'rechecked-ada', providerTokenStored: true }],
    history: [
      { event: 'signed-in', actor: 'user', clientId: 'account', provider: 'google' },
      { event: 'signed-in', actor: 'user', clientId: 'gpt', provider: 'google' },
    ],
    app: {
      score: 1,
      points: 0,
      rounds_started: 1,
      rounds_won: 0,
      streak: 0,
      longest_streak: 0,
      last_daily_won: null,
      rounds: [
        {
          round: expect.any(String),
          category: 'animals',
          language: 'en',
          started_at: '2027-01-15T08:00:00.000Z',
          status: 'open',
          mask: expect.stringMatching(/^_( _)+$/),
          points_won: 0,
          expires_at: '2027-01-15T09:00:00.000Z',
          moves: ['-q', '-xyz', '?'],
        },
      ],
    },
  });
});

it('deletes all data of a deleted account from D1, and none of other accounts', async () => {
  await emptyD1();
  const deployment = deploy();
  const [adaToken, bobToken] = [await deployment.signIn('rechecked-ada'), await deployment.signIn('bob')];
  for (const token of [adaToken, bobToken]) await callScoring(deployment, 'POST', token);
  const accountBrowser = createAccountBrowser(getBrowserOptions(deployment));
  await accountBrowser.signInToAccount('rechecked-ada');
  await linkGitHub(accountBrowser, '4711');
  const { userId }: { readonly userId: string } = await (await accountBrowser.post('/export')).json();
  const before = await readAllRows();
  for (const personalData of [userId, 'rechecked-ada', '4711']) expect(before).toContain(personalData);

  await accountBrowser.post('/delete', { confirm: 'yes' });
  // Immediately, before a cleanup, and although the user's tokens have not expired.
  const response = await deployment.call('/api/scoring', { method: 'POST', token: adaToken });
  expect(response.status).toBe(401);
  const after = await readAllRows();
  for (const personalData of [userId, 'rechecked-ada', '4711']) expect(after).not.toContain(personalData);
  expect(after).toContain('bob');
  expect(await callScoring(deployment, 'GET', bobToken)).toMatchObject({ score: 1 });
});

it.each([
  [
    { contactEmail: 'help@words.example' },
    '<a href="mailto:help@words.example" rel="noreferrer"><bdi translate="no">help@words.example</bdi></a> and include this reference:',
  ],
  [{}, '<bdi translate="no">Words With Chat</bdi> and include this reference:'],
])('says on error pages whom to contact: %j', async (publisher, text) => {
  const { call } = deploy(env.DB, {}, { publisher });
  for (const path of ['/authorize', '/callback/google?state=unknown']) {
    const response = await call(path);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(`If this keeps happening, contact ${text}`);
  }
});
