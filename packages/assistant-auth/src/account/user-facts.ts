/** The publisher's facts about a user (`summarizeUser`), which the account page shows. */

import { waitForOther } from '../endpoint/concurrency.ts';
import { logPageFailure, type RequestContext } from '../endpoint/handler.ts';
import type { UserId } from '../oauth/identifiers.ts';
import { controlCharacters } from '../ui/layout.ts';
import type { AccountContext } from './context.ts';
import type { UserFact } from './ui/account-model.ts';

const maxFacts = 10;

/** In characters. */
const maxTextLength = 100;

/** The page, where users also sign out and disconnect everything, must not depend on the publisher's data. */
const maxWaitMs = 3_000;

/**
 * Reads the facts. If the publisher's function throws, takes too long or returns something that is not valid,
 * logs that and returns none, so that the user can still manage the account.
 */
export const readUserFacts = async (
  { summarizeUser, branding }: AccountContext,
  requestContext: RequestContext,
  userId: UserId,
): Promise<readonly UserFact[]> => {
  try {
    return parseFacts(
      await waitForOther(summarizeUser(userId, branding.select(requestContext.request).language), maxWaitMs),
    );
  } catch (cause) {
    logPageFailure(cause, requestContext);
    return [];
  }
};

/** Checks the facts at run time, because JavaScript callers have no type checking. */
const parseFacts = (facts: readonly UserFact[] | undefined): readonly UserFact[] => {
  if (!Array.isArray(facts) || facts.length > maxFacts)
    throw new TypeError(
      `summarizeUser must return an array of at most ${maxFacts} facts within ${maxWaitMs} ms`,
    );
  return facts.map(({ label, value }) => ({
    label: parseText('label', label),
    value: parseText('value', value),
  }));
};

const parseText = (name: string, text: unknown): string => {
  if (
    typeof text === 'string' &&
    text.trim() !== '' &&
    text.length <= maxTextLength &&
    text.search(controlCharacters) < 0
  )
    return text;
  throw new TypeError(
    `summarizeUser: ${name} must be non-empty text on one line, of at most ${maxTextLength} characters`,
  );
};
