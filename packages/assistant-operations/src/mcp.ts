/**
 * Serves operations as the tools of an MCP server over Streamable HTTP, without sessions, for the protocol
 * revisions up to 2025-11-25 and for 2026-07-28. This module checks the HTTP request and calls the guard; the
 * MCP SDK handles the message. The SDK is loaded with the first message that passes these checks.
 * @module
 */
import { type ApiDefinition, DefinitionError, isHttpsOrLoopback, isLoopback } from './define-api.ts';
import { allowAnyOrigin, createPreflightResponse, isPreflight } from './http/cors.ts';
import { type GuardAcceptance, type GuardRefusal, isAccepted, readRefusal } from './http/guard.ts';
import type { Problem } from './http/problem.ts';
import { isJson, parseJson, readText } from './http/read-json.ts';
import {
  type OnRefusal,
  type Refusal,
  type RefusalReason,
  RefusedInputError,
  reportRefusal,
} from './http/refusal.ts';
import type { PromptArgument, PromptDefinition, ResourceDefinition, ServerInfo } from './mcp/definitions.ts';
import {
  createRefusedResponse,
  describeInternalError,
  errorCodes,
  findComplexityProblem,
  RefusedRequestError,
  readCalledTool,
} from './mcp/message.ts';
import type { MessageHandler, ToolAccess } from './mcp/server.ts';
import type { Operation } from './operation.ts';
import { readToolName } from './tool.ts';

export type {
  GuardAcceptance,
  GuardRefusal,
  OnRefusal,
  PromptArgument,
  PromptDefinition,
  Refusal,
  RefusalReason,
  ResourceDefinition,
  ServerInfo,
};

/** The result of a guard that accepts the caller, with the scopes of the caller's token. */
export interface McpGuardAcceptance extends GuardAcceptance {
  /** The scopes of the token. */
  readonly scopes: readonly string[];
}

/**
 * Authenticates the caller of a request, and checks that the token has all `scopes`. An error that it throws
 * results in a 500 response.
 *
 * `broker.protect` of assistant-auth is a guard: `(request, scopes, challengeScopes) =>
 * broker.protect(request, { resource, scopes, challengeScopes })`.
 * @typeParam Auth the result for a caller who may call the operation: what the guard knows about the caller,
 *   with `ok: true` and `scopes`
 * @typeParam Result the result for any caller. Default: `Auth | GuardRefusal`.
 * @param request the request, whose body must not be read
 * @param scopes the scopes that the token must have, all of them
 * @param challengeScopes the scopes of all operations, which a 401 response should name, so that the client
 *   requests them when the user signs in
 */
export type McpGuard<
  Auth extends McpGuardAcceptance,
  Result extends Auth | GuardRefusal = Auth | GuardRefusal,
> = (request: Request, scopes: readonly string[], challengeScopes: readonly string[]) => Promise<Result>;

/**
 * The options of `mcpHandler`.
 * @typeParam Auth the guard's result for a caller who may call the operation
 * @typeParam Context what the handlers of the operations need besides their input
 * @typeParam Result the guard's result for any caller. Default: `Auth | GuardRefusal`.
 */
export interface McpHandlerOptions<
  Auth extends McpGuardAcceptance,
  Context,
  Result extends Auth | GuardRefusal = Auth | GuardRefusal,
