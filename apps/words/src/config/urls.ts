/** Variables that hold URLs: the deployment's own origin, and issuers of identity providers. */
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
 * Reads the issuer of a provider.
 * @param origin the app's own: plain http is for an issuer on loopback of an app on loopback
 * @throws VariableError unless it is such a URL, without query and fragment
 */
export const readIssuer = (
  environment: Environment,
  variable: string,
  origin: string,
): string | undefined => {
  const text = optional(environment, variable);
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const allowed = url?.protocol === 'https:' || (url !== null && isLoopback(url) && isOnLoopback(origin));
  if (url === null || !allowed || /[?#@]/.test(text)) {
    throw new VariableError(
      variable,
      'must be an https URL; http is for loopback only, of an ORIGIN on loopback.',
    );
  }
  return text;
};

/** Tells whether an origin is reached from this machine alone. */
export const isOnLoopback = (origin: string): boolean => isLoopback(new URL(origin));

const isLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
