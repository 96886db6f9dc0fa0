/** What a person clicks between ChatGPT's request and the client's callback. */
import { type GptAction, readCallback, startSignIn } from '@words-with-chat/lab';
import type { Page } from 'playwright-core';
import { inject } from 'vitest';
import { type TestUserName, testUser } from '../clients.ts';
import type { ClientCallback } from './client-callback.ts';

/** A GPT that calls back on this machine. */
export const createGptAction = ({ redirectUri }: ClientCallback): GptAction => {
  const { origin, gpt } = inject('system');
  return {
    authorizationUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    ...gpt,
    scope: '',
    redirectUri,
    tokenExchange: 'post',
  };
};

/** A page, and the troubles of its context. */
export interface MonitoredPage {
  readonly page: Page;
  readonly pageErrors: readonly string[];
}

/** How Google's fake provider meets the person: with the choice of an account, or signed in already and gone at once. */
export type GoogleSession = 'signed-out' | 'signed-in';

/**
 * Goes the whole way and gives the code.
 * @throws Error when the callback gets anything else, or nothing; it says what troubled the pages
 */
export const signInThroughBrowser = async (
  { page, pageErrors }: MonitoredPage,
  callback: ClientCallback,
  testUserName: TestUserName,
  googleSession: GoogleSession,
): Promise<string> => {
  const startedSignIn = startSignIn(createGptAction(callback), crypto.randomUUID());
  try {
    await page.goto(startedSignIn.url.href);
    if (googleSession === 'signed-in') await signInAtGoogle(page, testUserName);
    await page.getByRole('button', { name: 'Google' }).click();
    if (googleSession === 'signed-out')
      await page.getByRole('button', { name: testUser(testUserName).email }).click();
    await waitForClientPage(page);
  } catch (cause) {
    throw new Error(['The browser did not come back to the client.', ...pageErrors].join('\n'), { cause });
  }
  const query = callback.received.at(-1);
  const answer = readCallback(startedSignIn, new URL(`${callback.redirectUri}?${query}`));
  if (answer.kind !== 'code') throw new Error(`The client was called back with ${query}.`);
  return answer.code;
};

/**
 * Waits for the client's page.
 * @throws Error when it does not come; it says what the browser shows in its place
 */
export const waitForClientPage = async (page: Page): Promise<void> => {
  try {
    await page.getByRole('heading', { name: 'Back in the chat' }).waitFor();
  } catch (cause) {
    const shown = await page.locator('body').innerText();
    throw new Error(`The browser is at ${page.url()}, which says:\n${shown}`, { cause });
  }
};

const signInAtGoogle = async (page: Page, testUserName: TestUserName): Promise<void> => {
  const [google] = inject('system').fakeProviders;
  await page
    .context()
    .addCookies([{ name: 'signed-in', value: testUser(testUserName).email, url: google?.issuer ?? '' }]);
};
