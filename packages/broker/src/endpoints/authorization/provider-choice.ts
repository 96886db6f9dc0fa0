/** Providers as the buttons that pages show. */
import type { ProviderChoice } from '../../pages/provider.ts';
import type { IdentityProvider } from '../../providers/identity-provider.ts';

/** Where the mark of a provider is, if it has one. */
export type MarkPath = (provider: string) => string;

export const choicesOf = (
  providers: readonly IdentityProvider[],
  markPath: MarkPath,
): readonly ProviderChoice[] =>
  providers.map(({ id, label, mark }) => ({
    id,
    label,
    ...(mark !== undefined && { markPath: markPath(id) }),
  }));
