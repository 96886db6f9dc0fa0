/** Configures a third-party OAuth client (`openid-client`) for the running system. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  type ClientMetadata,
  type Configuration,
  calculatePKCECodeChallenge,
  type DynamicClientRegistrationRequestOptions,
  discovery,
  dynamicClientRegistration,
  fetchProtectedResource,
  randomPKCECodeVerifier,
  randomState,
  type TokenEndpointResponse,
} from 'openid-client';
import { expect, inject } from 'vitest';
import { signIn } from './sign-in.ts';
import { type TestUserName, testUser } from './test-users.ts';

const redirectUri = 'http://127.0.0.1:51234/callback';

const options: DynamicClientRegistrationRequestOptions = {
  algorithm: 'oauth2',
  execute: [allowInsecureRequests],
};

/** Creates a client from the server metadata (RFC 8414). */
export const discover = (clientId: string, authentication: ClientAuth): Promise<Configuration> =>
  discovery(new URL(inject('system').origin), clientId, {}, authentication, options);

/**
 * Registers a client (RFC 7591).
 * @param metadata added to a redirect URI on loopback and the grant types
 * @param authentication Default: the client secret that the client gets
 */
export const registerClient = (
  metadata: Partial<ClientMetadata>,
  authentication?: ClientAuth,
): Promise<Configuration> =>
  dynamicClientRegistration(
    new URL(inject('system').origin),
    { redirect_uris: [redirectUri], grant_types: ['authorization_code', 'refresh_token'], ...metadata },
    authentication,
    options,
  );

/**
 * Signs in with PKCE, as every client except a GPT does.
 * @param resource the resource (RFC 8707) that the token is for. Default: the broker's default, which is the API.
 */
export const signInWithPkce = async (
  config: Configuration,
  testUserName: TestUserName,
  scope: string,
  resource?: string,
): Promise<TokenEndpointResponse> => {
  const pkceCodeVerifier = randomPKCECodeVerifier();
  const expectedState = randomState();
  const resourceParameter = { ...(resource !== undefined && { resource }) };
  const url = buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    state: expectedState,
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...resourceParameter,
  });
  const callback = await signIn(url, testUser(testUserName));
  return authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState }, resourceParameter);
};

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
