/**
 * CSRF protection (RFC 6749 §10.12): the binding cookie, a random value that binds the forms of our pages to
 * the browser that they were shown in, and the check of a request's origin.
 */

import type { Seconds } from '../oauth/identifiers.ts';
import { computeDigest, type RandomBytes, randomId, timingSafeEqual } from '../oauth/secrets.ts';
import { clearCookie, setCookie } from './request.ts';

/**
 * Each binding cookie has its own name, so pages that a browser without cookies opens at the same time don't
 * replace each other's cookies.
 */
export const bindingPrefix = '__Host-csrf-';

/** Matches the name of every binding cookie. */
const bindingName = /^__Host-csrf-[\w-]{8}$/;

/**
 * 128 random bits. Name and value take 45 bytes in the request, so the cookies of 30 tabs leave most of 6 kB
 * for other cookies.
 */
const bindingValue = /^[\w-]{22}$/;

/**
 * How many binding cookies a browser keeps, and how many of the others one response clears: proxies limit
 * response headers, too.
 */
const maxBindings = 30;
const maxCleared = 16;

/** Returns the names and values of all cookies that look like a binding cookie, the newest first. */
const readBindings = (cookies: ReadonlyMap<string, string>): readonly (readonly [string, string])[] =>
  [...cookies]
    .filter(([name, value]) => bindingName.test(name) && bindingValue.test(value))
    // Browsers send the oldest cookie first (RFC 6265 §5.4).
    .toReversed();

/** Returns the name of the cookie with this value. The name does not reveal the value. */
export const deriveBindingCookieName = async (value: string): Promise<string> =>
  bindingPrefix + (await computeDigest(value)).slice(0, 8);

/** The value that a form is sealed with, and the `Set-Cookie` values of the page's response. */
export interface Binding {
  readonly csrf: string;
  readonly setCookies: readonly string[];
}

/**
 * Finds the browser's binding cookie, or creates one.
 * @param maxAge how long a form can stay open, in seconds; each page sets the cookie again, so that it
 *   outlives the page's forms
 */
export const bindBrowser = async (
  cookies: ReadonlyMap<string, string>,
  randomBytes: RandomBytes,
  maxAge: Seconds,
): Promise<Binding> => {
  const kept = readBindings(cookies).slice(0, maxBindings);
  const csrf = (await findBinding(kept)) ?? randomId(randomBytes);
  const surplus = readBindings(cookies).slice(maxBindings).toReversed().slice(0, maxCleared);
  return {
    csrf,
    setCookies: [
      setCookie(await deriveBindingCookieName(csrf), csrf, maxAge),
      ...surplus.map(([name]) => clearCookie(name)),
    ],
  };
};

const findBinding = async (
  bindings: readonly (readonly [name: string, value: string])[],
): Promise<string | undefined> => {
  for (const [name, value] of bindings) if (name === (await deriveBindingCookieName(value))) return value;
  return undefined;
};

/**
 * `bound`: the browser sent the cookie that the form was sealed with. `other`: it sent only other binding
 * cookies. `none`: it sent no binding cookie.
 */
export type BindingCheck = 'bound' | 'other' | 'none';

/** Checks that a form was posted by the browser that it was shown in. */
export const checkBinding = async (
  cookies: ReadonlyMap<string, string>,
  csrf: string,
): Promise<BindingCheck> => {
  if (await timingSafeEqual(cookies.get(await deriveBindingCookieName(csrf)) ?? '', csrf)) return 'bound';
  return readBindings(cookies).length === 0 ? 'none' : 'other';
};

/**
 * Returns whether a request came from a page of this origin, according to `Origin` and `Sec-Fetch-Site`. A
 * header that is missing is not checked: only some clients send it.
 */
export const isSameOriginRequest = ({ headers }: Request, origin: string): boolean => {
  const from = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  return (from === null || from === origin) && (site === null || site === 'same-origin');
};
