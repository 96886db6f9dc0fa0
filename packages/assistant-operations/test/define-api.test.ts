import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { DefinitionError, defineApi, type Operation, operation } from '../src/index.ts';
import { getBook, library, listBooks, rateBook, type Shelf } from './library.ts';

const described = (length: number) =>
  operation({
    ...listBooks,
    input: v.strictObject({ word: v.optional(v.pipe(v.string(), v.description('x'.repeat(length)))) }),
    output: v.null(),
    handle: async () => null,
  });

const many = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ ...listBooks, id: `list_${at}`, path: `/api/${at}` as const }));

const refused: readonly (readonly [string, readonly Operation<Shelf>[], string])[] = [
  [
    'an id taken twice',
    [getBook, { ...listBooks, id: 'get_book' }],
    'get_book: get_book is taken by get_book already',
  ],
  [
    'a path with its method taken twice',
    [listBooks, { ...listBooks, id: 'other' }],
    'other: get /api/books is taken by list_books already',
  ],
  [
    'paths that differ in the name of a field only',
    [
      getBook,
      { ...getBook, id: 'other', path: '/api/books/{name}', input: v.strictObject({ name: v.string() }) },
    ],
    'other: get /api/books/{} is taken by get_book already',
  ],
  [
    'an id with a space',
    [{ ...getBook, id: 'get book' }],
    'get book: an id is a letter, then letters, digits, _ or -',
  ],
  [
    'an id of 65 characters',
    [{ ...getBook, id: 'x'.repeat(65) }],
    `${'x'.repeat(65)}: an id is a letter, then letters, digits, _ or -`,
  ],
  ['an empty summary', [{ ...getBook, summary: '' }], 'get_book: the summary is empty'],
  [
    'a summary of 301 characters',
    [{ ...getBook, summary: 'x'.repeat(301) }],
    'get_book: the summary has 301 characters, ChatGPT takes 300',
  ],
  [
    'a description of 301 characters',
    [{ ...getBook, description: 'x'.repeat(301) }],
    'get_book: the description has 301 characters, ChatGPT takes 300',
  ],
  [
    'a field described in 701 characters',
    [described(701)],
    'list_books: the description of word has 701 characters, ChatGPT takes 700',
  ],
  [
    'a field of the path that the input lacks',
    [{ ...getBook, path: '/api/books/{isbn}' }],
    'get_book: the input has no field {isbn}',
  ],
  [
    'a path with a query',
    [{ ...listBooks, path: '/api?a=1' }],
    'list_books: /api?a=1 is not a path of plain segments and {fields}',
  ],
  [
    'a path that ends in a slash',
    [{ ...listBooks, path: '/api/' }],
    'list_books: /api/ is not a path of plain segments and {fields}',
  ],
  ['31 operations', many(31), '31 operations are more than the 30 that ChatGPT takes'],
];

describe('an API definition', () => {
  it.each(refused)('refuses %s', (_, operations, message) => {
    expect(() => defineApi(operations)).toThrow(new DefinitionError(message));
  });

  it('takes what is just within the limits', () => {
    const longest = {
      ...rateBook,
      id: 'x'.repeat(64),
      summary: 'x'.repeat(300),
      description: 'x'.repeat(300),
    };
    expect(defineApi([longest, described(700)]).operations).toHaveLength(2);
    expect(defineApi(many(30)).operations).toHaveLength(30);
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
