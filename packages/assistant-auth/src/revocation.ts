/** `POST /revoke` (RFC 7009): a client ends the grant that a token of its own came from. */

import { basicChallenge, credentialParameters, recognise } from './clients/authentication.ts';
import type { BrokerContext } from './context.ts';
import type { EndpointPlan } from './endpoint/handler.ts';
import { readForm } from './http/body.ts';
import { done, tokenError } from './http/responses.ts';
import { Refusal } from './oauth/errors.ts';
import { readParameters } from './oauth/parameters.ts';
import { findToken } from './tokens/sealers.ts';

const known = ['token', 'token_type_hint', ...credentialParameters] as const;

export const revocationEndpoint = (rooms: BrokerContext): EndpointPlan => ({
  name: 'revoke',
  methods: ['POST'],
  refuse: (refusal) => tokenError(refusal, refusal.status, basicChallenge(rooms.issuer)),
  async handle(visit) {
    const form = readParameters(await readForm(visit.request), known);
    const { id: clientId } = await recognise(rooms, visit.request, form, rooms.registry.find);
    if (form.token === undefined) throw new Refusal('token-parameter.missing');
    const found = await findToken(rooms.vault, form.token);
    // Nothing of ours is nothing that could be used: the client has what it wants (§2.2).
    if (found === undefined) return done();
    if (found.token.clientId !== clientId) throw new Refusal('token-parameter.client');
    // Expired or of an old generation, it still says which grant the client wants to be rid of.
    const { grantId } = found.token;
    const target = { kind: 'grant', id: grantId } as const;
    await rooms.ledger.revoke(target, 'revoked by its client', rooms.now(), 'client');
    visit.log({ event: 'revoked', clientId });
    return done();
  },
});
