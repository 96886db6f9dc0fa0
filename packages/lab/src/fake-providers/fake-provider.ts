/** What every fake provider for an identity provider is started with, and what it is once it runs. */
import type { FakeUser } from './users.ts';

export interface FakeProviderOptions {
  /** The port on 127.0.0.1 to listen on. */
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly users: readonly FakeUser[];
  /** Where the client is told that somebody signed out, by those fake providers that tell it. Left out: nowhere. */
  readonly backchannelLogoutUri?: string;
  /** Where the issuer for any OpenID Connect client puts a person's claims. Default: `id-token`. */
  readonly claimsIn?: 'id-token' | 'userinfo';
  /** The address that browsers and the broker use, when something stands in front; left out: the port's own. */
  readonly issuer?: string;
}

/** A running fake provider for an identity provider. */
export interface FakeProvider {
  readonly issuer: string;
  close(): Promise<void>;
}

/** Starts a fake provider; rejects with the system's `EADDRINUSE` when the port is taken. */
export type StartFakeProvider = (options: FakeProviderOptions) => Promise<FakeProvider>;

/** Where a fake provider is reached. */
export const resolveIssuer = ({ issuer, port }: FakeProviderOptions): string =>
  issuer ?? `http://127.0.0.1:${port}`;
