/** Checks that every refused request has exactly one log event, with a code that is defined for its response. */
import { expect } from 'vitest';
import type { Broker, LogEntry } from '../src/index.ts';
import {
  accountErrors,
  apiErrors,
  authorizationErrors,
  callbackErrors,
  eventEndpointErrors,
  mcpClientErrors,
  nodeErrors,
  ProtocolError,
  parameterErrors,
  requestErrors,
  tokenEndpointErrors,
  userErrors,
} from '../src/oauth/protocol-error.ts';

/** All definitions, by endpoint. */
export const errorTables = [
  userErrors,
  requestErrors,
  parameterErrors,
  authorizationErrors,
  callbackErrors,
  accountErrors,
  tokenEndpointErrors,
  mcpClientErrors,
  apiErrors,
  eventEndpointErrors,
  nodeErrors,
] as const;

/** The error code and the status of each code in the log. */
export const refusalsByCode: ReadonlyMap<string, Pick<ProtocolError, 'code' | 'status'>> = new Map(
  errorTables.flatMap((table) =>
    Object.entries(table).map(([reason, definition]) => [
      reason,
      new ProtocolError('unexpected', definition),
    ]),
  ),
);

/** Returns whether a response refuses its request, or redirects to a client with an error. */
export const isRefusal = (response: Response): boolean => {
  if (response.status >= 400) return true;
  const location = URL.parse(response.headers.get('location') ?? '');
  return location?.searchParams.has('error') === true && location.searchParams.has('iss');
};

/** Records the refusals in a log, and checks them against the responses. */
export const createRefusalCheck = () => {
  const refusals: LogEntry[] = [];
  let [running, started] = [0, 0];
  /**
   * Checks the response of `work`, unless another request runs at the same time: its refusals cannot be told
   * apart.
   */
  const check = async <Result>(
    work: () => Promise<Result>,
    readResponse: (result: Result) => Response | undefined,
  ): Promise<Result> => {
    const isAlone = running === 0;
    const [number, before] = [++started, refusals.length];
    running += 1;
    try {
      const result = await work();
      if (isAlone && started === number) expectRefusals(readResponse(result), refusals.slice(before));
      return result;
    } finally {
      running -= 1;
    }
  };
  return {
    record: (entry: LogEntry): void => {
      if (entry.event === 'refused') refusals.push(entry);
    },
    /** Wraps a broker so that it checks every response. */
    wrap: (broker: Broker): Broker => ({
      ...broker,
      handle: (...args) =>
        check(
          () => broker.handle(...args),
          (response) => response,
        ),
      fetch: (...args) =>
        check(
          () => broker.fetch(...args),
          (response) => response,
        ),
      protect: (...args) =>
        check(
          () => broker.protect(...args),
          (result) => (result.ok ? undefined : result.response),
        ),
    }),
  };
};

const expectRefusals = (response: Response | undefined, refusals: readonly LogEntry[]): void => {
  if (response === undefined || !isRefusal(response)) {
    expect(refusals).toEqual([]);
    return;
  }
  expect(refusals).toEqual([
    expect.objectContaining({ requestId: expect.any(String), endpoint: expect.any(String) }),
  ]);
  const { reason = '' } = refusals[0] ?? {};
  const definition = refusalsByCode.get(reason);
  if (definition === undefined) throw new Error(`the code ${reason} is not defined`);
  if (response.status < 400) {
    const location = new URL(response.headers.get('location') ?? '');
    expect(location.searchParams.get('error')).toBe(definition.code);
  } else if (!hasOtherStatus(reason, definition)) {
    expect(response.status).toBe(definition.status);
  }
};

/** A repeated callback shows the error of the first one. Some clients need 401 to start a new sign-in. */
const hasOtherStatus = (reason: string, { code }: Pick<ProtocolError, 'code'>): boolean =>
  reason === 'transaction.replayed' || (reason.startsWith('refresh') && code === 'invalid_grant');
