/** What a provider said of a person becomes an identity. */
import type { Identity } from '../../protocol/identity.ts';
import { ProviderError } from '../identity-provider.ts';

/** Who it is in the provider's words; of the rest, what is no readable text is left out. */
export interface Description {
  /** The provider's own stable key of the person. */
  readonly subject: string;
  /** The first of them that is a text is how the person is shown. */
  readonly labels: readonly unknown[];
  readonly email?: unknown;
  /** Whether the provider says that the address is theirs. */
  readonly emailVerified?: boolean;
  /** The session there that the person signed in with, if it has a name. */
  readonly sid?: unknown;
}

/** OpenID Connect Core §2; names of sessions are held to the same. */
const longestSubject = 255;
/** Longer than any address (RFC 5321 §4.5.3.1) and than any name that a page could show. */
const longestLabel = 320;

/** @throws ProviderError `invalid` for a subject that is no text, empty or too long to be one */
export const identityFrom = (
  provider: string,
  description: Description,
  claims: Identity['claims'],
  refreshToken: string | undefined,
): Identity => {
  const { subject, labels, emailVerified = false } = description;
  if (!isSubject(subject)) throw new ProviderError('invalid', 'the subject is no text, empty or too long');
  const email = readText(description.email);
  const sid = isSubject(description.sid) ? description.sid : undefined;
  const label = labels.map(readText).find((text) => text !== undefined);
  return {
    provider,
    subject,
    emailVerified: emailVerified && email !== undefined,
    claims,
    ...(label === undefined ? {} : { label }),
    ...(email === undefined ? {} : { email }),
    ...(sid === undefined ? {} : { sid }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
  };
};

/** A number would be rounded on its way, and neighbours become one person; half a character is another one in storage. */
const isSubject = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= longestSubject && value.isWellFormed();

/** Gives a text that may be shown; `undefined` for what is none, is empty, too long or cut within a character, which nothing seals. */
export const readText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= longestLabel && value.isWellFormed()
    ? value
    : undefined;
