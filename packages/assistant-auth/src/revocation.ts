/** `POST /revoke` (RFC 7009): a client ends the grant that a token of its own came from. */

import { authenticateClient, buildBasicChallenge, credentialParameters } from './clients/authentication.ts';
import type { BrokerContext } from './context.ts';
import type { EndpointDefinition } from './endpoint/handler.ts';
import { readForm } from './http/request.ts';
import { emptyResponse, tokenError } from './http/responses.ts';
import { ProtocolError } from './oauth/errors.ts';
import { readParameters } from './oauth/parameters.ts';
import { lookUpToken } from './tokens/sealers.ts';

const parameterNames = ['token', 'token_type_hint', ...credentialParameters] as const;

export const revocationEndpoint = (context: BrokerContext): EndpointDefinition => ({
  name: 'revoke',
  methods: ['POST'],
  respondToError: (error) => tokenError(error, error.status, buildBasicChallenge(context.issuer)),
  async handle(requestContext) {
    const form = readParameters(await readForm(requestContext.request), parameterNames);
    const { id: clientId } = await authenticateClient(context, requestContext.request, form, context.clients);
    if (form.token === undefined) throw new ProtocolError('token-parameter.missing');
    const found = await lookUpToken(context.sealers, form.token);
    // Nothing of ours is nothing that could be used: the client has what it wants (§2.2).
    if (found === undefined) return emptyResponse();
    if (found.token.clientId !== clientId) throw new ProtocolError('token-parameter.client');
    // Expired or of an old generation, it still says which grant the client wants to be rid of.
    const { grantId } = found.token;
    const target = { kind: 'grant', id: grantId } as const;
    await context.storage.revoke(target, 'revoked by its client', context.now(), 'client');
    requestContext.log({ event: 'revoked', clientId });
    return emptyResponse();
  },
});
