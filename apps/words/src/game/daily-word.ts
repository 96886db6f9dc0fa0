/**
 * Chooses the daily word: HMAC-SHA-256 (RFC 2104) of the UTC date, with a secret key. It needs no storage. Earlier
 * words reveal nothing about later ones, so a word can return. A change of a list or of the categories changes the
 * words of all days.
 */
import { type Category, categories } from './categories.ts';

/** Which word is the daily word: the same place in the list of each language. */
interface DailyWord {
  readonly category: Category;
  /** A random number of 32 bits. Its remainder by the length of a list is the index of the word. */
  readonly word: number;
}

/** Returns the daily word of a UTC date such as `2026-11-30`. */
export type ChooseDailyWord = (date: string) => Promise<DailyWord>;

/**
 * Creates the function that chooses daily words.
 * @param secret the key of the HMAC, 32 bytes
 */
export const createDailyWords = (secret: Uint8Array<ArrayBuffer>): ChooseDailyWord => {
  let importedKey: Promise<CryptoKey> | undefined;
  return async (date) => {
    importedKey ??= crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ]);
    const digest = await crypto.subtle.sign('HMAC', await importedKey, new TextEncoder().encode(date));
    // Each number has 32 bits, so every word is almost equally likely.
    const [first, second] = [new DataView(digest).getUint32(0), new DataView(digest).getUint32(4)];
    return { category: categories[first % categories.length] ?? 'animals', word: second };
  };
};

/** Returns the UTC date of a time in seconds. */
export const toDate = (time: number): string => new Date(time * 1000).toISOString().slice(0, 10);

/** Returns the start of the next UTC day, in seconds. */
export const startOfNextDay = (time: number): number => (Math.floor(time / day) + 1) * day;

/** In seconds. */
export const day = 86_400;
