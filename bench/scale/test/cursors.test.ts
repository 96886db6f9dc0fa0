import { describe, expect, it } from 'vitest';
import { createCursors } from '../sharding/cursors.ts';

describe('a cursor', () => {
  it('is the first database’s own while no other has anything', () => {
    const cursors = createCursors(3);
    expect(cursors.createCursor([7, 0, 0])).toBe(7);
    expect(createCursors(3).readPositions(7)).toEqual([7, 0, 0]);
  });

  it('leads back to every place', () => {
    const cursors = createCursors(3);
    const first = cursors.createCursor([7, 1, 0]);
    const second = cursors.createCursor([7, 1, 2]);
    expect(cursors.readPositions(first)).toEqual([7, 1, 0]);
    expect(cursors.readPositions(second)).toEqual([7, 1, 2]);
  });

  it('never goes back', () => {
    const cursors = createCursors(2);
    const given = [
      [900, 0],
      [900, 1],
      [900, 1],
      [901, 4],
    ].map(cursors.createCursor);
    expect(given).toEqual(given.toSorted((one, other) => one - other));
  });

  it('begins at the beginning when somebody else gave it, or too long ago', () => {
    const cursors = createCursors(2);
    const first = cursors.createCursor([3, 4]);
    expect(createCursors(2).readPositions(first)).toEqual([undefined, undefined]);
    for (let turn = 0; turn < 200; turn++) cursors.createCursor([3, 5]);
    expect(cursors.readPositions(first)).toEqual([undefined, undefined]);
  });
});
