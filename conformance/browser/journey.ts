/** What a person clicks between ChatGPT's request and the client's callback. */
import { beginSignIn, type GptAction, readCallback } from '@words-with-chat/lab';
import type { Page } from 'playwright-core';
import { inject } from 'vitest';
import { player, type Role } from '../players.ts';
import type { ClientCallback } from './client-callback.ts';

/** A GPT that calls back on this machine. */
export const gptAt = ({ redirectUri }: ClientCallback): GptAction => {
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
export interface Visit {
  readonly page: Page;
  readonly troubles: readonly string[];
}

/** How Google's stand-in meets the person: with the choice of an account, or signed in already and gone at once. */
export type AtGoogle = 'chooses' | 'is-signed-in';

/**
 * Goes the whole way and gives the code.
 * @throws Error when the callback gets anything else, or nothing; it says what troubled the pages
 */
export const signInWith = async (
  { page, troubles }: Visit,
  callback: ClientCallback,
  role: Role,
  atGoogle: AtGoogle,
): Promise<string> => {
  const begun = beginSignIn(gptAt(callback), crypto.randomUUID());
  try {
    await page.goto(begun.url.href);
    if (atGoogle === 'is-signed-in') await rememberAtGoogle(page, role);
    await page.getByRole('button', { name: 'Google' }).click();
    if (atGoogle === 'chooses') await page.getByRole('button', { name: player(role).email }).click();
    await comeBack(page);
  } catch (cause) {
    throw new Error(['The browser did not come back to the client.', ...troubles].join('\n'), { cause });
  }
  const query = callback.received.at(-1);
  const answer = readCallback(begun, new URL(`${callback.redirectUri}?${query}`));
  if (answer.kind !== 'code') throw new Error(`The client was called back with ${query}.`);
  return answer.code;
};

/**
 * Waits for the client's page.
 * @throws Error when it does not come; it says what the browser shows in its place
 */
export const comeBack = async (page: Page): Promise<void> => {
  try {
    await page.getByRole('heading', { name: 'Back in the chat' }).waitFor();
  } catch (cause) {
    const shown = await page.locator('body').innerText();
    throw new Error(`The browser is at ${page.url()}, which says:\n${shown}`, { cause });
  }
};

const rememberAtGoogle = async (page: Page, role: Role): Promise<void> => {
  const [google] = inject('system').standIns;
  await page
    .context()
    .addCookies([{ name: 'signed-in', value: player(role).email, url: google?.issuer ?? '' }]);
};