> {
  /**
   * The URL of the endpoint, as users enter it in their client, for example `https://words.example/mcp`: https,
   * or http on loopback, in its normalized form, without credentials, a query or a fragment. A request to
   * another origin gets a 421 response. The path is not compared, because the app's router selects it.
   */
  readonly url: string;
  /** Identifies the server to clients. */
  readonly serverInfo: ServerInfo;
  /**
   * Authenticates the caller. Called with no scopes for every request except a preflight, as soon as the
   * origin of the request has been checked. If a tool is called for which the token lacks a scope, it is
   * called again with the scopes of the operation.
   */
  readonly guard: McpGuard<Auth, Result>;
  /**
   * Returns whether this caller gets a missing scope reported in the result of the tool, instead of the guard's
   * 403 response. Return `true` only for ChatGPT, which ignores the 403 response; other clients ignore the
   * result. With `broker.protect` of assistant-auth as the guard: `({ client }) => client.isChatGptMcpClient`.
   * Write it below `guard`, like `context`. Default: `false` for every caller.
   *
   * The result has `isError`, a text for the model, and the guard's `WWW-Authenticate` header in
   * `_meta["mcp/www_authenticate"]`. A refusal without that header, or with a status other than 403, is sent
   * unchanged.
   * @see https://developers.openai.com/apps-sdk/build/auth
   */
  readonly reportsMissingScopeInResult?: (auth: NoInfer<Auth>) => boolean;
  /**
   * Creates the context that is passed to the handler of the operation, once for each call of a tool, before
   * the input is validated. Write it below `guard`, from which TypeScript infers the type of `auth`.
   */
  readonly context: (auth: NoInfer<Auth>) => Context;
  /** Tells the model how to use the tools together. */
  readonly instructions: string;
  /** The prompts that the user can choose from, with unique names. Default: none. */
  readonly prompts?: readonly PromptDefinition[];
  /** The resources that the client can read, with unique URIs. Default: none. */
  readonly resources?: readonly ResourceDefinition[];
  /**
   * Maps an error that an operation or `context` throws to a problem. If it returns `undefined`, the client
   * gets only a reference ID. Default: `undefined` for every error. A `ProblemError` is not passed to it.
   */
  readonly mapError?: (error: unknown) => Problem | undefined;
  /**
   * Logs an error that was not mapped to a problem, or whose problem has a 5xx status. A `ProblemError` that
   * an operation throws is not passed to it.
   * @param referenceId the ID that the client sees, unless the error was mapped to a problem
   */
  readonly logError: (error: unknown, referenceId: string) => void;
  /**
   * Receives an event for each request that is refused: its response has a status of 400 or more, a JSON-RPC
   * error, or a result with `isError`. Refusals of the guard, also those for a missing scope, are not passed to
   * it, because the guard logs them. With assistant-auth: the broker's option `log`, so that the log has all of
   * them. Default: none.
   */
  readonly onRefusal?: OnRefusal;
  /** Creates the reference ID of an error. Default: a random UUID. */
  readonly createReferenceId?: () => string;
}

/**
 * Creates the handler of an MCP endpoint. Each operation is a tool, whose input and output are validated
 * against their schemas. If an operation ends with a problem, the client gets an error result with its
 * `detail`. If the problem has status 401, the problem document is sent as the HTTP response, so that the
 * client signs the user in again.
 *
 * The guard is called before the body is read. If the token lacks a scope of the called operation, the guard's
 * refusal is sent, or the result of the tool contains its challenge (`reportsMissingScopeInResult`). Batches are
 * refused, and so is a message with more than 100,000 bytes, more than 64 levels of nesting, or more than 500
 * values besides the arguments of a tool.
 *
 * Responses are JSON. Only `subscriptions/listen` gets a stream, which ends at once, because tools, prompts
 * and resources never change. Pages on any origin can read the responses, but an endpoint on loopback refuses
 * pages on other hosts.
 * @typeParam Result the guard's result for any caller, inferred from `guard`
 * @typeParam Context what the handlers of the operations need besides their input
 * @typeParam Auth the guard's result for a caller who may call the operation, inferred from `Result`
 * @param api the operations
 * @param options the URL, the guard, what the server says about itself, and how errors are handled
 * @returns a function that handles every request to the endpoint, whatever its method
 * @throws DefinitionError for a malformed URL, or a prompt or resource that is defined twice
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
 * @example
 * ```ts
 * import type { ApiDefinition } from 'assistant-operations';
 * import { type McpGuard, type McpGuardAcceptance, mcpHandler } from 'assistant-operations/mcp';
 * import { Hono } from 'hono';
 *
 * export const createApp = (
 *   api: ApiDefinition<{ readonly userId: string }>,
 *   guard: McpGuard<McpGuardAcceptance & { readonly user: { readonly id: string } }>,
 * ): Hono => {
 *   const handle = mcpHandler(api, {
 *     url: 'https://library.example/mcp',
 *     serverInfo: { name: 'library', title: 'Library', version: '1.0.0' },
 *     guard,
 *     context: ({ user }) => ({ userId: user.id }),
 *     instructions: 'List the books before you recommend one.',
 *     logError: (error, referenceId) => console.error(referenceId, error),
 *   });
 *   return new Hono().all('/mcp', ({ req }) => handle(req.raw));
 * };
 * ```
 */
export const mcpHandler = <
  Result extends Auth | GuardRefusal,
  Context,
  // A type parameter for the same reason as in `createHttpHandler`.
  Auth extends McpGuardAcceptance = Extract<Result, McpGuardAcceptance>,
>(
  api: ApiDefinition<Context>,
  options: McpHandlerOptions<Auth, Context, Result>,
): ((request: Request) => Promise<Response>) => {
  const endpoint = createEndpoint(api, options);
  return async (request) =>
    isPreflight(request) ? createPreflightResponse(preflightHeaders) : respond(request, endpoint, options);
};

