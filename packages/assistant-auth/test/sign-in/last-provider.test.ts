/** The provider that the user last signed in with in this browser: a cookie that the sign-in pages read. */
import { describe, expect, it } from 'vitest';
import { createAccountBrowser, createSignedInBrowser } from '../account-browser.ts';
import { createTestBrowser, gptRequest } from '../browser.ts';
import { deploy } from '../deployment.ts';
import { continueToProvider } from '../flows.ts';

const lastProvider = '__Host-provider';

/** Returns the providers on the sign-in page, in their order, each with whether it is marked. */
const readButtons = (page: string): readonly (readonly [id: string | undefined, isLastUsed: boolean])[] =>
  [...page.matchAll(/<button[^>]*name="choice" value="([^"]*)">(.*?)<\/button>/g)].map(([, id, content]) => [
    id,
    content?.includes('Last used') ?? false,
  ]);

const openPage = async (cookie: string | undefined) => {
  const browser = createTestBrowser(deploy());
  if (cookie !== undefined) browser.cookies.set(lastProvider, cookie);
  const { response } = await browser.openSignInPage(gptRequest);
  return readButtons(await response.text());
};

describe('the provider that the user last signed in with', () => {
  it('comes first on the sign-in page', async () => {
    expect(await openPage('other')).toEqual([
      ['other', true],
      ['google', false],
    ]);
    expect(await openPage('google')).toEqual([
      ['google', true],
      ['other', false],
    ]);
  });

  it.each([undefined, '', 'removed', 'OTHER', '__proto__', '<b>', 'x'.repeat(3_000)])(
    'is none if the cookie is %j',
    async (cookie) => {
      expect(await openPage(cookie)).toEqual([
        ['google', false],
        ['other', false],
      ]);
    },
  );

  it('is remembered after a sign-in to a client, and not after one that fails', async () => {
    for (const [response, expected] of [
      [{ code: 'ada' }, 'google'],
      [{ error: 'access_denied' }, undefined],
    ] as const) {
      const { browser, returnFromProvider } = await continueToProvider(deploy());
      await returnFromProvider(response);
      expect(browser.cookies.get(lastProvider)).toBe(expected);
    }
  });

  it('comes first on the sign-in page of the account, also after the user signed out', async () => {
    const browser = createAccountBrowser(deploy());
    await browser.signInToAccount('ada', 'other');
    await browser.post('/sign-out');
    const { html } = await browser.openAccountPage();
    expect(readButtons(html)).toEqual([
      ['other', true],
      ['google', false],
    ]);
  });

  it('is forgotten when the user deletes the account', async () => {
    const { accountBrowser } = await createSignedInBrowser();
    expect(accountBrowser.cookies.get(lastProvider)).toBe('google');
    await accountBrowser.post('/delete', { confirm: 'yes' });
    expect(accountBrowser.cookies.has(lastProvider)).toBe(false);
  });
});
