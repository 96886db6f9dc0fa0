/**
 * The memory of a fake provider that forgets its tokens when it ends. To one of an earlier start it would say `invalid_grant`, as to
 * one that was revoked, and everybody would be signed out by a restart; so it is out of order instead, as far as that token goes.
 */
import { forward, type ProxyHandler } from './reverse-proxy.ts';

/** Makes what stands in front of a fake provider that has just started. */
export const rejectForgottenTokens = (): ProxyHandler => {
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
    { error: 'temporarily_unavailable', error_description: 'This token is of an earlier start.' },
    { status: 503 },
  );
