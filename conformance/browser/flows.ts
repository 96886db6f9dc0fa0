/** The steps of a user between ChatGPT's authorization request and the client's callback. */
import { buildGptAction, type GptAction, readCallback, startSignIn } from '@words-with-chat/lab';
import type { Page } from 'playwright-core';
import { inject } from 'vitest';
import { type TestUserName, testUser } from '../test-users.ts';
import type { ClientCallback } from './client-callback.ts';

/** A GPT whose callback is on this machine. */
export const createGptAction = ({ redirectUri }: ClientCallback): GptAction => {
  const { origin, gpt } = inject('system');
  return buildGptAction(origin, gpt, redirectUri);
};

/** A page, and the errors in its context. */
export interface MonitoredPage {
  readonly page: Page;
  readonly pageErrors: readonly string[];
}

/**
 * Whether the user has a session at Google's fake provider. With a session, it redirects back immediately.
 */
export type GoogleSession = 'signed-out' | 'signed-in';

/**
 * Goes through all steps and returns the code.
 * @throws Error if the callback gets no code, with the errors in the pages
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
    throw new Error(['The browser did not return to the client.', ...pageErrors].join('\n'), { cause });
  }
  const query = callback.received.at(-1);
  const callbackResult = readCallback(startedSignIn, new URL(`${callback.redirectUri}?${query}`));
  if (callbackResult.kind !== 'code') throw new Error(`The client was called back with ${query}.`);
  return callbackResult.code;
};

/**
 * Waits for the client's page.
 * @throws Error if it does not appear, with the text of the page that the browser shows instead
 */
export const waitForClientPage = async (page: Page): Promise<void> => {
  try {
    await page.getByRole('heading', { name: 'Back in the chat' }).waitFor();
  } catch (cause) {
    const pageText = await page.locator('body').innerText();
    throw new Error(`The browser is at ${page.url()}, which shows:\n${pageText}`, { cause });
  }
};

const signInAtGoogle = async (page: Page, testUserName: TestUserName): Promise<void> => {
  const [google] = inject('system').fakeProviders;
  await page
    .context()
    .addCookies([{ name: 'signed-in', value: testUser(testUserName).email, url: google?.issuer ?? '' }]);
};
