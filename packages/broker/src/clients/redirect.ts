/** Which redirect a client may be answered at. Only a `VerifiedRedirect` is ever redirected to. */
import { Refusal } from '../protocol/errors.ts';
import { obeys } from '../protocol/redirect-uri.ts';
import type { Client } from './client.ts';

/** A redirect URI that this client registered; `verifyRedirect` alone makes it. */
export type VerifiedRedirect = string & { readonly brand: unique symbol };

/**
 * Holds a requested redirect URI against the client's rules (RFC 9700 §4.1.3).
 * @param requested may be absent only if the client has exactly one, exact URI (RFC 6749 §3.1.2.3)
 * @throws Refusal `redirect.missing` or `redirect.unregistered`; it must never be answered by a redirect
 */
export const verifyRedirect = (client: Client, requested: string | undefined): VerifiedRedirect => {
  if (requested === undefined) return onlyRedirect(client);
  if (!client.redirects.some((rule) => obeys(rule, requested))) throw new Refusal('redirect.unregistered');
  return requested as VerifiedRedirect;
};

const onlyRedirect = ({ redirects: [rule, ...others] }: Client): VerifiedRedirect => {
  if (rule?.kind !== 'exact' || others.length > 0) throw new Refusal('redirect.missing');
  return rule.uri as VerifiedRedirect;
};
