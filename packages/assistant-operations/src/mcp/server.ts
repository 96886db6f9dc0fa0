/**
 * Handles the messages of an MCP server with the low-level `Server` of the MCP SDK. `Server` validates neither
 * arguments nor results, and sends the messages of thrown errors to the client, so this module validates both
 * and masks errors. Only `mcpHandler` imports this module, with `import()` at the first message.
 */
import {
  type CallToolRequest,
  type CallToolResult,
  createMcpHandler,
  type GetPromptRequest,
  type GetPromptResult,
  isLegacyRequest,
  ProtocolError,
  type ReadResourceRequest,
  type ReadResourceResult,
  ResourceNotFoundError,
  Server,
  type Tool,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import * as v from 'valibot';
import { createProblemResponse, type Problem, ProblemError } from '../http/problem.ts';
import { findReason, type Refusal } from '../http/refusal.ts';
import type { InputIssue, Operation } from '../operation.ts';
import { describeTool, hasObjectOutput } from '../tool.ts';
import type { PromptDefinition, ResourceDefinition, ServerInfo } from './definitions.ts';
import { describeInternalError, errorCodes } from './message.ts';

/** What the server needs of the options of `mcpHandler`. */
export interface MessageHandlerOptions {
  readonly serverInfo: ServerInfo;
  readonly instructions: string;
  readonly prompts: readonly PromptDefinition[];
  readonly resources: readonly ResourceDefinition[];
  readonly mapError?: (error: unknown) => Problem | undefined;
  /** Logs an error and returns its reference ID. */
  readonly reportError: (error: unknown) => string;
  /** Passes a refused request to the publisher. Never throws. */
  readonly reportRefusal: (refusal: Omit<Refusal, 'event' | 'endpoint'>) => void;
}

/** Handles one message of a caller that the guard has accepted. */
export type MessageHandler<Context> = (
  request: Request,
  message: unknown,
  access: ToolAccess<Context>,
) => Promise<Response>;

/** Whether the caller has the scopes of the tool that the message calls. */
export type ToolAccess<Context> =
  /** The operation runs. `createContext` can throw. */
  | { readonly kind: 'granted'; readonly createContext: () => Context }
  /** The operation does not run. The result contains the challenge, which names the scopes. */
  | { readonly kind: 'missing-scope'; readonly challenge: string };

/** Creates the handler. Tools are in the order of the operations. */
export const createMessageHandler = <Context>(
  operations: readonly Operation<Context>[],
  options: MessageHandlerOptions,
): MessageHandler<Context> => {
  const tools = new Map(operations.map(createCallableTool).map((tool) => [tool.description.name, tool]));
  return async (request, message, access) => {
    let problemResponse: Response | undefined;
    let refusal: Omit<MessageRefusal, 'status'> | undefined;
    const call: Call<Context> = {
      access,
      respondWith: (response) => {
        problemResponse = response;
      },
      refuse: (reported) => {
        refusal ??= reported;
      },
    };
    const server = createServer(tools, call, options);
    const sdkResponse = (await isLegacyRequest(request, message))
      ? await handleLegacyMessage(server, request, message)
      : await createMcpHandler(() => server, { legacy: 'reject' }).fetch(request, { parsedBody: message });
    const response = problemResponse ?? sdkResponse;
    const { status } = response;
    // The SDK refuses some messages before it connects the server.
    if (status >= 400) refusal ??= { reason: 'mcp.message' };
    if (refusal !== undefined) options.reportRefusal({ ...refusal, status });
    return response;
  };
};

/**
 * Handles a message of a revision up to 2025-11-25. The SDK's own handler responds to these with a stream of
 * server-sent events, which costs three times as much as this.
 */
const handleLegacyMessage = async (server: Server, request: Request, message: unknown): Promise<Response> => {
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  // Neither is closed: without a stream, nothing refers to them after the response.
  return transport.handleRequest(acceptBoth(request), { parsedBody: message });
};

/** The transport requires both media types in `Accept`, even if it responds with JSON. */
const acceptBoth = (request: Request): Request => {
  const accept = request.headers.get('accept') ?? '';
  if (accept.includes('application/json') && accept.includes('text/event-stream')) return request;
  const headers = new Headers(request.headers);
  headers.set('accept', 'application/json, text/event-stream');
  return new Request(request.url, { method: 'POST', headers });
};

type MessageRefusal = Parameters<MessageHandlerOptions['reportRefusal']>[0];

/** The handling of one message. */
interface Call<Context> {
  readonly access: ToolAccess<Context>;
  /** Replaces the response to the message. */
  readonly respondWith: (response: Response) => void;
  /** Remembers why the message is refused. Of several reasons, the first counts. */
  readonly refuse: (refusal: Omit<MessageRefusal, 'status'>) => void;
}

type Refuser = Pick<Call<unknown>, 'refuse'>;

type Tools<Context> = ReadonlyMap<string, CallableTool<Context>>;

/** The SDK would validate what users enter in forms, which this server never asks for. */
const jsonSchemaValidator = {
  getValidator: (): never => {
    throw new Error('this server never asks for input');
  },
};

/** Creates the server for one message. A server cannot be shared between messages. */
const createServer = <Context>(
  tools: Tools<Context>,
  call: Call<Context>,
  options: MessageHandlerOptions,
): Server => {
  const { serverInfo, instructions, prompts, resources } = options;
  const server = new Server(serverInfo, {
    capabilities: {
      tools: {},
      ...(prompts.length > 0 && { prompts: {} }),
      ...(resources.length > 0 && { resources: {} }),
    },
    instructions,
    jsonSchemaValidator,
  });
  watchErrors(server, call);
  const mask = createMask(call, options);
  server.setRequestHandler('tools/list', () => ({
    tools: [...tools.values()].map(({ description }) => description),
  }));
  server.setRequestHandler(
    'tools/call',
    mask(({ params }: CallToolRequest) => callTool(tools, params, call, options)),
  );
  if (prompts.length > 0) handlePrompts(server, prompts, call, mask);
  if (resources.length > 0) handleResources(server, resources, call, mask);
  return server;
};

/** Remembers that the SDK refuses a message, for example one with an unknown method. */
const watchErrors = (server: Server, { refuse }: Refuser): void => {
  const connect = server.connect.bind(server);
  server.connect = (transport) => {
    const send = transport.send.bind(transport);
    transport.send = (message, options) => {
      if ('error' in message) refuse({ reason: 'mcp.message' });
      return send(message, options);
    };
    return connect(transport);
  };
};

type Mask = <Input, Result>(
  handle: (input: Input) => Result | Promise<Result>,
) => (input: Input) => Promise<Result>;

/**
 * Creates a function that wraps a handler so that it throws only `ProtocolError`. The SDK sends the message, the
 * code and the data of every error that a handler throws, and never responds if a handler throws null.
 */
const createMask =
  ({ refuse }: Refuser, { reportError }: MessageHandlerOptions): Mask =>
  (handle) =>
  async (input) => {
    try {
      return await handle(input);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      const requestId = reportError(error);
      refuse({ reason: 'operation.failed', requestId });
      throw new ProtocolError(errorCodes.internal, describeInternalError(requestId));
    }
  };

// Tools.

interface CallableTool<Context> {
  readonly description: Tool;
  readonly operation: Operation<Context>;
  /** Returns an output as structured content. */
  readonly wrapOutput: (output: unknown) => unknown;
  /** The schema of structured content. */
  readonly contentSchema: v.GenericSchema;
}

const createCallableTool = <Context>(operation: Operation<Context>): CallableTool<Context> => {
  // The types of the SDK accept only mutable JSON values.
  const tool = JSON.parse(JSON.stringify(describeTool(operation)));
  const description: Tool = tool;
  const { output } = operation;
  return {
    description,
    operation,
    ...(hasObjectOutput(operation)
      ? { wrapOutput: (content) => content, contentSchema: output }
      : { wrapOutput: (result) => ({ result }), contentSchema: v.strictObject({ result: output }) }),
  };
};

const callTool = async <Context>(
  tools: Tools<Context>,
  { name, arguments: input = {} }: { readonly name: string; readonly arguments?: unknown },
  call: Call<Context>,
  options: MessageHandlerOptions,
): Promise<CallToolResult> => {
  const tool = tools.get(name);
  if (tool === undefined) {
    call.refuse({ reason: 'mcp.unknown-tool' });
    throw new ProtocolError(errorCodes.invalidParams, 'There is no such tool.');
  }
  const { access } = call;
  if (access.kind === 'missing-scope') return createMissingScopeResult(access.challenge);
  try {
    const result = await tool.operation.run(input, access.createContext());
    if (result.ok) return createResult(tool, result.output);
    call.refuse({ reason: 'operation.input', operation: tool.operation.id });
    return createErrorResult(describeIssues(result.issues));
  } catch (error) {
    return handleError(error, tool.operation, call, options);
  }
};

/** @throws Error for an output that does not match its schema, which must not be sent */
const createResult = <Context>(
  { operation, wrapOutput, contentSchema }: CallableTool<Context>,
  output: unknown,
): CallToolResult => {
  // `JSON.stringify` calls `toJSON`, and omits values that JSON cannot represent.
  const result = v.safeParse(contentSchema, JSON.parse(JSON.stringify(wrapOutput(output))));
  const [issue] = result.issues ?? [];
  // The message of an issue contains the value, which must not be logged.
  if (issue !== undefined)
    throw new Error(
      `${operation.id}: the output does not match its schema: ${v.getDotPath(issue) ?? 'the value'} (${issue.type})`,
    );
  // What the schema made of it: without members that the schema does not have.
  const text = JSON.stringify(result.output);
  return { content: [{ type: 'text', text }], structuredContent: JSON.parse(text) };
};

const createErrorResult = (text: string): CallToolResult => ({
  content: [{ type: 'text', text }],
  isError: true,
});

/**
 * ChatGPT asks the user to authorize more if `_meta` of a result has this member: an array of complete
 * `WWW-Authenticate` values.
 */
const createMissingScopeResult = (challenge: string): CallToolResult => ({
  ...createErrorResult(
    'The user has not allowed this app to do this yet. Ask the user to authorize the app again and to allow the access that it requests. Then call the tool again.',
  ),
  _meta: { 'mcp/www_authenticate': [challenge] },
});

const describeIssues = (issues: readonly InputIssue[]): string =>
  [
    'The input does not match the schema of this tool.',
    ...issues.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)),
  ].join('\n');

