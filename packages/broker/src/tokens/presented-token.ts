/** Finding out what a token of ours is that somebody presents without saying so (RFC 7009 §2.1, RFC 7662 §2.1). */
import type { AccessToken } from './access-token.ts';
import type { RefreshToken } from './refresh-token.ts';
import type { Vault } from './vault.ts';

export type PresentedToken =
  | { readonly kind: 'access'; readonly resource: string; readonly token: AccessToken }
  | { readonly kind: 'refresh'; readonly token: RefreshToken };

/**
 * Opens a token of whichever kind, expired or not. Each kind has its own key, so that no hint is needed and none is believed.
 * @returns `undefined` for everything that is no access or refresh token of this deployment
 */
export const findToken = async (vault: Vault, presented: string): Promise<PresentedToken | undefined> => {
  const refresh = await vault.refresh.open(presented);
  if (refresh.kind === 'opened') return { kind: 'refresh', token: refresh.value };
  for (const [resource, artefact] of vault.access) {
    const access = await artefact.open(presented);
    if (access.kind === 'opened') return { kind: 'access', resource, token: access.value };
  }
  return undefined;
};
