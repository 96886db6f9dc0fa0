/**
 * The endpoints for security events of providers: `POST /events/:provider` (RFC 8935, and Apple's own format)
 * and `POST /backchannel-logout/:provider` (OpenID Connect Back-Channel Logout 1.0 §2.5).
 */

import type { BrokerContext } from './context.ts';
import type { EndpointDefinition, RequestContext } from './endpoint/handler.ts';
import { readBodyText, readContentType, readForm } from './http/request.ts';
import { acceptedResponse, emptyResponse, eventError, logoutError } from './http/responses.ts';
import type { SecurityEvent } from './oauth/identifiers.ts';
import { readParameters } from './oauth/parameters.ts';
import { eventEndpointError } from './oauth/protocol-error.ts';
import {
  type IdentityProvider,
  ProviderError,
  SecurityEventError,
  type SecurityEventFault,
} from './providers/provider.ts';
import type { SecurityEventOutcome } from './storage/broker-storage.ts';

type SecurityEventContext = Pick<BrokerContext, 'providers' | 'providerIo' | 'storage' | 'limits' | 'now'>;

/** Finds the provider by its ID, which must be the second and last segment of the path. */
const findProviderByPath = ({ providers }: SecurityEventContext, { pathname }: URL): IdentityProvider => {
  const [, , id = '', ...rest] = pathname.split('/');
  const provider = rest.length === 0 ? providers.get(id) : undefined;
  if (provider === undefined) throw eventEndpointError('security-event.provider');
  return provider;
};

/**
 * Verifies a security event, and carries out its revocations. An event that revokes nothing is only logged.
 * @throws ProtocolError `security-event.…` for an event that is not valid, cannot be verified now, or is from
 *   a provider that was changed
 * @throws StorageUnavailable if it is not known whether the event was recorded
 */
const receiveSecurityEvent = async (
  context: SecurityEventContext,
  requestContext: RequestContext,
  { id: provider, subjectNamespace }: IdentityProvider,
  read: () => Promise<SecurityEvent>,
): Promise<SecurityEventOutcome> => {
  const { type, ...securityEvent } = await readWithFailureLimit(context, requestContext, provider, read);
  const reason = `the provider reported ${type}`;
  const outcome =
    securityEvent.revocations.length === 0
      ? 'recorded'
      : await context.storage.recordSecurityEvent({
          ...{ ...securityEvent, provider, subjectNamespace, reason },
          now: context.now(),
        });
  if (outcome === 'provider-changed') throw eventEndpointError('security-event.provider-changed');
  if (outcome === 'recorded') requestContext.log({ event: 'security-event', provider, securityEvent: type });
  return outcome;
};

/** The faults of tokens that anyone can send. A token with any other fault was signed by the provider. */
const forgeableFaults: readonly SecurityEventFault[] = ['unreadable', 'key', 'signature'];

/**
 * Counts only failures, as client authentication does, so that a provider is not blocked if it shares an
 * address with an attacker.
 */
const readWithFailureLimit = async (
  { limits }: SecurityEventContext,
  requestContext: RequestContext,
  provider: string,
  read: () => Promise<SecurityEvent>,
): Promise<SecurityEvent> => {
  try {
    return await read();
  } catch (cause) {
    // The provider's metadata or keys cannot be read, so the sender has to try again.
    if (cause instanceof ProviderError) throw eventEndpointError('security-event.unverifiable', { cause });
    if (!(cause instanceof SecurityEventError)) throw cause;
    const key = `${requestContext.findAddressBlock() ?? 'anywhere'} security events of ${provider}`;
    if (forgeableFaults.includes(cause.fault) && (await limits.failedAuthentications.take(key)) === 'limited')
      throw eventEndpointError('security-event.limited', { cause });
    throw eventEndpointError(`security-event.${cause.fault}`, { cause });
  }
};

/** Receives events about accounts at the provider, for example that an account was disabled. */
export const eventsEndpoint = (context: SecurityEventContext): EndpointDefinition => ({
  name: 'events',
  methods: ['POST'],
  respondToError: eventError,
  async handle(requestContext) {
    const provider = findProviderByPath(context, new URL(requestContext.request.url));
    const { securityEvents } = provider;
    if (securityEvents === undefined) throw eventEndpointError('security-event.provider');
    if (readContentType(requestContext.request) !== securityEvents.contentType)
      throw eventEndpointError('security-event.content-type');
    const body = await readBodyText(requestContext.request);
    // An event that was received before gets 202 too (RFC 8935 §2.2). After an error, it would be sent again.
    await receiveSecurityEvent(context, requestContext, provider, () =>
      securityEvents.read(body, context.providerIo),
    );
    return acceptedResponse();
  },
});

/** Receives logout tokens, which a provider sends when a user has signed out there. */
export const backchannelLogoutEndpoint = (context: SecurityEventContext): EndpointDefinition => ({
  name: 'backchannel-logout',
  methods: ['POST'],
  respondToError: logoutError,
  async handle(requestContext) {
    const provider = findProviderByPath(context, new URL(requestContext.request.url));
    const { readLogoutToken } = provider;
    if (readLogoutToken === undefined) throw eventEndpointError('security-event.provider');
    const form = readParameters(await readForm(requestContext.request), ['logout_token']);
    const { logout_token: token } = form;
    if (token === undefined) throw eventEndpointError('logout-token.missing');
    const outcome = await receiveSecurityEvent(context, requestContext, provider, () =>
      readLogoutToken(token, context.providerIo),
    );
    // A repeated token is an error (§2.6). The message tells a sender whose first response was lost that its
    // token was received.
    if (outcome === 'replayed') throw eventEndpointError('security-event.replayed');
    // The same response for a user who never signed in here, so that it does not reveal who did (§2.7).
    return emptyResponse();
  },
});
