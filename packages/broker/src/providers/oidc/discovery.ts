/** What an issuer says of itself (OpenID Connect Discovery 1.0 §4): read, checked once, and kept for an hour. */
import { type AuthorizationServer, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi';
import type { EpochSeconds, Seconds } from '../../protocol/time.ts';
import type { ProviderIo } from '../identity-provider.ts';
import { parseEndpoint, transport } from '../oauth/transport.ts';
import type { IssuerNames } from './issuer-names.ts';

/** Metadata whose addresses may be used, and whose algorithms are those that a public key can check. */
export interface IssuerMetadata {
  readonly server: AuthorizationServer;
  readonly authorizationEndpoint: string;
  readonly keysUrl: string;
  /** Optional and not validated, because a value of the wrong type must not break a sign-in that does not need it. */
  readonly scopesSupported: unknown;
  /** Optional and not validated. The URL is checked before a request is sent to it. */
  readonly userInfoEndpoint: unknown;
}

const maxAge: Seconds = 3600;

/** No `none`; no HS*, whose key would be our client secret, or the public key itself in the hands of a forger. */
const publicKeyAlgorithms: readonly unknown[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/**
 * Makes the reader of one issuer's metadata; it remembers for as long as it lives.
 * @param issuer its identifier, beneath which the metadata are found
 * @param names what it calls itself, when that is not its identifier
 */
export const createDiscovery = (
  issuer: string,
  names?: IssuerNames,
): ((io: ProviderIo) => Promise<IssuerMetadata>) => {
  // The finished value, never the promise: on Workers one request must not wait for another's.
  let held: { readonly metadata: IssuerMetadata; readonly readAt: EpochSeconds } | undefined;
  return async (io) => {
    if (held !== undefined && io.now() < held.readAt + maxAge) return held.metadata;
    const metadata = await discover(new URL(issuer), new URL(names?.inMetadata ?? issuer), io);
    held = { metadata, readAt: io.now() };
    return metadata;
  };
};

const discover = async (issuer: URL, name: URL, io: ProviderIo): Promise<IssuerMetadata> => {
  parseEndpoint('issuer', issuer.href, issuer, io);
  const document = await processDiscoveryResponse(name, await discoveryRequest(issuer, transport(io)));
  const endpoint = (name: string): string => parseEndpoint(name, document[name], issuer, io);
  return {
    server: {
      ...document,
      token_endpoint: endpoint('token_endpoint'),
      id_token_signing_alg_values_supported: algorithmsOf(document),
    },
    authorizationEndpoint: endpoint('authorization_endpoint'),
    keysUrl: endpoint('jwks_uri'),
    scopesSupported: document.scopes_supported,
    userInfoEndpoint: document.userinfo_endpoint,
  };
};

const algorithmsOf = ({ id_token_signing_alg_values_supported: named }: AuthorizationServer): string[] =>
  Array.isArray(named) ? named.filter((name) => publicKeyAlgorithms.includes(name)) : ['RS256'];
