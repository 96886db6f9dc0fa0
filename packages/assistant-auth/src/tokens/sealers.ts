/**
 * Creates the sealers of one deployment, which define the purpose that each value is sealed for, and opens
 * tokens whose kind is not known (RFC 7009 §2.1, RFC 7662 §2.1). Also derives the keys for APIs in other
 * processes.
 */

import { canonicalResource, parseIssuer, parseResource } from '../oauth/resource.ts';
import type { RandomBytes } from '../oauth/secrets.ts';
import { type Codec, decode, encode } from '../seal/codec.ts';
import { type KeyRing, parseKeyRing } from '../seal/key-ring.ts';
import {
  createSealer,
  exportDerivedKeys,
  type Opened,
  type Opener,
  type Purpose,
  type Sealer,
} from '../seal/sealer.ts';
import type { IdentityKey, StoredUpstreamToken } from '../storage/broker-storage.ts';
import {
  type AccessToken,
  type AccountForm,
  type AuthorizationCode,
  accessToken,
  accountForm,
  authorizationCode,
  type Completion,
  type Consent,
  completion,
  consent,
  type FormPost,
  formPost,
  type PendingLink,
  pendingLink,
  type RefreshToken,
  refreshToken,
  type SessionCookie,
  session,
  type Transaction,
  transaction,
} from './sealed-types.ts';

export interface Sealers {
  /** Access tokens, by the canonical form of their resource. */
  readonly access: ReadonlyMap<string, SealedType<AccessToken>>;
  readonly refresh: SealedType<RefreshToken>;
  readonly code: SealedType<AuthorizationCode>;
  readonly consent: SealedType<Consent>;
  readonly transaction: SealedType<Transaction>;
  readonly completion: SealedType<Completion>;
  readonly formPost: SealedType<FormPost>;
  readonly session: SealedType<SessionCookie>;
  readonly accountForm: SealedType<AccountForm>;
  readonly pendingLink: SealedType<PendingLink>;
  /**
   * Stored refresh tokens of providers. The context is the identity, that is, the row that holds the token.
   */
  readonly upstreamToken: Sealer;
}

/** The purpose of a resource's access tokens. */
const accessTokenPurpose = (issuer: string, resource: string): Purpose => ({
  name: 'access',
  issuer,
  audience: resource,
});

export const createSealers = (
  ring: KeyRing,
  issuer: string,
  resources: readonly string[],
  randomBytes: RandomBytes,
): Sealers => {
  const createSealerFor = (purpose: Purpose): Sealer => createSealer(ring, purpose, randomBytes);
  const sealer = (name: string): Sealer => createSealerFor({ name, issuer });
  return {
    access: new Map(
      resources.map((resource) => [
        resource,
        createSealedType(createSealerFor(accessTokenPurpose(issuer, resource)), accessToken),
      ]),
    ),
    refresh: createSealedType(sealer('refresh'), refreshToken),
    code: createSealedType(sealer('code'), authorizationCode),
    consent: createSealedType(sealer('consent'), consent),
    transaction: createSealedType(sealer('transaction'), transaction),
    completion: createSealedType(sealer('completion'), completion),
    formPost: createSealedType(sealer('form-post'), formPost),
    session: createSealedType(sealer('session'), session),
    accountForm: createSealedType(sealer('account-form'), accountForm),
    pendingLink: createSealedType(sealer('pending-link'), pendingLink),
    upstreamToken: sealer('upstream-token'),
  };
};

// A sealed type: values of one shape, sealed for one purpose.

export interface SealedType<Value> extends SealedTypeOpener<Value> {
  seal(value: Value): Promise<string>;
}

/** Opens, but cannot seal. */
export interface SealedTypeOpener<Value> {
  /** Opens what `seal` returned. Does not check whether it has expired. */
  open(sealed: string): Promise<Opened<Value> | UnknownFormat>;
}

/** The value is authentic, but its format is that of another release. */
interface UnknownFormat {
  readonly kind: 'failed';
  readonly reason: 'unknown-format';
}

export const createSealedType = <Value>(sealer: Sealer, codec: Codec<Value>): SealedType<Value> => ({
  ...createSealedTypeOpener(sealer, codec),
  seal: (value) => sealer.seal(encode(codec, value)),
});

