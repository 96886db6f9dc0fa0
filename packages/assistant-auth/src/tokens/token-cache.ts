/**
 * Caches the opened access tokens of one resource, so that a repeated call does not decrypt its token again. Only
 * what the token contains is cached: expiry, revocation and scopes are checked at every call.
 */
import type { AccessToken } from './sealed-types.ts';

export interface TokenCache {
  find(sealed: string): AccessToken | undefined;
  keep(sealed: string, token: AccessToken): void;
}

/** The maximum number of tokens. */
const slots = 4_000;

export const createTokenCache = (): TokenCache => {
  const entries = new Array<{ readonly sealed: string; readonly token: AccessToken } | undefined>(slots).fill(undefined);
  const seen = new Int32Array(slots);
  return {
    find(sealed) {
      const entry = entries[computeFingerprint(sealed) % slots];
      return entry?.sealed === sealed ? entry.token : undefined;
    },
    keep(sealed, token) {
      const fingerprint = computeFingerprint(sealed);
      const slot = fingerprint % slots;
      if (seen[slot] === fingerprint) entries[slot] = { sealed, token };
      else seen[slot] = fingerprint;
    },
  };
};

const computeFingerprint = (sealed: string): number => {
  let hash = 0;
  for (let at = sealed.length - 10; at < sealed.length; at++) hash = (Math.imul(hash, 31) + sealed.charCodeAt(at)) & 0x3fffffff;
  return hash;
};
