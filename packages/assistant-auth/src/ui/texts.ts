/** Owns every sentence of the pages: the defaults, what a replacement must keep, and how names are put in. */

import { ConfigurationError } from '../oauth/errors.ts';
import { type AccountTexts, defaultAccountTexts } from './account-texts.ts';

/**
 * The sentences, plain text with places for names: `{product}`, `{buildOAuthClient}`, `{host}` (where the client's code goes),
 * `{provider}` and `{createSimulatedUser}` (how the provider shows whoever signed in before). A replacement keeps the places of the
 * default; only `{product}` may be left out.
 */
export interface Texts extends AccountTexts {
  /** Heading and window title: `{product}`. */
  readonly signIn: string;
  /** Who asks for what: `{buildOAuthClient}`, `{product}`. */
  readonly request: string;
  /** Stands before the list of what is asked for: `{buildOAuthClient}`. */
  readonly scopes: string;
  /** Stands instead of the list when nothing is asked for but to be recognised: `{buildOAuthClient}`, `{product}`. */
  readonly noScopes: string;
  /** Where the browser goes afterwards: `{host}`. */
  readonly destination: string;
  /** Name of the group of buttons. */
  readonly choice: string;
  /** A provider's button, which is also the consent: `{provider}`. */
  readonly continueWith: string;
  /** The button of whoever is signed in already, which is also the consent: `{createSimulatedUser}`, `{provider}`. */
  readonly continueAs: string;
  /** The same when the provider told neither name nor address: `{provider}`. */
  readonly continueSession: string;
  /** Stands between that button and those of the providers. */
  readonly otherWay: string;
  /** Said at the top when an earlier sign-in is over. */
  readonly sessionEnded: string;
  /** Said at the top when the provider did not stand by an earlier sign-in. */
  readonly providerNotConfirmed: string;
  readonly cancel: string;
  /**
   * What happens to password, name and address: `{buildOAuthClient}`, `{product}`. Replace it if the guarded API itself tells
   * clients who the person is, so that the page stays true.
   */
  readonly assurance: string;
  readonly privacy: string;
  /** Heading when a sign-in was completed before and its page is opened again. */
  readonly alreadySignedIn: string;
  /** Said below it: `{buildOAuthClient}`. */
  readonly signInComplete: string;
  /** The same for a sign-in to the account page. */
  readonly accountSignInComplete: string;
  /** Heading when the access of a completed sign-in was ended since then. */
  readonly signInEnded: string;
  /** Said below it: `{buildOAuthClient}`. */
  readonly accessEnded: string;
  /** Heading when the page that asks whether to add an account is opened again. */
  readonly linkPageUsed: string;
  readonly linkPageUsedNext: string;
  /** Link to the client's website: `{buildOAuthClient}`. */
  readonly returnToClient: string;
  readonly goToAccount: string;
  /** What to do after an error: `{product}`. */
  readonly advice: string;
  /** Name of the reference that identifies an error in the log. */
  readonly reference: string;
}

export const defaultTexts: Texts = {
  ...defaultAccountTexts,
  signIn: 'Sign in to {product}',
  request: '{client} asks to use {product} on your behalf.',
  scopes: '{client} will be able to:',
  noScopes: '{client} will only be able to recognise you when you come back to {product}.',
  destination: 'Afterwards you return to {host}. If that is not where you came from, cancel.',
  choice: 'Allow this and sign in',
  continueWith: 'Continue with {provider}',
  continueAs: 'Continue as {person} ({provider})',
  continueSession: 'Continue with your {provider} account',
  otherWay: 'or sign in another way',
  sessionEnded: 'Your session has ended. Please sign in again.',
  providerNotConfirmed:
    'Your earlier sign-in could not be confirmed with the provider. Please sign in again.',
  cancel: 'Cancel',
  assurance:
    'You sign in on the provider’s own page, so {product} never sees your password. ' +
    '{client} gets neither your name nor your e-mail address, only what you allow here.',
  privacy: 'Privacy policy',
  alreadySignedIn: 'You’re already signed in',
  signInComplete: 'This sign-in is complete. If {client} still asks you to sign in, start again there.',
  accountSignInComplete: 'This sign-in is complete. If your account asks you to sign in, sign in once more.',
  signInEnded: 'This sign-in has ended',
  accessEnded: 'Access for {client} was ended after this sign-in. To use it again, start again there.',
  linkPageUsed: 'This page was already used',
  linkPageUsedNext:
    'Go to your account to see which accounts you can sign in with. To add another one, start again there.',
  returnToClient: 'Return to {client}',
  goToAccount: 'Go to your account',
  advice:
    'Close this page and try again from where you came. If it happens again, tell whoever runs {product} this reference:',
  reference: 'Reference',
};

/**
 * Completes replaced texts with the defaults.
 * @throws ConfigurationError for an unknown text, an empty one, one that lost a place for a name or invents one
 */
export const parseTexts = (given: Partial<Texts>): Texts => {
  for (const [name, text] of Object.entries(given)) checkText(`branding.texts.${name}`, name, text);
  return { ...defaultTexts, ...given };
};

// Splitting by it leaves the places' names at the odd positions.
export const placeholder = /\{([a-z]+)\}/;

const findPlaceholders = (text: string): readonly string[] =>
  text.split(placeholder).filter((_, index) => index % 2 === 1);

const checkText = (option: string, name: string, text: unknown): void => {
  const original = Object.entries(defaultTexts).find(([known]) => known === name)?.[1];
  if (original === undefined) throw new ConfigurationError(option, 'is not a text of the pages');
  if (typeof text !== 'string' || text.trim() === '')
    throw new ConfigurationError(option, 'must be a text that is not empty');
  const placeholders = findPlaceholders(original);
  const missing = placeholders.find(
    (wanted) => wanted !== 'product' && !findPlaceholders(text).includes(wanted),
  );
  if (missing !== undefined) throw new ConfigurationError(option, `must contain {${missing}}`);
  const unknown = findPlaceholders(text).find((used) => !placeholders.includes(used));
  if (unknown !== undefined) throw new ConfigurationError(option, `cannot contain {${unknown}}`);
};
