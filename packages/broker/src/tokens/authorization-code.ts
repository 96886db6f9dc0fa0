/** What travels in an authorization code. */
import { optional, record, text, uint, type ValueOf } from '../seal/payload.ts';

export const authorizationCode = record({
  grantId: text,
  clientId: text,
  redirectUri: text,
  /** Which API the tokens will be for. */
  resource: text,
  codeChallenge: optional(text),
  expiresAt: uint,
});

export type AuthorizationCode = ValueOf<typeof authorizationCode>;
