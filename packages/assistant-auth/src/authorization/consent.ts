/**
 * `POST /authorize/consent`, the form of the sign-in page: starts a login transaction at the chosen provider,
 * continues in the session, or cancels.
 */

import type { Client } from '../clients/client.ts';
import type { BrokerContext, ContinueSessionResult } from '../context.ts';
import { createErrorPageResponder } from '../endpoint/error-page.ts';
import { bindToRequest, type EndpointDefinition, type RequestContext } from '../endpoint/handler.ts';
import { checkBinding, isSameOriginRequest } from '../http/csrf.ts';
import { readCookies, readForm } from '../http/request.ts';
import { continueChoice } from '../oauth/identifiers.ts';
import { readParameters } from '../oauth/parameters.ts';
import { authorizationError } from '../oauth/protocol-error.ts';
import { redirectToProvider } from '../sign-in/login-transaction.ts';
import type { Consent } from '../tokens/sealed-types.ts';
import { showSignInPage } from './authorize.ts';
import {
  type ResponseTarget,
  redirectWithCode,
  resolveResponseTarget,
  sealCode,
  withErrorRedirect,
} from './response.ts';

export const consentEndpoint = (context: BrokerContext): EndpointDefinition => ({
  name: 'consent',
  methods: ['POST'],
  respondToError: createErrorPageResponder(context),
  // All forms of a browser that were shown in the same half hour share one binding.
  async findOwner({ request }) {
    const { consent = '' } = readParameters(await readForm(request.clone()), ['consent']);
    return (await openConsent(context, consent, readCookies(request))).csrf;
  },
  async handle(requestContext) {
    if (!isSameOriginRequest(requestContext.request, context.issuer))
      throw authorizationError('consent.origin');
    const form = readParameters(await readForm(requestContext.request), ['consent', 'choice', 'cancel']);
    const cookies = readCookies(requestContext.request);
    const consent = await openConsent(context, form.consent ?? '', cookies);
    const { request } = consent;
    const { client, target } = await resolveResponseTarget(context, request);
    const provider = context.providers.get(form.choice ?? '');
    const isKnownChoice =
      provider !== undefined || form.choice === continueChoice || form.cancel !== undefined;
    if (!isKnownChoice) throw authorizationError('consent.choice');
    return withErrorRedirect(target, requestContext, async () => {
      if (form.cancel !== undefined) throw authorizationError('user.canceled');
      if (provider === undefined)
        return continueAsSessionUser(context, requestContext, consent, client, target);
      return redirectToProvider(context, { kind: 'authorize', request }, provider, cookies);
    });
  },
});

/** Opens the sealed request of the form, and refuses a form that was issued to another browser. */
const openConsent = async (
  { sealers, now }: Pick<BrokerContext, 'sealers' | 'now'>,
  sealed: string,
  cookies: ReadonlyMap<string, string>,
): Promise<Consent> => {
  const opened = await sealers.consent.open(sealed);
  if (opened.kind === 'failed') throw authorizationError('consent.unreadable', { cause: opened.reason });
  const consent = opened.value;
  if (now() >= consent.expiresAt) throw authorizationError('consent.expired');
  switch (await checkBinding(cookies, consent.csrf)) {
    case 'bound':
      return consent;
    case 'other':
      throw authorizationError('consent.csrf');
    // The browser sent no binding cookie at all, so it probably blocks or deletes cookies.
    case 'none':
      throw authorizationError('consent.no-cookies');
  }
};

/** The account page was removed from the configuration while the sign-in page was open. */
const noSessions: ContinueSessionResult = { kind: 'stopped', sessionOffer: {}, cookies: [] };

const continueAsSessionUser = async (
  context: BrokerContext,
  requestContext: RequestContext,
  { request, session }: Consent,
  client: Client,
  target: ResponseTarget,
): Promise<Response> => {
  const result =
    (await context.sessions?.continueSession(
      bindToRequest(context, requestContext),
      requestContext.request,
      session,
      client,
      request,
    )) ?? noSessions;
  if (result.kind === 'stopped') {
    const { redirect } = target;
    const { sessionOffer, cookies } = result;
    return showSignInPage(context, { client, redirect, request }, sessionOffer, {
      request: requestContext.request,
      cookies,
    });
  }
  requestContext.log({ event: 'signed-in', clientId: client.id, redirectUri: target.redirect });
  return redirectWithCode(target, await sealCode(context, result.grantId, client.id, request), []);
};
