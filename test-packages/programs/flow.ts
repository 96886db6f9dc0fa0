/** Signs a user in to the app, calls its API, refreshes and revokes, as an OAuth client does. */
import { createEmulatedClient, type TokenResult } from 'assistant-auth/testing';
import { apiPath, client as credentials, otherScope, scope } from './app.ts';

export interface Server {
  readonly issuer: string;
  /** Sets the app's clock forward. */
  advance(seconds: number): void | Promise<void>;
  /** Sends the client's requests. Default: the global `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** The body of a response of the API: the signed-in user, or a problem. */
interface ApiResponse {
  readonly user?: string;
  readonly detail?: string;
}

/** Returns the outcome of each step. It is the same on every runtime. */
export const runFlow = async ({ issuer, advance, fetch: send }: Server): Promise<object> => {
  const createClient = (requestedScope: string) =>
    createEmulatedClient({
      ...{ ...credentials, issuer, scope: requestedScope },
      ...(send !== undefined && { fetch: send }),
    });
  const client = createClient(`${scope} offline_access`);
  const call = async (accessToken: string): Promise<readonly unknown[]> => {
    const response = await client.call(`${issuer}${apiPath}`, accessToken);
    const { user, detail }: ApiResponse = JSON.parse(await response.text());
    if (user !== undefined) users.add(user);
    return [response.status, ...(detail === undefined ? [] : [detail])];
  };
  const users = new Set<string>();

  const withInvalidToken = await call('invalid');
  const buttons = ['Sign in with Acme', 'Ada Marlow'];
  const { accessToken: otherToken } = await createClient(otherScope).signIn(buttons);
  const withOtherScope = await call(otherToken);
  const tokens = await client.signIn(buttons);
  const signedIn = await call(tokens.accessToken);

  const refreshed = await client.refresh(tokens.refreshToken);
  if (refreshed.kind !== 'tokens') throw new Error(`not refreshed: ${refreshed.error}`);
  const afterRefresh = await call(refreshed.accessToken);

  await client.revoke(refreshed.refreshToken ?? '');
  await advance(10); // A revoked token stops working within 10 seconds (60 while storage is unreachable).
  return {
    withInvalidToken,
    withOtherScope,
    signedIn: [tokens.scope, tokens.expiresIn, ...signedIn],
    refreshed: [refreshed.scope, refreshed.refreshToken !== tokens.refreshToken, ...afterRefresh],
    revoked: [await call(tokens.accessToken), await call(refreshed.accessToken)],
    refreshedAfterRevocation: describe(await client.refresh(refreshed.refreshToken)),
    users: [...users],
  };
};

const describe = (result: TokenResult): string =>
  result.kind === 'tokens' ? 'tokens' : `${result.status} ${result.error}`;
