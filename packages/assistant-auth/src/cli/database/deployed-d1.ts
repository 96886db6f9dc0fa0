/**
 * Opens the deployed D1 database through Cloudflare's API, with Wrangler's credentials.
 * @see https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/query/
 */
import { once } from 'node:events';
import { text as readText } from 'node:stream/consumers';
import type { SqlDatabase, SqlResult } from '../../storage/sqlite/d1.ts';
import { type BoundStatement, createSqlDatabase } from '../../storage/sqlite/drivers.ts';
import { CommandError } from '../command.ts';
import { type D1Selection, loadWrangler, readD1Binding, startWrangler } from './wrangler.ts';

/**
 * Finds the database of a D1 binding. Wrangler must be installed in the project.
 * @param environment `CLOUDFLARE_ACCOUNT_ID` selects an account, `CLOUDFLARE_API_BASE_URL` a different API
 * @throws CommandError if Wrangler has no credentials, if there is not exactly one account with the database,
 * or if the API can't be used
 */
export const openDeployedD1 = async (
  selection: D1Selection,
  environment: NodeJS.ProcessEnv,
): Promise<SqlDatabase> => {
  const baseUrl = readBaseUrl(environment);
  const wrangler = await loadWrangler(selection.projectFolder);
  const { config, binding, database, account: configuredAccount } = readD1Binding(wrangler, selection);
  if (database === undefined)
    throw new CommandError(
      `The D1 database ${binding} in ${config} has neither a database_id nor a database_name.`,
    );
  const headers = await readCredentials(wrangler.cli);
  const api: Api = (path, body) => callApi(baseUrl + path, headers, body);
  const { CLOUDFLARE_ACCOUNT_ID } = environment;
  const account = configuredAccount || CLOUDFLARE_ACCOUNT_ID;
  const accounts = account === undefined || account === '' ? await listAccounts(api) : [account];
  const db = createDatabase(api, await findDatabase(api, accounts, database));
  await requireTypedParameters(db);
  return db;
};

/**
 * @throws CommandError if the credentials would be sent in clear text, or to an API other than the one that
 * Wrangler uses
 */
const readBaseUrl = ({
  CLOUDFLARE_API_BASE_URL: url = '',
  CLOUDFLARE_COMPLIANCE_REGION: region = '',
  WRANGLER_API_ENVIRONMENT: apiEnvironment = '',
}: NodeJS.ProcessEnv): string => {
  if (url === '' && (region !== '' || apiEnvironment !== ''))
    throw new CommandError(
      'With CLOUDFLARE_COMPLIANCE_REGION or WRANGLER_API_ENVIRONMENT, set CLOUDFLARE_API_BASE_URL to the URL of that API.',
    );
  if (url === '') return 'https://api.cloudflare.com/client/v4';
  const parsed = URL.parse(url);
  const isAllowed =
    parsed?.protocol === 'https:' ||
    (parsed?.protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(parsed.hostname));
  if (!isAllowed) throw new CommandError('CLOUDFLARE_API_BASE_URL must be an https URL.');
  return url;
};

/** Sends a request, as POST if there is a body, and returns the result in the response. */
type Api = <Result>(path: string, body?: unknown) => Promise<Result>;

/**
 * Returns the request headers with the credentials in the environment, or of the user who is logged in to
 * Wrangler, which refreshes an expired login. Secret.
 */
const readCredentials = async (cli: string): Promise<Readonly<Record<string, string>>> => {
  const child = startWrangler(cli, ['auth', 'token', '--json'], 'pipe');
  const [output, [code]] = await Promise.all([
    child.stdout === null ? '' : readText(child.stdout),
    once(child, 'close'),
  ]);
  if (code !== 0)
    throw new CommandError(
      'Wrangler has no credentials for Cloudflare. Run npx wrangler login or set CLOUDFLARE_API_TOKEN, and try again.',
    );
  const { token, key, email } = parseObject<Readonly<Record<string, string>>>(output);
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (key !== undefined && email !== undefined) return { 'x-auth-key': key, 'x-auth-email': email };
  throw new CommandError(
    'The output of wrangler auth token --json has no credentials. Unset WRANGLER_LOG and try again.',
  );
};

/** The largest page size that the API supports. */
const maxAccounts = 50;

const listAccounts = async (api: Api): Promise<readonly string[]> => {
  const accounts = await api<readonly { readonly id: string }[]>(`/accounts?per_page=${maxAccounts}`);
  if (accounts.length < maxAccounts) return accounts.map(({ id }) => id);
  throw new CommandError(
    'You have 50 or more Cloudflare accounts. Set CLOUDFLARE_ACCOUNT_ID to one of them.',
  );
};

/**
 * Returns the path of the database, in the one account that has it. Like Wrangler, looks a database up by its
 * ID or name.
 * @throws CommandError if not exactly one of the accounts has it
 */
