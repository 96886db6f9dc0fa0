/** `POST /token` (RFC 6749 §3.2): the phases that all grant types share — who asks, which grant, and the answer's shape. */

import { basicChallenge, credentialParameters, recognise } from '../clients/authentication.ts';
import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { asRefusal, type EndpointPlan, logRefusal } from '../endpoint/handler.ts';
import { readForm } from '../http/body.ts';
import { tokenError, tokenJson } from '../http/responses.ts';
import { Refusal } from '../oauth/errors.ts';
import { readParameters, readResource } from '../oauth/parameters.ts';
import { authorizationCodeGrant } from './authorization-code.ts';
import { type Grant, grantParameters } from './issue.ts';
import { refreshTokenGrant } from './refresh-token.ts';

/** The grant types that exist; the metadata lists the same. */
export const grants: ReadonlyMap<string, Grant> = new Map([
  ['authorization_code', authorizationCodeGrant],
  ['refresh_token', refreshTokenGrant],
]);

const known = ['grant_type', ...credentialParameters, ...grantParameters] as const;

export const tokenEndpoint = (rooms: BrokerContext): EndpointPlan => {
  const challenge = basicChallenge(rooms.issuer);
  return {
    name: 'token',
    methods: ['POST'],
    refuse: (refusal) => tokenError(refusal, refusal.status, challenge),
    async handle(visit) {
      const form = parseTokenRequest(await readForm(visit.request));
      const client = await recognise(rooms, visit.request, form, rooms.registry.find);
      try {
        const response = await findGrant(form.grant_type)({ ...rooms, log: visit.log }, client, form);
        visit.log({ event: 'tokens-issued', clientId: client.id });
        return tokenJson(response);
      } catch (error) {
        const refusal = asRefusal(error);
        logRefusal(refusal, visit, { clientId: client.id });
        return tokenError(refusal, statusFor(refusal, client), challenge);
      }
    },
  };
};

const parseTokenRequest = (form: URLSearchParams) => {
  const resource = readResource(form);
  return { ...readParameters(form, known), ...(resource === undefined ? {} : { resource }) };
};

const findGrant = (type: string | undefined): Grant => {
  if (type === undefined) throw new Refusal('grant-type.missing');
  const grant = grants.get(type);
  if (grant === undefined) throw new Refusal('grant-type.unsupported');
  return grant;
};

/** A dead refresh token is answered as the client needs it, so that it signs the person in anew. */
const statusFor = (refusal: Refusal, client: Client): number =>
  refusal.code === 'invalid_grant' && refusal.reason.startsWith('refresh.')
    ? client.refreshFailureStatus
    : refusal.status;
