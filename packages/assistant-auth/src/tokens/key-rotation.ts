/**
 * The part of key rotation that concerns stored data: each cleanup reseals stored upstream tokens with the
 * first key in the ring, so that another key can be retired. `seal/key-ring.ts` describes the whole rotation.
 */

import type { Clock } from '../oauth/identifiers.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import { listSealedPrefixes } from '../seal/sealer.ts';
import type {
  IdentityKey,
  MaintenanceStorage,
  ResealedToken,
  StoredUpstreamToken,
} from '../storage/broker-storage.ts';
import { recheckLeaseDuration } from './lifetimes.ts';
import { openUpstreamToken, type Sealers, sealUpstreamToken } from './sealers.ts';

interface ResealingContext {
  readonly storage: Pick<MaintenanceStorage, 'findUpstreamTokens' | 'replaceUpstreamTokens'>;
  readonly sealers: Sealers;
  readonly ring: KeyRing;
  readonly now: Clock;
}

/** The maximum number of tokens that one call reseals, so that it fits the time limits of scheduled jobs. */
const batchSize = 100;
/** The maximum number of pages that one call reads. It reads another only if no token of a page opens. */
const maxPages = 10;

/**
 * Creates a function that reseals up to 100 tokens per call, and does nothing if the ring has only one key. A
 * token that cannot be opened, for example because another issuer sealed it, is not changed. The next call
 * continues after the last token that this call read, so such tokens do not block others; after the last
 * page, it starts over. While deployments with different first keys run side by side, each one reseals what
 * the other sealed. That costs writes, but both can open all tokens.
 */
export const createResealer = ({ storage, sealers, ring, now }: ResealingContext): (() => Promise<void>) => {
  const otherKeyIds = [...ring.keys.keys()].filter((id) => id !== ring.sealingKey.id);
  let after: IdentityKey | undefined;

  return async () => {
    if (otherKeyIds.length === 0) return;
    const prefixes = otherKeyIds.flatMap((id) => listSealedPrefixes(id));
    for (let page = 0; page < maxPages; page++) {
      const found = await storage.findUpstreamTokens({ prefixes, limit: batchSize, ...(after && { after }) });
      const tokens = (await Promise.all(found.map((token) => reseal(sealers, token)))).flat();
      if (tokens.length > 0)
        await storage.replaceUpstreamTokens({ tokens, now: now(), recheckLeaseDuration });
      after = found.length < batchSize ? undefined : found.at(-1);
      if (after === undefined || tokens.length > 0) return;
    }
  };
};

const reseal = async (sealers: Sealers, token: StoredUpstreamToken): Promise<readonly ResealedToken[]> => {
  const opened = await openUpstreamToken(sealers, token);
  if (opened.kind === 'failed') return [];
  const { provider, subject, sealedRefreshToken: previous } = token;
  return [
    {
      provider,
      subject,
      previous,
      sealedRefreshToken: await sealUpstreamToken(sealers, token, opened.value),
    },
  ];
};
