/** What the endpoints for providers' signals share: whose it is, what counts as a failure, and that the ledger is told. */

import type { BrokerContext } from './context.ts';
import type { EndpointPlan, Visit } from './endpoint/handler.ts';
import { contentTypeOf, readForm, readText } from './http/body.ts';
import { accepted, done, eventError, logoutError } from './http/responses.ts';
import { Refusal } from './oauth/errors.ts';
import { readParameters } from './oauth/parameters.ts';
import type { Signal } from './oauth/security-event.ts';
import { type IdentityProvider, ProviderError } from './providers/provider.ts';
import { SignalError, type SignalFault } from './providers/security-events/verify.ts';
import type { SignalOutcome } from './storage/broker-storage.ts';

type SecurityEventContext = Pick<
  BrokerContext,
  'providers' | 'providerIo' | 'ledger' | 'limits' | 'addressBlockOf' | 'now'
>;

/** Finds the provider that the path names, in its second and last part. */
export const providerAt = ({ providers }: SecurityEventContext, { pathname }: URL): IdentityProvider => {
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
  rooms: SecurityEventContext,
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
  { limits, addressBlockOf }: SecurityEventContext,
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

// `POST /events/:provider` (RFC 8935, and Apple's own way): something happened to a person's account at their provider.

export const eventsEndpoint = (rooms: SecurityEventContext): EndpointPlan => ({
  name: 'events',
  methods: ['POST'],
  refuse: (refusal) => eventError(refusal),
  async handle(visit) {
    const { id, events } = providerAt(rooms, visit.url);
    if (events === undefined) throw new Refusal('signal.provider');
    if (contentTypeOf(visit.request) !== events.contentType) throw new Refusal('signal.content-type');
    const body = await readText(visit.request);
    // One that came before was delivered (RFC 8935 §2.2): saying otherwise, it would come again.
    await receiveSignal(rooms, visit, id, () => events.read(body, rooms.providerIo));
    return accepted();
  },
});

// `POST /backchannel-logout/:provider` (OpenID Connect Back-Channel Logout 1.0 §2.5): a person has signed out at their provider.

export const backchannelLogoutEndpoint = (rooms: SecurityEventContext): EndpointPlan => ({
  name: 'backchannel-logout',
  methods: ['POST'],
  refuse: (refusal) => logoutError(refusal),
  async handle(visit) {
    const { id, readLogoutToken } = providerAt(rooms, visit.url);
    if (readLogoutToken === undefined) throw new Refusal('signal.provider');
    const form = readParameters(await readForm(visit.request), ['logout_token']);
    const { logout_token: token } = form;
    if (token === undefined) throw new Refusal('logout-token.missing');
    const outcome = await receiveSignal(rooms, visit, id, () => readLogoutToken(token, rooms.providerIo));
    // By the letter (§2.6) a fault. A sender whose answer was lost learns that what it wanted was done.
    if (outcome === 'replayed') throw new Refusal('signal.replayed');
    // Also for a person who is not known here: nobody learns who is (§2.7).
    return done();
  },
});
