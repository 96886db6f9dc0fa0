/** `GET /authorize` (RFC 6749 §4.1.1): checks the request and shows the sign-in page, which is the consent. Records nothing. */

import type { Client, Registry } from '../clients/client.ts';
import { type BrokerContext, paths } from '../context.ts';
import { createPageDoor } from '../endpoint/error-page.ts';
import type { EndpointPlan } from '../endpoint/handler.ts';
import { readCookies } from '../http/cookies.ts';
import { bindBrowser } from '../http/csrf.ts';
import { formPage } from '../http/responses.ts';
import { Refusal } from '../oauth/errors.ts';
import { type Parameters, readParameters, readResource } from '../oauth/parameters.ts';
import { parseChallenge } from '../oauth/pkce.ts';
import { hostOf, type VerifiedRedirect, verifyRedirect } from '../oauth/redirect-uri.ts';
import { type DeclaredScopes, grantedScopes } from '../oauth/scope.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';
import { choicesOf } from '../ui/layout.ts';
import { type Earlier, offerOf } from './continue-session.ts';
import { orRedirectBack } from './response.ts';

export const authorizeEndpoint = (rooms: BrokerContext): EndpointPlan => ({
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

// The checks of an authorization request, in their order: first who asks and where the answer goes, then what they ask for.

const known = [
  'client_id',
  'redirect_uri',
  'state',
  'response_type',
  'response_mode',
  'scope',
  // Listed to be refused when repeated; `parseChallenge` reads them itself, because there empty is not absent.
  'code_challenge',
  'code_challenge_method',
] as const;
type Query = Parameters<(typeof known)[number]>;

/** Who asks, and that they may be answered there: from here on an error may redirect. */
export interface Asker {
  readonly client: Client;
  readonly redirect: VerifiedRedirect;
  readonly state: string | undefined;
  readonly query: Query;
}

const longestState = 2048;

/**
 * Establishes client and redirect.
 * @throws Refusal to be shown to the person, never redirected
 */
export const identifyAsker = (source: URLSearchParams, registry: Registry): Asker => {
  const query = readParameters(source, known);
  const state = parseState(query.state);
  if (query.client_id === undefined) throw new Refusal('client.missing');
  const client = registry.find(query.client_id);
  if (client === undefined) throw new Refusal('client.unknown');
  return { client, redirect: verifyRedirect(client, query.redirect_uri), state, query };
};

/**
 * Checks what is asked for.
 * @param resources all that exist, the default first
 * @param declared all scopes that exist on this server
 * @throws Refusal to be sent to the client
 */
export const parseAuthorizationRequest = (
  source: URLSearchParams,
  { client, redirect, state, query }: Asker,
  resources: readonly string[],
  declared: DeclaredScopes,
): AuthorizationRequest => {
  checkResponseType(query);
  const codeChallenge = parseChallenge(source, client.pkce);
  const scopes = grantedScopes(query.scope, client, declared);
  const resource = parseResource(source, resources);
  return { clientId: client.id, redirectUri: redirect, state, scopes, resource, codeChallenge };
};

/** RFC 6749 appendix A.5: printable ASCII. Anything else could not be given back safely. */
const parseState = (state: string | undefined): string | undefined => {
  if (state !== undefined && state.length > longestState) throw new Refusal('state.too-long');
  if (state !== undefined && !/^[\x20-\x7E]*$/.test(state)) throw new Refusal('state.characters');
  return state;
};

const checkResponseType = ({ response_type, response_mode }: Query): void => {
  if (response_type === undefined) throw new Refusal('response-type.missing');
  if (response_type !== 'code') throw new Refusal('response-type.unsupported');
  if (response_mode !== undefined && response_mode !== 'query')
    throw new Refusal('response-mode.unsupported');
};

const parseResource = (source: URLSearchParams, resources: readonly string[]): string => {
  const requested = readResource(source) ?? resources[0];
  if (requested === undefined || !resources.includes(requested)) throw new Refusal('resource.unknown');
  return requested;
};

// The sign-in page, which is the consent: shown for a verified request, and again where going on in a session failed.

type SignInPageContext = Pick<
  BrokerContext,
  'vault' | 'lifetimes' | 'scopes' | 'providers' | 'pages' | 'branding' | 'now' | 'randomBytes'
>;

/** What the page is about. */
export interface Asked {
  readonly client: Client;
  readonly redirect: VerifiedRedirect;
  readonly request: AuthorizationRequest;
}

/**
 * Shows the page, bound to the browser and to the session that it offers.
 * @param cookies set with it
 */
export const showSignInPage = async (
  rooms: SignInPageContext,
  { client, redirect, request }: Asked,
  { session, shown, notice }: Earlier,
  browser: { readonly request: Request; readonly cookies: readonly string[] },
): Promise<Response> => {
  const { randomBytes, lifetimes } = rooms;
  const { csrf, setCookies } = await bindBrowser(
    readCookies(browser.request),
    randomBytes,
    lifetimes.consent,
  );
  const expiresAt = rooms.now() + lifetimes.consent;
  const html = rooms.pages.signIn({
    branding: rooms.branding,
    stylesheetPath: paths.stylesheet,
    action: paths.consent,
    clientName: client.name,
    redirectHost: hostOf(redirect),
    scopes: request.scopes.map((name) => ({ name, description: rooms.scopes.get(name) ?? name })),
    providers: choicesOf([...rooms.providers.values()], paths.icons),
    ...(shown !== undefined && { session: shown }),
    ...(notice !== undefined && { notice }),
    consent: await rooms.vault.consent.seal({ request, csrf, expiresAt, session }),
  });
  return formPage(html, [...setCookies, ...browser.cookies]);
};
