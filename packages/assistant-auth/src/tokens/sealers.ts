/** The sealers of one deployment: which artefact is sealed for which purpose. */
import type { RandomBytes } from '../oauth/secrets.ts';
import { type Codec, decode, encode } from '../seal/codec.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import { createSealer, type Opened, type Opener, type Purpose, type Sealer } from '../seal/sealer.ts';
import type { StoredToken } from '../storage/broker-storage.ts';
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
  type PendingLink,
  type PostedAnswer,
  pendingLink,
  postedAnswer,
  type RefreshToken,
  refreshToken,
  type SessionCookie,
  session,
  type Transaction,
  transaction,
} from './sealed-types.ts';

export interface Vault {
  /** Access tokens, by the canonical form of the resource that they are for. */
  readonly access: ReadonlyMap<string, Artefact<AccessToken>>;
  readonly refresh: Artefact<RefreshToken>;
  readonly code: Artefact<AuthorizationCode>;
  readonly consent: Artefact<Consent>;
  readonly transaction: Artefact<Transaction>;
  readonly completion: Artefact<Completion>;
  readonly postedAnswer: Artefact<PostedAnswer>;
  readonly session: Artefact<SessionCookie>;
  readonly accountForm: Artefact<AccountForm>;
  readonly pendingLink: Artefact<PendingLink>;
  /** Refresh tokens of providers, at rest; the context is the row that holds one. */
  readonly providerToken: Sealer;
}

/** What the access tokens of a resource are sealed for. */
export const accessPurpose = (issuer: string, resource: string): Purpose => ({
  name: 'access',
  issuer,
  audience: resource,
});

export const createVault = (
  ring: KeyRing,
  issuer: string,
  resources: readonly string[],
  randomBytes: RandomBytes,
): Vault => {
  const sealerFor = (purpose: Purpose): Sealer => createSealer(ring, purpose, randomBytes);
  const sealer = (name: string): Sealer => sealerFor({ name, issuer });
  return {
    access: new Map(
      resources.map((resource) => [
        resource,
        artefact(sealerFor(accessPurpose(issuer, resource)), accessToken),
      ]),
    ),
    refresh: artefact(sealer('refresh'), refreshToken),
    code: artefact(sealer('code'), authorizationCode),
    consent: artefact(sealer('consent'), consent),
    transaction: artefact(sealer('transaction'), transaction),
    completion: artefact(sealer('completion'), completion),
    postedAnswer: artefact(sealer('form-post'), postedAnswer),
    session: artefact(sealer('session'), session),
    accountForm: artefact(sealer('account-form'), accountForm),
    pendingLink: artefact(sealer('pending-link'), pendingLink),
    providerToken: sealer('provider-token'),
  };
};

// Sealed artefacts: one shape of value, sealed for one purpose.

export interface Artefact<Value> extends Opening<Value> {
  seal(value: Value): Promise<string>;
}

/** The half that opens. */
export interface Opening<Value> {
  /** Opens what `seal` made; whether it has expired is the caller's to ask. */
  open(sealed: string): Promise<Opened<Value> | Foreign>;
}

/** Genuine, but written by a release whose format was another. */
interface Foreign {
  readonly kind: 'unopened';
  readonly reason: 'foreign-format';
}

export const artefact = <Value>(sealer: Sealer, codec: Codec<Value>): Artefact<Value> => ({
  ...opening(sealer, codec),
  seal: (value) => sealer.seal(encode(codec, value)),
});

export const opening = <Value>(opener: Opener, codec: Codec<Value>): Opening<Value> => ({
  async open(sealed) {
    const opened = await opener.open(sealed);
    if (opened.kind === 'unopened') return opened;
    try {
      return { kind: 'opened', value: decode(codec, opened.value) };
    } catch {
      return { kind: 'unopened', reason: 'foreign-format' };
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
export const findToken = async (vault: Vault, presented: string): Promise<PresentedToken | undefined> => {
  const refresh = await vault.refresh.open(presented);
  if (refresh.kind === 'opened') return { kind: 'refresh', token: refresh.value };
  for (const [resource, artefact] of vault.access) {
    const access = await artefact.open(presented);
    if (access.kind === 'opened') return { kind: 'access', resource, token: access.value };
  }
  return undefined;
};

// Refresh tokens of providers at rest, each sealed for the identity that it belongs to: in another row it does not open.

type IdentityName = Pick<StoredToken, 'provider' | 'subject'>;

export const sealProviderToken = (
  { providerToken }: Vault,
  identity: IdentityName,
  refreshToken: string,
): Promise<string> => providerToken.seal(new TextEncoder().encode(refreshToken), contextOf(identity));

export const openProviderToken = async (
  { providerToken }: Vault,
  stored: StoredToken,
): Promise<Opened<string>> => {
  const opened = await providerToken.open(stored.sealedRefreshToken, contextOf(stored));
  if (opened.kind === 'unopened') return opened;
  return { kind: 'opened', value: new TextDecoder().decode(opened.value) };
};

/** A provider's id holds no NUL, so that the two cannot be cut elsewhere. */
const contextOf = ({ provider, subject }: IdentityName): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${provider}\0${subject}`);
