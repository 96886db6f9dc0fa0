/**
 * A provider's answer that a browser posts from the provider's site (OAuth 2.0 Form Post Response Mode). Lax cookies do not
 * come with it, so nothing is decided: it is sealed and sent round once more, as a GET to the same address that brings them.
 */
import type { BrokerContext } from '../context.ts';
import { readForm } from '../http/body.ts';
import { Refusal } from '../oauth/errors.ts';
import { readParameters } from '../oauth/parameters.ts';
import { postedAnswerLifetime } from '../tokens/lifetimes.ts';

type FormPostContext = Pick<BrokerContext, 'vault' | 'now'>;

const parameter = 'form_post';

/** Honest answers are a tenth of it; URLs of twice the length still arrive everywhere. */
const longestSealed = 4096;

/**
 * Seals what was posted to a callback, and gives the URL where it is to be brought.
 * @throws Refusal for a body that is no form, has not one state, or would make too long a URL
 */
export const sendRound = async (
  request: Request,
  provider: string,
  rooms: FormPostContext,
): Promise<string> => {
  const form = await readForm(request);
  if (readParameters(form, ['state']).state === undefined) throw new Refusal('transaction.missing');
  const expiresAt = rooms.now() + postedAnswerLifetime;
  const sealed = await rooms.vault.postedAnswer.seal({ provider, parameters: form.toString(), expiresAt });
  if (sealed.length > longestSealed) throw new Refusal('request.too-large');
  const url = new URL(request.url);
  url.search = new URLSearchParams({ [parameter]: sealed }).toString();
  return url.href;
};

/** A provider's response, as it arrived at its callback. */
export interface ReceivedAnswer {
  /** The callback URL with the provider's parameters in its query, however they came. */
  readonly url: URL;
  /** Whether it was posted more than a minute ago. It then signs nobody in, but still identifies a completed callback. */
  readonly isExpired: boolean;
}

/**
 * Opens what comes round, and gives the callback URL as if the provider had put its answer into the query.
 * @throws Refusal for what was not posted to this provider's callback
 */
export const openAnswer = async (
  url: URL,
  provider: string,
  { vault, now }: FormPostContext,
): Promise<ReceivedAnswer> => {
  const { [parameter]: sealed } = readParameters(url.searchParams, [parameter]);
  if (sealed === undefined) throw new Refusal('answer.plain');
  const opened = await vault.postedAnswer.open(sealed);
  if (opened.kind === 'unopened') throw new Refusal('answer.unreadable', { cause: opened.reason });
  const { provider: asked, parameters, expiresAt } = opened.value;
  if (asked !== provider) throw new Refusal('answer.provider');
  const answer = new URL(url);
  answer.search = parameters;
  return { url: answer, isExpired: now() >= expiresAt };
};
