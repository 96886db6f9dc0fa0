/** An issuer's signing keys (RFC 7517 §5): kept for a while, and read again when a signature does not fit them. */
import type { JWKS } from 'oauth4webapi';
import type { EpochSeconds, Seconds } from '../oauth/time.ts';
import { askProvider } from './http.ts';
import { ProviderError, type ProviderIo } from './provider.ts';

/** Where the keys are, and under which name of the issuer they are to have signed. */
interface KeySource {
  readonly url: string;
  readonly name: string;
}

/**
 * Checks something against the keys, and once more against newer ones when it throws.
 * @throws what the check throws last, and ProviderError when the keys cannot be read
 */
export type WithKeys = <Result>(
  source: KeySource,
  io: ProviderIo,
  check: (keys: JWKS) => Promise<Result>,
) => Promise<Result>;

interface HeldKeys {
  readonly url: string;
  readonly set: JWKS;
  readonly readAt: EpochSeconds;
}

const maxAge: Seconds = 300;
/** Keys younger than this are not read again, however many bad tokens come. */
const minAge: Seconds = 10;
/** How often, within that time, newer ones are asked for: bad tokens may come all at once, or while the issuer gives none. */
const mostRereads = 5;

/** Makes the keys of one issuer; they are remembered for as long as this lives. */
export const createSigningKeys = (): WithKeys => {
  // The finished value, never the promise: on Workers one request must not wait for another's.
  let held: HeldKeys | undefined;
  let rereads: readonly EpochSeconds[] = [];

  const mayReread = (now: EpochSeconds): boolean => {
    const recent = rereads.filter((at) => now < at + minAge);
    if (recent.length >= mostRereads) return false;
    rereads = [...recent, now];
    return true;
  };

  const recent = (url: string, io: ProviderIo): HeldKeys | undefined =>
    held !== undefined && held.url === url && io.now() < held.readAt + maxAge ? held : undefined;

  const read = async (url: string, io: ProviderIo): Promise<HeldKeys> => {
    const set = await readKeys(url, io);
    held = { url, set, readAt: io.now() };
    return held;
  };

  return async ({ url, name }, io, check) => {
    const keys = recent(url, io) ?? (await read(url, io));
    try {
      return await check(keysOf(keys.set, name));
    } catch (error) {
      const now = io.now();
      if (now < keys.readAt + minAge || !mayReread(now)) throw error;
      // The issuer may have a new key, under a new name or under the old one: worth one more try.
      return await check(keysOf((await read(url, io)).set, name));
    }
  };
};

/**
 * The keys that may sign under a name: where a key says whose it is, as Microsoft's do, it signs for nobody else. Else whoever
 * held the key of one tenant could speak for all.
 */
const keysOf = ({ keys }: JWKS, name: string): JWKS => ({ keys: keys.filter((key) => signsFor(key, name)) });

const signsFor = (key: object, name: string): boolean => {
  if (!('issuer' in key)) return true;
  if (typeof key.issuer !== 'string') return false;
  const [before = '', ...after] = key.issuer.split('{tenantid}');
  return after.length === 0 ? name === before : name.startsWith(before) && name.endsWith(after.join(''));
};

const readKeys = async (url: string, io: ProviderIo): Promise<JWKS> => {
  const headers = { accept: 'application/json, application/jwk-set+json' };
  const response = await askProvider(url, { method: 'GET', headers }, io);
  const set: unknown = await response.json().catch(() => undefined);
  if (!response.ok || !isKeySet(set))
    throw new ProviderError('invalid', 'the signing keys could not be read');
  return set;
};

const isKeySet = (value: unknown): value is JWKS =>
  isObject(value) && 'keys' in value && Array.isArray(value.keys) && value.keys.every(isObject);

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
