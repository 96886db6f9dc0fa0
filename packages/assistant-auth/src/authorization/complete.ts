/**
 * Completes an authorization request at the callback (RFC 6749 §4.1.2): verifies the provider's response,
 * stores user, identity and grant, and redirects to the client with a code, or first to the provider for
 * reconsent.
 */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { bindToRequest } from '../endpoint/handler.ts';
import { readCookies } from '../http/request.ts';
import { seeOther } from '../http/responses.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { callbackError } from '../oauth/protocol-error.ts';
import {
  buildCompletionCookies,
  type CallbackContext,
  type CallbackHandler,
  failTransaction,
  handleProviderResponse,
  withTransactionStatusError,
} from '../sign-in/callback.ts';
import { buildSignIn, recordWithinLimits } from '../sign-in/resolve-user.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';
import { completeReconsent, startReconsent } from './reconsent.ts';
import {
  buildErrorUrl,
  redirectWithCode,
  resolveResponseTarget,
  sealCode,
  withErrorRedirect,
} from './response.ts';

/** Creates the callback handler for authorization requests. */
export const authorizationCallback = (context: BrokerContext): CallbackHandler<'authorize'> => ({
  complete: (callback, { request }) => completeAuthorization(context, callback, request),
  async destination(request, failure) {
    const { client, target } = await resolveResponseTarget(context, request);
    const url = failure?.refusal ? buildErrorUrl(target, failure) : findWebsiteUrl(target.redirect);
    return { kind: 'client', name: client.name, ...(url !== undefined && { url }) };
  },
});

const completeAuthorization = async (
  brokerContext: BrokerContext,
  callback: CallbackContext,
  request: AuthorizationRequest,
): Promise<Response> => {
  const { requestContext, provider, responseUrl, transaction, cookie } = callback;
  const context = bindToRequest(brokerContext, requestContext);
  // Until here, nothing was consumed, so a reload can finish the sign-in.
  const { client, target } = await withTransactionStatusError(resolveResponseTarget(context, request));
  const createCode = () => sealCode(context, transaction.grantId, client.id, request);
  const work = async (): Promise<Response> => {
    if (transaction.reconsentSubject !== undefined) {
      const { grantId } = transaction;
      const claim = await withTransactionStatusError(
        context.storage.claimCode({ grantId, now: context.now() }),
      );
      if (claim !== 'claimed') throw callbackError('transaction.replayed');
      await completeReconsent(context, transaction, provider, responseUrl);
      return redirectWithCode(target, await createCode(), await buildCompletionCookies(context, callback));
    }
    const identity = await handleProviderResponse(context, callback);
    const hasUpstreamToken = await recordSignIn(context, callback, request, client, identity);
    requestContext.log({
      event: 'signed-in',
      clientId: client.id,
      provider: provider.id,
      redirectUri: target.redirect,
    });
    const completionCookies = await buildCompletionCookies(context, callback);
    const otherCookies = new Map(readCookies(requestContext.request));
    otherCookies.delete(cookie);
    const reconsent = hasUpstreamToken
      ? undefined
      : await startReconsent(context, provider, { transaction, identity, cookies: otherCookies });
    if (reconsent !== undefined)
      return seeOther(reconsent.url.href, [...completionCookies, ...reconsent.cookies]);
    return redirectWithCode(target, await createCode(), completionCookies);
  };
  return withErrorRedirect(context, target, requestContext, work, (protocolError) =>
    failTransaction(context, callback, protocolError),
  );
};

/**
 * Stores user, identity and grant in one storage round trip.
 * @returns whether an upstream token is stored, so that the identity can be rechecked
 */
const recordSignIn = async (
  context: BrokerContext,
  { transaction, requestContext }: CallbackContext,
  { redirectUri, scopes, resource }: AuthorizationRequest,
  client: Client,
  identity: Identity,
): Promise<boolean> => {
  const requestedGrant = { id: transaction.grantId, redirectUri, scopes, resource };
  const { language } = context.branding.select(requestContext.request);
  const signIn = await buildSignIn(context, requestedGrant, client, identity, language);
  const outcome = await recordWithinLimits(context, signIn);
  if (outcome.kind !== 'recorded') throw callbackError('transaction.replayed');
  return outcome.hasUpstreamToken;
};

/**
 * Returns the origin of the redirect URI, never the URI itself. Private-use schemes and loopback addresses
 * belong to apps, not to websites.
 */
const findWebsiteUrl = (redirect: string): string | undefined => {
  const { protocol, origin } = new URL(redirect);
  return protocol === 'https:' ? `${origin}/` : undefined;
};
