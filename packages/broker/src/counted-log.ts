/** Counters without a place to keep them: every line says how often its like has been logged. */
import type { Log } from './protocol/log.ts';

/**
 * Makes a log whose lines carry the count of their event and reason. Both are closed sets, so that what is remembered stays small.
 */
export const countLines = (log: Log): Log => {
  const counts = new Map<string, number>();
  return (entry) => {
    const kind = `${entry.event} ${entry.reason ?? ''}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    log({ ...entry, count });
  };
};
