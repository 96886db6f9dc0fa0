/** Every provider's stand-in in a real Chromium, Apple's posted answer with and without script. */
import { beginSignIn, callApi, readCallback, redeemCode } from '@words-with-chat/lab';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { player, type Role } from '../players.ts';
import { launchChromium, openContext } from './chromium.ts';
import { type ClientCallback, startClientCallback } from './client-callback.ts';
import { comeBack, gptAt } from './journey.ts';

const { origin } = inject('system');

let chromium: Browser;
let callback: ClientCallback;

beforeAll(async () => {
  chromium = await launchChromium();
  callback = await startClientCallback('shows');
});

afterAll(async () => {
  await chromium.close();
  callback.close();
});

/** Presses the buttons one after the other, and gives the code that the client then has. */
const press = async (page: Page, buttons: readonly string[]): Promise<string> => {
  const begun = beginSignIn(gptAt(callback), crypto.randomUUID());
  await page.goto(begun.url.href);
  for (const name of buttons) await page.getByRole('button', { name }).click();
  await comeBack(page);
  const answer = readCallback(begun, new URL(`${callback.redirectUri}?${callback.received.at(-1)}`));
  if (answer.kind !== 'code') throw new Error(`The client was called back with ${callback.received.at(-1)}.`);
  return answer.code;
};

const scoreWith = async (code: string): Promise<unknown> => {
  const tokens = await redeemCode(gptAt(callback), code, fetch);
  if (tokens.kind === 'refused') throw new Error(`refused with ${tokens.status}`);
  return callApi({ method: 'POST', url: `${origin}/api/scoring` }, tokens.accessToken, fetch);
};

const one = { kind: 'answered', status: 200, body: { score: 1 } };

describe('signing in with Chromium', () => {
  it.each<[string, Role, readonly string[], boolean]>([
    ['GitHub', 'browser-every-provider', [], true],
    ['Microsoft', 'browser-every-provider', [], true],
    ['OpenID Connect', 'browser-every-provider', [], true],
    ['Apple', 'browser-every-provider', [], true],
    ['Apple', 'browser-apple-without-script', ['Continue'], false],
  ])('at %s leads to a stored score for %s', async (provider, role, further, javaScriptEnabled) => {
    const { context, troubles } = await openContext(chromium, { javaScriptEnabled });
    const code = await press(await context.newPage(), [provider, player(role).email, ...further]);
    // What was posted across sites has come round, and left nothing behind.
    const names = (await context.cookies(origin)).map(({ name }) => name);
    await context.close();
    expect(names.filter((name) => name.startsWith('__Host-tx-'))).toEqual([]);
    expect(troubles).toEqual([]);
    expect(await scoreWith(code)).toEqual(one);
  });
});
