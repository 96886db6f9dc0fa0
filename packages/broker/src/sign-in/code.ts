/** The authorization code of a sign-in that was recorded. */
import type { Clock } from '../protocol/time.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { AuthorizationRequest } from '../tokens/transaction.ts';
import type { Vault } from '../tokens/vault.ts';

/** Seals a code for the client that asked. */
export const sealCode = (
  { vault, now, lifetimes }: { readonly vault: Vault; readonly now: Clock; readonly lifetimes: Lifetimes },
  grantId: string,
  clientId: string,
  { redirectUri, resource, codeChallenge }: AuthorizationRequest,
): Promise<string> =>
  vault.code.seal({
    ...{ grantId, clientId, redirectUri, resource, codeChallenge },
    expiresAt: now() + lifetimes.code,
  });
