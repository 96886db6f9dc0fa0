/** URLs in variables: the deployment's own origin, fake providers, and issuers of identity providers. */
import { type Environment, optional, required, VariableError } from './variables.ts';

/**
 * Reads `ORIGIN`.
 * @throws VariableError unless it is an https origin without a path, or an http one on loopback
 */
export const readOrigin = (environment: Environment): string => {
  const text = required(
    environment,
    'ORIGIN',
    'it is where the app is reached, such as https://words.example',
  );
  const url = URL.parse(text);
  if (url === null || url.origin !== text || !(url.protocol === 'https:' || isLoopback(url))) {
    throw new VariableError(
      'ORIGIN',
      'must be an https origin without a path or a slash at its end, such as https://words.example; http is for loopback only.',
    );
  }
  return text;
};

/**
 * Reads where a provider's fake provider is.
 * @param origin the app's own: an app that others can reach has no fake providers
 * @throws VariableError unless it is an http origin on loopback, of an app on loopback
 */
export const readBaseUrl = (
  environment: Environment,
  variable: string,
  origin: string,
): string | undefined => {
  const text = optional(environment, variable);
  if (text === undefined) return undefined;
  if (!isOnLoopback(origin))
    throw new VariableError(
      variable,
      'is for a fake provider, and an ORIGIN that others can reach has none.',
    );
  const url = URL.parse(text);
  if (url === null || url.origin !== text || !isLoopback(url))
    throw new VariableError(variable, 'must be an http origin on loopback without a path.');
  return text;
};

/** Tells whether an issuer may be asked by the app at `origin`: https, or both on loopback. */
export const isAllowedIssuer = (issuer: string, origin: string): boolean => {
  const url = URL.parse(issuer);
  return url !== null && (url.protocol === 'https:' || (isLoopback(url) && isOnLoopback(origin)));
};

/** Tells whether an origin is reached from this machine alone. */
export const isOnLoopback = (origin: string): boolean => isLoopback(new URL(origin));

const isLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
