/** The sign-in page, which is the consent: shown for a verified request, and again where going on in a session failed. */
import type { Client } from '../../clients/client.ts';
import type { VerifiedRedirect } from '../../clients/redirect.ts';
import type { PageSurroundings } from '../../doors/page-door.ts';
import { readCookies } from '../../http/cookies.ts';
import { formPage } from '../../http/respond.ts';
import type { SignInModel } from '../../pages/sign-in.ts';
import type { RandomBytes } from '../../protocol/random.ts';
import type { Clock } from '../../protocol/time.ts';
import type { IdentityProvider } from '../../providers/identity-provider.ts';
import { bindBrowser } from '../../sign-in/binding-cookie.ts';
import type { Lifetimes } from '../../tokens/lifetimes.ts';
import type { AuthorizationRequest } from '../../tokens/transaction.ts';
import type { Vault } from '../../tokens/vault.ts';
import { choicesOf, type MarkPath } from './provider-choice.ts';

export interface SignInPageRooms extends PageSurroundings {
  readonly vault: Vault;
  readonly lifetimes: Lifetimes;
  /** What each scope lets a client do, as the page says it. */
  readonly scopes: ReadonlyMap<string, string>;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  /** Where the page's form goes. */
  readonly consentPath: string;
  readonly markPath: MarkPath;
  readonly now: Clock;
  readonly randomBytes: RandomBytes;
}

/** What the page is about. */
export interface Asked {
  readonly client: Client;
  readonly redirect: VerifiedRedirect;
  readonly request: AuthorizationRequest;
}

/** The session that may be gone on in, or why none may. */
export interface Earlier {
  readonly session?: string;
  readonly shown?: NonNullable<SignInModel['session']>;
  readonly notice?: NonNullable<SignInModel['notice']>;
}

/**
 * Shows the page, bound to the browser and to the session that it offers.
 * @param cookies set with it
 */
export const showSignInPage = async (
  rooms: SignInPageRooms,
  { client, redirect, request }: Asked,
  { session, shown, notice }: Earlier,
  browser: { readonly request: Request; readonly cookies: readonly string[] },
): Promise<Response> => {
  const { randomBytes, lifetimes } = rooms;
  const { csrf, setCookies } = await bindBrowser(
    readCookies(browser.request),
    randomBytes,
    lifetimes.consent,
  );
  const expiresAt = rooms.now() + lifetimes.consent;
  const html = rooms.pages.signIn({
    branding: rooms.branding,
    stylesheetPath: rooms.stylesheetPath,
    action: rooms.consentPath,
    clientName: client.name,
    redirectHost: hostOf(redirect),
    scopes: request.scopes.map((name) => ({ name, description: rooms.scopes.get(name) ?? name })),
    providers: choicesOf([...rooms.providers.values()], rooms.markPath),
    ...(shown !== undefined && { session: shown }),
    ...(notice !== undefined && { notice }),
    consent: await rooms.vault.consent.seal({ request, csrf, expiresAt, session }),
  });
  return formPage(html, [...setCookies, ...browser.cookies]);
};

/** The host; of a private-use scheme (RFC 8252 §7.1) the scheme, because what stands in a host's place there may be any name. */
export const hostOf = (redirectUri: string): string => {
  const { host, protocol } = new URL(redirectUri);
  return /^https?:$/.test(protocol) ? host : protocol;
};
