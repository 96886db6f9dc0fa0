/** Who we are in a single exchange, as `oauth4webapi` wants to be told. */
import { type Client, clockTolerance } from 'oauth4webapi';
import type { ProviderIo } from '../identity-provider.ts';
import type { ClientSettings } from './client-settings.ts';

/** The library reads the machine's clock; what has a time is held against the one that is passed in, by us. */
export const clientOf = ({ clientId }: ClientSettings): Client => ({
  client_id: clientId,
  [clockTolerance]: Number.MAX_SAFE_INTEGER,
});

export const secretOf = async ({ clientSecret }: ClientSettings, { now }: ProviderIo): Promise<string> =>
  typeof clientSecret === 'string' ? clientSecret : clientSecret(now());