export const createSealedTypeOpener = <Value>(
  opener: Opener,
  codec: Codec<Value>,
): SealedTypeOpener<Value> => ({
  async open(sealed) {
    const opened = await opener.open(sealed);
    if (opened.kind === 'failed') return opened;
    try {
      return { kind: 'opened', value: decode(codec, opened.value) };
    } catch {
      return { kind: 'failed', reason: 'unknown-format' };
    }
  },
});

export type PresentedToken =
  | { readonly kind: 'access'; readonly resource: string; readonly token: AccessToken }
  | { readonly kind: 'refresh'; readonly token: RefreshToken };

/**
 * Opens an access or refresh token, expired or not (RFC 7009 §2.1, RFC 7662 §2.1). Each kind has its own key,
 * so `token_type_hint` is not needed and is ignored.
 * @returns `undefined` for everything that is not an access or refresh token of this deployment
 */
export const lookUpToken = async (
  sealers: Sealers,
  presented: string,
): Promise<PresentedToken | undefined> => {
  const refresh = await sealers.refresh.open(presented);
  if (refresh.kind === 'opened') return { kind: 'refresh', token: refresh.value };
  for (const [resource, sealedType] of sealers.access) {
    const access = await sealedType.open(presented);
    if (access.kind === 'opened') return { kind: 'access', resource, token: access.value };
  }
  return undefined;
};

// Stored refresh tokens of providers. Each is sealed for its identity, so it cannot be opened in another row.

export const sealUpstreamToken = (
  { upstreamToken }: Sealers,
  identity: IdentityKey,
  refreshToken: string,
): Promise<string> => upstreamToken.seal(new TextEncoder().encode(refreshToken), buildSealContext(identity));

export const openUpstreamToken = async (
  { upstreamToken }: Sealers,
  stored: StoredUpstreamToken,
): Promise<Opened<string>> => {
  const opened = await upstreamToken.open(stored.sealedRefreshToken, buildSealContext(stored));
  if (opened.kind === 'failed') return opened;
  return { kind: 'opened', value: new TextDecoder().decode(opened.value) };
};

/** A provider ID cannot contain NUL, so the two parts are unambiguous. */
const buildSealContext = ({ provider, subject }: IdentityKey): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${provider}\0${subject}`);

// The derived keys with which an API in another process opens its access tokens.

/** The options of {@link deriveResourceKeys}. */
export interface ResourceKeyOptions {
  /** The key ring of the broker, as in its option `sealingKeys`. Secret. */
  readonly sealingKeys: string;
  /** The broker's origin, as in its option `issuer`. */
  readonly issuer: string;
  /** The identifier of the API (RFC 8707), one of the broker's `resources`, in any equivalent form. */
  readonly resource: string;
}

/**
 * Derives the keys of one resource's access tokens, one for each key of the ring, for the option `keys` of
 * `createResourceServer`. Derive and deploy them again after each change of the ring.
 * @param options the key ring of the broker and the resource
 * @returns keys written `sub.<id>.<base64url of 32 bytes>`, separated by spaces. Secret: they can open and
 *   create access tokens of this resource, but nothing else
 * @throws ConfigurationError `sealingKeys`, `issuer` or `resource` if it is missing or malformed
 * @see RFC 5869
 * @example
 * ```ts
 * import { deriveResourceKeys } from 'assistant-auth';
 *
 * const keys = await deriveResourceKeys({
 *   sealingKeys: env.SEALING_KEYS,
 *   issuer: 'https://words.example',
 *   resource: 'https://api.words.example',
 * });
 * ```
 */
export const deriveResourceKeys = async ({
  sealingKeys,
  issuer,
  resource,
}: ResourceKeyOptions): Promise<string> =>
  exportDerivedKeys(
    parseKeyRing(sealingKeys),
    accessTokenPurpose(parseIssuer(issuer), parseResource('resource', resource)),
  );

/**
 * Finds the sealer or opener of a resource's access tokens. A caller or an older record can write the
 * resource in any equivalent form.
 * @returns `undefined` if the resource is not configured
 */
export const findByResource = <Found>(
  access: ReadonlyMap<string, Found>,
  resource: string,
): Found | undefined => access.get(resource) ?? access.get(canonicalResource(resource));
