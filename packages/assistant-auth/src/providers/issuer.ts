/** An OpenID Connect issuer: its settings, its metadata (Discovery 1.0 §4), its names, and its signing keys (RFC 7517 §5). */

import type { JWKS } from 'oauth4webapi';
import { type AuthorizationServer, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi';
import { decodeBase64url } from '../oauth/base64url.ts';
import type { EpochSeconds, Seconds } from '../oauth/time.ts';
import type { OidcSettings, RelyingParty } from './config.ts';
import { parseRelyingParty } from './config.ts';
import { askProvider, parseEndpoint, transport } from './http.ts';
import { ProviderError, type ProviderIo } from './provider.ts';

export interface OidcIssuer {
  readonly party: RelyingParty;
  /** Left out: it goes by its identifier alone. */
  readonly names: IssuerNames | undefined;
  readonly discover: (io: ProviderIo) => Promise<IssuerMetadata>;
  readonly withKeys: WithKeys;
}

/**
 * Makes an issuer; metadata and keys are read when they are first needed, and remembered for as long as it lives.
 * @throws ConfigurationError `providers.<id>.<option>` for a missing, malformed or unsafe setting
 */
export const createIssuer = (settings: OidcSettings, names?: IssuerNames): OidcIssuer => {
  const party = parseRelyingParty(settings);
  return { party, names, discover: createDiscovery(party.issuer, names), withKeys: createSigningKeys() };
};

// What an issuer says of itself (OpenID Connect Discovery 1.0 §4): read, checked once, and kept for an hour.

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

const metadataMaxAge: Seconds = 3600;

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
    if (held !== undefined && io.now() < held.readAt + metadataMaxAge) return held.metadata;
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

// The names of an issuer that goes by several: one for each of its tenants, as Microsoft does.

export interface IssuerNames {
  /** What its metadata call it: one of the names, or the pattern of all. */
  readonly inMetadata: string;
  /** Tells whether tokens and answers under this name are the issuer's. */
  readonly isOne: (name: string) => boolean;
}

/** The metadata under the name that is claimed. Under any other, the pattern of all names included, nothing fits them. */
export const underName = (
  server: AuthorizationServer,
  names: IssuerNames | undefined,
  claimed: unknown,
): AuthorizationServer => {
  if (names === undefined) return server;
  return { ...server, issuer: typeof claimed === 'string' && names.isOne(claimed) ? claimed : nobodysName };
};

/** An issuer identifier is an https URL. */
const nobodysName = 'about:blank';

/** Reads whom a token claims to be from. Nothing is verified yet. */
export const issuerIn = (token: string): unknown => {
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
interface KeySource {
  readonly url: string;
  readonly name: string;
}

/**
 * Checks something against the keys, and once more against newer ones when it throws.
 * @throws what the check throws last, and ProviderError when the keys cannot be read
 */
export type WithKeys = <Result>(
  source: KeySource,
  io: ProviderIo,
  check: (keys: JWKS) => Promise<Result>,
) => Promise<Result>;

interface HeldKeys {
  readonly url: string;
  readonly set: JWKS;
  readonly readAt: EpochSeconds;
}

const keysMaxAge: Seconds = 300;
/** Keys younger than this are not read again, however many bad tokens come. */
const minAge: Seconds = 10;
/** How often, within that time, newer ones are asked for: bad tokens may come all at once, or while the issuer gives none. */
const mostRereads = 5;

/** Makes the keys of one issuer; they are remembered for as long as this lives. */
export const createSigningKeys = (): WithKeys => {
  // The finished value, never the promise: on Workers one request must not wait for another's.
  let held: HeldKeys | undefined;
  let rereads: readonly EpochSeconds[] = [];

  const mayReread = (now: EpochSeconds): boolean => {
    const recent = rereads.filter((at) => now < at + minAge);
    if (recent.length >= mostRereads) return false;
    rereads = [...recent, now];
    return true;
  };

  const recent = (url: string, io: ProviderIo): HeldKeys | undefined =>
    held !== undefined && held.url === url && io.now() < held.readAt + keysMaxAge ? held : undefined;

  const read = async (url: string, io: ProviderIo): Promise<HeldKeys> => {
    const set = await readKeys(url, io);
    held = { url, set, readAt: io.now() };
    return held;
  };

  return async ({ url, name }, io, check) => {
    const keys = recent(url, io) ?? (await read(url, io));
    try {
      return await check(keysOf(keys.set, name));
    } catch (error) {
      const now = io.now();
      if (now < keys.readAt + minAge || !mayReread(now)) throw error;
      // The issuer may have a new key, under a new name or under the old one: worth one more try.
      return await check(keysOf((await read(url, io)).set, name));
    }
  };
};

/**
 * The keys that may sign under a name: where a key says whose it is, as Microsoft's do, it signs for nobody else. Else whoever
 * held the key of one tenant could speak for all.
 */
const keysOf = ({ keys }: JWKS, name: string): JWKS => ({ keys: keys.filter((key) => signsFor(key, name)) });

const signsFor = (key: object, name: string): boolean => {
  if (!('issuer' in key)) return true;
  if (typeof key.issuer !== 'string') return false;
  const [before = '', ...after] = key.issuer.split('{tenantid}');
  return after.length === 0 ? name === before : name.startsWith(before) && name.endsWith(after.join(''));
};

const readKeys = async (url: string, io: ProviderIo): Promise<JWKS> => {
  const headers = { accept: 'application/json, application/jwk-set+json' };
  const response = await askProvider(url, { method: 'GET', headers }, io);
  const set: unknown = await response.json().catch(() => undefined);
  if (!response.ok || !isKeySet(set))
    throw new ProviderError('invalid', 'the signing keys could not be read');
  return set;
};

const isKeySet = (value: unknown): value is JWKS =>
  isObject(value) && 'keys' in value && Array.isArray(value.keys) && value.keys.every(isObject);

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
