/**
 * A provider's answer that a browser posts from the provider's site (OAuth 2.0 Form Post Response Mode). Lax cookies do not
 * come with it, so nothing is decided: it is sealed and sent round once more, as a GET to the same address that brings them.
 */
import type { BrokerContext } from '../context.ts';
import { readForm } from '../http/request.ts';
import { ProtocolError } from '../oauth/errors.ts';
import { readParameters } from '../oauth/parameters.ts';
import { formPostLifetime } from '../tokens/lifetimes.ts';

type FormPostContext = Pick<BrokerContext, 'sealers' | 'now'>;

const parameter = 'form_post';

/** Honest answers are a tenth of it; URLs of twice the length still arrive everywhere. */
const maxSealedLength = 4096;

/**
 * Seals what was posted to a callback, and gives the URL where it is to be brought.
 * @throws ProtocolError for a body that is no form, has not one state, or would make too long a URL
 */
export const redirectFormPost = async (
  request: Request,
  provider: string,
  context: FormPostContext,
): Promise<string> => {
  const form = await readForm(request);
  if (readParameters(form, ['state']).state === undefined) throw new ProtocolError('transaction.missing');
  const expiresAt = context.now() + formPostLifetime;
  const sealed = await context.sealers.formPost.seal({ provider, parameters: form.toString(), expiresAt });
  if (sealed.length > maxSealedLength) throw new ProtocolError('request.too-large');
  const url = new URL(request.url);
  url.search = new URLSearchParams({ [parameter]: sealed }).toString();
  return url.href;
};

/** A provider's response, as it arrived at its callback. */
export interface ProviderResponse {
  /** The callback URL with the provider's parameters in its query, however they came. */
  readonly url: URL;
  /** Whether it was posted more than a minute ago. It then signs nobody in, but still identifies a completed callback. */
  readonly isExpired: boolean;
}

/**
 * Opens what comes round, and gives the callback URL as if the provider had put its answer into the query.
 * @throws ProtocolError for what was not posted to this provider's callback
 */
export const openFormPost = async (
  url: URL,
  provider: string,
  { sealers, now }: FormPostContext,
): Promise<ProviderResponse> => {
  const { [parameter]: sealed } = readParameters(url.searchParams, [parameter]);
  if (sealed === undefined) throw new ProtocolError('form-post.missing');
  const opened = await sealers.formPost.open(sealed);
  if (opened.kind === 'failed') throw new ProtocolError('form-post.unreadable', { cause: opened.reason });
  const { provider: sealedProvider, parameters, expiresAt } = opened.value;
  if (sealedProvider !== provider) throw new ProtocolError('form-post.provider');
  const responseUrl = new URL(url);
  responseUrl.search = parameters;
  return { url: responseUrl, isExpired: now() >= expiresAt };
};
