/**
 * `GET /authorize` (RFC 6749 §4.1.1): checks the request and shows the sign-in page, which is also the
 * consent page, so `prompt=none` always fails. Stores nothing about the request; it only extends the session
 * of the browser, if there is one. Of the parameters that only OpenID Connect defines (OpenID Connect Core
 * §3.1.2.1), `prompt` and `max_age` have an effect.
 */

import type { Client } from '../clients/client.ts';
import type { ClientRegistry } from '../clients/registry.ts';
import { type BrokerContext, paths, type SessionOffer } from '../context.ts';
import { createErrorPageResponder } from '../endpoint/error-page.ts';
import type { EndpointDefinition } from '../endpoint/handler.ts';
import { bindBrowser } from '../http/csrf.ts';
import { readCookies } from '../http/request.ts';
import { formPageResponse } from '../http/responses.ts';
import type { Seconds } from '../oauth/identifiers.ts';
import { type Parameters, readParameters, readResource } from '../oauth/parameters.ts';
import { parseCodeChallenge } from '../oauth/pkce.ts';
import { authorizationError } from '../oauth/protocol-error.ts';
import { formatRedirectHost, type VerifiedRedirect, verifyRedirect } from '../oauth/redirect-uri.ts';
import { type DeclaredScopes, resolveGrantedScopes } from '../oauth/scope.ts';
import { readLastProvider } from '../sign-in/last-provider.ts';
import { selectRefreshPolicy } from '../sign-in/resolve-user.ts';
import { StorageUnavailable } from '../storage/broker-storage.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';
import { describeScope } from '../ui/branding.ts';
import { listProviderChoices } from '../ui/layout.ts';
import type { AccessDuration, ClientIdentity } from '../ui/sign-in.ts';
import { withErrorRedirect } from './response.ts';

export const authorizeEndpoint = (context: BrokerContext): EndpointDefinition => ({
  name: 'authorize',
  methods: ['GET'],
  respondToError: createErrorPageResponder(context),
  async handle(requestContext) {
    const query = new URL(requestContext.request.url).searchParams;
    const requestingClient = await validateClientAndRedirect(query, context.clients);
    const { client, redirect } = requestingClient;
    const target = { ...requestingClient, issuer: context.issuer };
    const work = async (): Promise<Response> => {
      const request = parseAuthorizationRequest(query, requestingClient, context.resources, context.scopes);
      const prompt = readPrompt(query);
      const sessionOffer = await findSessionOffer(context, requestContext.request, prompt, request.maxAge);
      if (prompt.has('none')) {
        const isSignedIn = sessionOffer.session !== undefined;
        throw authorizationError(isSignedIn ? 'prompt.consent-required' : 'prompt.login-required');
      }
      return showSignInPage(context, { ...requestingClient, request }, sessionOffer, {
        request: requestContext.request,
        cookies: [],
      });
    };
    // An untrusted redirect URI gets no error before the user has seen a page. Otherwise, a link to this
    // server could lead to any website that has published a metadata document (RFC 9700 §4.11.2).
    return client.isTrustedRedirect?.(redirect) === false
      ? work()
      : withErrorRedirect(context, target, requestContext, work);
  },
});

// The checks in order: repeated parameters, `state`, client and redirect URI (errors show a page), then the
// rest (errors are redirected).

const parameterNames = [
  'client_id',
  'redirect_uri',
  'state',
  'response_type',
  'response_mode',
  'scope',
  // Listed so that repeated values are refused. `parseCodeChallenge` reads them itself, because an empty
  // value must not count as absent.
  'code_challenge',
  'code_challenge_method',
] as const;
type Query = Parameters<(typeof parameterNames)[number]>;

/**
 * A registered client and its verified redirect URI. From here on, errors can be redirected to the client.
 */
export interface RequestingClient {
  readonly client: Client;
  readonly redirect: VerifiedRedirect;
  readonly state: string | undefined;
  readonly query: Query;
}

