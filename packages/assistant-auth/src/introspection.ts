/**
 * `POST /introspect` (RFC 7662): describes an access token to its API, and any token to the client that it
 * was issued to. Both must authenticate (§2.1), so a public client gets a 401 response. Any other API or
 * client gets the response for an inactive token.
 */

import {
  authenticateClient,
  buildBasicChallenge,
  credentialParameters,
  recordAssertion,
} from './clients/authentication.ts';
import type { Client } from './clients/client.ts';
import type { IntrospectionClient } from './clients/introspection-client.ts';
import type { BrokerContext } from './context.ts';
import type { EndpointDefinition } from './endpoint/handler.ts';
import { readForm } from './http/request.ts';
import { introspectionJson, tokenError } from './http/responses.ts';
import { readParameters } from './oauth/parameters.ts';
import { tokenEndpointError } from './oauth/protocol-error.ts';
import type { AccessToken } from './tokens/sealed-types.ts';
import { lookUpToken, type PresentedToken } from './tokens/sealers.ts';

type IntrospectionCaller = Client | IntrospectionClient;

const parameterNames = ['token', 'token_type_hint', ...credentialParameters] as const;

export const introspectionEndpoint = (context: BrokerContext): EndpointDefinition => {
  return {
    name: 'introspect',
    methods: ['POST'],
    respondToError: (error) => tokenError(error, error.status, buildBasicChallenge(context.issuer)),
    async handle(requestContext) {
      const form = readParameters(await readForm(requestContext.request), parameterNames);
      const found = form.token === undefined ? undefined : await lookUpToken(context.sealers, form.token);
      const find = async (id: string): Promise<IntrospectionCaller | undefined> =>
        context.introspectionClients.get(id) ?? context.clients.findPresenter(id, found?.token.clientId);
      const { party: caller, assertion } = await authenticateClient(context, requestContext, form, {
        find,
        allowPublic: false,
      });
      if (form.token === undefined) throw tokenEndpointError('token-parameter.missing');
      if (found === undefined || !mayIntrospect(found, caller)) return introspectionJson({ active: false });
      await recordAssertion(context, assertion, found.token.grantId);
      return introspectionJson((await describeToken(context, found, caller)) ?? { active: false });
    },
  };
};

const mayIntrospect = (found: PresentedToken, caller: IntrospectionCaller): boolean => {
  switch (caller.kind) {
    case 'introspection-client':
      return found.kind === 'access' && found.resource === caller.resource;
    case 'gpt-action':
    case 'static':
    case 'metadata-document':
    case 'registration':
      return found.token.clientId === caller.id;
  }
};

/**
 * Reads storage, and not the revocation cache, so that the response is current.
 * @returns `undefined` if the token is not active: it has expired, was revoked, or can no longer be used
 */
const describeToken = async (
  context: BrokerContext,
  found: PresentedToken,
  caller: IntrospectionCaller,
): Promise<object | undefined> => {
  const now = context.now();
  const { clientId, scopes, expiresAt } = found.token;
  if (now >= expiresAt || !(await isTokenActive(context, found, now))) return undefined;
  return {
    active: true,
    iss: context.issuer,
    client_id: clientId,
    scope: scopes.join(' '),
    exp: expiresAt,
    ...(found.kind === 'access' && describeAccessToken(found.token, found.resource, caller)),
  };
};

const isTokenActive = async (
  { storage, lifetimes, lateRefresh }: BrokerContext,
  found: PresentedToken,
  now: number,
): Promise<boolean> => {
  switch (found.kind) {
    case 'access':
      return !(await storage.isRevoked(found.token, now));
    case 'refresh':
      // Also if its provider is not configured at the moment: the token was not revoked, and will work again.
      return (
        (await storage.readRefreshable({
          ...{ ...found.token, now, lateRefresh },
          grace: lifetimes.refreshGrace,
        })) !== undefined
      );
  }
};

/**
 * Returns the user ID and claims only to the API. A client identifies its users by their tokens, and two
 * clients must not be able to find out that they have the same user.
 */
const describeAccessToken = (
  { userId, claims, issuedAt }: AccessToken,
  resource: string,
  { kind }: IntrospectionCaller,
) => ({
  token_type: 'Bearer',
  aud: resource,
  iat: issuedAt,
  ...(kind === 'introspection-client' && { sub: userId, claims }),
});
