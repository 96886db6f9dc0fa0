/**
 * JSON-RPC messages: the checks that are made before the MCP SDK handles a message, and the errors that are sent
 * without the SDK.
 */
import type { RefusalReason } from '../http/refusal.ts';

/**
 * The error codes of JSON-RPC (https://www.jsonrpc.org/specification#error_object). `server` is for errors of
 * HTTP, which have no code of their own.
 */
export const errorCodes = {
  parse: -32700,
  invalidRequest: -32600,
  invalidParams: -32602,
  internal: -32603,
  server: -32000,
} as const;

/** The text for an error that the client must not see. */
export const describeInternalError = (referenceId: string): string =>
  `Something went wrong on our side. Reference: ${referenceId}`;

/** Ends a request before the SDK handles its message. The text of the error is sent to the client. */
export class RefusedRequestError extends Error {
  override readonly name = 'RefusedRequestError';
  readonly reason: RefusalReason;
  readonly status: number;
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  /** `code` is that of the JSON-RPC error. */
  constructor(
    reason: RefusalReason,
    status: number,
    code: number,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(text);
    this.reason = reason;
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Creates the response with the JSON-RPC error. It does not belong to a message, so its `id` is null. */
export const createRefusedResponse = ({ status, code, message, headers }: RefusedRequestError): Response =>
  new Response(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });

/** Returns the name of the tool that a message calls, and `undefined` for any other message. */
export const readCalledTool = (message: unknown): string | undefined => {
  const { method, params } = readMembers(message);
  const { name } = readMembers(params);
  return method === 'tools/call' && typeof name === 'string' ? name : undefined;
};

/** Returns an object as it is, and an object without these members for any other value. */
const readMembers = (value: unknown): Readonly<Partial<Record<'method' | 'params' | 'name', unknown>>> =>
  Object(value);

/** More than any schema needs. Keeps recursive code, such as that of the SDK, from overflowing the stack. */
const maxLevels = 64;

/**
 * The maximum number of values in a message, besides the arguments of a tool. The SDK describes each invalid
 * value, so its response could be a hundred times as long as the message.
 */
const maxValues = 500;

/**
 * Returns why a message is too complex to handle.
 * @returns `undefined` if its objects and arrays have at most 64 levels, and if it has at most 500 values
 *   besides the arguments of a tool
 */
export const findComplexityProblem = (message: unknown): string | undefined => {
  const { levels, values } = measure(message);
  if (levels > maxLevels) return 'The message is nested too deeply.';
  if (values <= maxValues) return undefined;
  return measure(omitToolArguments(message)).values > maxValues
    ? 'The message has too many values.'
    : undefined;
};

/** Counts the levels of objects and arrays, down to one more than is allowed, and the values in them. */
const measure = (message: unknown): { readonly levels: number; readonly values: number } => {
  let [levels, values] = [0, 0];
  let level: readonly unknown[] = [message];
  while (level.length > 0) {
    values += level.length;
    const containers = level.filter((value) => typeof value === 'object' && value !== null);
    if (containers.length > 0) levels++;
    if (levels > maxLevels) break;
    level = containers.flatMap((container) => Object.values(Object(container)));
  }
  return { levels, values };
};

const omitToolArguments = (message: unknown): unknown => {
  if (readCalledTool(message) === undefined) return message;
  const { params } = readMembers(message);
  return { ...Object(message), params: { ...Object(params), arguments: null } };
};
