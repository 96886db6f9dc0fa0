/**
 * An OpenID Connect issuer that supports less than the specifications require: it rejects parameters, returns
 * no nonce, or accepts only one method of client authentication.
 */
import type { OidcOptions } from '../../src/providers/oidc.ts';
import {
  callback,
  challenge,
  clientId,
  clientSecret,
  code,
  createFakeIssuer,
  createOidcProvider,
  issuerKey,
  upstreamRequest,
} from './fake-issuer.ts';
import { type Claims, sign } from './signing.ts';

type AuthMethod = Required<OidcOptions>['tokenAuthMethod'];

/** What the issuer supports. */
export interface Limits {
  /** The parameters of the authorization request and the code exchange that the issuer rejects. */
  readonly rejectedParameters?: readonly string[];
  /** The nonce in its ID tokens. Default: the nonce of the authorization request, if it has one. */
  readonly nonce?: (requested: string | null) => unknown;
  /** The only method of client authentication that it accepts. Default: `client_secret_post` */
  readonly authMethod?: AuthMethod;
  readonly metadata?: Claims;
}

/** @param respond the response to a form with correct credentials. Default: that of a token endpoint */
export const createLimitedIssuer = ({
  rejectedParameters = [],
  nonce = (requested) => requested ?? undefined,
  authMethod = 'client_secret_post',
  metadata = {},
}: Limits) => {
  const issuer = createFakeIssuer();
  let authorization = new URLSearchParams();

  const refuse = (error: string, status = 400) => Response.json({ error }, { status });
  const isRejected = (form: URLSearchParams) => rejectedParameters.some((name) => form.has(name));

  const respondToTokenRequest = async (): Promise<Response> => {
    const { headers = {}, body = '' } = issuer.requests.at(-1) ?? {};
    const form = new URLSearchParams(body);
    if (readAuthMethod(new Headers(headers).get('authorization'), form) !== authMethod)
      return refuse('invalid_client', 401);
    if (isRejected(form)) return refuse('invalid_request');
    const access = { access_token: 'their-access-token', token_type: 'Bearer', scope: 'offline_access' };
    if (form.get('grant_type') === 'refresh_token') return Response.json(access);
    const isProven = authorization.has('code_challenge')
      ? authorization.get('code_challenge') === challenge &&
        form.get('code_verifier') === upstreamRequest.codeVerifier
      : !form.has('code_verifier');
    if (form.get('code') !== code || !isProven) return refuse('invalid_grant');
    const claims = { iss: issuer.issuer, aud: clientId, sub: 'person-1', iat: issuer.io.now() };
    const idToken = {
      ...{ ...claims, exp: issuer.io.now() + 3600 },
      nonce: nonce(authorization.get('nonce')),
    };
    return Response.json({ ...access, id_token: await sign(idToken, issuerKey) });
  };

  issuer.override({ metadata, endpointOverrides: { token: respondToTokenRequest } });

  /** Redirects a browser to the issuer, which consents, and back. */
  const signIn = async (options: Partial<OidcOptions>) => {
    const provider = createOidcProvider(issuer, { scopes: ['openid'], ...options });
    const url = await provider.authorizationUrl(upstreamRequest, issuer.io);
    authorization = url.searchParams;
    const response = isRejected(authorization) ? { code: null, error: 'invalid_request' } : {};
    return provider.handleCallback(callback(response), upstreamRequest, issuer.io);
  };

  return {
    issuer,
    signIn,
    readAuthorizationRequest: () => Object.fromEntries(authorization),
    readTokenRequest: () => {
      const request = issuer.requests.find(({ endpoint }) => endpoint === 'token');
      return {
        authorization: new Headers(request?.headers).get('authorization'),
        form: Object.fromEntries(new URLSearchParams(request?.body)),
      };
    },
  };
};

/** Returns the method of correct credentials, or `undefined` for any others, and for two methods at once. */
const readAuthMethod = (header: string | null, form: URLSearchParams): AuthMethod | undefined => {
  const isInForm = form.get('client_id') === clientId && form.get('client_secret') === clientSecret;
  if (header === null) return isInForm ? 'client_secret_post' : undefined;
  if (form.has('client_secret') || !header.startsWith('Basic ')) return undefined;
  const credentials = atob(header.slice('Basic '.length));
  if (credentials === `${clientId}:${clientSecret}`) return 'client_secret_basic_unencoded';
  const decoded = credentials.split(':').map((part) => new URLSearchParams(`part=${part}`).get('part'));
  return decoded.join(' ') === `${clientId} ${clientSecret}` ? 'client_secret_basic' : undefined;
};
