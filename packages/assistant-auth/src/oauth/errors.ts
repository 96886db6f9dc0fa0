/**
 * The two kinds of errors: an invalid configuration, and a request that is refused for a named reason. Also
 * formats their causes for the log.
 */
import { type ErrorReason, errorCatalog, type OAuthErrorCode } from './error-catalog.ts';
import type { Seconds } from './identifiers.ts';

/**
 * An option or a key that is unsafe or invalid. Thrown when options or keys are parsed, for example by
 * `createBroker`.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** The name of the option, as the publisher writes it: `issuer`, `clients`, `sealingKeys`. */
  readonly option: string;

  constructor(option: string, problem: string) {
    super(`${option} ${problem}`);
    this.option = option;
  }
}

/**
 * A request that was refused. `reason` is only logged. The response contains `code` and `description`, and
 * `retryAfter` in the `Retry-After` header.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly reason: ErrorReason;
  readonly code: OAuthErrorCode;
  readonly description: string;
  readonly status: number;
  /**
   * The value of the `Retry-After` header. Default: 60 for status 429, 10 for status 503, otherwise no
   * header.
   */
  readonly retryAfter: Seconds | undefined;

  constructor(reason: ErrorReason, options: ErrorOptions & { readonly retryAfter?: Seconds } = {}) {
    super(reason, options);
    this.retryAfter = options.retryAfter;
    this.reason = reason;
    const [code, description, status] = errorCatalog[reason];
    this.code = code;
    this.description = description;
    this.status = status ?? statusByCode[code];
  }
}

const statusByCode: Readonly<Record<OAuthErrorCode, number>> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  access_denied: 403,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_key: 400,
  invalid_issuer: 400,
  invalid_audience: 400,
  authentication_failed: 400,
  server_error: 500,
  temporarily_unavailable: 503,
};

/** No error of the broker has so many nested causes. The limit ends a circular chain. */
const maxDepth = 5;

/**
 * Formats an error and its causes, outermost first. A value that is not an error is converted to a string.
 */
export const describeCause = (cause: unknown, depth = maxDepth): string => {
  const innerCause = cause instanceof Error ? cause.cause : undefined;
  if (innerCause === undefined || depth === 0) return String(cause);
  return `${String(cause)}, because of ${describeCause(innerCause, depth - 1)}`;
};

/**
 * Returns the stack of an error without its message, or `undefined` if it has none. `describeCause` formats
 * the message.
 */
export const formatStack = (cause: unknown): string | undefined =>
  cause instanceof Error ? cause.stack?.match(/(?<=^\s*)at .*$/gm)?.join(' ') : undefined;
