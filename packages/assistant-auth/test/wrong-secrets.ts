/** A deployment that knows client addresses, and an attacker who guesses its clients' secrets. */
import { type BrokerOptions, defaultRateLimits } from '../src/index.ts';
import { requestTokens } from './browser.ts';
import { type Deployment, deploy } from './deployment.ts';

type Headers = Readonly<Record<string, string>>;

/** Deploys behind a platform that adds a header with the client's address, as Cloudflare does. */
export const deployWithClientAddress = (changes: Partial<BrokerOptions> = {}): Deployment =>
  deploy({ clientAddress: ({ headers }) => headers.get('cf-connecting-ip') ?? undefined, ...changes });

/** Builds the header that the platform adds for a client at this address. */
export const buildAddressHeaders = (address: string): Headers => ({ 'cf-connecting-ip': address });

export const attacker = '198.51.100.66';

/** How many wrong secrets get `invalid_client` before the rate limit responds with 429. */
export const failedClientLimit = defaultRateLimits.failedAuthentications.limit;

/** Requests tokens as `client`, with a wrong secret. */
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

/** Sends wrong secrets one after the other, and returns how often each status was received. */
export const sendWrongSecrets = async (
  deployment: Deployment,
  count: number,
  client: string,
  addressOf: (attempt: number) => string = () => attacker,
): Promise<Readonly<Record<number, number>>> => {
  const counts: Record<number, number> = {};
  for (let attempt = 0; attempt < count; attempt++) {
    const { status } = await sendWrongSecret(deployment, client, buildAddressHeaders(addressOf(attempt)));
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
};
