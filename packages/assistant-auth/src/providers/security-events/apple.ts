/** Apple's notifications from server to server: a person stopped using Apple for this app, or has no account there any longer. */

import type { Signal, SignalReach } from '../../oauth/security-event.ts';
import type { OidcIssuer } from '../issuer.ts';
import type { ProviderIo } from '../provider.ts';
import { isName, readSigned, SignalError, type TokenRules } from './verify.ts';

const rules: TokenRules = { type: 'secevent+jwt', oldest: 7 * 86_400, expiry: 'heeded' };

/** How much ends; nothing, where there is nothing to end. Apple has written the second one in two ways. */
const reaches: ReadonlyMap<unknown, SignalReach | undefined> = new Map([
  ['consent-revoked', 'identity'],
  ['account-delete', 'identity'],
  ['account-deleted', 'identity'],
  ['email-enabled', undefined],
  ['email-disabled', undefined],
]);

/**
 * Reads a notification.
 * @param body JSON with the token as its `payload`
 * @throws SignalError for a token that is not to be believed, ProviderError when that cannot be told
 * @see https://developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts
 */
export const readAppleNotification = async (
  body: string,
  issuer: OidcIssuer,
  io: ProviderIo,
): Promise<Signal> => {
  const { payload } = Object(parse(body));
  if (typeof payload !== 'string') throw new SignalError('unreadable', 'there is no payload');
  const { claims, ...said } = await readSigned(payload, issuer, rules, io);
  const { events } = claims;
  // JSON within JSON.
  const { type, sub: subject } = Object(parse(events));
  const reach = reaches.get(type);
  if (!isName(type) || (reach !== undefined && !isName(subject)))
    throw new SignalError('content', 'it tells of no event');
  return {
    ...said,
    name: reaches.has(type) ? type : 'unknown',
    endings: reach === undefined ? [] : [{ target: { kind: 'identity', subject }, reach }],
  };
};

const parse = (json: unknown): unknown => {
  try {
    return typeof json === 'string' ? JSON.parse(json) : undefined;
  } catch {
    return undefined;
  }
};
