/** The sealers of one deployment: which artefact is sealed for which purpose. */
import type { RandomBytes } from '../protocol/random.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import { createSealer, type Sealer } from '../seal/sealer.ts';
import { type AccessToken, accessToken } from './access-token.ts';
import { type Artefact, artefact } from './artefact.ts';
import { type AuthorizationCode, authorizationCode } from './authorization-code.ts';
import { type RefreshToken, refreshToken } from './refresh-token.ts';
import {
  type Consent,
  consent,
  type PostedAnswer,
  postedAnswer,
  type Transaction,
  transaction,
} from './transaction.ts';

export interface Vault {
  /** Access tokens, by the resource that they are for. */
  readonly access: ReadonlyMap<string, Artefact<AccessToken>>;
  readonly refresh: Artefact<RefreshToken>;
  readonly code: Artefact<AuthorizationCode>;
  readonly consent: Artefact<Consent>;
  readonly transaction: Artefact<Transaction>;
  readonly postedAnswer: Artefact<PostedAnswer>;
  /** Refresh tokens of providers, at rest; the context is the row that holds one. */
  readonly providerToken: Sealer;
}

export const createVault = (
  ring: KeyRing,
  issuer: string,
  resources: readonly string[],
  randomBytes: RandomBytes,
): Vault => {
  const sealer = (name: string, audience?: string): Sealer =>
    createSealer(ring, audience === undefined ? { name, issuer } : { name, issuer, audience }, randomBytes);
  return {
    access: new Map(
      resources.map((resource) => [resource, artefact(sealer('access', resource), accessToken)]),
    ),
    refresh: artefact(sealer('refresh'), refreshToken),
    code: artefact(sealer('code'), authorizationCode),
    consent: artefact(sealer('consent'), consent),
    transaction: artefact(sealer('transaction'), transaction),
    postedAnswer: artefact(sealer('form-post'), postedAnswer),
    providerToken: sealer('provider-token'),
  };
};
