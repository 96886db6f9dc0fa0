/** A small API with every way of passing input, and its handler, for the tests of this package. */
import * as v from 'valibot';
import {
  type Cors,
  createHttpHandler,
  defineApi,
  defineOperation,
  type Guard,
  type HttpHandlerOptions,
  noInput,
  ProblemError,
  type Refusal,
} from '../src/index.ts';

export interface Shelf {
  readonly reader: string;
  readonly books: readonly string[];
}

export const listBooks = defineOperation({
  id: 'list_books',
  method: 'get',
  path: '/api/books',
  summary: 'List the books',
  description: 'Returns the titles of all books, or of those that contain a word.',
  scopes: ['read'],
  isConsequential: false,
  input: v.strictObject({
    word: v.optional(v.pipe(v.string(), v.description('A word that the title must contain.'))),
  }),
  output: v.pipe(v.array(v.string()), v.description('The titles.')),
  handle: async ({ word = '' }, { books }: Shelf) => books.filter((book) => book.includes(word)),
});

export const getBook = defineOperation({
  id: 'get_book',
  method: 'get',
  path: '/api/books/{title}',
  summary: 'Get a book',
  description: 'Returns one book.',
  problems: { 404: 'There is no book with this title.' },
  scopes: ['read'],
  isConsequential: false,
  input: v.strictObject({ title: v.string() }),
  output: v.strictObject({ title: v.string(), reader: v.string() }),
  handle: async ({ title }, { books, reader }: Shelf) => {
    if (!books.includes(title)) {
      throw new ProblemError({ status: 404, detail: 'There is no such book.', members: { books } });
    }
    return { title, reader };
  },
});

export const rateBook = defineOperation({
  id: 'rate_book',
  method: 'post',
  path: '/api/books/{title}',
  summary: 'Rate a book',
  description: 'Rates a book with one to five stars.',
  scopes: ['read', 'rate'],
  isConsequential: true,
  input: v.strictObject({
    title: v.string(),
    stars: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5), v.description('One to five.')),
    comment: v.optional(v.string()),
  }),
  output: v.strictObject({ title: v.string(), stars: v.pipe(v.number(), v.integer()) }),
  handle: async ({ title, stars }, _: Shelf) => ({ title, stars }),
});

const burnBooks = defineOperation({
  id: 'burn_books',
  method: 'delete',
  path: '/api/books',
  summary: 'Burn the books',
  description: 'Does not work.',
  scopes: [],
  isConsequential: true,
  input: noInput,
  output: v.null(),
  handle: async (_input, { reader }: Shelf): Promise<null> => {
    throw new RangeError(`${reader} has no matches`);
  },
});

export const library = defineApi([listBooks, getBook, rateBook, burnBooks]);

interface Reader {
  readonly ok: true;
  readonly name: string;
}

export const noStoreHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export const corsResponseHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
};

/** The options that serve the library, and what its guard and its logs received. */
export const createLibraryOptions = (books: readonly string[] = ['Emma', 'Dracula'], cors?: Cors) => {
  const requestedScopes: (readonly string[])[] = [];
  const errors: unknown[] = [];
  const refusals: Refusal[] = [];
  /** Accepts every caller with a name, and records the requested scopes. */
  const guard: Guard<Reader> = async (request, scopes) => {
    requestedScopes.push(scopes);
    const name = request.headers.get('authorization');
    return name === null
      ? { ok: false, response: new Response('no name', { status: 401 }) }
      : { ok: true, name };
  };
  const options: HttpHandlerOptions<Reader, Shelf> = {
    basePath: '/api',
    guard,
    context: ({ name }) => ({ reader: name, books }),
    notFound: (path) => ({ status: 404, detail: `No such shelf: ${path}` }),
    mapError: (error) =>
      error instanceof RangeError && error.message.startsWith('eve')
        ? { status: 503, detail: 'The library is closed.', headers: { 'retry-after': '7' } }
        : undefined,
    logError: (error) => errors.push(error),
    onRefusal: (refusal) => refusals.push(refusal),
    ...(cors !== undefined && { cors }),
  };
  return { options, requestedScopes, errors, refusals };
};

/** Serves the library. `send` sends a request to one of its paths, and `call` does so with a name. */
export const createLibraryHandler = (books?: readonly string[], cors?: Cors) => {
  const { options, ...received } = createLibraryOptions(books, cors);
  const handle = createHttpHandler(library, options);
  const send = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await handle(buildRequest(path, init));
    if (response === undefined) throw new Error(`${path} is not below the base path`);
    return response;
  };
  const call = (path: string, init: RequestInit = {}, name = 'ada') =>
    send(path, { ...init, headers: { authorization: name, ...init.headers } });
  return { handle, send, call, ...received };
};

export const buildRequest = (path: string, init?: RequestInit): Request =>
  new Request(`http://localhost${path}`, init);

export const problem = (status: number, title: string, detail: string, members: object = {}) => ({
  type: 'about:blank',
  title,
  status,
  detail,
  ...members,
});

export const toHeaderRecord = (response: Response) => Object.fromEntries(response.headers);

export const buildJsonRequest = (body: unknown): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});
