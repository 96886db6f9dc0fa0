/**
 * Tests a sign-in at each fake provider except Google's in a real Chromium. Apple's form post is tested with
 * and without JavaScript.
 */
import { callApi, readCallback, redeemCode, startSignIn } from '@words-with-chat/lab';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type TestUserName, testUser } from '../clients.ts';
import { launchChromium, openContext } from './chromium.ts';
import { type ClientCallback, startClientCallback } from './client-callback.ts';
import { createGptAction, waitForClientPage } from './flows.ts';

const { origin } = inject('system');

let chromium: Browser;
let callback: ClientCallback;

beforeAll(async () => {
  chromium = await launchChromium();
  callback = await startClientCallback('show-page');
});

afterAll(async () => {
  await chromium.close();
  callback.close();
});

/** Presses the buttons in order, and returns the code that the client receives. */
const press = async (page: Page, buttons: readonly string[]): Promise<string> => {
  const startedSignIn = startSignIn(createGptAction(callback), crypto.randomUUID());
  await page.goto(startedSignIn.url.href);
  for (const name of buttons) await page.getByRole('button', { name }).click();
  await waitForClientPage(page);
  const answer = readCallback(startedSignIn, new URL(`${callback.redirectUri}?${callback.received.at(-1)}`));
  if (answer.kind !== 'code') throw new Error(`The client was called back with ${callback.received.at(-1)}.`);
  return answer.code;
};

const scoreWith = async (code: string): Promise<unknown> => {
  const tokens = await redeemCode(createGptAction(callback), code, fetch);
  if (tokens.kind === 'error') throw new Error(`refused with ${tokens.status}`);
  return callApi({ method: 'POST', url: `${origin}/api/scoring` }, tokens.accessToken, fetch);
};

const one = { kind: 'response', status: 200, body: { score: 1 } };

describe('signing in with Chromium', () => {
  it.each<[string, TestUserName, readonly string[], boolean]>([
    ['GitHub', 'browser-every-provider', [], true],
    ['Microsoft', 'browser-every-provider', [], true],
    ['OpenID Connect', 'browser-every-provider', [], true],
    ['Apple', 'browser-every-provider', [], true],
    ['Apple', 'browser-apple-without-script', ['Continue'], false],
  ])(
    'at %s leads to a stored score for %s',
    async (provider, testUserName, extraButtons, javaScriptEnabled) => {
      const { context, pageErrors } = await openContext(chromium, { javaScriptEnabled });
      const code = await press(await context.newPage(), [
        provider,
        testUser(testUserName).email,
        ...extraButtons,
      ]);
      // The login transaction that needed a cross-site form post has left no cookie.
      const names = (await context.cookies(origin)).map(({ name }) => name);
      await context.close();
      expect(names.filter((name) => name.startsWith('__Host-tx-'))).toEqual([]);
      expect(pageErrors).toEqual([]);
      expect(await scoreWith(code)).toEqual(one);
    },
  );
});