/**
 * Adds the headers that every response has. No cache may store a response, because it is for one user; the
 * JSON responses of the SDK have no `Cache-Control`.
 */
const addHeaders = (response: Response): Response => {
  response.headers.set('cache-control', 'no-store');
  response.headers.set('x-content-type-options', 'nosniff');
  return allowAnyOrigin(response);
};

const preflightHeaders = {
  methods: 'POST, GET, DELETE',
  headers:
    'Authorization, Content-Type, Mcp-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID',
} as const;

interface Endpoint<Context> {
  readonly origin: string;
  readonly isOnLoopback: boolean;
  readonly operations: ReadonlyMap<string, Operation<Context>>;
  readonly allScopes: readonly string[];
  readonly loadMessageHandler: () => Promise<MessageHandler<Context>>;
  /** Logs an error and returns its reference ID. */
  readonly reportError: (error: unknown) => string;
  /** Passes a refused request to `onRefusal`. Never throws. */
  readonly reportRefusal: (refusal: Omit<Refusal, 'event' | 'endpoint'>) => void;
}

const createEndpoint = <Auth extends McpGuardAcceptance, Context>(
  api: ApiDefinition<Context>,
  options: McpHandlerOptions<Auth, Context>,
): Endpoint<Context> => {
  const { url, prompts = [], resources = [], logError, createReferenceId = randomUuid } = options;
  const { protocol, hostname, origin } = parseUrl(url);
  refuseDuplicates(
    'prompts',
    prompts.map(({ name }) => name),
  );
  refuseDuplicates(
    'resources',
    resources.map(({ uri }) => uri),
  );
  const reportError = createErrorReporter(logError, createReferenceId);
  const report: Endpoint<Context>['reportRefusal'] = (refusal) =>
    reportRefusal({ ...refusal, endpoint: 'mcp' }, { ...options, logError: reportError });
  // Caches the value, not the promise: on Workers, one request must not wait for a promise of another, and an
  // import that failed is tried again.
  let handler: MessageHandler<Context> | undefined;
  return {
    origin,
    isOnLoopback: protocol === 'http:' && isLoopback(hostname),
    operations: new Map(api.operations.map((operation) => [readToolName(operation), operation])),
    allScopes: [...new Set(api.operations.flatMap(({ scopes }) => scopes))],
    loadMessageHandler: async () => {
      if (handler !== undefined) return handler;
      const { createMessageHandler } = await import('./mcp/server.ts');
      handler = createMessageHandler(api.operations, {
        ...{ ...options, prompts, resources, reportError, reportRefusal: report },
      });
      return handler;
    },
    reportError,
    reportRefusal: report,
  };
};

const randomUuid = (): string => crypto.randomUUID();

/**
 * Creates a function that logs an error and returns its reference ID. It never throws, because the SDK could
 * send the message of an error of `logError` to the client.
 */
const createErrorReporter =
  (
    logError: (error: unknown, referenceId: string) => void,
    createReferenceId: () => string,
  ): ((error: unknown) => string) =>
  (error) => {
    try {
      const referenceId = createReferenceId();
      logError(error, referenceId);
      return referenceId;
    } catch {
      return randomUuid();
    }
  };

const parseUrl = (text: string): URL => {
  const url = URL.parse(text);
  if (url !== null && isHttpsOrLoopback(url) && url.origin + url.pathname === text) return url;
  throw new DefinitionError(
    `url must be a normalized https URL, or http on loopback, without credentials, a query or a fragment, not "${text}".`,
  );
};

const refuseDuplicates = (option: string, keys: readonly string[]): void => {
  const duplicate = keys.find((key, index) => keys.indexOf(key) < index);
  if (duplicate !== undefined) throw new DefinitionError(`${option}: ${duplicate} is defined twice.`);
};

/** Never throws, and never rejects. */
const respond = async <Auth extends McpGuardAcceptance, Context>(
  request: Request,
  endpoint: Endpoint<Context>,
  options: McpHandlerOptions<Auth, Context>,
): Promise<Response> => {
  try {
    return addHeaders(await handleRequest(request, endpoint, options));
  } catch (error) {
    return addHeaders(refuse(error, endpoint));
  }
};

