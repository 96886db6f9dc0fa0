/**
 * Responds with 503 to refresh tokens that a fake provider issued before it was restarted. Otherwise, the
 * fake provider would respond with `invalid_grant`, as for a revoked token, so every restart would sign
 * everyone out.
 */
import { forward, type ProxyHandler } from './reverse-proxy.ts';

/** Creates the proxy handler of a fake provider that has just started. */
export const rejectTokensFromBeforeRestart = (): ProxyHandler => {
  const issued = new Set<string>();
  return async (proxiedRequest, target) => {
    const form = new URLSearchParams(proxiedRequest.body);
    const isRefresh = proxiedRequest.method === 'POST' && form.get('grant_type') === 'refresh_token';
    if (isRefresh && !issued.has(form.get('refresh_token') ?? '')) return createUnavailableResponse();
    const response = await forward(proxiedRequest, target);
    const { refresh_token: token } = Object(
      await response
        .clone()
        .json()
        .catch(() => undefined),
    );
    if (typeof token === 'string') issued.add(token);
    return response;
  };
};

const createUnavailableResponse = (): Response =>
  Response.json(
    { error: 'temporarily_unavailable', error_description: 'This token was issued before the last restart.' },
    { status: 503 },
  );
