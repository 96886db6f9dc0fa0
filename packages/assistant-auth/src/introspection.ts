/** `POST /introspect` (RFC 7662): says what a token is to those it concerns, and to everybody else that it is nothing. */

import { basicChallenge, credentialParameters, recognise } from './clients/authentication.ts';
import type { Client } from './clients/client.ts';
import type { IntrospectionClient } from './clients/introspection-client.ts';
import type { BrokerContext } from './context.ts';
import type { EndpointPlan } from './endpoint/handler.ts';
import { readForm } from './http/body.ts';
import { tokenError, tokenJson } from './http/responses.ts';
import { Refusal } from './oauth/errors.ts';
import { readParameters } from './oauth/parameters.ts';
import { refreshGrace } from './tokens/lifetimes.ts';
import type { AccessToken } from './tokens/sealed-types.ts';
import { findToken, type PresentedToken } from './tokens/sealers.ts';

type Asker = Client | IntrospectionClient;

const known = ['token', 'token_type_hint', ...credentialParameters] as const;

export const introspectionEndpoint = (rooms: BrokerContext): EndpointPlan => {
  const find = (id: string): Asker | undefined =>
    rooms.registry.find(id) ?? rooms.introspectionClients.get(id);
  return {
    name: 'introspect',
    methods: ['POST'],
    refuse: (refusal) => tokenError(refusal, refusal.status, basicChallenge(rooms.issuer)),
    async handle(visit) {
      const form = readParameters(await readForm(visit.request), known);
      const asker = await recognise(rooms, visit.request, form, find);
      if (form.token === undefined) throw new Refusal('token-parameter.missing');
      const found = await findToken(rooms.vault, form.token);
      const description =
        found !== undefined && concerns(found, asker) && (await describe(rooms, found, asker));
      return tokenJson(description || { active: false });
    },
  };
};

/** A public client proves nothing, so it is told nothing (§2.1). */
const concerns = (found: PresentedToken, asker: Asker): boolean => {
  switch (asker.kind) {
    case 'resource-server':
      return found.kind === 'access' && found.resource === asker.resource;
    case 'gpt-action':
    case 'static':
      return asker.authentication === 'client_secret' && found.token.clientId === asker.id;
  }
};

/** Asks the ledger itself, so that the answer is true at this second; `undefined` when the token is dead. */
const describe = async (
  rooms: BrokerContext,
  found: PresentedToken,
  asker: Asker,
): Promise<object | undefined> => {
  const now = rooms.now();
  const { clientId, scopes, expiresAt } = found.token;
  if (now >= expiresAt || !(await isAlive(rooms, found, now))) return undefined;
  return {
    active: true,
    iss: rooms.issuer,
    client_id: clientId,
    scope: scopes.join(' '),
    exp: expiresAt,
    ...(found.kind === 'access' && describeAccess(found.token, found.resource, asker)),
  };
};

const isAlive = async (
  { ledger, lateRefresh }: BrokerContext,
  found: PresentedToken,
  now: number,
): Promise<boolean> => {
  switch (found.kind) {
    case 'access':
      return !(await ledger.isRevoked(found.token, now));
    case 'refresh':
      return ledger.isRefreshable({ ...found.token, now, grace: refreshGrace, lateRefresh });
  }
};

/** Who the user is concerns the API alone: a client knows its users by its tokens, and two of them must not compare. */
const describeAccess = ({ userId, claims, issuedAt }: AccessToken, resource: string, { kind }: Asker) => ({
  token_type: 'Bearer',
  aud: resource,
  iat: issuedAt,
  ...(kind === 'resource-server' && { sub: userId, claims }),
});
