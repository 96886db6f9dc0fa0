/**
 * The cookie with the provider that the user last signed in with in this browser. The sign-in pages show that
 * provider first.
 */
import { clearCookie, setCookie } from '../http/request.ts';
import type { Seconds } from '../oauth/identifiers.ts';

const lastProviderCookie = '__Host-provider';

/** A year. */
const lastProviderLifetime: Seconds = 31_536_000;

/** The length of the cookie in the `Cookie` header, in characters. The ID of a provider has at most 32. */
export const maxLastProviderLength = 50;

/** Returns the ID of the provider. It may be one that is no longer in the configuration. */
export const readLastProvider = (cookies: ReadonlyMap<string, string>): string | undefined =>
  cookies.get(lastProviderCookie);

/** Returns the `Set-Cookie` value for a sign-in that succeeded. */
export const setLastProvider = (provider: string): string =>
  setCookie(lastProviderCookie, provider, lastProviderLifetime);

/** Returns the `Set-Cookie` value that makes the browser forget the provider. */
export const clearLastProvider = (): string => clearCookie(lastProviderCookie);
