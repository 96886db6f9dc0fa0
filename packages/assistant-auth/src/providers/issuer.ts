/**
 * An OpenID Connect issuer: its options, its metadata (OpenID Connect Discovery 1.0 §4) with the signature
 * algorithms that are accepted (`selectAlgorithms`), the names that its tokens can have (`selectIssuer`), its
 * signing keys (RFC 7517 §5), and the signatures of its tokens (`verifySignature`, RFC 7515 §5.2).
 */

import { type CompactVerifyResult, compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import { isAsymmetricAlgorithm } from '../oauth/jwt.ts';
import type { RelyingPartyConfig } from './config.ts';
import { fetchFromProvider, parseEndpoint } from './http.ts';
import { ProviderError, type ProviderIo } from './provider.ts';

export interface OidcIssuer {
  readonly config: RelyingPartyConfig;
  /** Absent if the issuer identifier is its only name. */
  readonly issuerNames: IssuerNames | undefined;
  readonly discover: (io: ProviderIo) => Promise<IssuerMetadata>;
  readonly verifySignature: SignatureVerifier;
}

/** Creates an issuer. Metadata and keys are read when they are first needed, and cached in the issuer. */
export const createIssuer = (config: RelyingPartyConfig, issuerNames?: IssuerNames): OidcIssuer => ({
  config,
  issuerNames,
  discover: createDiscovery(config, issuerNames),
  verifySignature: createSignatureVerifier(),
});

// Issuer metadata (OpenID Connect Discovery 1.0 §4), cached for an hour.

/**
 * Metadata with validated URLs of the authorization endpoint, the token endpoint and the keys, and only with
 * algorithms whose signatures a public key verifies.
 */
export interface IssuerMetadata {
  /** Where the metadata was read. */
  readonly url: URL;
  /** The issuer that the metadata names: that of its ID tokens, unless it has other names. */
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly algorithms: readonly string[];
  /**
   * Its other members are optional and not validated, because a value of the wrong type must not break a
   * sign-in that does not need it. A URL is checked before a request is sent to it.
   */
  readonly document: MetadataDocument;
}

/** The members of a metadata document that are used. */
type MetadataDocument = Readonly<
  Partial<
    Record<
      | 'issuer'
      | 'authorization_endpoint'
      | 'token_endpoint'
      | 'userinfo_endpoint'
      | 'revocation_endpoint'
      | 'jwks_uri'
      | 'scopes_supported'
      | 'prompt_values_supported'
      | 'token_endpoint_auth_methods_supported'
      | 'id_token_signing_alg_values_supported'
      | 'authorization_response_iss_parameter_supported',
      unknown
    >
  >
>;

const metadataMaxAge: Seconds = 3600;

/**
 * Creates a function that reads the metadata of one issuer, and caches it.
 * @param config the issuer identifier, and the URL of the metadata. Default: below the identifier (§4.1)
 * @param issuerNames its other names, if it has any
 */
const createDiscovery = (
  { issuer, discoveryUrl }: RelyingPartyConfig,
  issuerNames?: IssuerNames,
): ((io: ProviderIo) => Promise<IssuerMetadata>) => {
  const url = new URL(discoveryUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const metadataIssuer = new URL(issuerNames?.metadataIssuer ?? issuer);
  // Caches the value, not the promise: on Workers, one request must not wait for a promise of another.
  let cached: { readonly metadata: IssuerMetadata; readonly fetchedAt: EpochSeconds } | undefined;
  return async (io) => {
    if (cached !== undefined && io.now() < cached.fetchedAt + metadataMaxAge) return cached.metadata;
    const metadata = await discover(url, metadataIssuer, io);
    cached = { metadata, fetchedAt: io.now() };
    return metadata;
  };
};

const discover = async (url: URL, metadataIssuer: URL, io: ProviderIo): Promise<IssuerMetadata> => {
  parseEndpoint('metadata URL', url.href, url, io);
  const document = await fetchMetadata(url, metadataIssuer, io);
  const endpoint = (name: keyof MetadataDocument): string => parseEndpoint(name, document[name], url, io);
  return {
    url,
    issuer: document.issuer,
    authorizationEndpoint: endpoint('authorization_endpoint'),
    tokenEndpoint: endpoint('token_endpoint'),
    jwksUri: endpoint('jwks_uri'),
    algorithms: selectAlgorithms(document),
    document,
  };
};

/**
 * Reads the metadata, and checks that it names the expected issuer (§4.3).
 * @throws ProviderError `unavailable` or `invalid`
 */
const fetchMetadata = async (
  { href, host }: URL,
  metadataIssuer: URL,
  io: ProviderIo,
): Promise<MetadataDocument & { readonly issuer: string }> => {
  const response = await fetchFromProvider(href, {}, io);
  const document: unknown = response.ok ? await response.json().catch(() => undefined) : undefined;
  if (!isObject(document))
    throw new ProviderError('invalid', `${host} responded with status ${response.status}, without metadata`);
  const { issuer: named }: MetadataDocument = document;
  if (typeof named !== 'string' || URL.parse(named)?.href !== metadataIssuer.href)
    throw new ProviderError('invalid', `the metadata of ${host} names another issuer`);
  return { ...document, issuer: named };
};

const selectAlgorithms = ({ id_token_signing_alg_values_supported: named }: MetadataDocument): string[] =>
  Array.isArray(named) ? named.filter(isAsymmetricAlgorithm) : ['RS256'];

// An issuer whose tokens have different values of `iss`: Microsoft has an issuer for each tenant, and Google
// has two spellings.

export interface IssuerNames {
  /**
   * The issuer in the metadata: the identifier of one tenant, or the template of all. Default: the issuer
   * identifier.
   */
  readonly metadataIssuer?: string;
  /** Returns whether tokens with this `iss` are from this issuer. */
  readonly isIssuerName: (issuer: string) => boolean;
}

/**
 * Returns the issuer that a response or a token must be from: the claimed one, if it is a name of the issuer.
 * For any other claim, such as the template of all tenants, returns text that differs from the claim. If the
 * issuer has only one name, returns the issuer in the metadata.
 */
export const selectIssuer = (
  { issuer }: IssuerMetadata,
  issuerNames: IssuerNames | undefined,
  claimedIssuer: unknown,
): string => {
  if (issuerNames === undefined) return issuer;
  // A claim can be an object that can't be converted to text.
  return typeof claimedIssuer === 'string' && issuerNames.isIssuerName(claimedIssuer)
    ? claimedIssuer
    : `not ${JSON.stringify(claimedIssuer)}`;
};

// Signatures, and the signing keys: cached, and refetched if a signature cannot be verified with them.

/** The issuer that must have signed, and the metadata that names its keys and its algorithms. */
interface ExpectedSigner {
  readonly issuer: string;
  readonly metadata: IssuerMetadata;
}

/**
 * Verifies the signature of a token. If that fails, refetches the keys and tries once more, unless they were
 * just fetched or have been refetched too often.
 * @throws the last error of `jose`, or ProviderError if the keys cannot be read
 */
type SignatureVerifier = (
  token: string,
  signer: ExpectedSigner,
  io: ProviderIo,
) => Promise<CompactVerifyResult>;

interface CachedKeys {
  readonly url: string;
  readonly jwks: JSONWebKeySet;
  readonly fetchedAt: EpochSeconds;
}

const keysMaxAge: Seconds = 300;
/** Keys younger than this are not refetched, however many invalid tokens arrive. */
const minAge: Seconds = 10;
/**
 * The maximum number of refetches within `minAge`: many invalid tokens can arrive at the same time, or while
 * the issuer does not respond.
 */
const maxRefetches = 5;

/** Creates the verifier of one issuer, which caches its keys. */
const createSignatureVerifier = (): SignatureVerifier => {
  // Caches the value, not the promise: on Workers, one request must not wait for a promise of another.
  let cached: CachedKeys | undefined;
  let refetches: readonly EpochSeconds[] = [];

  const canRefetch = (now: EpochSeconds): boolean => {
    const recentRefetches = refetches.filter((at) => now < at + minAge);
    if (recentRefetches.length >= maxRefetches) return false;
    refetches = [...recentRefetches, now];
    return true;
  };

  const findCachedKeys = (url: string, io: ProviderIo): CachedKeys | undefined =>
    cached?.url === url && io.now() < cached.fetchedAt + keysMaxAge ? cached : undefined;

  const read = async (url: string, io: ProviderIo): Promise<CachedKeys> => {
    const jwks = await fetchKeys(url, io);
    cached = { url, jwks, fetchedAt: io.now() };
    return cached;
  };

  return async (token, { issuer, metadata }, io) => {
    const { jwksUri, algorithms } = metadata;
    const verify = ({ jwks }: CachedKeys): Promise<CompactVerifyResult> =>
      compactVerify(token, createLocalJWKSet(selectKeysForIssuer(jwks, issuer)), {
        algorithms: [...algorithms],
      });
    const keys = findCachedKeys(jwksUri, io) ?? (await read(jwksUri, io));
    try {
      return await verify(keys);
    } catch (error) {
      const now = io.now();
      if (now < keys.fetchedAt + minAge || !canRefetch(now)) throw error;
      // The issuer may have a new key, with a new ID or with the old one.
      return await verify(await read(jwksUri, io));
    }
  };
};

/**
 * Returns the keys that can sign for an issuer. A key that names its issuer, as Microsoft's do, signs for no
 * other. Otherwise, someone with the key of one tenant could sign for all tenants.
 */
const selectKeysForIssuer = ({ keys }: JSONWebKeySet, issuer: string): JSONWebKeySet => ({
  keys: keys.filter((key) => canSignFor(key, issuer)),
});

const canSignFor = (key: object, issuer: string): boolean => {
  if (!('issuer' in key)) return true;
  if (typeof key.issuer !== 'string') return false;
  const [before = '', ...after] = key.issuer.split('{tenantid}');
  return after.length === 0
    ? issuer === before
    : issuer.startsWith(before) && issuer.endsWith(after.join(''));
};

const fetchKeys = async (url: string, io: ProviderIo): Promise<JSONWebKeySet> => {
  const headers = { accept: 'application/json, application/jwk-set+json' };
  const response = await fetchFromProvider(url, { headers }, io);
  const jwks: unknown = await response.json().catch(() => undefined);
  if (!response.ok || !isKeySet(jwks))
    throw new ProviderError('invalid', 'the signing keys could not be read');
  return jwks;
};

const isKeySet = (value: unknown): value is JSONWebKeySet =>
  isObject(value) && 'keys' in value && Array.isArray(value.keys) && value.keys.every(isObject);

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
