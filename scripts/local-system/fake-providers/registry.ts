/** The fake providers, in the order of their ports, and the app's variables for each one. */
import { generateKeyPairSync } from 'node:crypto';
import {
  type StartFakeProvider,
  startApple,
  startGitHub,
  startGoogle,
  startMicrosoft,
  startOidcIssuer,
} from '@words-with-chat/lab';

export interface FakeProviderDefinition {
  /** The ID of the provider, as in the callback URL. */
  readonly id: string;
  /** The text on the sign-in button, such as `Google`. */
  readonly label: string;
  readonly start: StartFakeProvider;
  /** The prefix of all variables that configure the provider. */
  readonly prefix: string;
  readonly variables: (issuer: string, secret: string) => Readonly<Record<string, string>>;
}

/** The app's client ID at all of them. */
export const clientId = 'words-with-chat.local';

export const fakeProviderRegistry: readonly FakeProviderDefinition[] = [
  {
    id: 'google',
    label: 'Google',
    start: startGoogle,
    prefix: 'GOOGLE_',
    variables: (issuer, secret) => buildClientVariables('GOOGLE', issuer, secret),
  },
  {
    id: 'github',
    label: 'GitHub',
    start: startGitHub,
    prefix: 'GITHUB_',
    variables: (issuer, secret) => buildClientVariables('GITHUB', issuer, secret),
  },
  {
    id: 'microsoft',
    label: 'Microsoft',
    start: startMicrosoft,
    prefix: 'MICROSOFT_',
    // The fake provider's metadata contains the tenant of personal accounts, even for "common".
    variables: (issuer, secret) => ({
      ...buildClientVariables('MICROSOFT', issuer, secret),
      MICROSOFT_TENANT: 'consumers',
    }),
  },
  {
    id: 'apple',
    label: 'Apple',
    start: startApple,
    prefix: 'APPLE_',
    variables: (issuer) => ({
      APPLE_CLIENT_ID: clientId,
      APPLE_TEAM_ID: 'TEAM000000',
      APPLE_KEY_ID: 'KEY0000000',
      APPLE_PRIVATE_KEY: generateApplePrivateKey(),
      APPLE_BASE_URL: issuer,
    }),
  },
  {
    id: 'oidc',
    label: 'Acme',
    start: startOidcIssuer,
    prefix: 'OIDC_PROVIDERS',
    variables: (issuer, secret) => ({
      OIDC_PROVIDERS: JSON.stringify([buildOidcProviderSettings(issuer, secret)]),
    }),
  },
];

const buildClientVariables = (
  name: string,
  issuer: string,
  secret: string,
): Readonly<Record<string, string>> => ({
  [`${name}_CLIENT_ID`]: clientId,
  [`${name}_CLIENT_SECRET`]: secret,
  [`${name}_BASE_URL`]: issuer,
});

const buildOidcProviderSettings = (issuer: string, clientSecret: string) => ({
  id: 'oidc',
  displayName: 'Acme',
  icon: acmeIcon,
  issuer,
  clientId,
  clientSecret,
  // Otherwise, the provider would keep the browser signed in, and not show the account chooser again.
  authorizationParameters: { prompt: 'login' },
});

/** A mountain with two peaks. */
const acmeIcon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">' +
  '<path fill="currentColor" d="M0 22 9 3l5 10 3-5 7 14z"/></svg>';

/** Generates a key in the format of Apple's, on one line. */
const generateApplePrivateKey = (): string => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim().replaceAll('\n', '\\n');
};