const handleError = <Context>(
  error: unknown,
  { id: operation }: Operation<Context>,
  call: Call<Context>,
  { mapError, reportError }: MessageHandlerOptions,
): CallToolResult => {
  const problem = error instanceof ProblemError ? error.problem : mapError?.(error);
  if (problem === undefined) {
    const requestId = reportError(error);
    call.refuse({ reason: 'operation.failed', operation, requestId });
    return createErrorResult(describeInternalError(requestId));
  }
  call.refuse({ reason: findReason(error, problem), operation });
  if (problem.status >= 500 && !(error instanceof ProblemError)) reportError(error);
  // Clients sign the user in again only after a 401 response.
  if (problem.status === 401) call.respondWith(createProblemResponse(problem));
  return createErrorResult(problem.detail);
};

// Prompts and resources.

const handlePrompts = (
  server: Server,
  prompts: readonly PromptDefinition[],
  call: Refuser,
  mask: Mask,
): void => {
  server.setRequestHandler('prompts/list', () => ({
    prompts: prompts.map(({ text: _, arguments: values = [], ...prompt }) => ({
      ...prompt,
      arguments: [...values],
    })),
  }));
  server.setRequestHandler(
    'prompts/get',
    mask(({ params }: GetPromptRequest) => getPrompt(prompts, params, call)),
  );
};

