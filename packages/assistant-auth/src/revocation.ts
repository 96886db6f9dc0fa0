/** `POST /revoke` (RFC 7009): revokes the grant that a token of the authenticated client was issued from. */

import {
  authenticateClient,
  buildBasicChallenge,
  credentialParameters,
  parseClientCredentials,
  recordAssertion,
} from './clients/authentication.ts';
import type { BrokerContext } from './context.ts';
import type { EndpointDefinition } from './endpoint/handler.ts';
import { readForm } from './http/request.ts';
import { tokenError, tokenJson } from './http/responses.ts';
import { readParameters } from './oauth/parameters.ts';
import { tokenEndpointError } from './oauth/protocol-error.ts';
import { lookUpToken } from './tokens/sealers.ts';

const parameterNames = ['token', 'token_type_hint', ...credentialParameters] as const;

// Clients ignore the body of a success response (RFC 7009 §2.2), but some libraries parse every body as JSON.
export const revocationEndpoint = (context: BrokerContext): EndpointDefinition => ({
  name: 'revoke',
  methods: ['POST'],
  respondToError: (error) => tokenError(error, error.status, buildBasicChallenge(context.issuer)),
  async handle(requestContext) {
    const form = readParameters(await readForm(requestContext.request), parameterNames);
    const found = form.token === undefined ? undefined : await lookUpToken(context.sealers, form.token);
    // A token that is not ours needs no client to be looked up: see `findPresenter`.
    if (form.token !== undefined && found === undefined) {
      const { id } = parseClientCredentials(requestContext.request.headers.get('authorization'), form);
      if (context.clients.requiresSource(id)) return tokenJson({});
    }
    const authenticated = await authenticateClient(context, requestContext, form, {
      find: (id) => context.clients.findPresenter(id, found?.token.clientId),
    });
    const clientId = authenticated.party.id;
    if (form.token === undefined) throw tokenEndpointError('token-parameter.missing');
    // A token that is not ours cannot be used here, so the client gets a success response (RFC 7009 §2.2).
    if (found === undefined) return tokenJson({});
    if (found.token.clientId !== clientId) throw tokenEndpointError('token-parameter.client');
    // A token that is expired or was replaced still identifies the grant to revoke.
    const { grantId } = found.token;
    await recordAssertion(context, authenticated.assertion, grantId);
    const target = { kind: 'grant', id: grantId } as const;
    await context.storage.revoke(target, 'revoked by its client', context.now(), 'client');
    requestContext.log({ event: 'revoked', clientId });
    return tokenJson({});
  },
});
