/** A small API with every way of passing input, for the tests of this package. */
import * as z from 'zod/mini';
import { catalogue, noInput, operation, ProblemError } from '../src/index.ts';

export interface Shelf {
  readonly reader: string;
  readonly books: readonly string[];
}

export const listBooks = operation({
  id: 'list_books',
  method: 'get',
  path: '/api/books',
  summary: 'List the books',
  description: 'Gives the titles of all books, or of those that hold a word.',
  scopes: ['read'],
  consequential: false,
  input: z.strictObject({
    word: z.optional(z.string().check(z.describe('A word that the title must hold.'))),
  }),
  output: z.array(z.string()).check(z.describe('The titles.')),
  handle: async ({ word = '' }, { books }: Shelf) => books.filter((book) => book.includes(word)),
});

export const getBook = operation({
  id: 'get_book',
  method: 'get',
  path: '/api/books/{title}',
  summary: 'Get a book',
  description: 'Gives one book.',
  scopes: ['read'],
  consequential: false,
  input: z.strictObject({ title: z.string() }),
  output: z.strictObject({ title: z.string(), reader: z.string() }),
  handle: async ({ title }, { books, reader }: Shelf) => {
    if (!books.includes(title)) {
      throw new ProblemError({ status: 404, detail: 'There is no such book.', members: { books } });
    }
    return { title, reader };
  },
});

export const rateBook = operation({
  id: 'rate_book',
  method: 'post',
  path: '/api/books/{title}',
  summary: 'Rate a book',
  description: 'Gives a book its stars.',
  scopes: ['read', 'rate'],
  consequential: true,
  input: z.strictObject({
    title: z.string(),
    stars: z.int().check(z.gte(1), z.lte(5), z.describe('One to five.')),
    comment: z.optional(z.string()),
  }),
  output: z.strictObject({ title: z.string(), stars: z.int() }),
  handle: async ({ title, stars }, _: Shelf) => ({ title, stars }),
});

const burnBooks = operation({
  id: 'burn_books',
  method: 'delete',
  path: '/api/books',
  summary: 'Burn the books',
  description: 'Does not work.',
  scopes: [],
  consequential: true,
  input: noInput,
  output: z.null(),
  handle: async (_input, { reader }: Shelf): Promise<null> => {
    throw new RangeError(`${reader} has no matches`);
  },
});

export const library = catalogue([listBooks, getBook, rateBook, burnBooks]);
