/**
 * Protects an API with access tokens (RFC 6750): opens the token of a call, and checks expiry, revocation and
 * scopes. Only the revocation cache reads storage.
 */

import type { BrokerContext } from './context.ts';
import { logRefusedCall } from './endpoint/event-log.ts';
import { toRequestError } from './endpoint/handler.ts';
import { allowAnyOrigin, apiPreflight, type Cors, isPreflight } from './http/cors.ts';
import { requireOrigin } from './http/request.ts';
import { problemResponse } from './http/responses.ts';
import { failOpen, type RateLimiter } from './limits/rate-limits.ts';
import { ConfigurationError } from './oauth/errors.ts';
import type { EpochSeconds, GrantId, UserClaims, UserId } from './oauth/identifiers.ts';
import { apiError, type ProtocolError } from './oauth/protocol-error.ts';
import type { Issuer } from './oauth/resource.ts';
import { scopeNamePattern } from './oauth/scope.ts';
import type { AccessToken } from './tokens/sealed-types.ts';
import { findByResource, type SealedTypeOpener } from './tokens/sealers.ts';
import { cacheOpened } from './tokens/token-cache.ts';

/** The options of `protect`. */
export interface ProtectOptions {
  /**
   * The API that is called: one of `resources` (RFC 8707). Any other value results in a 500 response.
   * Default: the first of `resources`.
   */
  readonly resource?: string;
  /** The scopes that the token must have, all of them. Default: none. */
  readonly scopes?: readonly string[];
  /**
   * The scopes that the challenge of a 401 response tells the client to request. Pass it if the required
   * scopes depend on the body of the request, as in an MCP server, so that the client requests all of them
   * when the user first signs in. Default: `scopes`.
   */
  readonly challengeScopes?: readonly string[];
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

/** The result of `protect`. Check `ok` to tell the two cases apart. */
export type ProtectResult = AuthorizedCall | RefusedCall;

/** A call with an access token that is valid for this API and has the required scopes. */
export interface AuthorizedCall {
  /** Always `true`. */
  readonly ok: true;
  /** The user whose access token it is. */
  readonly user: {
    /**
     * The ID that `resolveUser` returned, or the ID that the broker assigned. It never changes, whichever
     * provider the user signs in with: store it with the user's data.
     */
    readonly id: UserId;
  };
  /** The client that calls the API for the user. */
  readonly client: {
    /** The client ID. */
    readonly id: string;
    /**
     * Whether the client is ChatGPT as an MCP client: the client ID is that of ChatGPT's metadata document,
     * `https://chatgpt.com/oauth/client.json` or `https://chatgpt.com/oauth/{callback_id}/client.json`, and
     * the authorization code was sent to ChatGPT's redirect URI for apps. `false` for Codex, for the Actions
     * of GPTs, and for ChatGPT with any other client ID. The broker seals it into the token, so a caller cannot
     * change it. It grants nothing.
     *
     * An MCP server needs it to report a missing scope: ChatGPT learns about that only from the result of a tool,
     * and other clients only from a 403 response. `mcpHandler` of assistant-operations has the option
     * `reportsMissingScopeInResult` for it.
     */
    readonly isChatGptMcpClient: boolean;
  };
  /** The grant that the token was issued from: what this user has allowed this client to do. */
  readonly grant: {
    /** The ID of the grant, for audit logs. Tokens that are refreshed keep it. */
    readonly id: GrantId;
  };
  /** The scopes of the token, at least the required ones. */
  readonly scopes: readonly string[];
  /** The user's claims: what `resolveUser` returned, or `refreshUser` at a later refresh. Default: empty. */
  readonly claims: UserClaims;
  /** When the token expires, in seconds since 1970-01-01 UTC. */
  readonly expiresAt: EpochSeconds;
}

/** A call that the API must not handle. */
export interface RefusedCall {
  /** Always `false`. */
  readonly ok: false;
  /**
   * The complete response to send: 401 without a valid token, 403 for a missing scope, 421 for another host,
   * 429 for too many calls, 500 or 503 for a failure, or 204 for a CORS preflight. The challenge in
   * `WWW-Authenticate` tells the client how to get a token (RFC 6750 §3). `broker.protect` adds the URL of the
   * resource's metadata (RFC 9728 §5.1), unless the resource is on another origin or has a query.
   */
  readonly response: Response;
}

export interface ProtectContext
  extends Pick<BrokerContext, 'issuer' | 'resources' | 'revocations' | 'now' | 'log' | 'randomBytes'> {
  /** The origin of the API. */
  readonly origin: string;
  /** The paths of the metadata (RFC 9728) that the issuer serves, by resource. */
  readonly metadataPaths: ReadonlyMap<string, string>;
  readonly sealers: { readonly access: ReadonlyMap<string, SealedTypeOpener<AccessToken>> };
}

/**
 * In characters. With the longest possible access token, the header has fewer than 4,800. A quarter of that can be
 * the ID of a client that registered itself.
 */
const maxHeaderLength = 5120;

const optionNames: readonly string[] = ['resource', 'scopes', 'challengeScopes', 'limiter', 'cors'];

export const createProtect = (context: ProtectContext) => {
  const openers = new Map(
    [...context.sealers.access].map(([resource, opener]) => [resource, cacheOpened(opener)]),
  );
  return async (request: Request, options: ProtectOptions = {}): Promise<ProtectResult> => {
    const {
      resource = context.resources[0],
      scopes = [],
      challengeScopes = scopes,
      limiter,
      cors = 'any-origin',
    } = options;
    const isCrossOrigin = cors === 'any-origin';
    if (isCrossOrigin && isPreflight(request)) return { ok: false, response: apiPreflight() };
    let metadataPath: string | undefined;
    try {
      // A misspelled `scopes` must not mean that no scope is required.
      for (const name of Object.keys(options))
        if (!optionNames.includes(name)) throw new ConfigurationError(`protect.${name}`, 'is not an option.');
      requireOrigin(request, context.origin);
      const opener = findByResource(openers, resource);
      if (opener === undefined)
        throw new Error(`protect was called for a resource that is not configured: ${resource}`);
      metadataPath = findByResource(context.metadataPaths, resource);
      const opened = await opener.open(readBearerToken(request));
      if (opened.kind === 'failed') throw apiError('token.unreadable', { cause: opened.reason });
      const token = opened.value;
      if (context.now() >= token.expiresAt) throw apiError('token.expired');
      if (await context.revocations.isRevoked(token)) throw apiError('token.revoked');
      if (!scopes.every((scope) => token.scopes.includes(scope))) throw apiError('token.scope');
      if (limiter !== undefined) await enforceCallLimit(limiter, token.userId, context);
      return {
        ok: true,
        user: { id: token.userId },
        client: { id: token.clientId, isChatGptMcpClient: token.isChatGptMcpClient },
        grant: { id: token.grantId },
        scopes: token.scopes,
        claims: token.claims,
        expiresAt: token.expiresAt,
      };
    } catch (error) {
      const protocolError = toRequestError(error);
      logRefusedCall(protocolError, 'protect', context);
      const response = problemResponse(
        protocolError,
        buildBearerChallenge(
          protocolError,
          context.issuer,
          protocolError.status === 401 ? challengeScopes : scopes,
          metadataPath,
        ),
      );
      return { ok: false, response: isCrossOrigin ? allowAnyOrigin(response) : response };
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
 * §3.1), and names the metadata of the resource if the issuer serves it (RFC 9728 §5.1).
 */
const buildBearerChallenge = (
  { reason, code, description }: ProtocolError,
  issuer: Issuer,
  scopes: readonly string[],
  metadataPath: string | undefined,
): string => {
  // JavaScript callers can pass anything.
  const names = Array.isArray(scopes) ? scopes.filter((scope) => scopeNamePattern.test(scope)) : [];
  const parameters = {
    realm: issuer,
    ...(reason !== 'token.missing' && { error: code, error_description: description }),
    ...(names.length > 0 && { scope: names.join(' ') }),
    ...(metadataPath !== undefined && { resource_metadata: issuer + metadataPath }),
  };
  const formatted = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return `Bearer ${formatted.join(', ')}`;
};
