/** An OpenID Connect issuer: its settings, its metadata (Discovery 1.0 §4), its names, and its signing keys (RFC 7517 §5). */

import {
  type AuthorizationServer,
  discoveryRequest,
  type JWKS,
  processDiscoveryResponse,
} from 'oauth4webapi';
import type { EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import { decodeBase64url } from '../oauth/secrets.ts';
import { type OidcSettings, parseRelyingPartyConfig, type RelyingPartyConfig } from './config.ts';
import { buildRequestOptions, fetchFromProvider, parseEndpoint } from './http.ts';
import { ProviderError, type ProviderIo } from './provider.ts';

export interface OidcIssuer {
  readonly config: RelyingPartyConfig;
  /** Left out: it goes by its identifier alone. */
  readonly tenantIssuers: TenantIssuers | undefined;
  readonly discover: (io: ProviderIo) => Promise<IssuerMetadata>;
  readonly verifyWithKeys: KeyVerifier;
}

/**
 * Makes an issuer; metadata and keys are read when they are first needed, and remembered for as long as it lives.
 * @throws ConfigurationError `providers.<id>.<option>` for a missing, malformed or unsafe setting
 */
export const createIssuer = (settings: OidcSettings, tenantIssuers?: TenantIssuers): OidcIssuer => {
  const config = parseRelyingPartyConfig(settings);
  return {
    config: config,
    tenantIssuers: tenantIssuers,
    discover: createDiscovery(config.issuer, tenantIssuers),
    verifyWithKeys: createKeyVerifier(),
  };
};

// What an issuer says of itself (OpenID Connect Discovery 1.0 §4): read, checked once, and kept for an hour.

/** Metadata whose addresses may be used, and whose algorithms are those that a public key can check. */
export interface IssuerMetadata {
  readonly server: AuthorizationServer;
  readonly authorizationEndpoint: string;
  readonly jwksUri: string;
  /** Optional and not validated, because a value of the wrong type must not break a sign-in that does not need it. */
  readonly scopesSupported: unknown;
  /** Optional and not validated. The URL is checked before a request is sent to it. */
  readonly userInfoEndpoint: unknown;
}

const metadataMaxAge: Seconds = 3600;

/** No `none`; no HS*, whose key would be our client secret, or the public key itself in the hands of a forger. */
const asymmetricAlgorithms: readonly unknown[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/**
 * Makes the reader of one issuer's metadata; it remembers for as long as it lives.
 * @param issuer its identifier, beneath which the metadata are found
 * @param names what it calls itself, when that is not its identifier
 */
const createDiscovery = (
  issuer: string,
  tenantIssuers?: TenantIssuers,
): ((io: ProviderIo) => Promise<IssuerMetadata>) => {
  // The finished value, never the promise: on Workers one request must not wait for another's.
  let cached: { readonly metadata: IssuerMetadata; readonly fetchedAt: EpochSeconds } | undefined;
  return async (io) => {
    if (cached !== undefined && io.now() < cached.fetchedAt + metadataMaxAge) return cached.metadata;
    const metadata = await discover(new URL(issuer), new URL(tenantIssuers?.metadataIssuer ?? issuer), io);
    cached = { metadata, fetchedAt: io.now() };
    return metadata;
  };
};

const discover = async (issuer: URL, name: URL, io: ProviderIo): Promise<IssuerMetadata> => {
  parseEndpoint('issuer', issuer.href, issuer, io);
  const document = await processDiscoveryResponse(
    name,
    await discoveryRequest(issuer, buildRequestOptions(io)),
  );
  const endpoint = (name: string): string => parseEndpoint(name, document[name], issuer, io);
  return {
    server: {
      ...document,
      token_endpoint: endpoint('token_endpoint'),
      id_token_signing_alg_values_supported: selectAlgorithms(document),
    },
    authorizationEndpoint: endpoint('authorization_endpoint'),
    jwksUri: endpoint('jwks_uri'),
    scopesSupported: document.scopes_supported,
    userInfoEndpoint: document.userinfo_endpoint,
  };
};

const selectAlgorithms = ({ id_token_signing_alg_values_supported: named }: AuthorizationServer): string[] =>
  Array.isArray(named) ? named.filter((name) => asymmetricAlgorithms.includes(name)) : ['RS256'];

// The names of an issuer that goes by several: one for each of its tenants, as Microsoft does.

export interface TenantIssuers {
  /** What its metadata call it: one of the names, or the pattern of all. */
  readonly metadataIssuer: string;
  /** Tells whether tokens and answers under this name are the issuer's. */
  readonly isTenantIssuer: (name: string) => boolean;
}

/** The metadata under the name that is claimed. Under any other, the pattern of all names included, nothing fits them. */
export const withIssuer = (
  server: AuthorizationServer,
  tenantIssuers: TenantIssuers | undefined,
  claimedIssuer: unknown,
): AuthorizationServer => {
  if (tenantIssuers === undefined) return server;
  return {
    ...server,
    issuer:
      typeof claimedIssuer === 'string' && tenantIssuers.isTenantIssuer(claimedIssuer)
        ? claimedIssuer
        : unmatchableIssuer,
  };
};

/** An issuer identifier is an https URL. */
const unmatchableIssuer = 'about:blank';

/** Reads whom a token claims to be from. Nothing is verified yet. */
export const readUnverifiedIssuer = (token: string): unknown => {
  try {
    const claims = decodeBase64url(token.split('.')[1] ?? '');
    return Object(JSON.parse(new TextDecoder().decode(claims))).iss;
  } catch {
    // Whatever is wrong with it, the library says when it reads the same.
    return undefined;
  }
};

// The issuer's signing keys: cached, and read again if a signature does not fit.

/** Where the keys are, and under which name of the issuer they are to have signed. */
interface KeyLookup {
  readonly url: string;
  readonly issuer: string;
}

/**
 * Checks something against the keys, and once more against newer ones when it throws.
 * @throws what the check throws last, and ProviderError when the keys cannot be read
 */
type KeyVerifier = <Result>(
  source: KeyLookup,
  io: ProviderIo,
  check: (keys: JWKS) => Promise<Result>,
) => Promise<Result>;

interface CachedKeys {
  readonly url: string;
  readonly jwks: JWKS;
  readonly fetchedAt: EpochSeconds;
}

const keysMaxAge: Seconds = 300;
/** Keys younger than this are not read again, however many bad tokens come. */
const minAge: Seconds = 10;
/** How often, within that time, newer ones are asked for: bad tokens may come all at once, or while the issuer gives none. */
const maxRefetches = 5;

/** Makes the keys of one issuer; they are remembered for as long as this lives. */
const createKeyVerifier = (): KeyVerifier => {
  // The finished value, never the promise: on Workers one request must not wait for another's.
  let cached: CachedKeys | undefined;
  let refetches: readonly EpochSeconds[] = [];

  const canRefetch = (now: EpochSeconds): boolean => {
    const recent = refetches.filter((at) => now < at + minAge);
    if (recent.length >= maxRefetches) return false;
    refetches = [...recent, now];
    return true;
  };

  const recent = (url: string, io: ProviderIo): CachedKeys | undefined =>
    cached !== undefined && cached.url === url && io.now() < cached.fetchedAt + keysMaxAge
      ? cached
      : undefined;

  const read = async (url: string, io: ProviderIo): Promise<CachedKeys> => {
    const jwks = await fetchKeys(url, io);
    cached = { url, jwks, fetchedAt: io.now() };
    return cached;
  };

  return async ({ url, issuer }, io, check) => {
    const keys = recent(url, io) ?? (await read(url, io));
    try {
      return await check(selectKeysForIssuer(keys.jwks, issuer));
    } catch (error) {
      const now = io.now();
      if (now < keys.fetchedAt + minAge || !canRefetch(now)) throw error;
      // The issuer may have a new key, under a new name or under the old one: worth one more try.
      return await check(selectKeysForIssuer((await read(url, io)).jwks, issuer));
    }
  };
};

/**
 * The keys that may sign under a name: where a key says whose it is, as Microsoft's do, it signs for nobody else. Else whoever
 * held the key of one tenant could speak for all.
 */
const selectKeysForIssuer = ({ keys }: JWKS, name: string): JWKS => ({
  keys: keys.filter((key) => canSignFor(key, name)),
});

const canSignFor = (key: object, name: string): boolean => {
  if (!('issuer' in key)) return true;
  if (typeof key.issuer !== 'string') return false;
  const [before = '', ...after] = key.issuer.split('{tenantid}');
  return after.length === 0 ? name === before : name.startsWith(before) && name.endsWith(after.join(''));
};

const fetchKeys = async (url: string, io: ProviderIo): Promise<JWKS> => {
  const headers = { accept: 'application/json, application/jwk-set+json' };
  const response = await fetchFromProvider(url, { method: 'GET', headers }, io);
  const jwks: unknown = await response.json().catch(() => undefined);
  if (!response.ok || !isKeySet(jwks))
    throw new ProviderError('invalid', 'the signing keys could not be read');
  return jwks;
};

const isKeySet = (value: unknown): value is JWKS =>
  isObject(value) && 'keys' in value && Array.isArray(value.keys) && value.keys.every(isObject);

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
