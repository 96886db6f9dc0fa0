/**
 * The authorization code flow from the callback on (RFC 6749 §4.1): validates the authorization response,
 * adds the credentials of the client (§2.3.1), and sends forms to the token endpoint (§4.1.3, §6) and to the
 * revocation endpoint (RFC 7009 §2.1). `oauth-client.ts` builds the authorization request and reads token
 * responses.
 */

import type { ProviderOptions } from './config.ts';
import { fetchFromProvider, type ProviderResponse } from './http.ts';
import { createAuthorizationError } from './oauth-client.ts';
import { type ProviderIo, refuseIf, type UpstreamRequest } from './provider.ts';

// The authorization response (RFC 6749 §4.1.2), before its code is sent anywhere.

/** The server that must have sent the response. */
export interface ResponseIssuer {
  /** If the response has `iss`, it must be this value: another issuer's code is not sent to this one. */
  readonly issuer: string;
  /**
   * `authorization_response_iss_parameter_supported` of its metadata (RFC 9207 §3). If it is truthy, the
   * response must have `iss`.
   */
  readonly isIssRequired: unknown;
}

/**
 * Validates the authorization response. A parameter that is empty counts as absent (§3.1), and none may be
 * repeated.
 * @param state the `state` of the authorization request
 * @returns the authorization code
 * @throws ProviderError for an error response, `denied` if the user canceled; `invalid` for a response from
 *   another issuer or for another request, one without a code, and one of another flow: a JWT (JARM §2.3), or
 *   with tokens
 */
export const readAuthorizationCode = (
  parameters: URLSearchParams,
  state: string,
  { issuer, isIssRequired }: ResponseIssuer,
): string => {
  const read = (name: string): string => {
    const [value = '', ...others] = parameters.getAll(name);
    refuseResponseIf(others.length > 0, `has a repeated ${name}`);
    return value;
  };
  refuseResponseIf(read('response') !== '', 'is a JWT');
  // Mix-up attacks (RFC 9207 §2.4).
  const iss = read('iss');
  refuseResponseIf(iss === '' && Boolean(isIssRequired), 'has no iss');
  refuseResponseIf(iss !== '' && iss !== issuer, 'is from another issuer');
  // Before the error, so that nobody can end the sign-in of someone else.
  refuseResponseIf(read('state') !== state, 'is for another sign-in');
  const error = read('error');
  if (error !== '') throw createAuthorizationError(error);
  refuseResponseIf(parameters.has('id_token') || parameters.has('token'), 'has tokens');
  const code = read('code');
  refuseResponseIf(code === '', 'has no code');
  return code;
};

const refuseResponseIf = (wrong: boolean, problem: string): void =>
  refuseIf(wrong, `the authorization response ${problem}`);

// The credentials of the client in a request (RFC 6749 §2.3.1).

/** The members of the form and the headers that authenticate the client. Secret. */
export interface ClientCredentials {
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Returns the credentials for a method. */
export const createCredentials = (
  method: NonNullable<ProviderOptions['tokenAuthMethod']>,
  clientId: string,
  clientSecret: string,
): ClientCredentials => {
  switch (method) {
    case 'client_secret_post':
      return createPostCredentials({ clientId }, clientSecret);
    case 'client_secret_basic':
      return createBasicCredentials(formEncode(clientId), formEncode(clientSecret));
    case 'client_secret_basic_unencoded':
      return createBasicCredentials(clientId, clientSecret);
  }
};

/** In the form (`client_secret_post`). */
export const createPostCredentials = (
  { clientId }: Pick<ProviderOptions, 'clientId'>,
  clientSecret: string,
): ClientCredentials => ({
  form: { client_id: clientId, client_secret: clientSecret },
});

const createBasicCredentials = (userId: string, password: string): ClientCredentials => ({
  headers: { authorization: `Basic ${btoa(`${userId}:${password}`)}` },
});

/**
 * Encodes text as the value of a form (RFC 6749 appendix B). Letters, digits and `-._*` stay as they are, so
 * most credentials also reach a server that does not decode them.
 */
const formEncode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

// The requests.

/** An endpoint that the client authenticates at. The URL was validated. */
export interface ClientEndpoint {
  readonly url: string;
  readonly credentials: ClientCredentials;
}

/** The values that an authorization code is redeemed with. */
interface CodeRedemption extends Pick<UpstreamRequest, 'redirectUri' | 'codeVerifier'> {
  /** The result of `readAuthorizationCode`. */
  readonly code: string;
  /** Whether the code verifier is sent. */
  readonly pkce: boolean;
}

/** Sends an authorization code to the token endpoint (§4.1.3), with the PKCE verifier (RFC 7636 §4.5). */
export const redeemCode = (
  endpoint: ClientEndpoint,
  { code, redirectUri, codeVerifier, pkce }: CodeRedemption,
  io: ProviderIo,
): Promise<ProviderResponse> =>
  postForm(
    endpoint,
    {
      ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
      ...(pkce && { code_verifier: codeVerifier }),
    },
    io,
  );

/** Sends a refresh token to the token endpoint (§6). */
export const refreshTokens = (
  endpoint: ClientEndpoint,
  refreshToken: string,
  io: ProviderIo,
): Promise<ProviderResponse> =>
  postForm(endpoint, { grant_type: 'refresh_token', refresh_token: refreshToken }, io);

/** Sends a refresh token to the revocation endpoint (RFC 7009 §2.1). */
export const requestRevocation = (
  endpoint: ClientEndpoint,
  refreshToken: string,
  io: ProviderIo,
): Promise<ProviderResponse> =>
  postForm(endpoint, { token: refreshToken, token_type_hint: 'refresh_token' }, io);

const postForm = (
  { url, credentials: { form: credentials, headers } }: ClientEndpoint,
  form: Readonly<Record<string, string>>,
  io: ProviderIo,
): Promise<ProviderResponse> => fetchFromProvider(url, { headers, form: { ...form, ...credentials } }, io);
