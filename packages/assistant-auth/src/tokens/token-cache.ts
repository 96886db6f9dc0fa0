/**
 * Caches the access tokens of one resource that were opened successfully, so that a repeated call does not
 * decrypt its token again. Only the content is cached: the caller checks expiry, revocation and scopes for
 * every call. The keys of a cache never change: other keys need another broker, which has its own caches.
 */
import type { AccessToken } from './sealed-types.ts';
import type { SealedTypeOpener } from './sealers.ts';

/** The maximum number of tokens in a cache. */
const slotCount = 4000;

/** In characters. Longer tokens are not cached, so that the memory of a cache is bounded. */
const maxLength = 2048;

type OpenedToken = Awaited<ReturnType<SealedTypeOpener<AccessToken>['open']>>;

interface CachedOpener {
  /** Like that of the opener. Returns a promise unless the token is in the cache. */
  open(sealed: string): OpenedToken | Promise<OpenedToken>;
}

interface Entry {
  readonly sealed: string;
  readonly opened: { readonly kind: 'opened'; readonly value: AccessToken };
}

/**
 * Opens access tokens through a cache. Each token has one slot. A token stays in its slot until another one is used
 * there twice in a row. So tokens that are used once replace nothing, and if there are more tokens than slots, most
 * slots still hold one that is used again.
 */
export const cacheOpened = ({ open }: SealedTypeOpener<AccessToken>): CachedOpener => {
  const entries: (Entry | undefined)[] = Array.from({ length: slotCount });
  const lastUsed = new Uint32Array(slotCount);

  const openAndCache = async (sealed: string, fingerprint: number): Promise<OpenedToken> => {
    const opened = await open(sealed);
    if (opened.kind === 'failed') return opened;
    const slot = fingerprint % slotCount;
    const isNext = entries[slot] === undefined || lastUsed[slot] === fingerprint;
    if (isNext && sealed.length <= maxLength) {
      // Later calls get the same objects, so a caller must not be able to add a scope.
      Object.freeze(opened.value.scopes);
      Object.freeze(opened.value.claims);
      entries[slot] = { sealed, opened };
    }
    lastUsed[slot] = fingerprint;
    return opened;
  };

  return {
    open(sealed) {
      const fingerprint = computeFingerprint(sealed);
      const slot = fingerprint % slotCount;
      const entry = entries[slot];
      if (entry?.sealed !== sealed) return openAndCache(sealed, fingerprint);
      lastUsed[slot] = fingerprint;
      return entry.opened;
    },
  };
};

/**
 * Computes a number from the last ten characters, which are part of the authentication tag, which is
 * practically random. So an attacker can fill a slot only with valid tokens.
 */
const computeFingerprint = (sealed: string): number => {
  let hash = 0;
  for (let at = sealed.length - 10; at < sealed.length; at++)
    hash = (Math.imul(hash, 31) + sealed.charCodeAt(at)) >>> 0;
  return hash;
};
