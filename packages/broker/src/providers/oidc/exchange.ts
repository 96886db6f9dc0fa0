/** The provider's answer at the callback becomes claims: answer, code, ID token, signature, in this order. */
import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  getValidatedIdTokenClaims,
  type IDToken,
  processAuthorizationCodeResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import { ProviderError, type ProviderIo, type ProviderLeg } from '../identity-provider.ts';
import { clientOf, secretOf } from '../oauth/client.ts';
import { receiveTokens, type TokenResponse, toStrictResponse } from '../oauth/token-response.ts';
import { transport } from '../oauth/transport.ts';
import type { IssuerMetadata } from './discovery.ts';
import { checkIdToken } from './id-token.ts';
import { checkSignature } from './id-token-signature.ts';
import type { OidcIssuer } from './issuer.ts';
import { issuerIn, underName } from './issuer-names.ts';

/** Everything that one exchange needs besides the answer. */
export interface Exchange extends Pick<OidcIssuer, 'party' | 'names' | 'withKeys'> {
  readonly metadata: IssuerMetadata;
  readonly leg: ProviderLeg;
  readonly io: ProviderIo;
}

/** What the issuer vouches for. Nothing leaves this file that was not verified. */
export interface Voucher {
  readonly claims: IDToken;
  /** The token response that contained the ID token. */
  readonly tokens: TokenResponse;
}

/**
 * Redeems the code in an answer.
 * @param answer the parameters that came to the callback
 * @throws the library's errors and ProviderError; `orProviderError` makes all of them the latter
 */
export const redeem = async (answer: URLSearchParams, exchange: Exchange): Promise<Voucher> => {
  const { party, names, metadata, withKeys, leg, io } = exchange;
  const { server } = metadata;
  const client = clientOf(party);
  // State, and `iss` against mix-up (RFC 9207), before the code goes anywhere.
  const checked = validateAuthResponse(
    underName(server, names, answer.get('iss')),
    client,
    answer,
    leg.state,
  );
  const response = await authorizationCodeGrantRequest(
    server,
    client,
    authentication(server, await secretOf(party, io)),
    checked,
    leg.redirectUri,
    leg.codeVerifier,
    transport(io),
  );
  const tokens = await receiveTokens(response);
  const strict = toStrictResponse(response, tokens.idToken);
  const issuer = underName(server, names, issuerIn(tokens.idToken ?? ''));
  const processed = await processAuthorizationCodeResponse(issuer, client, strict, {
    expectedNonce: leg.nonce,
    requireIdToken: true,
  });
  const claims = getValidatedIdTokenClaims(processed);
  if (claims === undefined) throw new ProviderError('invalid', 'there is no ID token');
  checkIdToken(claims, party, leg, io.now());
  const source = { url: metadata.keysUrl, name: issuer.issuer };
  await withKeys(source, io, (keys) => checkSignature(strict, server, keys));
  return { claims, tokens };
};

/**
 * Says who we are in the way that the issuer takes. Prefers the body: servers disagree on how credentials are encoded
 * inside Basic (RFC 6749 §2.3.1).
 */
export const authentication = (server: AuthorizationServer, secret: string): ClientAuth => {
  const methods: unknown = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  if (Array.isArray(methods) && methods.includes('client_secret_post')) return ClientSecretPost(secret);
  if (Array.isArray(methods) && methods.includes('client_secret_basic')) return ClientSecretBasic(secret);
  throw new ProviderError('invalid', 'the token endpoint takes no client secret');
};
