/**
 * Tests a sign-in in a real Chromium, from the authorization request through the pages to a stored score: at
 * Google in several situations, and at each of the other fake providers. Apple's form post is tested with and
 * without JavaScript.
 */
import { callApi, readCallback, redeemCode, startSignIn } from '@words-with-chat/lab';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { scoreWithoutRounds } from '../scores.ts';
import { type TestUserName, testUser } from '../test-users.ts';
import { launchChromium, openContext } from './chromium.ts';
import { type ClientCallback, startClientCallback } from './client-callback.ts';
import { createGptAction, signInThroughBrowser, waitForClientPage } from './flows.ts';

const { origin } = inject('system');
const scoringUrl = `${origin}/api/scoring`;

let chromium: Browser;
let callback: ClientCallback;
let redirectingCallback: ClientCallback;

beforeAll(async () => {
  chromium = await launchChromium();
  callback = await startClientCallback('show-page');
  redirectingCallback = await startClientCallback('redirect-first');
});

afterAll(async () => {
  await chromium.close();
  callback.close();
  redirectingCallback.close();
});

/** Redeems the code, adds a point, and returns the stored score. */
const redeemAndAddPoint = async (code: string, clientCallback: ClientCallback): Promise<unknown> => {
  const tokens = await redeemCode(createGptAction(clientCallback), code, fetch);
  if (tokens.kind === 'error') throw new Error(`refused with ${tokens.status}`);
  await callApi({ method: 'POST', url: scoringUrl }, tokens.accessToken, fetch);
  return callApi({ method: 'GET', url: scoringUrl }, tokens.accessToken, fetch);
};

describe('signing in at Google', () => {
  it.each([
    ['with JavaScript', 'browser', 'signed-out', { javaScriptEnabled: true }],
    ['without JavaScript', 'browser-without-script', 'signed-out', { javaScriptEnabled: false }],
    ['if the provider redirects immediately', 'browser-signed-in', 'signed-in', {}],
  ] as const)('leads to a stored score %s', async (_, testUserName, googleSession, options) => {
    const { context, pageErrors } = await openContext(chromium, options);
    const page = await context.newPage();
    const code = await signInThroughBrowser({ page, pageErrors }, callback, testUserName, googleSession);
    await context.close();
    expect(pageErrors).toEqual([]);
    expect(await redeemAndAddPoint(code, callback)).toEqual({
      kind: 'response',
      status: 200,
      body: scoreWithoutRounds(1),
    });
  });

  // Chromium checks the whole chain of redirects after a form against `form-action`. This is the longest
  // chain.
  it('leads to a stored score if the client’s callback redirects again', async () => {
    const { context, pageErrors } = await openContext(chromium);
    const page = await context.newPage();
    const code = await signInThroughBrowser(
      { page, pageErrors },
      redirectingCallback,
      'browser-client-redirects',
      'signed-in',
    );
    expect(page.url()).toBe(
      `${new URL(redirectingCallback.redirectUri).origin.replace('127.0.0.1', 'localhost')}/signed-in`,
    );
    await context.close();
    expect(pageErrors).toEqual([]);
    const stored = await redeemAndAddPoint(code, redirectingCallback);
    expect(stored).toEqual({ kind: 'response', status: 200, body: scoreWithoutRounds(1) });
  });

  it('returns access_denied to the client after Cancel', async () => {
    const { context, pageErrors } = await openContext(chromium);
    const page = await context.newPage();
    const authorizationUrl = new URL(createGptAction(callback).authorizationUrl);
    const query = {
      response_type: 'code',
      client_id: createGptAction(callback).clientId,
      redirect_uri: callback.redirectUri,
      state: 's 1',
    };
    authorizationUrl.search = new URLSearchParams(query).toString();
    await page.goto(authorizationUrl.href);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'Back in the chat' }).waitFor();
    await context.close();
    expect(Object.fromEntries(callback.received.at(-1) ?? [])).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 's 1',
      iss: origin,
    });
    expect(pageErrors).toEqual([]);
  });
});

/** Presses the buttons in order, and returns the code that the client receives. */
const signInWithButtons = async (page: Page, buttons: readonly string[]): Promise<string> => {
  const startedSignIn = startSignIn(createGptAction(callback), crypto.randomUUID());
  await page.goto(startedSignIn.url.href);
  for (const name of buttons) await page.getByRole('button', { name }).click();
  await waitForClientPage(page);
  const callbackResult = readCallback(
    startedSignIn,
    new URL(`${callback.redirectUri}?${callback.received.at(-1)}`),
  );
  if (callbackResult.kind !== 'code')
    throw new Error(`The client was called back with ${callback.received.at(-1)}.`);
  return callbackResult.code;
};

describe('signing in at another provider', () => {
  it.each<[string, TestUserName, readonly string[], boolean]>([
    ['GitHub', 'browser-every-provider', [], true],
    ['Microsoft', 'browser-every-provider', [], true],
    ['Acme', 'browser-every-provider', [], true],
    ['Apple', 'browser-every-provider', [], true],
    ['Apple', 'browser-apple-without-script', ['Continue'], false],
  ])('%s leads to a stored score for %s', async (provider, testUserName, extraButtons, javaScriptEnabled) => {
    const { context, pageErrors } = await openContext(chromium, { javaScriptEnabled });
    const code = await signInWithButtons(await context.newPage(), [
      provider,
      testUser(testUserName).email,
      ...extraButtons,
    ]);
    // The cookie of the login transaction is deleted, even the one for Apple's cross-site form post.
    const cookieNames = (await context.cookies(origin)).map(({ name }) => name);
    await context.close();
    expect(cookieNames.filter((name) => name.startsWith('__Host-tx-'))).toEqual([]);
    expect(pageErrors).toEqual([]);
    expect(await redeemAndAddPoint(code, callback)).toEqual({
      kind: 'response',
      status: 200,
      body: scoreWithoutRounds(1),
    });
  });

  it.each(['Google', 'GitHub', 'Microsoft', 'Apple', 'Acme'])(
    'returns access_denied to the client after Cancel at %s',
    async (provider) => {
      const { context, pageErrors } = await openContext(chromium);
      const page = await context.newPage();
      await page.goto(startSignIn(createGptAction(callback), 's 2').url.href);
      for (const name of [provider, 'Cancel']) await page.getByRole('button', { name }).click();
      await waitForClientPage(page);
      await context.close();
      expect(Object.fromEntries(callback.received.at(-1) ?? [])).toEqual({
        error: 'access_denied',
        error_description: expect.any(String),
        state: 's 2',
        iss: origin,
      });
      expect(pageErrors).toEqual([]);
    },
  );
});
