/**
 * Keeps the round of a guest in a cookie, sealed, because the round contains its word. A guest can send an older
 * copy of it and so take back guesses: nothing that a guest plays counts.
 */
import { createSealer, parseKeyRing } from 'assistant-auth/seal';
import type { StoredRound } from '../game/game-store.ts';
import { readCookie, setCookie } from './cookies.ts';

/** Reads and writes the cookie. Each language has its own. */
export interface GuestRounds {
  readonly read: (request: Request, language: string) => Promise<StoredRound | undefined>;
  /** Returns the `Set-Cookie` value. */
  readonly write: (round: StoredRound, language: string) => Promise<string>;
}

/** How long the cookie is kept, in seconds. A daily word can be played for 25 hours at most. */
const lifetime = 2 * 86_400;

/** In characters. A round without moves has about 330. */
const paddedLength = 512;

/** Creates the reader and writer. `origin` is the origin of the app. */
export const createGuestRounds = (sealingKeys: string, origin: string): GuestRounds => {
  const sealer = createSealer(parseKeyRing(sealingKeys), { name: 'guest-round', issuer: origin });
  return {
    read: async (request, language) => {
      const opened = await sealer.open(readCookie(request, nameCookie(language)) ?? '');
      if (opened.kind === 'failed') return undefined;
      // Only `write` seals for this purpose. If the type changes, so must the name of the purpose.
      const round: StoredRound = JSON.parse(new TextDecoder().decode(opened.value));
      return round;
    },
    write: async (round, language) =>
      setCookie(
        nameCookie(language),
        // A length that hardly depends on the word.
        await sealer.seal(new TextEncoder().encode(JSON.stringify(round).padEnd(paddedLength))),
        lifetime,
      ),
  };
};

const nameCookie = (language: string): string => `__Host-guest-${language}`;
