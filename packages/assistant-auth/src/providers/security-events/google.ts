/** Google's security events (RISC, as security event tokens by RFC 8417): something happened to a person's account there. */

import { encodeBase64url } from '../../oauth/base64url.ts';
import type { TokenNames } from '../../oauth/identifiers.ts';
import type { Signal, SignalEnding, SignalReach, SignalTarget } from '../../oauth/security-event.ts';
import type { OidcIssuer } from '../issuer.ts';
import type { ProviderIo } from '../provider.ts';
import { isName, readSigned, refuseIf, type SaidByProvider, SignalError } from './verify.ts';

/** Google tries again for a while, and does not say for how long. */
const oldest = 7 * 86_400;

const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const oauth = 'https://schemas.openid.net/secevent/oauth/event-type/';

/** How much ends; nothing, where there is nothing to end. */
const reaches: ReadonlyMap<string, SignalReach | undefined> = new Map([
  [`${risc}sessions-revoked`, 'identity'],
  [`${oauth}tokens-revoked`, 'identity'],
  [`${oauth}token-revoked`, 'identity'],
  [`${risc}account-disabled`, 'identity'],
  [`${risc}account-purged`, 'identity'],
  // Perhaps in other hands: they have to come with what it is now. Apps go on, for which the token that is stored speaks.
  [`${risc}account-credential-change-required`, 'sessions'],
  [`${risc}account-enabled`, undefined],
  [`${risc}verification`, undefined],
]);

/**
 * Reads an event. Keys are those of the ID tokens: https://accounts.google.com/.well-known/risc-configuration names the same.
 * @throws SignalError for a token that is not to be believed, ProviderError when that cannot be told
 * @see https://developers.google.com/identity/protocols/risc
 */
export const readGoogleEvent = async (token: string, issuer: OidcIssuer, io: ProviderIo): Promise<Signal> => {
  // By its own documentation it is written either way.
  const issuers = [issuer.party.issuer, `${issuer.party.issuer}/`];
  const { claims, ...said } = await readSigned(
    token,
    issuer,
    { type: 'secevent+jwt', oldest, expiry: 'ignored', issuers },
    io,
  );
  const events = Object.entries(eventsIn(claims));
  const known = events.find(([type]) => reaches.has(type))?.[0] ?? 'unknown';
  const endings: SignalEnding[] = [];
  for (const [type, event] of events) {
    const reach = reaches.get(type);
    const target = reach && (await targetOf(event, issuers));
    if (reach !== undefined && target !== undefined) endings.push({ target, reach });
  }
  return { ...said, name: known.slice(known.lastIndexOf('/') + 1), endings };
};

const eventsIn = ({ events }: SaidByProvider['claims']): object => {
  if (typeof events !== 'object' || events === null || Object.keys(events).length === 0)
    throw new SignalError('content', 'it tells of no event');
  return events;
};

/** `undefined` for whom nothing here could be found by: an address, or a token in words that are new. */
const targetOf = async (event: unknown, issuers: readonly unknown[]): Promise<SignalTarget | undefined> => {
  const { subject_type: type, iss, sub, ...token } = Object(Object(event).subject);
  switch (type) {
    case 'iss-sub':
    case 'id_token_claims':
      refuseIf(iss !== undefined && !issuers.includes(iss), 'content', 'it is about somebody else’s people');
      return isName(sub) ? { kind: 'identity', subject: sub } : undefined;
    case 'oauth_token': {
      const name = await googleTokenName(token.token_identifier_alg, token.token);
      return name === undefined ? undefined : { kind: 'token', name };
    }
    default:
      throw new SignalError('content', 'it does not say whom it is about');
  }
};

// How Google names a refresh token in its events. What is stored are digests, so that the names say nothing of a token either.

/** Both names under which Google may speak of a token. */
export const googleTokenNames = async (refreshToken: string): Promise<TokenNames> => {
  const twice = await digest('SHA-512', await digest('SHA-512', encoder.encode(refreshToken)));
  return [
    await nameOf('prefix', refreshToken.slice(0, 16)),
    await nameOf(doubleHash, encodeBase64url(twice)),
  ];
};

/** The name as it is stored; `undefined` for one in words that are new. */
export const googleTokenName = async (algorithm: unknown, named: unknown): Promise<string | undefined> => {
  if (typeof named !== 'string') return undefined;
  switch (algorithm) {
    case 'prefix':
      return nameOf('prefix', named);
    case doubleHash:
      // Whether base64 or base64url, with padding or without, Google does not say.
      return nameOf(doubleHash, named.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''));
    default:
      return undefined;
  }
};

const doubleHash = 'hash_base64_sha512_sha512';

const encoder = new TextEncoder();

const nameOf = async (algorithm: string, named: string): Promise<string> =>
  encodeBase64url(await digest('SHA-256', encoder.encode(`${algorithm} ${named}`)));

const digest = async (algorithm: string, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
