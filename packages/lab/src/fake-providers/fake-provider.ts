/** The options and the interface of every fake provider. */
import type { FakeUser } from './users.ts';

export interface FakeProviderOptions {
  /** The port on 127.0.0.1 to listen on. */
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly users: readonly FakeUser[];
  /**
   * Where logout tokens are sent (OpenID Connect Back-Channel Logout 1.0). Only `startOidcIssuer` sends them.
   * Default: none are sent.
   */
  readonly backchannelLogoutUri?: string;
  /** Where `startOidcIssuer` returns a user's claims. Default: `id-token`. */
  readonly claimsIn?: 'id-token' | 'userinfo';
  /**
   * The URL that browsers and the broker use, if there is a proxy in front. Default: the address of the port.
   */
  readonly issuer?: string;
}

/** A running fake provider. */
export interface FakeProvider {
  readonly issuer: string;
  close(): Promise<void>;
}

/** Starts a fake provider. Rejects with the system's `EADDRINUSE` if the port is in use. */
export type StartFakeProvider = (options: FakeProviderOptions) => Promise<FakeProvider>;

/** Returns the URL of a fake provider. */
export const resolveIssuer = ({ issuer, port }: FakeProviderOptions): string =>
  issuer ?? `http://127.0.0.1:${port}`;
