/** Configures a third-party OAuth client (`openid-client`) for the running system. */
import {
  allowInsecureRequests,
  type ClientAuth,
  type Configuration,
  discovery,
  fetchProtectedResource,
} from 'openid-client';
import { expect, inject } from 'vitest';

/** Creates a client from the server metadata (RFC 8414). */
export const discover = (clientId: string, authentication: ClientAuth): Promise<Configuration> =>
  discovery(new URL(inject('system').origin), clientId, {}, authentication, {
    algorithm: 'oauth2',
    execute: [allowInsecureRequests],
  });

/** Calls the game's API, expects status 200, and returns the body. */
export const callApi = async (
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

export const readScore = (config: Configuration, accessToken: string): Promise<unknown> =>
  callApi(config, accessToken, 'GET', '/api/scoring');

/** Adds a point and returns the new score. */
export const addPoint = (config: Configuration, accessToken: string): Promise<unknown> =>
  callApi(config, accessToken, 'POST', '/api/scoring');
