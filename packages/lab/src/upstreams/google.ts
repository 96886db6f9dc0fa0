/** A stand-in for Google on loopback: the `emulate` package, with people who keep their subject over restarts. */
import { createEmulator } from 'emulate';
import type { Person } from './people.ts';
import { withSeededRandomness } from './seeded-randomness.ts';

export interface GoogleOptions {
  /** The port on 127.0.0.1 to listen on. */
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly people: readonly Person[];
  /** The address that browsers and the broker use, when something stands in front; left out: the port's own. */
  readonly issuer?: string;
}

/** A running stand-in for an identity provider. */
export interface Upstream {
  readonly issuer: string;
  close(): Promise<void>;
}

/**
 * Starts the stand-in. Its tokens and its signing key are new at every start, its people are not.
 * @throws the system's `EADDRINUSE` when the port is taken
 */
export const startGoogle = async (options: GoogleOptions): Promise<Upstream> => {
  const issuer = options.issuer ?? `http://127.0.0.1:${options.port}`;
  const emulator = await createEmulator({
    service: 'google',
    port: options.port,
    baseUrl: issuer,
    seed: { google: accounts(options) },
  });
  // The subject is drawn while seeding. `reset` seeds again, synchronously.
  withSeededRandomness('google', () => emulator.reset());
  return { issuer, close: () => emulator.close() };
};

const accounts = ({ clientId, clientSecret, redirectUris, people }: GoogleOptions) => ({
  users: people,
  oauth_clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      name: 'Words With Chat',
      redirect_uris: redirectUris,
    },
  ],
});
