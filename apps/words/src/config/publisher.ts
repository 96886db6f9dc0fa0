/**
 * Reads who runs the deployment and how to reach them: for the privacy policy, the terms and the error pages.
 */
import { isOnLoopback } from './urls.ts';
import { type Environment, readOptionalVariable, readRequiredVariable, VariableError } from './variables.ts';

/** Who runs the deployment. Both values are present unless the app runs on loopback. */
export interface Publisher {
  /** Plain text on one line. */
  readonly name?: string;
  readonly contactEmail?: string;
}

/**
 * Reads `PUBLISHER_NAME` and `CONTACT_EMAIL`.
 * @param origin the app's origin, or `undefined` if it is not known yet. On loopback, and without an origin,
 *   both variables are optional
 * @throws VariableError if one of them is missing or not valid
 */
export const readPublisher = (environment: Environment, origin: string | undefined): Publisher => {
  const name = readPublisherName(environment, origin);
  const contactEmail = readContactEmail(environment, origin);
  return { ...(name !== undefined && { name }), ...(contactEmail !== undefined && { contactEmail }) };
};

/**
 * Reads `PUBLISHER_NAME`.
 * @throws VariableError unless it is plain text on one line, or not required
 */
export const readPublisherName = (
  environment: Environment,
  origin: string | undefined,
): string | undefined => {
  const hint = 'the person or company that runs the app, for the privacy policy and the terms';
  const name = read(environment, 'PUBLISHER_NAME', hint, origin);
  if (name === undefined || (name.length <= maxNameLength && !forbiddenCharacters.test(name))) return name;
  throw new VariableError(
    'PUBLISHER_NAME',
    `must be a name on one line, with at most ${maxNameLength} characters and no control characters.`,
  );
};

const maxNameLength = 100;

/** Control characters, line and paragraph separators, and characters that reverse the text around them. */
const forbiddenCharacters = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]|\p{Surrogate}/u;

/**
 * Reads `CONTACT_EMAIL`.
 * @throws VariableError unless it is a single email address, or not required
 */
export const readContactEmail = (
  environment: Environment,
  origin: string | undefined,
): string | undefined => {
  const hint = 'the email address at which users can reach the publisher';
  const email = read(environment, 'CONTACT_EMAIL', hint, origin);
  if (email === undefined) return undefined;
  if (email.length > maxEmailLength || !emailPattern.test(email))
    throw new VariableError(
      'CONTACT_EMAIL',
      'must be one email address, such as help@words.example, with letters, digits and . _ + - before the @.',
    );
  if (/[@.]example\.(?:com|net|org)$/i.test(email))
    throw new VariableError('CONTACT_EMAIL', `must be an address that receives email: ${email} does not.`);
  return email;
};

/** RFC 5321 §4.5.3.1.3, without the angle brackets. */
const maxEmailLength = 254;

/** Only characters that need no escaping in a `mailto:` URL. */
const emailPattern = /^[\w+-]+(?:\.[\w+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/i;

const read = (
  environment: Environment,
  variable: string,
  hint: string,
  origin: string | undefined,
): string | undefined =>
  origin === undefined || isOnLoopback(origin)
    ? readOptionalVariable(environment, variable)
    : readRequiredVariable(environment, variable, hint);
