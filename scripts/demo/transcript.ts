/** Creates a `fetch` that prints each request and response. */
import type { Terminal } from './terminal.ts';

export const createLoggingFetch =
  (terminal: Terminal): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    const requestBody = request.method === 'POST' ? await request.clone().text() : '';
    const url = new URL(request.url);
    terminal.message('→', `${request.method} ${url.origin}${url.pathname}`);
    terminal.details(url.searchParams);
    terminal.details(pickHeaders(request.headers, ['authorization', 'cookie']));
    terminal.details(new URLSearchParams(requestBody));
    const response = await fetch(request);
    terminal.message('←', `${response.status} ${response.headers.get('content-type') ?? ''}`.trim());
    terminal.details(response.headers.getSetCookie().map((cookie) => ['set-cookie', cookie]));
    terminal.details(pickHeaders(response.headers, ['www-authenticate']));
    terminal.details(describeLocation(response.headers.get('location')));
    terminal.details(describeBody(await response.clone().text(), response.headers.get('content-type') ?? ''));
    return response;
  };

type Entries = readonly (readonly [name: string, value: string])[];

const pickHeaders = (headers: Headers, names: readonly string[]): Entries =>
  names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });

/** The URL without its query, which is printed when the browser opens the URL. */
const describeLocation = (location: string | null): Entries =>
  location === null ? [] : [['location', location.split('?')[0] ?? '']];

const describeBody = (text: string, type: string): Entries => {
  if (type.includes('json')) return describeJson(JSON.parse(text));
  const title = /<title>([^<]*)<\/title>/.exec(text)?.[1];
  return title === undefined ? [] : [['page', title.trim()]];
};

const describeJson = (value: unknown): Entries => {
  if (Array.isArray(value)) return [['words', `${value.slice(0, 5).join(', ')} … (${value.length} in all)`]];
  return Object.entries(Object(value)).map(([name, member]) => [
    name,
    typeof member === 'string' ? member : JSON.stringify(member),
  ]);
};
