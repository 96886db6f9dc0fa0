import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { noInput, operation } from '../src/index.ts';
import { getBook, rateBook } from './library.ts';

const shelf = { reader: 'ada', books: ['Emma'] };

describe('an operation', () => {
  it('takes one object and gives what its handler gives', async () => {
    expect(await rateBook.run({ title: 'Emma', stars: 4 }, shelf)).toEqual({
      kind: 'done',
      output: { title: 'Emma', stars: 4 },
    });
  });

  it('names every field that does not fit, and does no work', async () => {
    let worked = 0;
    const counting = operation({
      ...rateBook,
      output: z.null(),
      handle: async () => {
        worked += 1;
        return null;
      },
    });
    expect(await counting.run({ title: 7, stars: 9, extra: true }, shelf)).toEqual({
      kind: 'invalid',
      issues: [
        { field: 'title', message: 'Invalid input: expected string, received number' },
        { field: 'stars', message: 'Too big: expected number to be <=5' },
        { field: '', message: 'Unrecognized key: "extra"' },
      ],
    });
    expect(worked).toBe(0);
  });

  it.each([[undefined], [null], [[]], ['{}'], [7]])('refuses the input %j', async (input) => {
    const nothing = operation({ ...getBook, input: noInput, output: z.null(), handle: async () => null });
    expect(await nothing.run(input, shelf)).toMatchObject({ kind: 'invalid', issues: [{ field: '' }] });
  });

  it('lets through what its handler throws', async () => {
    await expect(getBook.run({ title: 'Ulysses' }, shelf)).rejects.toMatchObject({
      name: 'ProblemError',
      message: 'There is no such book.',
      problem: { status: 404, members: { books: ['Emma'] } },
    });
  });
});
