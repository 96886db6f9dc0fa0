/**
 * Stand-ins for Google, GitHub, Microsoft and Apple on loopback: the `emulate` package, with people who keep their subject
 * over restarts. Tokens and signing keys are new at every start, and nobody is signed out by that.
 */
import { createEmulator } from 'emulate';
import { rememberTokens } from './forgetful.ts';
import { freePort } from './free-port.ts';
import { startFront } from './front.ts';
import { withSeededRandomness } from './seeded-randomness.ts';
import { issuerOf, type StartUpstream, type UpstreamOptions } from './upstream.ts';

/** Starts Google's stand-in. */
export const startGoogle: StartUpstream = (options) =>
  startEmulated('google', options, { users: options.people, oauth_clients: [client(options)] });

/** Starts GitHub's stand-in. It takes any PKCE verifier, and a person's id is their place in its list. */
export const startGitHub: StartUpstream = (options) =>
  startEmulated('github', options, {
    users: options.people.map((person) => ({ ...person, login: loginOf(person.email) })),
    oauth_apps: [client(options)],
  });

/** Starts Microsoft's stand-in. All people have personal accounts, and its metadata are those of the tenant `consumers`. */
export const startMicrosoft: StartUpstream = (options) =>
  startEmulated('microsoft', options, { users: options.people, oauth_clients: [client(options)] });

/** Starts Apple's stand-in. It posts its answers, and checks no client secret. */
export const startApple: StartUpstream = (options) =>
  startEmulated('apple', options, {
    users: options.people,
    oauth_clients: [{ ...client(options), team_id: 'TEAM000000', key_id: 'KEY0000000' }],
  });

type Service = 'google' | 'github' | 'microsoft' | 'apple';

const startEmulated = async (service: Service, options: UpstreamOptions, accounts: object) => {
  const issuer = issuerOf(options);
  const hiddenPort = await freePort();
  const front = await startFront(options.port, hiddenPort, rememberTokens());
  const emulator = await createEmulator({
    service,
    port: hiddenPort,
    baseUrl: issuer,
    seed: { [service]: { ...accounts } },
  });
  // The subject is drawn while seeding. `reset` seeds again, synchronously.
  withSeededRandomness(service, () => emulator.reset());
  const close = async (): Promise<void> => {
    front.close();
    await emulator.close();
  };
  return { issuer, close };
};

const client = ({ clientId, clientSecret, redirectUris }: UpstreamOptions) => ({
  client_id: clientId,
  client_secret: clientSecret,
  name: 'Words With Chat',
  redirect_uris: redirectUris,
});

/** GitHub's logins hold letters, digits and hyphens only. */
const loginOf = (email: string): string => email.split('@')[0]?.replaceAll(/[^a-z0-9]+/gi, '-') ?? email;
