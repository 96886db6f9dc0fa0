/** What travels in a refresh token: enough to check a request whole before storage is touched. */
import { list, record, text, uint, type ValueOf } from '../seal/payload.ts';

export const refreshToken = record({
  grantId: text,
  clientId: text,
  scopes: list(text),
  resource: text,
  generation: uint,
  expiresAt: uint,
});

export type RefreshToken = ValueOf<typeof refreshToken>;
