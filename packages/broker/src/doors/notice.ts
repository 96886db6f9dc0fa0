/** A word on what has just been done, for the next page of the same browser: nobody else can make a page say it. */
import { clearCookie, setCookie } from '../http/cookies.ts';
import type { AccountNotice } from '../pages/account/account-model.ts';
import type { AccountSignInNotice } from '../pages/account/account-sign-in.ts';

export type Notice = AccountNotice | AccountSignInNotice;

const noticeCookie = '__Host-notice';

/** In seconds: one redirect. */
const lifetime = 60;

export const keepNotice = (notice: Notice): string => setCookie(noticeCookie, notice, lifetime);

/** Clears the notice, if the browser sent one: the response of another tab may be setting it at this moment. */
export const clearNotice = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  cookies.has(noticeCookie) ? [clearCookie(noticeCookie)] : [];

/**
 * Reads the notice.
 * @param known those that the page can say
 */
export const readNotice = <Known extends Notice>(
  cookies: ReadonlyMap<string, string>,
  known: readonly Known[],
): Known | undefined => known.find((notice) => notice === cookies.get(noticeCookie));
