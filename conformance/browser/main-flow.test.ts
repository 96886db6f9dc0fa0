/**
 * Tests the main flow in a real Chromium: from the authorization request through the pages to a stored score.
 */
import { callApi, redeemCode } from '@words-with-chat/lab';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launchChromium, openContext } from './chromium.ts';
import { type ClientCallback, startClientCallback } from './client-callback.ts';
import { createGptAction, signInThroughBrowser } from './flows.ts';

const url = `${inject('system').origin}/api/scoring`;

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
const scoreWith = async (code: string, at: ClientCallback): Promise<unknown> => {
  const tokens = await redeemCode(createGptAction(at), code, fetch);
  if (tokens.kind === 'error') throw new Error(`refused with ${tokens.status}`);
  await callApi({ method: 'POST', url }, tokens.accessToken, fetch);
  return callApi({ method: 'GET', url }, tokens.accessToken, fetch);
};

describe('signing in with Chromium', () => {
  it.each([
    ['with script', 'browser', 'signed-out', { javaScriptEnabled: true }],
    ['without script', 'browser-without-script', 'signed-out', { javaScriptEnabled: false }],
    ['at a provider that redirects at once', 'browser-signed-in', 'signed-in', {}],
  ] as const)('leads to a stored score %s', async (_, testUserName, googleSession, options) => {
    const { context, pageErrors } = await openContext(chromium, options);
    const page = await context.newPage();
    const code = await signInThroughBrowser({ page, pageErrors }, callback, testUserName, googleSession);
    await context.close();
    expect(pageErrors).toEqual([]);
    expect(await scoreWith(code, callback)).toEqual({ kind: 'response', status: 200, body: { score: 1 } });
  });

  // Chromium checks the whole chain of redirects after a form against `form-action`. This is the longest
  // chain.
  it('leads to a stored score when the client’s callback redirects on', async () => {
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
    const stored = await scoreWith(code, redirectingCallback);
    expect(stored).toEqual({ kind: 'response', status: 200, body: { score: 1 } });
  });

  it('gives the client a refusal after Cancel', async () => {
    const { context, pageErrors } = await openContext(chromium);
    const page = await context.newPage();
    const request = new URL(createGptAction(callback).authorizationUrl);
    const query = {
      response_type: 'code',
      client_id: createGptAction(callback).clientId,
      redirect_uri: callback.redirectUri,
      state: 's 1',
    };
    request.search = new URLSearchParams(query).toString();
    await page.goto(request.href);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'Back in the chat' }).waitFor();
    await context.close();
    expect(Object.fromEntries(callback.received.at(-1) ?? [])).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 's 1',
      iss: inject('system').origin,
    });
    expect(pageErrors).toEqual([]);
  });
});
