/** How sealed texts begin, by their key: for finding in a database what one key sealed, without opening anything. */
import { encodeBase64url } from '../protocol/base64url.ts';
import { headerFor, join } from './layout.ts';

/**
 * Gives every way in which a text begins that this key sealed, and no other key's text does: one to sixteen beginnings of one
 * length, because a character of base64url holds six bits and the header may end within one.
 * @param keyId the key's id in its ring
 */
export const sealedBeginnings = (keyId: string): readonly string[] => {
  const header = headerFor(keyId);
  const length = Math.ceil((header.length * 8) / 6);
  const next = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  return [...new Set(next.map((byte) => encodeBase64url(join(header, byte)).slice(0, length)))];
};
