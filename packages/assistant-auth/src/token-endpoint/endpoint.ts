/**
 * `POST /token` (RFC 6749 §3.2): authenticates the client, calls the grant handler, and issues the tokens.
 */

import { authenticateClient, buildBasicChallenge, credentialParameters } from '../clients/authentication.ts';
import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import {
  bindToRequest,
  type EndpointDefinition,
  logProtocolError,
  toProtocolError,
} from '../endpoint/handler.ts';
import { readForm } from '../http/request.ts';
import { tokenError, tokenJson } from '../http/responses.ts';
import type { Seconds } from '../oauth/identifiers.ts';
import { readParameters, readResource } from '../oauth/parameters.ts';
import { type ProtocolError, tokenEndpointError } from '../oauth/protocol-error.ts';
import { findByResource, type Sealers } from '../tokens/sealers.ts';
import { authorizationCodeGrant } from './authorization-code.ts';
import {
  type GrantHandler,
  type GrantParameters,
  grantParameters,
  openPresented,
  type TokenGrant,
} from './grant-handler.ts';
import { refreshTokenGrant } from './refresh-token.ts';

/** The supported grant types. The server metadata lists them. */
export const grantHandlers: ReadonlyMap<string, GrantHandler> = new Map([
  ['authorization_code', authorizationCodeGrant],
  ['refresh_token', refreshTokenGrant],
]);

const parameterNames = ['grant_type', ...credentialParameters, ...grantParameters] as const;

export const tokenEndpoint = (context: BrokerContext): EndpointDefinition => {
  const challenge = buildBasicChallenge(context.issuer);
  return {
    name: 'token',
    methods: ['POST'],
    respondToError: (protocolError) => tokenError(protocolError, protocolError.status, challenge),
    async handle(requestContext) {
      const form = parseTokenRequest(await readForm(requestContext.request));
      const { party: client, assertion } = await authenticateClient(context, requestContext, form, {
        find: (id) => findClient(context, form, id),
      });
      try {
        const handler = findGrantHandler(form.grant_type);
        const grant = await handler(bindToRequest(context, requestContext), { client, assertion }, form);
        const response = await issueTokens(context.sealers, client, grant);
        requestContext.log({ event: 'tokens-issued', clientId: client.id });
        context.startCleanupIfDue?.(requestContext.waitUntil);
        return tokenJson(response);
      } catch (error) {
        const protocolError = toProtocolError(error);
        logProtocolError(protocolError, requestContext, { clientId: client.id });
        return tokenError(protocolError, selectErrorStatus(protocolError, client), challenge);
      }
    },
  };
};

const parseTokenRequest = (form: URLSearchParams) => {
  const resource = readResource(form);
  const parameters = readParameters(form, parameterNames);
  return resource === undefined ? parameters : { ...parameters, resource };
};

/**
 * Finds the client of a token request. If it is not in the configuration, the code or refresh token must have
 * been issued to it. Otherwise the error is that of an invalid code or token, so that the client starts a new
 * sign-in.
 */
const findClient = async (
  { clients, sealers }: BrokerContext,
  { code = '', refresh_token: refreshToken }: GrantParameters,
  id: string,
): Promise<Client | undefined> => {
  if (!clients.requiresSource(id)) return clients.find(id);
  const kind = refreshToken === undefined ? 'code' : 'refresh';
  const presented = refreshToken ?? code;
  const { clientId } = await openPresented<{ readonly clientId: string }>(kind, sealers[kind], presented);
  if (clientId !== id) throw tokenEndpointError(`${kind}.client`);
  return clients.find(id);
};

const findGrantHandler = (type: string | undefined): GrantHandler => {
  if (type === undefined) throw tokenEndpointError('grant-type.missing');
  const handler = grantHandlers.get(type);
  if (handler === undefined) throw tokenEndpointError('grant-type.unsupported');
  return handler;
};

/**
 * Selects the status that the client needs to start a new sign-in if its refresh token is not valid, for
 * example expired or revoked.
 */
const selectErrorStatus = (protocolError: ProtocolError, client: Client): number =>
  protocolError.code === 'invalid_grant' && protocolError.reason.startsWith('refresh')
    ? client.refreshFailureStatus
    : protocolError.status;

/** The response of the token endpoint, with the names of RFC 6749 §5.1. */
interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'bearer';
  /** The lifetime of the access token. */
  readonly expires_in: Seconds;
  readonly refresh_token?: string;
  readonly scope: string;
}

/**
 * Issues tokens (RFC 6749 §5.1): a sealed access token and, if the grant's policy allows one, a refresh
 * token.
 */
export const issueTokens = async (
  sealers: Sealers,
  client: Pick<Client, 'isChatGptMcpClient'>,
  tokenGrant: TokenGrant,
): Promise<TokenResponse> => {
  const { grantId, clientId, grant, scopes, now, accessExpiresAt } = tokenGrant;
  const refreshToken = tokenGrant.refreshToken ?? (await sealRefreshToken(sealers, tokenGrant));
  const access = findByResource(sealers.access, grant.resource);
  // Both grant handlers checked the resource before they redeemed the code or refreshed the grant.
  if (access === undefined) throw new Error('the resource of this grant is not configured');
  const { userId, redirectUri, claims } = grant;
  const sealed = await access.seal({
    userId,
    grantId,
    clientId,
    scopes,
    claims,
    issuedAt: now,
    expiresAt: accessExpiresAt,
    isChatGptMcpClient: client.isChatGptMcpClient?.(redirectUri) ?? false,
  });
  return {
    access_token: sealed,
    token_type: 'bearer',
    expires_in: accessExpiresAt - now,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    scope: scopes.join(' '),
  };
};

/**
 * Seals the current refresh token of a grant.
 * @returns `undefined` if the grant's policy allows none
 */
export const sealRefreshToken = async (
  sealers: Sealers,
  tokenGrant: TokenGrant,
): Promise<string | undefined> => {
  const { grantId, clientId, grant, requiresAssertion } = tokenGrant;
  const { scopes, resource, provider, generation } = grant;
  const content = { grantId, clientId, scopes, resource, provider, generation, requiresAssertion };
  switch (grant.refreshPolicy) {
    case 'none':
      return undefined;
    // A stable token never changes, so only storage knows when it expires for lack of use.
    case 'stable':
      return sealers.refresh.seal({ ...content, expiresAt: grant.refreshAbsoluteExpiresAt });
    case 'rotating':
      return sealers.refresh.seal({ ...content, expiresAt: grant.refreshIdleExpiresAt });
  }
};
