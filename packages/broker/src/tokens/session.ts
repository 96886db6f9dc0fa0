/** What the account page keeps sealed: the session in its cookie, the mark of its forms, and an identity that waits to be linked. */
import type { TokenNames } from '../protocol/identity.ts';
import { json, optional, record, text, uint, type ValueOf } from '../seal/payload.ts';

/** What `admit` is told of the person when they go on to a client in this session: as the provider said it at the sign-in. */
interface Vouched {
  readonly email?: string;
  readonly emailVerified: boolean;
  /** The session there, so that its end ends what is gone on to in this one. */
  readonly sid?: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export const session = record({
  grantId: text,
  /** When the person proved to the provider who they are. */
  signedInAt: uint,
  expiresAt: uint,
  /** Left out where it would not fit a cookie: then nobody goes on in this session, they sign in anew. */
  vouched: optional(json<Vouched>()),
});

export type SessionCookie = ValueOf<typeof session>;

/** A form of the account page, bound to the browser and the session that it was shown in. */
export const accountForm = record({ session: optional(text), csrf: text, expiresAt: uint });

export type AccountForm = ValueOf<typeof accountForm>;

/** An identity that a provider vouched for in a session, until the person has said that it is theirs, too. */
export const pendingLink = record({
  session: text,
  provider: text,
  subject: text,
  label: optional(text),
  sealedRefreshToken: optional(text),
  /** Of that token. */
  tokenNames: optional(json<TokenNames>()),
  expiresAt: uint,
});

export type PendingLink = ValueOf<typeof pendingLink>;
