/** An OAuth client that others wrote (`openid-buildOAuthClient`), set up against the running system. */
import {
  allowInsecureRequests,
  type ClientAuth,
  type Configuration,
  discovery,
  fetchProtectedResource,
} from 'openid-client';
import { expect, inject } from 'vitest';

/** Reads the metadata (RFC 8414) and becomes that client. */
export const discover = (clientId: string, authentication: ClientAuth): Promise<Configuration> =>
  discovery(new URL(inject('system').origin), clientId, {}, authentication, {
    algorithm: 'oauth2',
    execute: [allowInsecureRequests],
  });

/** Calls the game's API and gives the body of a 200. */
export const call = async (
  config: Configuration,
  accessToken: string,
  method: 'GET' | 'POST',
  path: string,
): Promise<unknown> => {
  const url = new URL(path, inject('system').origin);
  const response = await fetchProtectedResource(config, accessToken, url, method);
  expect(response.status).toBe(200);
  return response.json();
};

/** Reads the score. */
export const score = (config: Configuration, accessToken: string): Promise<unknown> =>
  call(config, accessToken, 'GET', '/api/scoring');

/** Adds a point and gives the new score. */
export const addPoint = (config: Configuration, accessToken: string): Promise<unknown> =>
  call(config, accessToken, 'POST', '/api/scoring');