const maxStateLength = 2048;

/**
 * Finds the client and verifies the redirect URI.
 * @throws ProtocolError, or StorageUnavailable, that is shown to the user and never redirected
 */
export const validateClientAndRedirect = async (
  params: URLSearchParams,
  clients: ClientRegistry,
): Promise<RequestingClient> => {
  const query = readParameters(params, parameterNames);
  const state = parseState(query.state);
  if (query.client_id === undefined) throw authorizationError('client.missing');
  const client = await clients.find(query.client_id);
  if (client === undefined) throw authorizationError('client.unknown');
  return { client, redirect: verifyRedirect(client, query.redirect_uri), state, query };
};

/**
 * Checks the response type, the code challenge, the scopes and the resource, and reads `prompt` and
 * `max_age`.
 * @param resources all resources; the first is the default
 * @param declaredScopes all scopes of this server
 * @throws ProtocolError that is redirected to the client
 */
export const parseAuthorizationRequest = (
  params: URLSearchParams,
  { client, redirect, state, query }: RequestingClient,
  resources: readonly string[],
  declaredScopes: DeclaredScopes,
): AuthorizationRequest => {
  checkResponseType(query);
  const resource = parseResource(params, resources);
  // MCP requires PKCE, so only a request for the default resource, which is not an MCP server, can omit it.
  const codeChallenge = parseCodeChallenge(params, resource === resources[0] ? client.pkce : 'required');
  const scopes = resolveGrantedScopes(query.scope, client, declaredScopes);
  const prompt = readPrompt(params);
  const maxAge = prompt.has('login') ? 0 : readMaxAge(params);
  const selectAccount = prompt.has('select_account');
  return {
    ...{ clientId: client.id, redirectUri: redirect, state, scopes, resource, codeChallenge },
    ...{ maxAge, selectAccount },
  };
};

/** Allows printable ASCII (RFC 6749 appendix A.5). Other characters could not be returned safely. */
const parseState = (state: string | undefined): string | undefined => {
  if (state !== undefined && state.length > maxStateLength) throw authorizationError('state.too-long');
  if (state !== undefined && !/^[\x20-\x7E]*$/.test(state)) throw authorizationError('state.characters');
  return state;
};

const checkResponseType = ({ response_type, response_mode }: Query): void => {
  if (response_type === undefined) throw authorizationError('response-type.missing');
  if (response_type !== 'code') throw authorizationError('response-type.unsupported');
  if (response_mode !== undefined && response_mode !== 'query')
    throw authorizationError('response-mode.unsupported');
};

const parseResource = (params: URLSearchParams, resources: readonly string[]): string => {
  const requested = readResource(params) ?? resources[0];
  if (requested === undefined || !resources.includes(requested)) throw authorizationError('resource.unknown');
  return requested;
};

// `prompt` and `max_age` (OpenID Connect Core §3.1.2.1). Many OAuth clients send them without using OpenID
// Connect, so no value is refused: unknown, malformed and repeated values have the strictest effect.

/** Reads the values of `prompt`, from one parameter, where they are separated by spaces, or from several. */
const readPrompt = (params: URLSearchParams): ReadonlySet<string> =>
  new Set(
    params
      .getAll('prompt')
      .flatMap((value) => value.split(' '))
      .filter((value) => value !== ''),
  );

/** The largest 32-bit number, because some providers cannot read a larger one. It is 68 years. */
const maxMaxAge: Seconds = 2 ** 31 - 1;

/** Reads the smallest `max_age`. A malformed one counts as 0. */
const readMaxAge = (params: URLSearchParams): Seconds | undefined => {
  const values = params.getAll('max_age').filter((value) => value !== '');
  if (values.length === 0) return undefined;
  return Math.min(maxMaxAge, ...values.map((value) => (/^\d+$/.test(value) ? Number(value) : 0)));
};