const refuse = (error: unknown, endpoint: Endpoint<never>): Response => {
  if (error instanceof RefusedRequestError) {
    const { reason, status } = error;
    endpoint.reportRefusal({ reason, status });
    return createRefusedResponse(error);
  }
  const requestId = endpoint.reportError(error);
  const [reason, status] = ['operation.failed', 500] as const;
  endpoint.reportRefusal({ reason, status, requestId });
  return createRefusedResponse(
    new RefusedRequestError(reason, status, errorCodes.internal, describeInternalError(requestId)),
  );
};

const handleRequest = async <Auth extends McpGuardAcceptance, Context>(
  request: Request,
  endpoint: Endpoint<Context>,
  options: McpHandlerOptions<Auth, Context>,
): Promise<Response> => {
  if (new URL(request.url).origin !== endpoint.origin)
    throw new RefusedRequestError(
      'mcp.host',
      421,
      errorCodes.server,
      'This server does not serve the requested host.',
    );
  const auth = await options.guard(request, [], endpoint.allScopes);
  if (!isAccepted(auth)) return readRefusal(auth);
  // If a guard in JavaScript returned a string, `includes` would find a scope that is only a part of another.
  if (!Array.isArray(auth.scopes)) throw new TypeError('the scopes that the guard returned are not an array');
  checkTransport(request, endpoint);
  const message = await readMessage(request);
  const { scopes = [] } = endpoint.operations.get(readCalledTool(message) ?? '') ?? {};
  let access: ToolAccess<Context> = { kind: 'granted', createContext: () => options.context(auth) };
  if (!scopes.every((scope) => auth.scopes.includes(scope))) {
    const result = await options.guard(request, scopes, endpoint.allScopes);
    if (!isAccepted(result)) {
      const refusal = readRefusal(result);
      const challenge = readScopeChallenge(refusal);
      // Compared with `true`, because an async function in JavaScript returns a promise.
      if (challenge === undefined || options.reportsMissingScopeInResult?.(auth) !== true) return refusal;
      access = { kind: 'missing-scope', challenge };
    }
  }
  const handleMessage = await endpoint.loadMessageHandler();
  return handleMessage(request, message, access);
};

/** Returns the challenge of a refusal for a missing scope (RFC 6750 §3.1), if it has one. */
const readScopeChallenge = ({ status, headers }: Response): string | undefined =>
  status === 403 ? (headers.get('www-authenticate') ?? undefined) : undefined;

/** @throws RefusedRequestError for a wrong origin, method or header */
const checkTransport = (
  { method, headers }: Request,
  { isOnLoopback }: Pick<Endpoint<never>, 'isOnLoopback'>,
): void => {
  // Against DNS rebinding: a page whose host name resolves to loopback still sends its own origin.
  const origin = headers.get('origin');
  if (isOnLoopback && origin !== null && !isLoopback(URL.parse(origin)?.hostname ?? ''))
    throw new RefusedRequestError(
      'mcp.origin',
      403,
      errorCodes.server,
      'Pages on this origin must not call this server.',
    );
  // There are no sessions, and no messages from the server, so there is nothing to GET or DELETE.
  if (method !== 'POST')
    throw new RefusedRequestError('mcp.method', 405, errorCodes.server, 'Method not allowed.', {
      allow: 'POST',
    });
  if (!/application\/(json|\*)|\*\/\*/i.test(headers.get('accept') ?? '*/*'))
    throw new RefusedRequestError(
      'mcp.accept',
      406,
      errorCodes.server,
      'The Accept header must allow application/json.',
    );
};

/**
 * Reads the message in the body of a request.
 * @throws RefusedRequestError for a body that is not one message, is too long, or is too complex
 */
const readMessage = async (request: Request): Promise<unknown> => {
  if (!isJson(request))
    throw new RefusedRequestError(
      'body.content-type',
      415,
      errorCodes.server,
      'The Content-Type must be application/json.',
    );
  const message = await readJson(request);
  if (Array.isArray(message))
    throw new RefusedRequestError('mcp.batch', 400, errorCodes.invalidRequest, 'Batches are not supported.');
  const problem = findComplexityProblem(message);
  if (problem !== undefined)
    throw new RefusedRequestError('mcp.complexity', 400, errorCodes.invalidRequest, problem);
  return message;
};

const readJson = async (request: Request): Promise<unknown> => {
  try {
    return parseJson(await readText(request));
  } catch (error) {
    if (!(error instanceof RefusedInputError)) throw error;
    const { reason, problem } = error;
    const { status, detail } = problem;
    const code = status === 400 ? errorCodes.parse : errorCodes.server;
    throw new RefusedRequestError(reason, status, code, detail);
  }
};
