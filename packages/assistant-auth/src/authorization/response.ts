/** The way back to the client: a verified redirect with the answer in its query (RFC 6749 §4.1.2, `iss` by RFC 9207). */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { logProtocolError, type RequestContext, toProtocolError } from '../endpoint/handler.ts';
import { seeOther } from '../http/responses.ts';
import type { ErrorReason } from '../oauth/error-catalog.ts';
import { ProtocolError } from '../oauth/errors.ts';
import { type VerifiedRedirect, verifyRedirect } from '../oauth/redirect-uri.ts';
import type { Issuer } from '../oauth/resource.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';

/** Where an authorization response goes. Whoever holds one may redirect, errors included. */
export interface ResponseTarget {
  readonly redirect: VerifiedRedirect;
  readonly clientId: string;
  /** The client's own, given back unchanged. */
  readonly state: string | undefined;
  readonly issuer: Issuer;
}

/**
 * Finds the way back of a request that was kept for a while. The client may have changed since: all is verified anew.
 * @throws ProtocolError `buildOAuthClient.unknown` or `redirect.unregistered`, to be shown to the person
 */
export const resolveResponseTarget = (
  { clients, issuer }: Pick<BrokerContext, 'clients' | 'issuer'>,
  { clientId, redirectUri, state }: Pick<AuthorizationRequest, 'clientId' | 'redirectUri' | 'state'>,
): { readonly client: Client; readonly target: ResponseTarget } => {
  const client = clients.get(clientId);
  if (client === undefined) throw new ProtocolError('client.unknown');
  const redirect = verifyRedirect(client, redirectUri);
  return { client, target: { redirect, clientId, state, issuer } };
};

/** Sends the code to the client. */
export const redirectWithCode = (
  target: ResponseTarget,
  code: string,
  cookies: readonly string[],
): Response => redirectToClient(target, { code }, cookies);

/**
 * Does what is left of an authorization; a refusal on the way goes to the client.
 * @param cookies set with the refusal, too
 */
export const withErrorRedirect = async (
  target: ResponseTarget,
  requestContext: RequestContext,
  cookies: readonly string[],
  work: () => Promise<Response>,
): Promise<Response> => {
  try {
    return await work();
  } catch (error) {
    const protocolError = toProtocolError(error);
    if (reasonsShownToUser.has(protocolError.reason)) throw protocolError;
    logProtocolError(protocolError, requestContext, { clientId: target.clientId });
    return redirectToClient(
      target,
      { error: protocolError.code, error_description: protocolError.description },
      cookies,
    );
  }
};

/** The reasons for which the user sees an error page, and the client gets no error. */
const reasonsShownToUser: ReadonlySet<ErrorReason> = new Set([
  // The callback arrived again, or may have: a second response would replace the first one at the client.
  'transaction.replayed',
  'transaction.status-unknown',
  // A client that gets an error may start a new sign-in at once.
  'user.limited',
]);

const redirectToClient = (
  target: ResponseTarget,
  parameters: Readonly<Record<string, string>>,
  cookies: readonly string[],
): Response => {
  const { redirect, state, issuer } = target;
  const query = new URLSearchParams(parameters);
  if (state !== undefined) query.append('state', state);
  query.append('iss', issuer);
  // A blank as %20, which every decoder understands; a plus sign of the client's own is %2B by now.
  const appended = query.toString().replaceAll('+', '%20');
  // Added to the text as it stands: the client's own query must come back untouched (RFC 6749 §3.1.2).
  return seeOther(redirect + selectSeparator(redirect) + appended, cookies);
};

const selectSeparator = (redirect: string): string => {
  if (!redirect.includes('?')) return '?';
  return /[?&]$/.test(redirect) ? '' : '&';
};

// The authorization code of a sign-in that was recorded.

/** Seals a code for the client that asked. */
export const sealCode = (
  { sealers, now, lifetimes }: Pick<BrokerContext, 'sealers' | 'now' | 'lifetimes'>,
  grantId: string,
  clientId: string,
  { redirectUri, resource, codeChallenge }: AuthorizationRequest,
): Promise<string> =>
  sealers.code.seal({
    ...{ grantId, clientId, redirectUri, resource, codeChallenge },
    expiresAt: now() + lifetimes.code,
  });