const findDatabase = async (api: Api, accounts: readonly string[], database: string): Promise<string> => {
  const matches = await Promise.all(
    accounts.map(async (account) => {
      const databases = `/accounts/${encodeURIComponent(account)}/d1/database`;
      try {
        const path = `${databases}/${encodeURIComponent(database)}?fields=uuid,name`;
        const { uuid } = await api<{ readonly uuid: string }>(path);
        return [{ account, path: `${databases}/${uuid}` }];
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return [];
        throw error;
      }
    }),
  );
  const [first, ...otherMatches] = matches.flat();
  if (first === undefined)
    throw new CommandError(
      `Cloudflare has no D1 database "${database}" in the account ${accounts.join(' or ')}. Deploy the app first, or set CLOUDFLARE_ACCOUNT_ID to the account that has the database.`,
    );
  if (otherMatches.length > 0)
    throw new CommandError(
      `Several Cloudflare accounts have a D1 database "${database}". Set CLOUDFLARE_ACCOUNT_ID to one of them: ${[first, ...otherMatches].map(({ account }) => account).join(', ')}.`,
    );
  return first.path;
};

const createDatabase = (api: Api, path: string): SqlDatabase =>
  // According to D1's documentation, a batch is one transaction, as with a Worker's binding
  // (docs/decisions/0026-commands-bind-parameters.md).
  createSqlDatabase(async <Row>(statements: readonly BoundStatement[]) => {
    const batch = statements.map(({ sql, values: params }) => ({ sql, params }));
    const results = await api<SqlResult<Row>[]>(`${path}/query`, { batch }).catch(addAdvice);
    if (
      Array.isArray(results) &&
      results.length === statements.length &&
      results.every((result) => Number.isInteger(Object(Object(result).meta).changes))
    )
      return results;
    throw new CommandError(`Cloudflare's API returned an unexpected response to a query. ${checkAdvice}`);
  });

/**
 * The documentation of the API declares parameters as strings. If a number were bound as text, comparisons
 * would be wrong: any text is greater than any number.
 * @throws CommandError unless numbers and NULL are bound as such
 */
const requireTypedParameters = async (db: SqlDatabase): Promise<void> => {
  const [result] = await db.batch<{ readonly typed: number }>([
    db.prepare("SELECT typeof(?1) IN ('integer', 'real') AND ?2 IS NULL AS typed").bind(1, null),
  ]);
  if (result?.results[0]?.typed === 1) return;
  throw new CommandError(
    "Cloudflare's API does not bind numbers as numbers, so the command can't use it. Nothing was changed.",
  );
};

const checkAdvice = 'Before you try again, check whether the change was made.';

/**
 * Adds to the error whether the failed batch may have changed something: the API rejects some requests before
 * it runs them.
 */
const addAdvice = (error: unknown): never => {
  if (!(error instanceof CommandError)) throw error;
  const isRejected = error instanceof ApiError && [401, 403, 404, 429].includes(error.status);
  throw new CommandError(`${error.message} ${isRejected ? 'Nothing was changed.' : checkAdvice}`, {
    cause: error,
  });
};

/** The API responded with an error. */
class ApiError extends CommandError {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, reasons: string) {
    super(`Cloudflare's API responded with status ${status}: ${reasons}.`);
    this.status = status;
  }
}

/** @param headers contain the credentials */
const callApi = async <Result>(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<Result> => {
  const request =
    body === undefined
      ? { headers }
      : {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        };
  const { response, text } = await sendRequest(url, request);
  const { success, result, errors } = parseObject<ApiResponse<Result>>(text);
  if (response.ok && success === true && result !== undefined && result !== null) return result;
  const reasons = Array.isArray(errors) ? errors.map(formatReason).join(', ') : '';
  throw new ApiError(response.status, reasons || 'no reason was given');
};

/** Follows no redirects, because the credentials could be sent to another host. */
const sendRequest = async (
  url: string,
  request: RequestInit,
): Promise<{ readonly response: Response; readonly text: string }> => {
  try {
    const response = await fetch(url, { ...request, redirect: 'error' });
    return { response, text: await response.text() };
  } catch (cause) {
    throw new CommandError(`The request to Cloudflare's API at ${new URL(url).origin} failed.`, { cause });
  }
};

const formatReason = (reason: unknown): string => {
  const { code, message } = Object(reason);
  return `${message} (code ${code})`;
};

/** The envelope of every response. */
interface ApiResponse<Result> {
  readonly success?: boolean;
  readonly result?: Result;
  readonly errors?: readonly unknown[];
}

/** Parses a JSON object. Anything else becomes an empty object. */
const parseObject = <Type extends object>(text: string): Partial<Type> => {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
};
