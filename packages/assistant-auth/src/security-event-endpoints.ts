/** What the endpoints for providers' signals share: whose it is, what counts as a failure, and that the ledger is told. */

import type { BrokerContext } from './context.ts';
import type { EndpointDefinition, RequestContext } from './endpoint/handler.ts';
import { readBodyText, readContentType, readForm } from './http/request.ts';
import { acceptedResponse, emptyResponse, eventError, logoutError } from './http/responses.ts';
import { findAddressBlock } from './limits/rate-limits.ts';
import { ProtocolError } from './oauth/errors.ts';
import type { SecurityEvent } from './oauth/identifiers.ts';
import { readParameters } from './oauth/parameters.ts';
import { type IdentityProvider, ProviderError } from './providers/provider.ts';
import { SecurityEventError, type SecurityEventFault } from './providers/security-events/verify.ts';
import type { SecurityEventOutcome } from './storage/broker-storage.ts';

type SecurityEventContext = Pick<
  BrokerContext,
  'providers' | 'providerIo' | 'storage' | 'limits' | 'clientAddress' | 'now'
>;

/** Finds the provider that the path names, in its second and last part. */
const findProviderByPath = ({ providers }: SecurityEventContext, { pathname }: URL): IdentityProvider => {
  const [, , id = '', ...rest] = pathname.split('/');
  const provider = rest.length === 0 ? providers.get(id) : undefined;
  if (provider === undefined) throw new ProtocolError('security-event.provider');
  return provider;
};

/**
 * Reads a signal, and has what it ends ended.
 * @throws ProtocolError `signal.…` for one that is not believed, StorageUnavailable when nothing was recorded
 */
const receiveSecurityEvent = async (
  context: SecurityEventContext,
  requestContext: RequestContext,
  provider: string,
  read: () => Promise<SecurityEvent>,
): Promise<SecurityEventOutcome> => {
  const { type, ...securityEvent } = await readWithFailureLimit(
    context,
    requestContext.request,
    provider,
    read,
  );
  const reason = `the provider said ${type}`;
  const outcome =
    securityEvent.revocations.length === 0
      ? 'recorded'
      : await context.storage.recordSecurityEvent({ ...securityEvent, provider, reason, now: context.now() });
  if (outcome === 'recorded') requestContext.log({ event: 'security-event', provider, securityEvent: type });
  return outcome;
};

/** What a stranger could have sent. Whatever else is wrong with a token, the provider has signed it. */
const forgeableFaults: readonly SecurityEventFault[] = ['unreadable', 'key', 'signature'];

/** As with clients: only failures are counted, so that nobody who shares an address with a forger is kept out. */
const readWithFailureLimit = async (
  { limits, clientAddress }: SecurityEventContext,
  request: Request,
  provider: string,
  read: () => Promise<SecurityEvent>,
): Promise<SecurityEvent> => {
  try {
    return await read();
  } catch (cause) {
    // Its keys are out of reach: the sender tries again.
    if (cause instanceof ProviderError) throw new ProtocolError('security-event.unverifiable', { cause });
    if (!(cause instanceof SecurityEventError)) throw cause;
    const key = `${findAddressBlock(clientAddress, request) ?? 'anywhere'} security events of ${provider}`;
    if (forgeableFaults.includes(cause.fault) && (await limits.failedAuthentications.take(key)) === 'limited')
      throw new ProtocolError('security-event.limited', { cause });
    throw new ProtocolError(`security-event.${cause.fault}`, { cause });
  }
};

// `POST /events/:provider` (RFC 8935, and Apple's own way): something happened to a person's account at their provider.

export const eventsEndpoint = (context: SecurityEventContext): EndpointDefinition => ({
  name: 'events',
  methods: ['POST'],
  respondToError: (error) => eventError(error),
  async handle(requestContext) {
    const { id, securityEvents } = findProviderByPath(context, requestContext.url);
    if (securityEvents === undefined) throw new ProtocolError('security-event.provider');
    if (readContentType(requestContext.request) !== securityEvents.contentType)
      throw new ProtocolError('security-event.content-type');
    const body = await readBodyText(requestContext.request);
    // One that came before was delivered (RFC 8935 §2.2): saying otherwise, it would come again.
    await receiveSecurityEvent(context, requestContext, id, () =>
      securityEvents.read(body, context.providerIo),
    );
    return acceptedResponse();
  },
});

// `POST /backchannel-logout/:provider` (OpenID Connect Back-Channel Logout 1.0 §2.5): a person has signed out at their provider.

export const backchannelLogoutEndpoint = (context: SecurityEventContext): EndpointDefinition => ({
  name: 'backchannel-logout',
  methods: ['POST'],
  respondToError: (error) => logoutError(error),
  async handle(requestContext) {
    const { id, readLogoutToken } = findProviderByPath(context, requestContext.url);
    if (readLogoutToken === undefined) throw new ProtocolError('security-event.provider');
    const form = readParameters(await readForm(requestContext.request), ['logout_token']);
    const { logout_token: token } = form;
    if (token === undefined) throw new ProtocolError('logout-token.missing');
    const outcome = await receiveSecurityEvent(context, requestContext, id, () =>
      readLogoutToken(token, context.providerIo),
    );
    // By the letter (§2.6) a fault. A sender whose answer was lost learns that what it wanted was done.
    if (outcome === 'replayed') throw new ProtocolError('security-event.replayed');
    // Also for a person who is not known here: nobody learns who is (§2.7).
    return emptyResponse();
  },
});
