/**
 * Fakes the part of Cloudflare's API that a deployment uses. It records the requests, and its only state is
 * whether the database exists.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { findFreePort } from '@words-with-chat/lab';

interface ApiCall {
  readonly method: string;
  /** The path after the account ID, with the query. */
  readonly path: string;
  readonly body: string;
}

export interface FakeCloudflare {
  /** The environment variables for Wrangler. */
  readonly environment: Readonly<Record<string, string>>;
  readonly calls: readonly ApiCall[];
  close(): void;
}

export interface CloudflareOptions {
  /** Whether the account already has the database. */
  readonly database: 'present' | 'missing';
  /** Returns the rows for every statement of a query. */
  readonly query?: (sql: string) => readonly (readonly object[])[];
  /** Requests with a matching path fail. */
  readonly failing?: RegExp;
  /** Requests with a matching path get no response; `asked` is called instead. */
  readonly unanswered?: { readonly at: RegExp; readonly asked: () => void };
}

/** Starts the fake on loopback. */
export const startFakeCloudflare = async ({
  database,
  query = () => [[]],
  failing,
  unanswered,
}: CloudflareOptions): Promise<FakeCloudflare> => {
  const port = await findFreePort();
  const calls: ApiCall[] = [];
  let databases = database === 'present' ? [fakeDatabase] : [];
  const server = createServer(async (request, response) => {
    const call = await readCall(request);
    calls.push(call);
    if (call.method === 'POST' && call.path === '/d1/database') databases = [fakeDatabase];
    if (unanswered?.at.test(call.path)) return unanswered.asked();
    const answer = findFailure(call, failing) ?? respondToQuery(call, query) ?? respondTo(call, databases);
    response.writeHead(answer.success ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { environment: environmentFor(port), calls, close };
};

const account = 'a'.repeat(32);

const environmentFor = (port: number) => ({
  CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
  CLOUDFLARE_API_TOKEN: 'a-token',
  CLOUDFLARE_ACCOUNT_ID: account,
  WRANGLER_SEND_METRICS: 'false',
});

const fakeDatabase = { uuid: '11111111-1111-4111-8111-111111111111', name: 'words', version: 'production' };

const readCall = async (request: IncomingMessage): Promise<ApiCall> => ({
  method: request.method ?? '',
  path: (request.url ?? '').replace(`/client/v4/accounts/${account}`, ''),
  body: (await buffer(request)).toString('utf8'),
});

/** The account has no Worker yet. Wrangler checks the error codes. */
const findFailure = ({ method, path }: ApiCall, failing: RegExp | undefined) => {
  const call = `${method} ${path}`;
  if (failing?.test(path)) return createFailure(7500);
  if (/^GET \/workers\/services\//.test(call)) return createFailure(10_090);
  return /^GET \/workers\/scripts\/[\w-]+(\/settings)?$/.test(call) ? createFailure(10_007) : undefined;
};

const createFailure = (code: number) => ({
  success: false,
  errors: [{ code, message: 'refused' }],
  messages: [],
  result: null,
});

/** Responds like Cloudflare: with a result for each statement, in order. */
const respondToQuery = ({ method, path, body }: ApiCall, query: Required<CloudflareOptions>['query']) => {
  if (method !== 'POST' || !/^\/d1\/database\/[\w-]+\/query/.test(path)) return undefined;
  const rows = query(String(Object(JSON.parse(body)).sql));
  const result = rows.map((results) => ({ success: true, results, meta: { duration: 0 } }));
  return { success: true, errors: [], messages: [], result };
};

const respondTo = ({ method, path }: ApiCall, databases: readonly object[]) => {
  const answer = answers.find(([which]) => which.test(`${method} ${path}`));
  return {
    ...{ success: true, errors: [], messages: [], result_info: { total_count: databases.length } },
    result: answer?.[1](databases) ?? {},
  };
};

/** The responses whose content Wrangler reads. For the others, it only checks that they succeeded. */
const answers: readonly (readonly [RegExp, (databases: readonly object[]) => unknown])[] = [
  [/^GET \/d1\/database(\?|$)/, (databases) => databases],
  [/^\w+ \/d1\/database(\/[\w-]+)?(\?|$)/, () => fakeDatabase],
  [/\/secrets$/, () => []],
  [/^GET .*\/deployments$/, () => ({ deployments: [] })],
  [/\/assets-upload-session$/, () => ({ jwt: 'a.jwt', buckets: [] })],
  [/^GET \/workers\/workers\//, () => ({ subdomain: { enabled: true, previews_enabled: true } })],
  [/\/domains\/changeset/, () => ({ added: [], removed: [], updated: [], conflicting: [] })],
];
