/**
 * Validates the URLs of the configuration: the deployment's origin, fake providers, and issuers of identity
 * providers.
 */
import { type Environment, readOptionalVariable, readRequiredVariable, VariableError } from './variables.ts';

/**
 * Reads `ORIGIN`.
 * @throws VariableError unless it is an https origin without a path, or an http one on loopback
 */
export const readOrigin = (environment: Environment): string => {
  const text = readRequiredVariable(
    environment,
    'ORIGIN',
    'the origin of the app, such as https://words.example',
  );
  const url = URL.parse(text);
  if (url === null || url.origin !== text || !(url.protocol === 'https:' || isLoopback(url))) {
    throw new VariableError(
      'ORIGIN',
      'must be an https origin without a path or trailing slash, such as https://words.example; http is allowed for loopback only.',
    );
  }
  return text;
};

/**
 * Reads the base URL of a fake provider.
 * @param origin the app's origin. Only an app on loopback can use fake providers.
 * @throws VariableError unless both the base URL and `origin` are http origins on loopback
 */
export const readBaseUrl = (
  environment: Environment,
  variable: string,
  origin: string,
): string | undefined => {
  const text = readOptionalVariable(environment, variable);
  if (text === undefined) return undefined;
  if (!isOnLoopback(origin))
    throw new VariableError(
      variable,
      'is for a fake provider, which is allowed only if ORIGIN is on loopback.',
    );
  const url = URL.parse(text);
  if (url === null || url.origin !== text || !isLoopback(url))
    throw new VariableError(variable, 'must be an http origin on loopback without a path.');
  return text;
};

/**
 * Returns whether the app at `origin` can use the URL of an issuer: it must use https, or both must be on
 * loopback.
 */
export const isAllowedIssuerUrl = (text: string, origin: string): boolean => {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || (isLoopback(url) && isOnLoopback(origin)));
};

/** Returns whether an origin can be reached only from this machine: http on loopback. */
export const isOnLoopback = (origin: string): boolean => isLoopback(new URL(origin));

const isLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
