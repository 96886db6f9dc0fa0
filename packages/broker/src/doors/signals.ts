/** What the endpoints for providers' signals share: whose it is, what counts as a failure, and that the ledger is told. */
import type { Ledger, SignalOutcome } from '../ledger/ledger.ts';
import type { AddressBlockOf } from '../limits/address-block.ts';
import type { Limits } from '../limits/limits.ts';
import { Refusal } from '../protocol/errors.ts';
import type { Signal } from '../protocol/signal.ts';
import type { Clock } from '../protocol/time.ts';
import { type IdentityProvider, ProviderError, type ProviderIo } from '../providers/identity-provider.ts';
import { SignalError, type SignalFault } from '../providers/signals/signal-error.ts';
import type { Visit } from './endpoint.ts';

export interface SignalRooms {
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  readonly providerIo: ProviderIo;
  readonly ledger: Ledger;
  readonly limits: Pick<Limits, 'failedClients'>;
  readonly addressBlockOf: AddressBlockOf;
  readonly now: Clock;
}

/** Finds the provider that the path names, in its second and last part. */
export const providerAt = ({ providers }: SignalRooms, { pathname }: URL): IdentityProvider => {
  const [, , id = '', ...more] = pathname.split('/');
  const provider = more.length === 0 ? providers.get(id) : undefined;
  if (provider === undefined) throw new Refusal('signal.provider');
  return provider;
};

/**
 * Reads a signal, and has what it ends ended.
 * @throws Refusal `signal.…` for one that is not believed, LedgerUnavailable when nothing was recorded
 */
export const receiveSignal = async (
  rooms: SignalRooms,
  visit: Visit,
  provider: string,
  read: () => Promise<Signal>,
): Promise<SignalOutcome> => {
  const { name, ...signal } = await readCounted(rooms, visit.request, provider, read);
  const reason = `the provider said ${name}`;
  const outcome =
    signal.endings.length === 0
      ? 'first'
      : await rooms.ledger.recordSignal({ ...signal, provider, reason, now: rooms.now() });
  if (outcome === 'first') visit.log({ event: 'signal', provider, signal: name });
  return outcome;
};

/** What a stranger could have sent. Whatever else is wrong with a token, the provider has signed it. */
const unproven: readonly SignalFault[] = ['unreadable', 'key', 'signature'];

/** As with clients: only failures are counted, so that nobody who shares an address with a forger is kept out. */
const readCounted = async (
  { limits, addressBlockOf }: SignalRooms,
  request: Request,
  provider: string,
  read: () => Promise<Signal>,
): Promise<Signal> => {
  try {
    return await read();
  } catch (cause) {
    // Its keys are out of reach: the sender tries again.
    if (cause instanceof ProviderError) throw new Refusal('signal.unverifiable', { cause });
    if (!(cause instanceof SignalError)) throw cause;
    const key = `${addressBlockOf(request) ?? 'anywhere'} signals of ${provider}`;
    if (unproven.includes(cause.fault) && (await limits.failedClients.take(key)) === 'limited')
      throw new Refusal('signal.limited', { cause });
    throw new Refusal(`signal.${cause.fault}`, { cause });
  }
};
