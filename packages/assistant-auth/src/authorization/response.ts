/** The way back to the client: a verified redirect with the answer in its query (RFC 6749 §4.1.2, `iss` by RFC 9207). */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { asRefusal, logRefusal, type Visit } from '../endpoint/handler.ts';
import { seeOther } from '../http/responses.ts';
import type { Reason } from '../oauth/error-catalog.ts';
import { Refusal } from '../oauth/errors.ts';
import type { Issuer } from '../oauth/issuer.ts';
import { type VerifiedRedirect, verifyRedirect } from '../oauth/redirect-uri.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';

/** Where an authorization response goes. Whoever holds one may redirect, errors included. */
export interface WayBack {
  readonly redirect: VerifiedRedirect;
  readonly clientId: string;
  /** The client's own, given back unchanged. */
  readonly state: string | undefined;
  readonly issuer: Issuer;
}

/**
 * Finds the way back of a request that was kept for a while. The client may have changed since: all is verified anew.
 * @throws Refusal `client.unknown` or `redirect.unregistered`, to be shown to the person
 */
export const findWayBack = (
  { registry, issuer }: Pick<BrokerContext, 'registry' | 'issuer'>,
  { clientId, redirectUri, state }: Pick<AuthorizationRequest, 'clientId' | 'redirectUri' | 'state'>,
): { readonly client: Client; readonly way: WayBack } => {
  const client = registry.find(clientId);
  if (client === undefined) throw new Refusal('client.unknown');
  const redirect = verifyRedirect(client, redirectUri);
  return { client, way: { redirect, clientId, state, issuer } };
};

/** Sends the code to the client. */
export const answerWithCode = (way: WayBack, code: string, cookies: readonly string[]): Response =>
  answer(way, { code }, cookies);

/**
 * Does what is left of an authorization; a refusal on the way goes to the client.
 * @param cookies set with the refusal, too
 */
export const orRedirectBack = async (
  way: WayBack,
  visit: Visit,
  cookies: readonly string[],
  work: () => Promise<Response>,
): Promise<Response> => {
  try {
    return await work();
  } catch (error) {
    const refusal = asRefusal(error);
    if (reasonsShownToUser.has(refusal.reason)) throw refusal;
    logRefusal(refusal, visit, { clientId: way.clientId });
    return answer(way, { error: refusal.code, error_description: refusal.description }, cookies);
  }
};

/** The reasons for which the user sees an error page, and the client gets no error. */
const reasonsShownToUser: ReadonlySet<Reason> = new Set([
  // The callback arrived again, or may have: a second response would replace the first one at the client.
  'transaction.replayed',
  'transaction.status',
  // A client that gets an error may start a new sign-in at once.
  'user.limited',
]);

const answer = (
  way: WayBack,
  values: Readonly<Record<string, string>>,
  cookies: readonly string[],
): Response => {
  const { redirect, state, issuer } = way;
  const query = new URLSearchParams(values);
  if (state !== undefined) query.append('state', state);
  query.append('iss', issuer);
  // A blank as %20, which every decoder understands; a plus sign of the client's own is %2B by now.
  const added = query.toString().replaceAll('+', '%20');
  // Added to the text as it stands: the client's own query must come back untouched (RFC 6749 §3.1.2).
  return seeOther(redirect + separatorAfter(redirect) + added, cookies);
};

const separatorAfter = (redirect: string): string => {
  if (!redirect.includes('?')) return '?';
  return /[?&]$/.test(redirect) ? '' : '&';
};

// The authorization code of a sign-in that was recorded.

/** Seals a code for the client that asked. */
export const sealCode = (
  { vault, now, lifetimes }: Pick<BrokerContext, 'vault' | 'now' | 'lifetimes'>,
  grantId: string,
  clientId: string,
  { redirectUri, resource, codeChallenge }: AuthorizationRequest,
): Promise<string> =>
  vault.code.seal({
    ...{ grantId, clientId, redirectUri, resource, codeChallenge },
    expiresAt: now() + lifetimes.code,
  });
