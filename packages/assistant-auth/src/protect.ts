/**
 * Protects an API with access tokens (RFC 6750): opens the token of a call, and checks expiry, revocation and
 * scopes. Only the revocation cache reads storage.
 */

import type { BrokerContext } from './context.ts';
import { describeErrorForLog, toRequestError } from './endpoint/handler.ts';
import { allowAnyOrigin, apiPreflight, type Cors, isPreflight } from './http/cors.ts';
import { problemResponse } from './http/responses.ts';
import { failOpen, type RateLimiter } from './limits/rate-limits.ts';
import type { UserId } from './oauth/identifiers.ts';
import { apiError, type ProtocolError, requestError } from './oauth/protocol-error.ts';
import type { Issuer } from './oauth/resource.ts';
import { randomId } from './oauth/secrets.ts';
import type { Access, AccessToken } from './tokens/sealed-types.ts';
import { findByResource, type SealedTypeOpener } from './tokens/sealers.ts';

/** The options of `protect`. */
export interface ProtectOptions {
  /** The API that is called: one of `resources` (RFC 8707). Default: the first of them. */
  readonly resource?: string;
  /** The scopes that the token must have, all of them. Default: none. */
  readonly scopes?: readonly string[];
  /** Limits the calls of each user, by user ID. Default: calls are not limited. */
  readonly limiter?: RateLimiter;
  /**
   * Decides whether pages on other origins can call the API with `fetch`. With `any-origin`, a preflight gets
   * a complete 204 response without any checks, and error responses have `corsHeaders`; the API must add them
   * to its own responses. With `off`, preflights get no special response, and no headers are added. Default:
   * `any-origin`.
   * @see https://fetch.spec.whatwg.org/#http-cors-protocol
   */
  readonly cors?: Cors;
}

/**
 * The result of `protect`: the caller, or the complete response to send instead (401, 403, 421, 429, 500,
 * 503, or 204 for a CORS preflight).
 */
export type ProtectResult =
  | { readonly kind: 'granted'; readonly access: Access }
  | { readonly kind: 'refused'; readonly response: Response };

export interface ProtectContext
  extends Pick<BrokerContext, 'issuer' | 'resources' | 'revocations' | 'now' | 'log' | 'randomBytes'> {
  /** The origin of the API. */
  readonly origin: string;
  readonly sealers: { readonly access: ReadonlyMap<string, SealedTypeOpener<AccessToken>> };
}

/** In characters. With the longest possible access token, the header has fewer than 3,500. */
const maxHeaderLength = 4096;

export const createProtect = (context: ProtectContext) => {
  const originPrefix = `${context.origin}/`;
  return async (
    request: Request,
    { resource = context.resources[0], scopes = [], limiter, cors = 'any-origin' }: ProtectOptions = {},
  ): Promise<ProtectResult> => {
    const isCrossOrigin = cors === 'any-origin';
    if (isCrossOrigin && isPreflight(request)) return { kind: 'refused', response: apiPreflight() };
    try {
      if (!request.url.startsWith(originPrefix)) throw requestError('request.host');
      const sealedType = findByResource(context.sealers.access, resource);
      if (sealedType === undefined)
        throw new Error(`protect was called for a resource that is not configured: ${resource}`);
      const opened = await sealedType.open(readBearerToken(request));
      if (opened.kind === 'failed') throw apiError('token.unreadable', { cause: opened.reason });
      const token = opened.value;
      if (context.now() >= token.expiresAt) throw apiError('token.expired');
      if (await context.revocations.isRevoked(token)) throw apiError('token.revoked');
      if (!scopes.every((scope) => token.scopes.includes(scope))) throw apiError('token.scope');
      if (limiter !== undefined) await enforceCallLimit(limiter, token.userId, context);
      const { userId, clientId, grantId, claims, expiresAt } = token;
      return {
        kind: 'granted',
        access: { userId, clientId, grantId, scopes: token.scopes, claims, expiresAt },
      };
    } catch (error) {
      const protocolError = toRequestError(error);
      // Clients call without a token to get the challenge, so this is not logged.
      if (protocolError.reason !== 'token.missing') logRefusedCall(protocolError, context);
      const response = problemResponse(
        protocolError,
        buildBearerChallenge(protocolError, context.issuer, scopes),
      );
      return { kind: 'refused', response: isCrossOrigin ? allowAnyOrigin(response) : response };
    }
  };
};

/**
 * Reads the token from the Authorization header (RFC 6750 §2.1), and from nowhere else: a token in the query
 * would end up in logs, and a token in the body would be a second place to check.
 */
const readBearerToken = (request: Request): string => {
  const header = request.headers.get('authorization');
  if (header === null) throw apiError('token.missing');
  // Exactly one token: repeated headers are joined by commas, which no token contains.
  if (header.length > maxHeaderLength || !/^Bearer +[\w-]+$/i.test(header)) throw apiError('token.malformed');
  return header.slice(header.lastIndexOf(' ') + 1);
};

/** Limits by user, because a hosted client sends the calls of all users from the same few addresses. */
const enforceCallLimit = async (
  limiter: RateLimiter,
  userId: UserId,
  { log }: ProtectContext,
): Promise<void> => {
  if ((await failOpen(limiter, log).take(userId)) === 'limited') throw apiError('calls.limited');
};

/**
 * Builds the challenge of a 401 or 403 response. It has no error code if the request had no token (RFC 6750
 * §3.1).
 */
const buildBearerChallenge = (
  protocolError: ProtocolError,
  issuer: Issuer,
  scopes: readonly string[],
): string => {
  const scopeParameter = scopes.length > 0 ? `, scope="${scopes.join(' ')}"` : '';
  const error = `, error="${protocolError.code}", error_description="${protocolError.description}"`;
  return `Bearer realm="${issuer}"${protocolError.reason === 'token.missing' ? '' : error}${scopeParameter}`;
};

const logRefusedCall = (protocolError: ProtocolError, { log, randomBytes }: ProtectContext): void =>
  log({
    event: 'refused',
    endpoint: 'protect',
    requestId: randomId(randomBytes),
    reason: protocolError.reason,
    ...describeErrorForLog(protocolError),
  });
