/**
 * Opens the deployed D1 database through Cloudflare's API, with Wrangler's credentials.
 * @see https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/query/
 */
import type { SqlDatabase, SqlResult, SqlStatement } from 'assistant-auth/d1';
import { CommandError } from '../app/command.ts';
import { readWranglerOutput } from '../app/wrangler.ts';

/**
 * Finds the database of a Wrangler file.
 * @param environment `CLOUDFLARE_ACCOUNT_ID` selects an account, `CLOUDFLARE_API_BASE_URL` another API
 * @throws CommandError if Wrangler has no credentials, if there is not exactly one account with the database,
 * or if the API can't be used
 */
export const openDeployedD1 = async (
  config: string,
  { CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_BASE_URL }: NodeJS.ProcessEnv,
): Promise<SqlDatabase> => {
  const [target, headers] = await Promise.all([readTarget(config), readCredentials()]);
  const baseUrl = CLOUDFLARE_API_BASE_URL ?? 'https://api.cloudflare.com/client/v4';
  const api: Api = (path, body) => callApi(baseUrl + path, headers, body);
  const account = target.account ?? CLOUDFLARE_ACCOUNT_ID;
  const accounts = account === undefined ? await listAccounts(api) : [account];
  const db = createDatabase(api, await findDatabase(api, accounts, target.database));
  await requireTypedParameters(db);
  return db;
};

/** Sends a request, as POST if there is a body, and returns the result in the response. */
type Api = <Result>(path: string, body?: unknown) => Promise<Result>;

interface Target {
  /** The ID of the database, or otherwise its name. */
  readonly database: string;
  readonly account: string | undefined;
}

const readTarget = async (config: string): Promise<Target> => {
  const { unstable_readConfig } = await import('wrangler');
  const { d1_databases, account_id: account } = unstable_readConfig({ config });
  const [binding]: readonly DatabaseBinding[] = d1_databases;
  const database = binding?.database_id ?? binding?.database_name;
  if (database === undefined) throw new Error(`${config} has no database`);
  return { database, account };
};

interface DatabaseBinding {
  readonly database_id?: string;
  readonly database_name?: string;
}

/**
 * Returns the request headers with the credentials in the environment, or of the user who is logged in to
 * Wrangler, which refreshes an expired login. Secret.
 */
const readCredentials = async (): Promise<Readonly<Record<string, string>>> => {
  const output = await readWranglerOutput(['auth', 'token', '--json']).catch((cause: unknown) => {
    throw new CommandError(
      'Wrangler has no credentials for Cloudflare. Run npx wrangler login or set CLOUDFLARE_API_TOKEN, and try again.',
      { cause },
    );
  });
  const { token, key = '', email = '' }: Readonly<Record<string, string>> = JSON.parse(output);
  return token === undefined
    ? { 'x-auth-key': key, 'x-auth-email': email }
    : { authorization: `Bearer ${token}` };
};

const listAccounts = async (api: Api): Promise<readonly string[]> => {
  const accounts = await api<readonly { readonly id: string }[]>('/accounts?per_page=50');
  return accounts.map(({ id }) => id);
};

/**
 * Returns the path of the database, in the one account that has it. Like Wrangler, looks a database up by its
 * ID or name.
 * @throws CommandError if not exactly one of the accounts has it
 */
const findDatabase = async (api: Api, accounts: readonly string[], database: string): Promise<string> => {
  const found = await Promise.all(
    accounts.map(async (account) => {
      const databases = `/accounts/${encodeURIComponent(account)}/d1/database`;
      try {
        const lookup = `${databases}/${encodeURIComponent(database)}?fields=uuid,name`;
        const { uuid } = await api<{ readonly uuid: string }>(lookup);
        return [{ account, path: `${databases}/${uuid}` }];
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return [];
        throw error;
      }
    }),
  );
  const [first, ...others] = found.flat();
  if (first === undefined)
    throw new CommandError(
      `Cloudflare has no D1 database "${database}" in the account ${accounts.join(' or ')}. Deploy the app first, or set CLOUDFLARE_ACCOUNT_ID to the account that has the database.`,
    );
  if (others.length > 0)
    throw new CommandError(
      `Several Cloudflare accounts have a D1 database "${database}". Set CLOUDFLARE_ACCOUNT_ID to one of them: ${[first, ...others].map(({ account }) => account).join(', ')}.`,
    );
  return first.path;
};

interface BoundStatement {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** What the API returns for a statement. */
interface StatementResult<Row> {
  readonly results: Row[];
  readonly meta: { readonly changes: number };
}

const createDatabase = (api: Api, path: string): SqlDatabase => {
  const boundStatements = new WeakMap<SqlStatement, BoundStatement>();
  const prepare = (sql: string, params: readonly unknown[]): SqlStatement => {
    const statement = { bind: (...values: unknown[]) => prepare(sql, values) };
    boundStatements.set(statement, { sql, params });
    return statement;
  };
  return {
    prepare: (sql) => prepare(sql, []),
    // The API runs a batch in one transaction, like the binding of a Worker.
    async batch<Row>(statements: SqlStatement[]): Promise<SqlResult<Row>[]> {
      const batch = statements.map((statement) => boundStatements.get(statement));
      const results = await api<StatementResult<Row>[]>(`${path}/query`, { batch });
      if (results.length === statements.length && results.every(({ meta }) => Number.isInteger(meta.changes)))
        return results;
      throw new CommandError(`Cloudflare's API returned an unexpected response to a query. ${checkFirst}`);
    },
  };
};

/**
 * The documentation of the API declares parameters as strings. If a number were bound as text, comparisons
 * would be wrong: any text is greater than any number.
 * @throws CommandError unless numbers and NULL are bound as such
 */
const requireTypedParameters = async (db: SqlDatabase): Promise<void> => {
  const [bound] = await db.batch<{ readonly typed: number }>([
    db.prepare("SELECT typeof(?1) IN ('integer', 'real') AND ?2 IS NULL AS typed").bind(1, null),
  ]);
  if (bound?.results[0]?.typed === 1) return;
  throw new CommandError(
    "Cloudflare's API does not bind numbers as numbers, so the command can't use it. Nothing was changed.",
  );
};

/** For errors after which it is unknown whether a change was made. */
const checkFirst = 'Before you try again, check whether the change was made.';

/** The API responded with an error. */
class ApiError extends CommandError {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, reasons: string) {
    const outcome = status < 500 ? 'Nothing was changed.' : checkFirst;
    super(`Cloudflare's API responded with status ${status}: ${reasons}. ${outcome}`);
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
  const response = await fetch(url, request).catch((cause: unknown) => {
    throw new CommandError(`Cloudflare's API can't be reached at ${new URL(url).origin}. ${checkFirst}`, {
      cause,
    });
  });
  const answer = parseAnswer<Result>(await response.text());
  if (response.ok && answer.success === true && answer.result !== undefined) return answer.result;
  const reasons = (answer.errors ?? []).map(({ code, message }) => `${message} (code ${code})`);
  throw new ApiError(response.status, reasons.join(', ') || 'it gave no reason');
};

/** The envelope of every response. */
interface ApiAnswer<Result> {
  readonly success?: boolean;
  readonly result?: Result;
  readonly errors?: readonly { readonly code: number; readonly message: string }[];
}

const parseAnswer = <Result>(text: string): ApiAnswer<Result> => {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
};
