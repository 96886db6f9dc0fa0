/** Providers' tokens in a row of `identities`: the sealed one, and the names that go with it. */
import type { NamedToken } from '@words-with-chat/broker';

/** What `token_name` and `other_token_name` hold for a token that came just now. */
export const nameColumns = ({
  tokenNames,
}: Pick<NamedToken, 'tokenNames'>): [string | null, string | null] => [
  tokenNames?.[0] ?? null,
  tokenNames?.[1] ?? null,
];

/** In an upsert: the token that the provider sent, with its names if it has any; otherwise the stored one with its own. */
export const newTokenOrStored = `
  unresolved_rechecks = iif(excluded.sealed_refresh_token IS NULL, unresolved_rechecks, 0),
  token_name = iif(excluded.sealed_refresh_token IS NULL, token_name, excluded.token_name),
  other_token_name = iif(excluded.sealed_refresh_token IS NULL, other_token_name, excluded.other_token_name),
  sealed_refresh_token = coalesce(excluded.sealed_refresh_token, sealed_refresh_token)`;

/** Deletes a token that can no longer be used, and what is stored about it. */
export const forgotten =
  'sealed_refresh_token = NULL, token_name = NULL, other_token_name = NULL, vouched_until = 0, unresolved_rechecks = 0';