const getPrompt = (
  prompts: readonly PromptDefinition[],
  { name: requested, arguments: given = {} }: GetPromptRequest['params'],
  { refuse }: Refuser,
): GetPromptResult => {
  const prompt = prompts.find(({ name }) => name === requested);
  if (prompt === undefined) {
    refuse({ reason: 'mcp.unknown-prompt' });
    throw new ProtocolError(errorCodes.invalidParams, 'There is no such prompt.');
  }
  const { description, arguments: expected = [], text } = prompt;
  const values = Object.fromEntries(
    expected.flatMap(({ name }) => (Object.hasOwn(given, name) ? [[name, given[name] ?? '']] : [])),
  );
  const missing = expected.find(({ name, required = false }) => required && !Object.hasOwn(values, name));
  if (missing !== undefined) {
    refuse({ reason: 'mcp.prompt-argument' });
    throw new ProtocolError(errorCodes.invalidParams, `The argument ${missing.name} is missing.`);
  }
  return { description, messages: [{ role: 'user', content: { type: 'text', text: text(values) } }] };
};

const handleResources = (
  server: Server,
  resources: readonly ResourceDefinition[],
  { refuse }: Refuser,
  mask: Mask,
): void => {
  const describe = ({ text: _, meta, ...resource }: ResourceDefinition) => ({
    ...resource,
    ...(meta && { _meta: { ...meta } }),
  });
  server.setRequestHandler('resources/list', () => ({ resources: resources.map(describe) }));
  const read = async ({ params }: ReadResourceRequest): Promise<ReadResourceResult> => {
    const resource = resources.find(({ uri }) => uri === params.uri);
    if (resource === undefined) {
      refuse({ reason: 'mcp.unknown-resource' });
      throw new ResourceNotFoundError(params.uri);
    }
    const { uri, mimeType, text, meta } = resource;
    const content = { uri, mimeType, text: typeof text === 'string' ? text : await text() };
    return { contents: [{ ...content, ...(meta && { _meta: { ...meta } }) }] };
  };
  server.setRequestHandler('resources/read', mask(read));
};
