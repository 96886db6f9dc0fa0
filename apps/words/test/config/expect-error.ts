/** What a configuration that must not start says. */
import { expect } from 'vitest';
import { VariableError } from '../../src/config/variables.ts';
import { readConfig } from '../../src/config.ts';
import { applePrivateKey, deployed, key, secret } from './environment.ts';

/** Which variable is named, in which case, what is changed about a deployment, and what is said. */
export type Case = readonly [variable: string, about: string, changes: object, sentence: RegExp];

const secrets = [
  secret,
  key,
  applePrivateKey,
  'google-secret',
  'github-secret',
  'microsoft-secret',
  'oidc-secret',
];

/** One sentence that begins with the variable, and tells no secret, nor does what caused it. */
export const expectConfigurationError = (variable: string, changes: object, sentence: RegExp): void => {
  const failure = captureError(() => readConfig({ ...deployed, ...changes }));
  expect(failure).toBeInstanceOf(VariableError);
  expect(failure).toHaveProperty('variable', variable);
  expect(failure.message).toMatch(sentence);
  expect(failure.message).toMatch(new RegExp(`^${variable} [^\\n]+$`));
  const cause = failure.cause instanceof Error ? failure.cause.message : '';
  for (const hidden of secrets) expect(failure.message + cause).not.toContain(hidden);
};

export const captureError = (read: () => unknown): Error => {
  try {
    read();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was accepted');
};
