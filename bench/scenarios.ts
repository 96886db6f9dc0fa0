/**
 * The scenarios to measure: routes with the same body, decryption and the seal's `open` on their own, and the
 * token endpoint.
 */
import type { Scenario } from './measure.ts';
import { operationPath, queries } from './routes.ts';
import { clientId, type SignedIn } from './sign-in.ts';

/**
 * How often one call of `decrypt` and `unseal` repeats its work, so that the cost of the request hardly
 * counts.
 */
export const repetitions = 200;

/** Returns every scenario for the Worker at `origin`. The routes that are compared get the same headers. */
export const createScenarios = (
  origin: URL,
  signedIn: SignedIn,
  baselineToken: string,
  distinctTokens: readonly string[],
) => {
  const route = (path: string, token: string): Scenario => ({
    requestSpec: { url: new URL(path, origin), headers: { authorization: `Bearer ${token}` } },
    calls: 200,
  });
  const repeated = (path: string): Scenario => ({
    requestSpec: { url: new URL(`${path}?times=${repetitions}`, origin) },
    calls: 8,
  });
  const refreshAt = (path: string): Scenario => ({
    requestSpec: { url: new URL(path, origin), body: buildRefreshRequest(signedIn) },
    // As many as for the open route: each slice opens its own connections, which is part of the cost.
    calls: 200,
  });
  return {
    open: route('/open', signedIn.accessToken),
    guarded: route('/guarded', signedIn.accessToken),
    distinct: {
      requestSpec: {
        url: new URL('/guarded', origin),
        headers: distinctTokens.map((token) => ({ authorization: `Bearer ${token}` })),
      },
      calls: 200,
    },
    baseline: route('/baseline', baselineToken),
    idle: repeated('/idle'),
    decrypt: repeated('/decrypt'),
    unseal: repeated('/unseal'),
    refresh: refreshAt('/token'),
    gameRefresh: refreshAt(`/token${queries.game}`),
    operation: route(operationPath + queries.bare, signedIn.accessToken),
    gameOperation: route(operationPath + queries.game, signedIn.accessToken),
  };
};

/** A GPT's refresh token is stable, so the same request can be repeated. A code can be used once. */
const buildRefreshRequest = ({ clientSecret, refreshToken }: SignedIn): URLSearchParams =>
  new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret,
    refresh_token: refreshToken,
  });
