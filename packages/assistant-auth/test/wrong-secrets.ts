/** A deployment with client addresses, and an attacker who guesses the secrets of its clients. */
import { type BrokerOptions, defaultRateLimits } from '../src/index.ts';
import { requestTokens } from './browser.ts';
import { type Deployment, deploy } from './deployment.ts';

type Headers = Readonly<Record<string, string>>;

/** Behind a platform that writes the caller's address into a header of its own, as Cloudflare does. */
export const deployWithClientAddress = (changes: Partial<BrokerOptions> = {}): Deployment =>
  deploy({ clientAddress: ({ headers }) => headers.get('cf-connecting-ip') ?? undefined, ...changes });

/** What the platform writes for a caller at this address. */
export const buildAddressHeaders = (address: string): Headers => ({ 'cf-connecting-ip': address });

export const attacker = '198.51.100.66';

/** How many wrong secrets are answered as such. */
export const failedClientLimit = defaultRateLimits.failedAuthentications.limit;

/** Asks for tokens as `client`, with a wrong secret. */
export const sendWrongSecret = (
  deployment: Deployment,
  client: string,
  headers: Headers,
): Promise<Response> =>
  requestTokens(
    deployment,
    { grant_type: 'authorization_code', client_id: client, client_secret: `wrong-${client}`, code: 'x' },
    headers,
  );

/** Guesses one after the other, and gives how often each status came. */
export const sendWrongSecrets = async (
  deployment: Deployment,
  times: number,
  client: string,
  addressOf: (attempt: number) => string = () => attacker,
): Promise<Readonly<Record<number, number>>> => {
  const counts: Record<number, number> = {};
  for (let attempt = 0; attempt < times; attempt++) {
    const { status } = await sendWrongSecret(deployment, client, buildAddressHeaders(addressOf(attempt)));
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
};