/**
 * Finds the session that the page can offer. If storage is unavailable, the page is shown without an offer,
 * but `prompt=none` fails: a client could take `login_required` to mean that the user signed out.
 * @throws StorageUnavailable if `prompt` contains `none`
 */
const findSessionOffer = async (
  context: BrokerContext,
  request: Request,
  prompt: ReadonlySet<string>,
  maxAge: Seconds | undefined,
): Promise<SessionOffer> => {
  // All other values request that the user sign in or choose an account, or are unknown.
  const isSessionAccepted = [...prompt].every((value) => value === 'none' || value === 'consent');
  if (!isSessionAccepted || maxAge === 0) return {};
  try {
    return (await context.sessions?.findOffer(request, context, maxAge)) ?? {};
  } catch (error) {
    if (error instanceof StorageUnavailable && !prompt.has('none')) return {};
    throw error;
  }
};

// The sign-in page, which is also the consent page. It is shown again if the sign-in cannot continue in a
// session.

type SignInPageContext = Pick<
  BrokerContext,
  | 'issuer'
  | 'sealers'
  | 'lifetimes'
  | 'scopes'
  | 'providers'
  | 'sessions'
  | 'pages'
  | 'branding'
  | 'now'
  | 'randomBytes'
>;

/** The verified request that the page is shown for. */
export interface SignInPageRequest {
  readonly client: Client;
  readonly redirect: VerifiedRedirect;
  readonly request: AuthorizationRequest;
}

/**
 * Shows the sign-in page, bound to the browser and to the session that the page offers.
 * @param browser the browser's request, and cookies to set in addition to the binding cookie
 */
export const showSignInPage = async (
  context: SignInPageContext,
  { client, redirect, request }: SignInPageRequest,
  { session, display, notice }: SessionOffer,
  browser: { readonly request: Request; readonly cookies: readonly string[] },
): Promise<Response> => {
  const { randomBytes, lifetimes } = context;
  const cookies = readCookies(browser.request);
  const { csrf, setCookies } = await bindBrowser(cookies, randomBytes, lifetimes.consent);
  const expiresAt = context.now() + lifetimes.consent;
  const branding = context.branding.select(browser.request);
  const html = context.pages.signIn({
    branding,
    stylesheetPath: paths.stylesheet,
    action: paths.consent,
    clientName: client.name,
    clientIdentity: describeClientIdentity(client),
    redirectHost: formatRedirectHost(redirect),
    // Only loopback addresses are registered with http. On the issuer's own origin, no other app gets the code.
    redirectKind:
      redirect.startsWith('https:') || redirect.startsWith(`${context.issuer}/`) ? 'website' : 'device',
    scopes: request.scopes.map((scope) => ({
      name: scope,
      description: describeScope(context.scopes, scope, branding),
    })),
    access: describeAccess(lifetimes, client, request.scopes),
    ...(context.sessions && { accountPath: context.sessions.accountPath }),
    providers: listProviderChoices(context.providers.values(), paths.icons, readLastProvider(cookies)),
    ...(display !== undefined && { session: display }),
    ...(notice !== undefined && { notice }),
    consent: await context.sealers.consent.seal({ request, csrf, expiresAt, session }),
  });
  return formPageResponse(html, [...setCookies, ...browser.cookies]);
};

const describeAccess = (
  { access, refresh }: SignInPageContext['lifetimes'],
  client: Client,
  scopes: readonly string[],
): AccessDuration => {
  const policy = selectRefreshPolicy(client, scopes);
  if (policy === 'none') return { kind: 'once', lifetime: access };
  const { absolute, idle } = refresh[policy];
  return { kind: 'refreshed', lifetime: absolute, idleLifetime: idle };
};

const describeClientIdentity = ({ kind, id }: Client): ClientIdentity => {
  switch (kind) {
    case 'gpt-action':
    case 'static':
      return { kind: 'configured' };
    case 'metadata-document':
      return { kind, host: new URL(id).host };
    case 'registration':
      return { kind };
  }
};
