/** Creates a `fetch` that prints each request and response. */
import { formatJson, formatJsonLine } from './format-json.ts';
import type { Terminal } from './terminal.ts';

/** Creates the function. */
export const createLoggingFetch =
  (terminal: Terminal): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    const requestBody = request.method === 'POST' ? await request.clone().text() : '';
    const url = new URL(request.url);
    terminal.message('→', `${request.method} ${url.origin}${url.pathname}`);
    terminal.details(url.searchParams);
    terminal.details(pickHeaders(request.headers, printedRequestHeaders));
    printBody(terminal, requestBody, request.headers.get('content-type') ?? '');
    const response = await fetch(request);
    terminal.message('←', `${response.status} ${response.headers.get('content-type') ?? ''}`.trim());
    terminal.details(response.headers.getSetCookie().map((cookie) => ['set-cookie', cookie]));
    terminal.details(pickHeaders(response.headers, ['www-authenticate']));
    terminal.details(describeLocation(response.headers.get('location')));
    printBody(terminal, await response.clone().text(), response.headers.get('content-type') ?? '');
    return response;
  };

type Entries = Iterable<readonly [name: string, value: string]>;

const printedRequestHeaders = ['authorization', 'cookie', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];

const pickHeaders = (headers: Headers, names: readonly string[]): Entries =>
  names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });

/** The URL without its query, which is printed when the browser opens the URL. */
const describeLocation = (location: string | null): Entries =>
  location === null ? [] : [['location', location.split('?')[0] ?? '']];

/** Prints a form or an object as one line per member, a JSON-RPC message as JSON, and a page as its title. */
const printBody = (terminal: Terminal, text: string, type: string): void => {
  if (text === '') return;
  if (type.includes('json')) {
    const value: unknown = JSON.parse(text);
    if (isJsonRpc(value)) terminal.json(formatJson(value));
    else terminal.details(describeJson(value));
  } else if (type.startsWith('application/x-www-form-urlencoded')) {
    terminal.details(new URLSearchParams(text));
  } else {
    const title = /<title>([^<]*)<\/title>/.exec(text)?.[1];
    if (title !== undefined) terminal.details([['page', title.trim()]]);
  }
};

const isJsonRpc = (value: unknown): boolean => Object.hasOwn(Object(value), 'jsonrpc');

const describeJson = (value: unknown): Entries =>
  Object.entries(Object(value)).map(([name, member]) => [
    name,
    typeof member === 'string' ? member : formatJsonLine(member),
  ]);
