/** `POST /token` (RFC 6749 §3.2): the phases that all grant types share — who asks, which grant, and the answer's shape. */

import { authenticateClient, buildBasicChallenge, credentialParameters } from '../clients/authentication.ts';
import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { type EndpointDefinition, logProtocolError, toProtocolError } from '../endpoint/handler.ts';
import { readForm } from '../http/request.ts';
import { tokenError, tokenJson } from '../http/responses.ts';
import { ProtocolError } from '../oauth/errors.ts';
import { readParameters, readResource } from '../oauth/parameters.ts';
import { authorizationCodeGrant } from './authorization-code.ts';
import { type GrantHandler, grantParameters } from './issue.ts';
import { refreshTokenGrant } from './refresh-token.ts';

/** The grant types that exist; the metadata lists the same. */
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
      const client = await authenticateClient(context, requestContext.request, form, context.registry.find);
      try {
        const response = await findGrantHandler(form.grant_type)(
          { ...context, log: requestContext.log },
          client,
          form,
        );
        requestContext.log({ event: 'tokens-issued', clientId: client.id });
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
  return { ...readParameters(form, parameterNames), ...(resource === undefined ? {} : { resource }) };
};

const findGrantHandler = (type: string | undefined): GrantHandler => {
  if (type === undefined) throw new ProtocolError('grant-type.missing');
  const handler = grantHandlers.get(type);
  if (handler === undefined) throw new ProtocolError('grant-type.unsupported');
  return handler;
};

/** A dead refresh token is answered as the client needs it, so that it signs the person in anew. */
const selectErrorStatus = (protocolError: ProtocolError, client: Client): number =>
  protocolError.code === 'invalid_grant' && protocolError.reason.startsWith('refresh.')
    ? client.refreshFailureStatus
    : protocolError.status;
