/** `GET /authorize` (RFC 6749 §4.1.1): checks the request and shows the sign-in page, which is the consent. Stores nothing. */
import type { VerifiedRedirect } from '../clients/redirect.ts';
import type { Registry } from '../clients/registry.ts';
import type { EndpointPlan, Visit } from '../doors/endpoint.ts';
import { createPageDoor, type PageSurroundings } from '../doors/page-door.ts';
import { orRedirectBack } from '../doors/redirect-back.ts';
import { readCookies, setCookie } from '../http/cookies.ts';
import { formPage } from '../http/respond.ts';
import type { Issuer } from '../protocol/origin.ts';
import { type RandomBytes, randomToken } from '../protocol/random.ts';
import type { Clock } from '../protocol/time.ts';
import type { IdentityProvider } from '../providers/identity-provider.ts';
import { type Asker, identifyAsker, parseAuthorizationRequest } from '../sign-in/authorization-request.ts';
import { csrfCookie, readCsrf } from '../sign-in/browser-binding.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { AuthorizationRequest } from '../tokens/transaction.ts';
import type { Vault } from '../tokens/vault.ts';

export interface AuthorizeRooms extends PageSurroundings {
  readonly issuer: Issuer;
  readonly registry: Registry;
  readonly vault: Vault;
  readonly lifetimes: Lifetimes;
  /** All resources, the default first. */
  readonly resources: readonly string[];
  /** What each scope lets a client do, as the page says it. */
  readonly scopes: ReadonlyMap<string, string>;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  /** Where the page's form goes. */
  readonly consentPath: string;
  /** Where the mark of a provider is, if it has one. */
  readonly markPath: (provider: string) => string;
  readonly now: Clock;
  readonly randomBytes: RandomBytes;
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
      const request = parseAuthorizationRequest(query, asker, rooms.resources);
      return showSignInPage(rooms, asker, request, visit);
    });
  },
});

const showSignInPage = async (
  rooms: AuthorizeRooms,
  asker: Asker,
  request: AuthorizationRequest,
  visit: Visit,
): Promise<Response> => {
  const csrf = readCsrf(readCookies(visit.request)) ?? randomToken(rooms.randomBytes);
  const expiresAt = rooms.now() + rooms.lifetimes.consent;
  const html = rooms.pages.signIn({
    branding: rooms.branding,
    stylesheetPath: rooms.stylesheetPath,
    action: rooms.consentPath,
    clientName: asker.client.name,
    redirectHost: hostOf(asker.redirect),
    scopes: request.scopes.map((name) => ({ name, description: rooms.scopes.get(name) ?? name })),
    providers: [...rooms.providers.values()].map(({ id, label, mark }) => ({
      id,
      label,
      ...(mark !== undefined && { markPath: rooms.markPath(id) }),
    })),
    consent: await rooms.vault.consent.seal({ request, csrf, expiresAt }),
  });
  return formPage(html, [setCookie(csrfCookie, csrf)]);
};

/** The host; of a private-use scheme (RFC 8252 §7.1) the scheme, because what stands in a host's place there may be any name. */
const hostOf = (redirect: VerifiedRedirect): string => {
  const { host, protocol } = new URL(redirect);
  return /^https?:$/.test(protocol) ? host : protocol;
};
