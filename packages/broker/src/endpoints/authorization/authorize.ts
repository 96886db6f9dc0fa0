/** `GET /authorize` (RFC 6749 §4.1.1): checks the request and shows the sign-in page, which is the consent. Records nothing. */
import type { Registry } from '../../clients/registry.ts';
import type { EndpointPlan } from '../../doors/endpoint.ts';
import { createPageDoor } from '../../doors/page-door.ts';
import { orRedirectBack } from '../../doors/redirect-back.ts';
import type { Issuer } from '../../protocol/origin.ts';
import { identifyAsker, parseAuthorizationRequest } from '../../sign-in/authorization-request.ts';
import type { SessionRooms } from '../../sign-in/session.ts';
import { offerOf } from './going-on.ts';
import { type SignInPageRooms, showSignInPage } from './sign-in-page.ts';

export interface AuthorizeRooms extends SignInPageRooms, SessionRooms {
  readonly issuer: Issuer;
  readonly registry: Registry;
  /** All resources, the default first. */
  readonly resources: readonly string[];
}

export const authorizeEndpoint = (rooms: AuthorizeRooms): EndpointPlan => ({
  name: 'authorize',
  methods: ['GET'],
  refuse: createPageDoor(rooms),
  async handle(visit) {
    const query = visit.url.searchParams;
    const asker = identifyAsker(query, rooms.registry);
    const way = { ...asker, clientId: asker.client.id, issuer: rooms.issuer };
    return orRedirectBack(way, visit, [], async () => {
      const request = parseAuthorizationRequest(query, asker, rooms.resources, rooms.scopes);
      const earlier = await offerOf(visit.request, rooms);
      return showSignInPage(rooms, { ...asker, request }, earlier, { request: visit.request, cookies: [] });
    });
  },
});
