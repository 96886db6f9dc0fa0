/**
 * Passes events to the log and to the option `onEvent`, and counts refused requests by day. None of this can
 * fail or delay a request.
 */

import type { BrokerContext } from '../context.ts';
import { consoleLog } from '../defaults.ts';
import { ConfigurationError, describeCause } from '../oauth/errors.ts';
import type { EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import { addLogCounts, type Log, type LogEntry, type OnEvent } from '../oauth/log.ts';
import type { ProtocolError } from '../oauth/protocol-error.ts';
import { randomId } from '../oauth/secrets.ts';
import type { RefusalCount } from '../storage/broker-storage.ts';
import type { WaitUntil } from '../storage/cleanup.ts';
import { describeErrorForLog, keepAlive } from './handler.ts';

type EventLog = BrokerContext['log'];

interface EventReceivers {
  readonly log: Log;
  readonly onEvent?: OnEvent | undefined;
  /** Keeps the work of `onEvent` running if the request has no `waitUntil` of its own. */
  readonly waitUntil: WaitUntil;
}

/**
 * Creates the function that logs events. It passes each event to the log and then to `onEvent`, with the number
 * of events so far, and never throws.
 * @throws ConfigurationError `onEvent` if it is not a function
 */
export const createEventLog = ({ log, onEvent, waitUntil }: EventReceivers): EventLog => {
  if (onEvent !== undefined && typeof onEvent !== 'function')
    throw new ConfigurationError('onEvent', 'must be a function.');
  const logToConsole = addLogCounts(consoleLog);
  const write = (entry: LogEntry): void => {
    try {
      log(entry);
    } catch (error) {
      logToConsole({ event: 'log-failed', cause: describeCause(error) });
    }
  };
  const logOnly = addLogCounts(write);
  const logHookFailure = (error: unknown): void =>
    logOnly({ event: 'event-hook-failed', cause: describeCause(error) });
  return addLogCounts((entry, requestWaitUntil = waitUntil) => {
    write(entry);
    try {
      const work = onEvent?.(entry);
      if (work !== undefined)
        void keepAlive(
          { waitUntil: requestWaitUntil, log: logOnly },
          Promise.resolve(work).catch(logHookFailure),
        );
    } catch (error) {
      logHookFailure(error);
    }
  });
};

/** The minimum time between two attempts of one process to store counts after requests. */
const minInterval: Seconds = 60;

/** Enough for all codes on seven days. If storage fails for longer than that, further codes are not counted. */
const maxCounts = 1000;

/**
 * Creates an event log that also counts refused requests by UTC day and reason, in memory. After a sign-in was
 * stored or tokens were issued, it stores the counts, at most once a minute. A refused request itself writes
 * nothing, so that strangers cannot cause writes. Counts that cannot be stored are kept; those that are not
 * stored when the process ends are lost.
 * @returns the log, and a function that stores the counts
 * @throws ConfigurationError as `createEventLog`
 */
export const createCountingEventLog = (
  context: EventReceivers & Pick<BrokerContext, 'storage' | 'now'>,
): { readonly log: EventLog; readonly storeRefusals: () => Promise<void> } => {
  const { storage, now, waitUntil } = context;
  const log = createEventLog(context);
  let counts = new Map<string, RefusalCount>();
  let lastStoredAt: EpochSeconds = -Infinity;
  const add = (refusals: RefusalCount): void => {
    const key = refusals.day + refusals.reason;
    const { count = 0 } = counts.get(key) ?? {};
    if (count > 0 || counts.size < maxCounts) counts.set(key, { ...refusals, count: count + refusals.count });
  };
  const storeRefusals = async (): Promise<void> => {
    const pending = [...counts.values()];
    counts = new Map();
    try {
      if (pending.length > 0) await storage.recordRefusals(pending);
    } catch (error) {
      pending.forEach(add);
      throw error;
    }
  };
  return {
    storeRefusals,
    log(entry, requestWaitUntil = waitUntil) {
      log(entry, requestWaitUntil);
      const { event, reason = '' } = entry;
      const at = now();
      if (event === 'refused') add({ day: new Date(at * 1000).toISOString().slice(0, 10), reason, count: 1 });
      else if (
        /^(signed-in|tokens-issued)$/.test(event) &&
        counts.size > 0 &&
        // A clock that was set back must not stop this.
        Math.abs(at - lastStoredAt) >= minInterval
      ) {
        lastStoredAt = at;
        void keepAlive(
          { waitUntil: requestWaitUntil, log },
          storeRefusals().catch((cause) => log({ event: 'write-failed', cause: describeCause(cause) })),
        );
      }
    },
  };
};

/** Logs the refusal of a request that no endpoint handles. */
export const logRefusedCall = (
  protocolError: ProtocolError,
  endpoint: string,
  { log, randomBytes }: Pick<BrokerContext, 'log' | 'randomBytes'>,
): void =>
  log({
    event: 'refused',
    endpoint,
    requestId: randomId(randomBytes),
    reason: protocolError.reason,
    ...describeErrorForLog(protocolError),
  });
