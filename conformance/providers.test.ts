/**
 * Tests sign-ins at each fake provider over HTTP: the same email address at two providers belongs to two
 * users, and the next sign-in finds the same user. Also tests that a sign-out at a provider ends the session
 * on the account page.
 */
import {
  buildGptAction,
  callApi,
  createBrowser,
  type Page,
  refreshTokens,
  startSignIn,
} from '@words-with-chat/lab';
import { describe, expect, inject, it } from 'vitest';
import { scoreWithoutRounds } from './scores.ts';
import { obtainTokens } from './sign-in.ts';
import { testUser } from './test-users.ts';

const { origin, gpt, fakeProviders } = inject('system');

const action = buildGptAction(origin, gpt);

const signInAt = (provider: string) => obtainTokens(action, testUser('http-every-provider'), provider);

const callScoring = (method: 'GET' | 'POST', accessToken: string) =>
  callApi({ method, url: `${origin}/api/scoring` }, accessToken, fetch);

const scoreResponse = (score: number) => ({
  kind: 'response',
  status: 200,
  body: scoreWithoutRounds(score),
});

it('the sign-in page has a button for each provider', async () => {
  const page = await (await fetch(startSignIn(action, 'a state').url)).text();
  const buttons = [...page.matchAll(/Sign in with <bdi[^>]*>([^<]*)</g)].map(([, label]) => label);
  expect(buttons).toEqual(['Google', 'GitHub', 'Microsoft', 'Apple', 'Acme']);
  expect(fakeProviders.map(({ label }) => label)).toEqual(buttons);
});

describe.each(fakeProviders.map(({ label }) => label))('a user at %s', (provider) => {
  it('keeps the score with a refreshed token and with a new sign-in', async () => {
    const first = await signInAt(provider);
    // A user with the same email address plays at the other providers, too. Accounts are not linked by email
    // address.
    expect(await callScoring('GET', first.accessToken)).toEqual(scoreResponse(0));
    expect(await callScoring('POST', first.accessToken)).toMatchObject({ body: { score: 1 } });
    const refreshed = await refreshTokens(action, first.refreshToken ?? '', fetch);
    if (refreshed.kind === 'error') throw new Error(`the refresh was refused with ${refreshed.status}`);
    expect(await callScoring('GET', refreshed.accessToken)).toEqual(scoreResponse(1));
    expect(await callScoring('GET', (await signInAt(provider)).accessToken)).toEqual(scoreResponse(1));
  });
});

describe('a sign-out at the provider', () => {
  const issuer = fakeProviders.find(({ label }) => label === 'Acme')?.issuer ?? '';
  const accountUrl = new URL(`${origin}/account`);

  it('ends the session on the account page', async () => {
    const browser = createBrowser({ fetch });
    const open = async (url: URL): Promise<Page> => requirePage(await browser.open(url));
    const press = async (page: Page, label: string): Promise<Page> =>
      requirePage(await browser.clickButton(page, label));

    let page = await open(accountUrl);
    for (const label of ['Acme', testUser('oidc-logout').email]) page = await press(page, label);
    expect(page.url.href).toBe(accountUrl.href);
    expect(page.html).toContain(testUser('oidc-logout').email);

    await press(await open(new URL(`${issuer}/session/end`)), 'Sign out');
    const pageAfterSignOut = await open(accountUrl);
    expect(pageAfterSignOut.html).not.toContain(testUser('oidc-logout').email);
    expect(pageAfterSignOut.html).toContain('action="/account/sign-in"');
  });
});

type Destination = Awaited<ReturnType<ReturnType<typeof createBrowser>['open']>>;

const requirePage = (destination: Destination): Page => {
  if (destination.kind === 'page') return destination;
  throw new Error(`The browser was redirected to ${destination.location.origin}.`);
};
