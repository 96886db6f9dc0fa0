/**
 * Tests sign-ins at each fake provider over HTTP: the same email address at two providers belongs to two
 * users, and the next sign-in finds the same user. Also tests that a sign-out at a provider ends the session
 * on the account page.
 */
import { callApi, createBrowser, type Page, refreshTokens, startSignIn } from '@words-with-chat/lab';
import { describe, expect, inject, it } from 'vitest';
import { createHostedGptAction, obtainTokens } from './sign-in.ts';
import { testUser } from './test-users.ts';

const { origin, gpt, fakeProviders } = inject('system');

const action = createHostedGptAction(origin, gpt);

const tokensAt = (provider: string) => obtainTokens(action, testUser('http-every-provider'), provider);

const score = (method: 'GET' | 'POST', accessToken: string) =>
  callApi({ method, url: `${origin}/api/scoring` }, accessToken, fetch);

const is = (points: number) => ({ kind: 'response', status: 200, body: { score: points } });

it('the sign-in page has a button for each provider', async () => {
  const page = await (await fetch(startSignIn(action, 'a state').url)).text();
  const buttons = [...page.matchAll(/Continue with <bdi[^>]*>([^<]*)</g)].map(([, label]) => label);
  expect(buttons).toEqual(['Google', 'GitHub', 'Microsoft', 'Apple', 'OpenID Connect']);
  expect(fakeProviders.map(({ label }) => label)).toEqual(buttons);
});

describe.each(fakeProviders.map(({ label }) => label))('a user at %s', (provider) => {
  it('keeps the score with a refreshed token and with a new sign-in', async () => {
    const first = await tokensAt(provider);
    // A user with the same email address plays at the other providers, too. Accounts are not linked by email
    // address.
    expect(await score('GET', first.accessToken)).toEqual(is(0));
    expect(await score('POST', first.accessToken)).toEqual(is(1));
    const refreshed = await refreshTokens(action, first.refreshToken ?? '', fetch);
    if (refreshed.kind === 'error') throw new Error(`the refresh was refused with ${refreshed.status}`);
    expect(await score('GET', refreshed.accessToken)).toEqual(is(1));
    expect(await score('GET', (await tokensAt(provider)).accessToken)).toEqual(is(1));
  });
});

describe('a sign-out at the provider', () => {
  const issuer = fakeProviders.find(({ label }) => label === 'OpenID Connect')?.issuer ?? '';
  const account = new URL(`${origin}/account`);

  it('ends the session on the account page', async () => {
    const browser = createBrowser({ fetch });
    const open = async (url: URL): Promise<Page> => requirePage(await browser.open(url));
    const press = async (page: Page, label: string): Promise<Page> =>
      requirePage(await browser.clickButton(page, label));

    let page = await open(account);
    for (const label of ['OpenID Connect', testUser('oidc-logout').email]) page = await press(page, label);
    expect(page.url.href).toBe(account.href);
    expect(page.html).toContain(testUser('oidc-logout').email);

    await press(await open(new URL(`${issuer}/session/end`)), 'Sign out');
    const after = await open(account);
    expect(after.html).not.toContain(testUser('oidc-logout').email);
    expect(after.html).toContain('action="/account/sign-in"');
  });
});

type Destination = Awaited<ReturnType<ReturnType<typeof createBrowser>['open']>>;

const requirePage = (destination: Destination): Page => {
  if (destination.kind === 'page') return destination;
  throw new Error(`The browser was redirected to ${destination.location.origin}.`);
};
