/** The signature of the ID token in a token response that the library has processed. */
import {
  type AuthorizationServer,
  type JWKS,
  jwksCache,
  validateApplicationLevelSignature,
} from 'oauth4webapi';

/**
 * Checks it. Copies, because the library remembers promises for each object it is given; and dates the keys in the future, because
 * it would otherwise read them again by its own rules.
 * @throws the library's errors
 */
export const checkSignature = (response: Response, server: AuthorizationServer, keys: JWKS): Promise<void> =>
  validateApplicationLevelSignature({ ...server }, response, {
    [jwksCache]: { jwks: structuredClone(keys), uat: Number.POSITIVE_INFINITY },
  });
