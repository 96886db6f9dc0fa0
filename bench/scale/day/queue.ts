/**
 * Simulates the waiting times at a database, which is a single thread that serves one round trip after the
 * other.
 */

export interface QueueStats {
  /** The share of the time in which the thread was busy. With 1 or more, it never catches up. */
  readonly utilisation: number;
  /** Milliseconds from the arrival of a round trip until it was served. */
  readonly median: number;
  readonly p99: number;
}

/**
 * Serves round trips in the order of their arrival.
 * @param arrivals milliseconds, in any order
 * @param services milliseconds that each round trip keeps the thread busy
 * @param span milliseconds in which they all arrive
 */
export const simulateQueue = (arrivals: Float64Array, services: Float64Array, span: number): QueueStats => {
  const utilisation = services.reduce((sum, service) => sum + service, 0) / span;
  if (utilisation >= 1)
    return { utilisation, median: Number.POSITIVE_INFINITY, p99: Number.POSITIVE_INFINITY };
  const order = Uint32Array.from(arrivals.keys()).sort(
    (one, other) => (arrivals[one] ?? 0) - (arrivals[other] ?? 0),
  );
  const taken = new Float64Array(arrivals.length);
  let free = 0;
  for (const [turn, index] of order.entries()) {
    const [arrival, service] = [arrivals[index] ?? 0, services[index] ?? 0];
    free = Math.max(free, arrival) + service;
    taken[turn] = free - arrival;
  }
  taken.sort();
  const at = (share: number): number => taken[Math.floor((taken.length - 1) * share)] ?? 0;
  return { utilisation, median: at(0.5), p99: at(0.99) };
};
