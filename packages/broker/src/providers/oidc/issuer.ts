/** An OpenID Connect issuer as we know it: who we are to it, how it is called, and what was read of it so far. */
import type { ProviderIo } from '../identity-provider.ts';
import { createDiscovery, type IssuerMetadata } from './discovery.ts';
import type { IssuerNames } from './issuer-names.ts';
import { type OidcSettings, parseRelyingParty, type RelyingParty } from './relying-party.ts';
import { createSigningKeys, type WithKeys } from './signing-keys.ts';

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
