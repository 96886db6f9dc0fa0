/** The sealers of one deployment: which artefact is sealed for which purpose. */

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
import type { StoredUpstreamToken } from '../storage/broker-storage.ts';
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
  /** Access tokens, by the canonical form of the resource that they are for. */
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
  /** Refresh tokens of providers, at rest; the context is the row that holds one. */
  readonly upstreamToken: Sealer;
}

/** What the access tokens of a resource are sealed for. */
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
    upstreamToken: sealer('provider-token'),
  };
};

// Sealed artefacts: one shape of value, sealed for one purpose.

export interface SealedType<Value> extends SealedTypeOpener<Value> {
  seal(value: Value): Promise<string>;
}

/** The half that opens. */
export interface SealedTypeOpener<Value> {
  /** Opens what `seal` made; whether it has expired is the caller's to ask. */
  open(sealed: string): Promise<Opened<Value> | UnknownFormat>;
}

/** Genuine, but written by a release whose format was another. */
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

// Finding out what a token of ours is that somebody presents without saying so (RFC 7009 §2.1, RFC 7662 §2.1).

export type PresentedToken =
  | { readonly kind: 'access'; readonly resource: string; readonly token: AccessToken }
  | { readonly kind: 'refresh'; readonly token: RefreshToken };

/**
 * Opens a token of whichever kind, expired or not. Each kind has its own key, so that no hint is needed and none is believed.
 * @returns `undefined` for everything that is no access or refresh token of this deployment
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

// Refresh tokens of providers at rest, each sealed for the identity that it belongs to: in another row it does not open.

type IdentityKey = Pick<StoredUpstreamToken, 'provider' | 'subject'>;

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

/** A provider's id holds no NUL, so that the two cannot be cut elsewhere. */
const buildSealContext = ({ provider, subject }: IdentityKey): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${provider}\0${subject}`);

// The sub-keys that an API in another process opens its tokens with.

export interface ResourceKeyOptions {
  /** The broker's key ring; a secret. */
  readonly sealingKeys: string;
  readonly issuer: string;
  /** The API's identifier (RFC 8707), one of the broker's `resources`. */
  readonly resource: string;
}

/**
 * Derives the keys of one resource's access tokens, one for each key of the ring; a secret, which opens and can make tokens of
 * this resource and nothing else.
 * @throws ConfigurationError `sealingKeys`, `issuer` or `resource`
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
 * Finds what seals or opens the access tokens of a resource, which a caller or an older record can write in any equivalent form.
 * @returns undefined if the resource is not configured
 */
export const findByResource = <Found>(
  access: ReadonlyMap<string, Found>,
  resource: string,
): Found | undefined => access.get(resource) ?? access.get(canonicalResource(resource));
