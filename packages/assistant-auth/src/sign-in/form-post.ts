/**
 * A provider's response that the browser posts from the provider's site (OAuth 2.0 Form Post Response Mode).
 * The browser sends no `SameSite=Lax` cookies with it, so the broker only seals it and redirects to the same
 * path. The browser follows with a GET request, which has the cookies.
 */
import type { BrokerContext } from '../context.ts';
import { readForm } from '../http/request.ts';
import { readParameters } from '../oauth/parameters.ts';
import { callbackError, requestError } from '../oauth/protocol-error.ts';
import { formPostLifetime } from '../tokens/lifetimes.ts';

type FormPostContext = Pick<BrokerContext, 'sealers' | 'now'>;

const parameter = 'form_post';

/** Genuine responses have about a tenth of this length. URLs that are twice as long still work everywhere. */
const maxSealedLength = 4096;

/**
 * Seals the posted parameters, and returns the URL to redirect the browser to.
 * @throws ProtocolError if the body is not a form or is too large, if it has no `state` or several, or if the
 *   sealed parameters are too long for a URL
 */
export const redirectFormPost = async (
  request: Request,
  provider: string,
  context: FormPostContext,
): Promise<string> => {
  const form = await readForm(request);
  // Admin consent belongs to no sign-in, so it can lack `state`.
  if (readParameters(form, ['state']).state === undefined && !form.has('admin_consent'))
    throw callbackError('transaction.missing');
  const expiresAt = context.now() + formPostLifetime;
  const sealed = await context.sealers.formPost.seal({ provider, parameters: form.toString(), expiresAt });
  if (sealed.length > maxSealedLength) throw requestError('request.too-large');
  const url = new URL(request.url);
  url.search = new URLSearchParams({ [parameter]: sealed }).toString();
  return url.href;
};

/** A provider's response at its callback. */
export interface ProviderResponse {
  /** The callback URL with the provider's parameters in its query, in either response mode. */
  readonly url: URL;
  /**
   * Whether it was posted a minute or more ago. An expired response is refused, but still identifies a
   * completed callback.
   */
  readonly isExpired: boolean;
}

/**
 * Opens the sealed parameters, and returns the callback URL as if the provider had put them into the query.
 * @throws ProtocolError if they are missing, unreadable, or were posted to another provider's callback
 */
export const openFormPost = async (
  url: URL,
  provider: string,
  { sealers, now }: FormPostContext,
): Promise<ProviderResponse> => {
  const { [parameter]: sealed } = readParameters(url.searchParams, [parameter]);
  if (sealed === undefined) throw callbackError('form-post.missing');
  const opened = await sealers.formPost.open(sealed);
  if (opened.kind === 'failed') throw callbackError('form-post.unreadable', { cause: opened.reason });
  const { provider: sealedProvider, parameters, expiresAt } = opened.value;
  if (sealedProvider !== provider) throw callbackError('form-post.provider');
  const responseUrl = new URL(url);
  responseUrl.search = parameters;
  return { url: responseUrl, isExpired: now() >= expiresAt };
};
