/** Reseals stored upstream tokens with the first key in the ring, so that another key can be retired. */

import type { Clock } from '../oauth/time.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import { sealedBeginnings } from '../seal/sealer.ts';
import type { IdentityName, Resealed, StoredToken, Upkeep } from '../storage/broker-storage.ts';
import { checkLease } from './lifetimes.ts';
import { openProviderToken, sealProviderToken, type Vault } from './sealers.ts';

interface ResealingContext {
  readonly ledger: Pick<Upkeep, 'findTokens' | 'replaceTokens'>;
  readonly vault: Vault;
  readonly ring: KeyRing;
  readonly now: Clock;
}

/** How many tokens one call seals anew: what fits into the time that the smallest platform gives a schedule. */
const most = 100;
/** How often it goes on behind tokens that do not open. */
const mostPages = 10;

/**
 * Creates a function that reseals up to a hundred tokens per call, and does nothing if the ring has one key. A token that does not
 * open stays as it is, because its key may come back. The next call continues after the last token that this call looked at, so such
 * tokens do not block others. While deployments with different first keys run side by side, each one reseals what the other sealed.
 * That costs writes, but both can open all tokens.
 */
export const createResealing = ({ ledger, vault, ring, now }: ResealingContext): (() => Promise<void>) => {
  const others = [...ring.keys.keys()].filter((id) => id !== ring.sealingKey.id);
  let after: IdentityName | undefined;

  return async () => {
    if (others.length === 0) return;
    const beginnings = others.flatMap((id) => sealedBeginnings(id));
    for (let page = 0; page < mostPages; page++) {
      const found = await ledger.findTokens({ beginnings, limit: most, ...(after && { after }) });
      const tokens = (await Promise.all(found.map((token) => reseal(vault, token)))).flat();
      if (tokens.length > 0) await ledger.replaceTokens({ tokens, now: now(), checkLease });
      after = found.length < most ? undefined : found.at(-1);
      if (after === undefined || tokens.length > 0) return;
    }
  };
};

const reseal = async (vault: Vault, token: StoredToken): Promise<readonly Resealed[]> => {
  const opened = await openProviderToken(vault, token);
  if (opened.kind === 'unopened') return [];
  const { provider, subject, sealedRefreshToken: was } = token;
  return [
    { provider, subject, was, sealedRefreshToken: await sealProviderToken(vault, token, opened.value) },
  ];
};
