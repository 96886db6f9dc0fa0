import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
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
      output: v.null(),
      handle: async () => {
        worked += 1;
        return null;
      },
    });
    expect(await counting.run({ title: 7, stars: 9, extra: true }, shelf)).toEqual({
      kind: 'invalid',
      issues: [
        { field: 'title', message: 'Invalid type: Expected string but received 7' },
        { field: 'stars', message: 'Invalid value: Expected <=5 but received 9' },
        { field: 'extra', message: 'Invalid key: Expected never but received "extra"' },
      ],
    });
    expect(worked).toBe(0);
  });

  it.each([[undefined], [null], [[]], ['{}'], [7]])('refuses the input %j', async (input) => {
    const nothing = operation({ ...getBook, input: noInput, output: v.null(), handle: async () => null });
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
