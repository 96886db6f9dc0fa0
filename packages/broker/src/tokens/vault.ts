/** The sealers of one deployment: which artefact is sealed for which purpose. */
import type { RandomBytes } from '../protocol/random.ts';
import type { Purpose } from '../seal/derivation.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import { createSealer, type Sealer } from '../seal/sealer.ts';
import { type AccessToken, accessToken } from './access-token.ts';
import { type Artefact, artefact } from './artefact.ts';
import { type AuthorizationCode, authorizationCode } from './authorization-code.ts';
import { type RefreshToken, refreshToken } from './refresh-token.ts';
import {
  type AccountForm,
  accountForm,
  type PendingLink,
  pendingLink,
  type SessionCookie,
  session,
} from './session.ts';
import {
  type Completion,
  type Consent,
  completion,
  consent,
  type PostedAnswer,
  postedAnswer,
  type Transaction,
  transaction,
} from './transaction.ts';

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
