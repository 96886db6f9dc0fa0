import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { DefinitionError, defineApi, defineOperation, noInput, type Operation } from '../src/index.ts';
import { getBook, library, listBooks, rateBook, type Shelf } from './library.ts';

const createWithFieldDescription = (length: number) =>
  defineOperation({
    ...listBooks,
    input: v.strictObject({ word: v.optional(v.pipe(v.string(), v.description('x'.repeat(length)))) }),
    output: v.null(),
    handle: async () => null,
  });

const createMany = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...listBooks,
    id: `list_${index}`,
    path: `/api/${index}` as const,
  }));

const invalidDefinitions: readonly (readonly [string, readonly Operation<Shelf>[], string])[] = [
  [
    'a duplicate ID',
    [getBook, { ...listBooks, id: 'get_book' }],
    'get_book: get_book is already used by get_book.',
  ],
  [
    'a duplicate method and path',
    [listBooks, { ...listBooks, id: 'other' }],
    'other: get /api/books is already used by list_books.',
  ],
  [
    'paths that differ only in the name of a field',
    [
      getBook,
      { ...getBook, id: 'other', path: '/api/books/{name}', input: v.strictObject({ name: v.string() }) },
    ],
    'other: get /api/books/{} is already used by get_book.',
  ],
  [
    'an ID with a space',
    [{ ...getBook, id: 'get book' }],
    'get book: the ID must be 1 to 64 letters, digits, _ or -, and must start with a letter or _.',
  ],
  [
    'an ID of 65 characters',
    [{ ...getBook, id: 'x'.repeat(65) }],
    `${'x'.repeat(65)}: the ID must be 1 to 64 letters, digits, _ or -, and must start with a letter or _.`,
  ],
  [
    'an output that is transformed',
    [{ ...listBooks, output: v.pipe(v.string(), v.transform(Number), v.number()) }],
    'list_books: the output schema must not transform values.',
  ],
  ['an empty summary', [{ ...getBook, summary: '' }], 'get_book: the summary must not be empty.'],
  [
    'a summary of 301 characters',
    [{ ...getBook, summary: 'x'.repeat(301) }],
    'get_book: the summary has 301 characters, but ChatGPT’s limit is 300.',
  ],
  [
    'a description of 301 characters',
    [{ ...getBook, description: 'x'.repeat(301) }],
    'get_book: the description has 301 characters, but ChatGPT’s limit is 300.',
  ],
  [
    'a field description of 701 characters',
    [createWithFieldDescription(701)],
    'list_books: the description of word has 701 characters, but ChatGPT’s limit is 700.',
  ],
  [
    'a path field that the input does not have',
    [{ ...getBook, path: '/api/books/{isbn}' }],
    'get_book: the path contains {isbn}, but the input has no such field.',
  ],
  [
    'a path with a query',
    [{ ...listBooks, path: '/api?a=1' }],
    'list_books: the path /api?a=1 must consist of {fields} and segments without special characters.',
  ],
  [
    'a path that ends in a slash',
    [{ ...listBooks, path: '/api/' }],
    'list_books: the path /api/ must consist of {fields} and segments without special characters.',
  ],
  ['31 operations', createMany(31), 'The API has 31 operations, but ChatGPT’s limit is 30.'],
];

describe('an API definition', () => {
  it.each(invalidDefinitions)('refuses %s', (_, operations, message) => {
    expect(() => defineApi(operations)).toThrow(new DefinitionError(message));
  });

  it('accepts operations that just meet the limits', () => {
    const longest = {
      ...rateBook,
      id: 'x'.repeat(64),
      summary: 'x'.repeat(300),
      description: 'x'.repeat(300),
    };
    expect(defineApi([longest, createWithFieldDescription(700)]).operations).toHaveLength(2);
    expect(defineApi(createMany(30)).operations).toHaveLength(30);
  });

  it('keeps the operations in their order', () => {
    expect(library.operations.map(({ id }) => id)).toEqual([
      'list_books',
      'get_book',
      'rate_book',
      'burn_books',
    ]);
  });
});

const shelf = { reader: 'ada', books: ['Emma'] };

describe('an operation', () => {
  it('validates its input and returns the output of its handler', async () => {
    expect(await rateBook.run({ title: 'Emma', stars: 4 }, shelf)).toEqual({
      ok: true,
      output: { title: 'Emma', stars: 4 },
    });
  });

  it('names every invalid field, and does not call its handler', async () => {
    let callCount = 0;
    const countingOperation = defineOperation({
      ...rateBook,
      output: v.null(),
      handle: async () => {
        callCount += 1;
        return null;
      },
    });
    expect(await countingOperation.run({ title: 7, stars: 9, extra: true }, shelf)).toEqual({
      ok: false,
      issues: [
        { field: 'title', message: 'Invalid type: Expected string but received 7' },
        { field: 'stars', message: 'Invalid value: Expected <=5 but received 9' },
        { field: 'extra', message: 'Invalid key: Expected never but received "extra"' },
      ],
    });
    expect(callCount).toBe(0);
  });

  it.each([[undefined], [null], [[]], ['{}'], [7]])('refuses the input %j', async (input) => {
    const operationWithoutInput = defineOperation({
      ...getBook,
      input: noInput,
      output: v.null(),
      handle: async () => null,
    });
    expect(await operationWithoutInput.run(input, shelf)).toMatchObject({
      ok: false,
      issues: [{ field: '' }],
    });
  });

  it('throws what its handler throws', async () => {
    await expect(getBook.run({ title: 'Ulysses' }, shelf)).rejects.toMatchObject({
      name: 'ProblemError',
      message: 'There is no such book.',
      problem: { status: 404, members: { books: ['Emma'] } },
    });
  });
});
