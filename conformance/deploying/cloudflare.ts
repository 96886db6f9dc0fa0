/**
 * Fakes the part of Cloudflare's API that a deployment and the commands use. It records the requests, and its
 * only state is the database.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { findFreePort } from '@words-with-chat/lab';
import { createFakeD1, type FakeD1 } from './fake-d1.ts';

interface ApiCall {
  readonly method: string;
  readonly authorization: string | undefined;
  /** The path after the account ID, with the query. */
  readonly path: string;
  readonly body: string;
}

export interface FakeCloudflare {
  /** The environment variables for Wrangler. */
  readonly environment: Readonly<Record<string, string>>;
  /** The database, without tables. */
  readonly d1: FakeD1;
  readonly calls: readonly ApiCall[];
  close(): void;
}

export interface CloudflareOptions {
  /** Whether the account already has the database. */
  readonly database: 'present' | 'missing';
  /** The accounts of the user. Only the first one can have the database. Default: the first one alone. */
  readonly accounts?: readonly string[];
  /** How parameters are bound: with their types, or all as text. Default: `typed`. */
  readonly parameters?: 'typed' | 'text';
  /** Requests with a matching path fail. */
  readonly failingPath?: RegExp;
  /** Requests with a matching path get no response; `onRequest` is called instead. */
  readonly withoutResponse?: { readonly path: RegExp; readonly onRequest: () => void };
}

/** The ID of the account with the database. */
export const accountId = 'a'.repeat(32);

/** Starts the fake on loopback. */
export const startFakeCloudflare = async (options: CloudflareOptions): Promise<FakeCloudflare> => {
  const { database, accounts = [accountId], failingPath, withoutResponse } = options;
  const port = await findFreePort();
  const calls: ApiCall[] = [];
  const d1 = createFakeD1();
  let databases = database === 'present' ? [fakeDatabase] : [];
  const server = createServer(async (request, response) => {
    const call = await readCall(request);
    calls.push(call);
    if (call.method === 'POST' && call.path === '/d1/database') databases = [fakeDatabase];
    if (withoutResponse?.path.test(call.path)) return withoutResponse.onRequest();
    const responseBody =
      findFailure(call, failingPath) ??
      respondToQuery(call, d1, options) ??
      respond(call, databases, accounts) ??
      createFailure(7404, 'not found');
    response.writeHead(responseBody.success ? 200 : call.path.endsWith('/query') ? 400 : 404, {
      'content-type': 'application/json',
    });
    response.end(JSON.stringify(responseBody));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { environment: buildEnvironment(port), d1, calls, close };
};

const buildEnvironment = (port: number) => ({
  CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
  CLOUDFLARE_API_TOKEN: 'a-token',
  CLOUDFLARE_ACCOUNT_ID: accountId,
  WRANGLER_SEND_METRICS: 'false',
});

const fakeDatabase = { uuid: '11111111-1111-4111-8111-111111111111', name: 'words', version: 'production' };

const readCall = async (request: IncomingMessage): Promise<ApiCall> => ({
  method: request.method ?? '',
  authorization: request.headers.authorization,
  path: (request.url ?? '').replace('/client/v4', '').replace(`/accounts/${accountId}`, ''),
  body: (await buffer(request)).toString('utf8'),
});

/** Returns the errors for an account that has no Worker yet, whose codes Wrangler checks. */
const findFailure = ({ method, path }: ApiCall, failingPath: RegExp | undefined) => {
  const call = `${method} ${path}`;
  if (failingPath?.test(path)) return createFailure(7500);
  if (/^GET \/workers\/services\//.test(call)) return createFailure(10_090);
  return /^GET \/workers\/scripts\/[\w-]+(\/settings)?$/.test(call) ? createFailure(10_007) : undefined;
};

const createFailure = (code: number, message = 'refused') => ({
  success: false,
  errors: [{ code, message }],
  messages: [],
  result: null,
});

/** Responds like Cloudflare: with a result for each statement, in order. */
const respondToQuery = (
  { method, path, body }: ApiCall,
  d1: FakeD1,
  { parameters = 'typed' }: CloudflareOptions,
) => {
  if (method !== 'POST' || !/^\/d1\/database\/[\w-]+\/query/.test(path)) return undefined;
  const bindAsText = (name: string, value: unknown) =>
    name !== 'batch' && typeof value === 'number' ? String(value) : value;
  try {
    const result = d1.query(JSON.parse(body, parameters === 'text' ? bindAsText : undefined));
    return { success: true, errors: [], messages: [], result };
  } catch (error) {
    return createFailure(7500, error instanceof Error ? error.message : String(error));
  }
};

/** @returns `undefined` if the path is a database that does not exist */
const respond = ({ method, path }: ApiCall, databases: readonly object[], accounts: readonly string[]) => {
  const isMissing = databases.length === 0 || path.startsWith('/accounts/');
  if (isMissing && /\/d1\/database\/[\w-]+(\?|$)/.test(path)) return undefined;
  const result =
    method === 'GET' && /^\/accounts(\?|$)/.test(path)
      ? accounts.map((id) => ({ id, name: id }))
      : resultsByRequest.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1](databases);
  return {
    ...{ success: true, errors: [], messages: [], result_info: { total_count: databases.length } },
    result: result ?? {},
  };
};

/** The responses whose content Wrangler reads. For the others, it only checks that they succeeded. */
const resultsByRequest: readonly (readonly [RegExp, (databases: readonly object[]) => unknown])[] = [
  [/^GET \/d1\/database(\?|$)/, (databases) => databases],
  [/^\w+ \/d1\/database(\/[\w-]+)?(\?|$)/, () => fakeDatabase],
  [/\/secrets$/, () => []],
  [/^GET .*\/deployments$/, () => ({ deployments: [] })],
  [/\/assets-upload-session$/, () => ({ jwt: 'a.jwt', buckets: [] })],
  [/^GET \/workers\/workers\//, () => ({ subdomain: { enabled: true, previews_enabled: true } })],
  [/\/domains\/changeset/, () => ({ added: [], removed: [], updated: [], conflicting: [] })],
];
