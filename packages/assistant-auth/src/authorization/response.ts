/**
 * The authorization response: redirects to the verified redirect URI with a code or an error in the query
 * (RFC 6749 §4.1.2, with `iss` of RFC 9207), and seals the code. Errors go to the client, except those in
 * `reasonsShownToUser`. If `resolveUser` refused the user with a message, a page shows it first, and links to
 * the same URL.
 */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { createErrorPageResponder } from '../endpoint/error-page.ts';
import { logProtocolError, type RequestContext, toProtocolError } from '../endpoint/handler.ts';
import { seeOther } from '../http/responses.ts';
import { authorizationError, type ErrorReason, type ProtocolError } from '../oauth/protocol-error.ts';
import { type VerifiedRedirect, verifyRedirect } from '../oauth/redirect-uri.ts';
import type { Issuer } from '../oauth/resource.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';

/**
 * Where an authorization response is sent. A function that has a target can redirect to it, with a code or
 * with an error.
 */
export interface ResponseTarget {
  readonly redirect: VerifiedRedirect;
  readonly client: Client;
  /** The client's value, returned unchanged. */
  readonly state: string | undefined;
  readonly issuer: Issuer;
}

/**
 * Resolves the target of a request that was sealed earlier. The registration of the client may have changed
 * since then, so the client and the redirect URI are verified again.
 * @throws ProtocolError `client.unknown`, `client-metadata.…` or `redirect.unregistered`, which are shown to
 *   the user
 * @throws StorageUnavailable, which is also shown to the user
 */
export const resolveResponseTarget = async (
  { clients, issuer }: Pick<BrokerContext, 'clients' | 'issuer'>,
  { clientId, redirectUri, state }: Pick<AuthorizationRequest, 'clientId' | 'redirectUri' | 'state'>,
): Promise<{ readonly client: Client; readonly target: ResponseTarget }> => {
  const client = await clients.find(clientId);
  if (client === undefined) throw authorizationError('client.unknown');
  const redirect = verifyRedirect(client, redirectUri);
  return { client, target: { redirect, client, state, issuer } };
};

/** Redirects to the client with a code. */
export const redirectWithCode = (
  target: ResponseTarget,
  code: string,
  cookies: readonly string[],
): Response => seeOther(buildResponseUrl(target, { code }), cookies);

/**
 * Runs the rest of an authorization. If it fails, redirects to the client with the error, except for errors
 * that are shown to the user.
 * @param createCookies returns the `Set-Cookie` values of the error response. Default: none
 */
export const withErrorRedirect = async (
  context: Pick<BrokerContext, 'pages' | 'branding'>,
  target: ResponseTarget,
  requestContext: RequestContext,
  work: () => Promise<Response>,
  createCookies: (protocolError: ProtocolError) => Promise<readonly string[]> = async () => [],
): Promise<Response> => {
  try {
    return await work();
  } catch (error) {
    const protocolError = toProtocolError(error);
    if (reasonsShownToUser.has(protocolError.reason)) throw protocolError;
    const { client } = target;
    const url = buildErrorUrl(target, protocolError);
    const cookies = await createCookies(protocolError);
    logProtocolError(protocolError, requestContext, { clientId: client.id });
    if (protocolError.refusal === undefined) return seeOther(url, cookies);
    const destination = { kind: 'client', name: client.name, url } as const;
    return createErrorPageResponder(context)(protocolError, requestContext, destination, cookies);
  }
};

/** Returns the URL that sends an error to the client. */
export const buildErrorUrl = (target: ResponseTarget, { code, description }: ProtocolError): string =>
  buildResponseUrl(target, { error: code, error_description: description });

/** The reasons for which the user sees a page, and the client gets no error. */
const reasonsShownToUser: ReadonlySet<ErrorReason> = new Set([
  // The callback arrived again, or may have: a second response would replace the first one at the client.
  'transaction.replayed',
  'transaction.status-unknown',
  // A client that gets an error may start a new sign-in at once.
  'user.limited',
  'provider.changed',
]);

const buildResponseUrl = (
  { redirect, state, issuer }: ResponseTarget,
  parameters: Readonly<Record<string, string>>,
): string => {
  const query = new URLSearchParams(parameters);
  if (state !== undefined) query.append('state', state);
  query.append('iss', issuer);
  // Spaces become %20, which every decoder understands. Plus signs in values are already %2B.
  const appended = query.toString().replaceAll('+', '%20');
  // Appended to the string, because the query of the redirect URI must be retained (RFC 6749 §3.1.2).
  return redirect + selectSeparator(redirect) + appended;
};

const selectSeparator = (redirect: string): string => {
  if (!redirect.includes('?')) return '?';
  return /[?&]$/.test(redirect) ? '' : '&';
};

/** Seals the authorization code of a recorded sign-in. */
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
