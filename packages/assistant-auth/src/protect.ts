/** The guard of an API (RFC 6750): who calls, by an access token that needs no storage to be read. */

import type { BrokerContext } from './context.ts';
import { asRefusal, causeOf } from './endpoint/handler.ts';
import { allowAnyOrigin, apiPreflight, type Cors, isPreflight } from './http/cors.ts';
import { problem } from './http/responses.ts';
import { failOpen, type RateLimiter } from './limits/rate-limits.ts';
import { Refusal } from './oauth/errors.ts';
import type { UserId } from './oauth/identifiers.ts';
import type { Issuer } from './oauth/issuer.ts';
import { randomId } from './oauth/secrets.ts';
import { type Access, type AccessToken, findByResource } from './tokens/sealed-types.ts';
import type { Opening } from './tokens/sealers.ts';

/** What a call must bring. */
export interface Requirement {
  /** Names the API that is called: one of `resources` (RFC 8707). Default: the first of them. */
  readonly resource?: string;
  /** Scopes that the token must carry, all of them. */
  readonly scopes?: readonly string[];
  /** Counts the call for its user, one among all who share the client's address; left out: nothing is counted. */
  readonly limiter?: RateLimiter;
  /**
   * Decides whether pages on other origins can call the API with `fetch`. With `any-origin`, a preflight gets a finished 204 response
   * without any checks, and error responses have `corsHeaders`; the API must add them to its own responses. With `off`, preflights get
   * no special response, and no headers are added. Default: `any-origin`.
   * @see https://fetch.spec.whatwg.org/#http-cors-protocol
   */
  readonly cors?: Cors;
}

/** The result of the guard: the caller, or the finished response to send instead (401, 403, 421, 429, 503, or 204 for a CORS preflight). */
export type Protection =
  | { readonly kind: 'granted'; readonly access: Access }
  | { readonly kind: 'refused'; readonly response: Response };

export interface ProtectContext
  extends Pick<BrokerContext, 'issuer' | 'resources' | 'revocations' | 'now' | 'log' | 'randomBytes'> {
  /** The origin of the API. */
  readonly origin: string;
  readonly vault: { readonly access: ReadonlyMap<string, Opening<AccessToken>> };
}

/** Far longer than any token of ours. */
const longestHeader = 4096;

export const createProtect = (rooms: ProtectContext) => {
  const root = `${rooms.origin}/`;
  return async (
    request: Request,
    { resource = rooms.resources[0], scopes = [], limiter, cors = 'any-origin' }: Requirement = {},
  ): Promise<Protection> => {
    const shared = cors === 'any-origin';
    if (shared && isPreflight(request)) return { kind: 'refused', response: apiPreflight() };
    try {
      if (!request.url.startsWith(root)) throw new Refusal('request.host');
      const artefact = findByResource(rooms.vault.access, resource);
      if (artefact === undefined)
        throw new Error(`protect was asked for a resource that is not configured: ${resource}`);
      const opened = await artefact.open(bearerOf(request));
      if (opened.kind === 'unopened') throw new Refusal('token.unreadable', { cause: opened.reason });
      const token = opened.value;
      if (rooms.now() >= token.expiresAt) throw new Refusal('token.expired');
      if (await rooms.revocations.isRevoked(token)) throw new Refusal('token.revoked');
      if (!scopes.every((scope) => token.scopes.includes(scope))) throw new Refusal('token.scope');
      if (limiter !== undefined) await countCall(limiter, token.userId, rooms);
      const { userId, clientId, grantId, claims, expiresAt } = token;
      return {
        kind: 'granted',
        access: { userId, clientId, grantId, scopes: token.scopes, claims, expiresAt },
      };
    } catch (error) {
      const refusal = asRefusal(error);
      // A call without a token is how clients ask for a challenge: nothing worth a line.
      if (refusal.reason !== 'token.missing') logRefused(refusal, rooms);
      const response = problem(refusal, challengeOf(refusal, rooms.issuer, scopes));
      return { kind: 'refused', response: shared ? allowAnyOrigin(response) : response };
    }
  };
};

/** RFC 6750 §2.1, the header only: a token in the query ends up in logs, and one in the body is a second place to look. */
const bearerOf = (request: Request): string => {
  const header = request.headers.get('authorization');
  if (header === null) throw new Refusal('token.missing');
  // One token and nothing else: repeated headers arrive joined by commas, which no token contains.
  if (header.length > longestHeader || !/^Bearer +[\w-]+$/i.test(header))
    throw new Refusal('token.malformed');
  return header.slice(header.lastIndexOf(' ') + 1);
};

/** By user: hosted clients send everybody's calls from the same few addresses. */
const countCall = async (limiter: RateLimiter, userId: UserId, { log }: ProtectContext): Promise<void> => {
  if ((await failOpen(limiter, log).take(userId)) === 'limited') throw new Refusal('calls.limited');
};

/** RFC 6750 §3: no error code where no token was sent, so that the client just begins to sign in. */
const challengeOf = (refusal: Refusal, issuer: Issuer, scopes: readonly string[]): string => {
  const needed = scopes.length > 0 ? `, scope="${scopes.join(' ')}"` : '';
  const error = `, error="${refusal.code}", error_description="${refusal.description}"`;
  return `Bearer realm="${issuer}"${refusal.reason === 'token.missing' ? '' : error}${needed}`;
};

const logRefused = (refusal: Refusal, { log, randomBytes }: ProtectContext): void =>
  log({
    event: 'refused',
    endpoint: 'protect',
    requestId: randomId(randomBytes),
    reason: refusal.reason,
    ...causeOf(refusal),
  });
