/**
 * Fake providers for Google, GitHub, Microsoft and Apple on loopback: the `emulate` package, with people who keep their subject
 * over restarts. Tokens and signing keys are new at every start, and nobody is signed out by that.
 */
import { createEmulator } from 'emulate';
import { type FakeProviderOptions, resolveIssuer, type StartFakeProvider } from './fake-provider.ts';
import { rejectForgottenTokens } from './forgetful-provider.ts';
import { findFreePort } from './free-port.ts';
import { startReverseProxy } from './reverse-proxy.ts';
import { withSeededRandomness } from './seeded-randomness.ts';

/** Starts Google's fake provider. */
export const startGoogle: StartFakeProvider = (options) =>
  startEmulated('google', options, { users: options.users, oauth_clients: [buildOAuthClient(options)] });

/** Starts GitHub's fake provider. It takes any PKCE verifier, and a person's id is their place in its list. */
export const startGitHub: StartFakeProvider = (options) =>
  startEmulated('github', options, {
    users: options.users.map((user) => ({ ...user, login: toLogin(user.email) })),
    oauth_apps: [buildOAuthClient(options)],
  });

/** Starts Microsoft's fake provider. All people have personal accounts, and its metadata are those of the tenant `consumers`. */
export const startMicrosoft: StartFakeProvider = (options) =>
  startEmulated('microsoft', options, { users: options.users, oauth_clients: [buildOAuthClient(options)] });

/** Starts Apple's fake provider. It posts its answers, and checks no client secret. */
export const startApple: StartFakeProvider = (options) =>
  startEmulated('apple', options, {
    users: options.users,
    oauth_clients: [{ ...buildOAuthClient(options), team_id: 'TEAM000000', key_id: 'KEY0000000' }],
  });

type Service = 'google' | 'github' | 'microsoft' | 'apple';

const startEmulated = async (service: Service, options: FakeProviderOptions, accounts: object) => {
  const issuer = resolveIssuer(options);
  const targetPort = await findFreePort();
  const proxy = await startReverseProxy(options.port, targetPort, rejectForgottenTokens());
  const emulator = await createEmulator({
    service,
    port: targetPort,
    baseUrl: issuer,
    seed: { [service]: { ...accounts } },
  });
  // The subject is drawn while seeding. `reset` seeds again, synchronously.
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

/** GitHub's logins hold letters, digits and hyphens only. */
const toLogin = (email: string): string => email.split('@')[0]?.replaceAll(/[^a-z0-9]+/gi, '-') ?? email;
