/** What stands for an identity in a form: good in one session alone, and telling nothing of what the provider calls the person. */
import type { IdentityName } from '../../ledger/ledger.ts';
import { encodeBase64url } from '../../protocol/base64url.ts';

/** @param session the id of its grant, which no page shows */
export const identityKey = async ({ provider, subject }: IdentityName, session: string): Promise<string> => {
  const text = new TextEncoder().encode(`${session}\0${provider}\0${subject}`);
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', text)));
};
