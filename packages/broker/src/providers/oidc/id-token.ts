/** What an ID token must be beyond what `oauth4webapi` checks (OpenID Connect Core §2 and §3.1.3.7). */
import type { IDToken } from 'oauth4webapi';
import type { EpochSeconds, Seconds } from '../../protocol/time.ts';
import { ProviderError } from '../identity-provider.ts';

/** How far the issuer's clock and ours may be apart. */
const skew: Seconds = 30;

/** @throws ProviderError `invalid` for a token of another time or for another party */
export const checkIdToken = (claims: IDToken, clientId: string, now: EpochSeconds): void => {
  const { exp, iat, nbf = 0, azp = clientId } = claims;
  refuseIf(now >= exp + skew, 'the ID token has expired');
  refuseIf(iat > now + skew || nbf > now + skew, 'the ID token is not valid yet');
  // The library asks this of several audiences only. Whoever a token was issued to, it was not issued to us.
  refuseIf(azp !== clientId, 'the ID token was issued to another party');
};

const refuseIf = (wrong: boolean, reason: string): void => {
  if (wrong) throw new ProviderError('invalid', reason);
};
