/**
 * Tests that a sign-out at a third-party issuer implementation reaches the running app, and ends the user's
 * session on the account page.
 */
import { createBrowser, type Page } from '@words-with-chat/lab';
import { expect, inject, it } from 'vitest';
import { testUser } from './clients.ts';

const { origin, fakeProviders } = inject('system');
const account = new URL(`${origin}/account`);
const issuer = fakeProviders.find(({ label }) => label === 'OpenID Connect')?.issuer ?? '';

it('signs the person out here who signs out there', async () => {
  const browser = createBrowser({ fetch });
  const open = async (url: URL): Promise<Page> => pageOf(await browser.open(url));
  const press = async (page: Page, label: string): Promise<Page> =>
    pageOf(await browser.clickButton(page, label));

  let page = await open(account);
  for (const label of ['OpenID Connect', testUser('oidc-logout').email]) page = await press(page, label);
  expect(page.url.href).toBe(account.href);
  expect(page.html).toContain(testUser('oidc-logout').email);

  await press(await open(new URL(`${issuer}/session/end`)), 'Sign out');
  const after = await open(account);
  expect(after.html).not.toContain(testUser('oidc-logout').email);
  expect(after.html).toContain('action="/account/sign-in"');
});

const pageOf = (destination: Awaited<ReturnType<ReturnType<typeof createBrowser>['open']>>): Page => {
  if (destination.kind === 'page') return destination;
  throw new Error(`sent to ${destination.location.origin}`);
};
