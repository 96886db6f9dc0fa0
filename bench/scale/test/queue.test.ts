import { describe, expect, it } from 'vitest';
import { simulateQueue } from '../day/queue.ts';

const serveAll = (trips: readonly (readonly [arrival: number, service: number])[], span: number) =>
  simulateQueue(
    Float64Array.from(trips, ([at]) => at),
    Float64Array.from(trips, ([, takes]) => takes),
    span,
  );

describe('a single thread', () => {
  it('keeps nobody waiting who comes when it is idle', () => {
    expect(
      serveAll(
        [
          [0, 1],
          [10, 2],
          [20, 3],
        ],
        30,
      ),
    ).toEqual({ utilisation: 0.2, median: 2, p99: 2 });
  });

  it('serves one after the other who come at once', () => {
    expect(
      serveAll(
        [
          [5, 2],
          [5, 2],
          [5, 2],
        ],
        60,
      ),
    ).toEqual({ utilisation: 0.1, median: 4, p99: 4 });
  });

  it('serves in the order of arrival, not of the list', () => {
    expect(
      serveAll(
        [
          [1, 1],
          [0, 10],
          [2, 1],
        ],
        24,
      ).median,
    ).toBe(10);
  });

  it('never catches up when there is more to do than time', () => {
    expect(
      serveAll(
        [
          [0, 6],
          [1, 6],
        ],
        10,
      ),
    ).toEqual({
      utilisation: 1.2,
      median: Number.POSITIVE_INFINITY,
      p99: Number.POSITIVE_INFINITY,
    });
  });
});
