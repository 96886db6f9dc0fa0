/**
 * Starts fake providers for Google, GitHub, Microsoft and Apple on loopback, with the `emulate` package.
 * Users keep their subjects across restarts. Tokens and signing keys are new at each start, but that signs no
 * one out.
 */
import { createEmulator } from 'emulate';
import { replaceAccountChooser } from './emulated-chooser.ts';
import { type FakeProviderOptions, resolveIssuer, type StartFakeProvider } from './fake-provider.ts';
import { rejectTokensFromBeforeRestart } from './forgetful-provider.ts';
import { findPortBehindProxy } from './free-port.ts';
import { startReverseProxy } from './reverse-proxy.ts';
import { withSeededRandomness } from './seeded-randomness.ts';
import type { FakeUser } from './users.ts';

/** Starts the fake provider for Google. */
export const startGoogle: StartFakeProvider = (options) =>
  startEmulated('google', options, { users: options.users, oauth_clients: [buildOAuthClient(options)] });

/**
 * Starts the fake provider for GitHub. It accepts any PKCE verifier, and a user's ID is their position in the
 * list of users.
 */
export const startGitHub: StartFakeProvider = (options) =>
  startEmulated('github', options, {
    users: options.users.map((user) => ({ ...user, login: toLogin(user.email) })),
    oauth_apps: [buildOAuthClient(options)],
  });

/**
 * Starts the fake provider for Microsoft. All users have personal accounts, and its metadata is that of the
 * tenant `consumers`.
 */
export const startMicrosoft: StartFakeProvider = (options) =>
  startEmulated('microsoft', options, { users: options.users, oauth_clients: [buildOAuthClient(options)] });

/** Starts the fake provider for Apple. It uses `form_post`, and does not check the client secret. */
export const startApple: StartFakeProvider = (options) =>
  startEmulated('apple', options, {
    users: options.users,
    oauth_clients: [{ ...buildOAuthClient(options), team_id: 'TEAM000000', key_id: 'KEY0000000' }],
  });

/** What is different at each provider. */
const services = {
  google: {
    provider: 'Google',
    path: '/o/oauth2/v2/auth',
    cancelError: 'access_denied',
    identifyUser: ({ email }: FakeUser) => email,
  },
  github: {
    provider: 'GitHub',
    path: '/login/oauth/authorize',
    cancelError: 'access_denied',
    identifyUser: ({ email }: FakeUser) => toLogin(email),
  },
  microsoft: {
    provider: 'Microsoft',
    path: '/oauth2/v2.0/authorize',
    cancelError: 'access_denied',
    identifyUser: ({ email }: FakeUser) => email,
  },
  apple: {
    provider: 'Apple',
    path: '/auth/authorize',
    cancelError: 'user_cancelled_authorize',
    identifyUser: ({ email }: FakeUser) => email,
  },
} as const;

type Service = keyof typeof services;

const startEmulated = async (service: Service, options: FakeProviderOptions, accounts: object) => {
  const issuer = resolveIssuer(options);
  const targetPort = await findPortBehindProxy();
  const proxy = await startReverseProxy(
    options.port,
    targetPort,
    replaceAccountChooser({ ...services[service], users: options.users }, rejectTokensFromBeforeRestart()),
  );
  const emulator = await createEmulator({
    service,
    port: targetPort,
    baseUrl: issuer,
    seed: { [service]: { ...accounts } },
  });
  // Subjects are generated at random while the data is seeded. `reset` seeds again, synchronously.
  withSeededRandomness(service, () => emulator.reset());
  const close = async (): Promise<void> => {
    proxy.close();
    await emulator.close();
  };
  return { issuer, close };
};

const buildOAuthClient = ({ clientId, clientSecret, redirectUris }: FakeProviderOptions) => ({
  client_id: clientId,
  client_secret: clientSecret,
  name: 'Words With Chat',
  redirect_uris: redirectUris,
});

/** GitHub's logins contain only letters, digits and hyphens. */
const toLogin = (email: string): string => email.split('@')[0]?.replaceAll(/[^a-z0-9]+/gi, '-') ?? email;
