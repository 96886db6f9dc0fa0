/** What an ID token must be beyond what `oauth4webapi` checks (OpenID Connect Core §2 and §3.1.3.7). */
import type { IDToken } from 'oauth4webapi';
import type { EpochSeconds, Seconds } from '../../protocol/time.ts';
import { ProviderError, type ProviderLeg } from '../identity-provider.ts';
import type { RelyingParty } from './relying-party.ts';

/** How far the issuer's clock and ours may be apart. */
const skew: Seconds = 30;

/** @throws ProviderError `invalid` for a token of another time or for another party, and for a proof that is older than asked for */
export const checkIdToken = (
  claims: IDToken,
  { clientId, authTime }: Pick<RelyingParty, 'clientId' | 'authTime'>,
  { fresh }: Pick<ProviderLeg, 'fresh'>,
  now: EpochSeconds,
): void => {
  const { exp, iat, nbf = 0, azp = clientId, auth_time: provenAt } = claims;
  refuseIf(now >= exp + skew, 'the ID token has expired');
  refuseIf(iat > now + skew || nbf > now + skew, 'the ID token is not valid yet');
  // The library asks this of several audiences only. Whoever a token was issued to, it was not issued to us.
  refuseIf(azp !== clientId, 'the ID token was issued to another party');
  if (fresh === undefined) return;
  if (provenAt !== undefined) checkProof(provenAt, fresh.since, now);
  else refuseIf(authTime === 'required', 'the ID token does not say when the person proved themselves');
};

/** Parameters of the request can be taken out in the browser: what counts is this claim (§3.1.2.1). */
const checkProof = (provenAt: EpochSeconds, since: EpochSeconds, now: EpochSeconds): void => {
  const isInstant = Number.isSafeInteger(provenAt) && provenAt <= now + skew;
  refuseIf(!isInstant, 'the ID token tells no instant at which the person proved themselves');
  refuseIf(provenAt < since - skew, 'the person did not prove themselves anew');
};

const refuseIf = (wrong: boolean, reason: string): void => {
  if (wrong) throw new ProviderError('invalid', reason);
};
