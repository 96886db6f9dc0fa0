/** Sign-ins, redemptions and refreshes with defaults: a test states only the values that it is about. */

import {
  type BrokerStorage,
  type Cleanup,
  type ClientAssertion,
  type CodeRedemption,
  type CodeRedemptionOutcome,
  type CompleteStorage,
  cleanupMargin,
  type GrantRefresh,
  type RefreshOutcome,
  type RefreshPolicy,
  type ResealedToken,
  type RevocableToken,
  type RevocationTarget,
  type SignIn,
  type StoredClient,
  type StoredUpstreamToken,
  type UpstreamTokenReplacement,
} from '../../storage/broker-storage.ts';
import { equal } from '../assertions.ts';

/** The time at which most tests start. */
export const t0 = 1_800_000_000;
export const hour = 3600;
export const day = 24 * hour;
/** In seconds, like `hour` and `day`. */
export const accessTokenLifetime = 1800;

/** The policies under which a grant can be refreshed. */
export const refreshPolicies = ['stable', 'rotating'] as const;

/** A change of the storage, with a name that a test adds to its own. */
export type NamedChange = readonly [name: string, change: (storage: CompleteStorage) => Promise<unknown>];

interface SignInOverrides {
  readonly grantId?: string;
  readonly clientId?: string;
  readonly refreshPolicy?: RefreshPolicy;
  readonly sid?: string;
  readonly device?: string;
  readonly identity?: Partial<SignIn['identity']>;
  readonly user?: SignIn['user'];
  readonly now?: number;
  readonly limits?: Partial<SignIn['limits']>;
  readonly client?: StoredClient;
  readonly subjectNamespace?: string;
}

/** The user that the publisher's `resolveUser` chose for an identity. */
export const publisherUser = { kind: 'resolved', id: 'their-7' } as const satisfies SignIn['user'];

/** Limits that are too high for a test to reach, for tests that are not about limits. */
export const highLimits: SignIn['limits'] = { signIns: 1000, period: 600, activeGrants: 1000 };

/** The namespace of each provider's subjects. */
export const subjectNamespace = 'https://accounts.example';

/** A sign-in of Ada at ChatGPT with the grant `grant-1`, unless overridden. */
export const signIn = (overrides: SignInOverrides = {}): SignIn => ({
  now: overrides.now ?? t0,
  limits: { ...highLimits, ...overrides.limits },
  identity: { provider: 'google', subject: 'ada', ...overrides.identity },
  subjectNamespace: overrides.subjectNamespace ?? subjectNamespace,
  user: overrides.user ?? { kind: 'by-identity', newId: 'user-1' },
  grant: {
    id: overrides.grantId ?? 'grant-1',
    clientId: overrides.clientId ?? 'chatgpt',
    redirectUri: 'https://chat.example/callback',
    scopes: ['score:read', 'score:write'],
    resource: 'https://words.example',
    refreshPolicy: overrides.refreshPolicy ?? 'rotating',
    claims: { plan: 'free', seats: 3, staff: false },
    ...(overrides.sid !== undefined && { sid: overrides.sid }),
    ...(overrides.device !== undefined && { device: overrides.device }),
  },
  ...(overrides.client !== undefined && { client: overrides.client }),
});

/** The client of `signIn`, as a client that is not in the configuration. */
export const chatgpt: StoredClient = {
  id: 'chatgpt',
  name: 'ChatGPT',
  metadata: '{"redirect_uris":["https://chat.example/callback"]}',
  retainUntil: t0 + 90 * day,
};

/** An assertion of that client, which expires after five minutes. */
export const assertion1: ClientAssertion = {
  clientId: 'chatgpt',
  jti: 'assertion-1',
  retainUntil: t0 + 300,
};
export const assertion2: ClientAssertion = { ...assertion1, jti: 'assertion-2' };

/** Redeems `grant-1` a second after sign-in; lifetimes count from `now`. */
export const redemption = (overrides: Partial<CodeRedemption> = {}): CodeRedemption => {
  const { now = t0 + 1 } = overrides;
  return {
    grantId: 'grant-1',
    clientId: 'chatgpt',
    now,
    codeExpiresAt: t0 + 60,
    replayGrace: 10,
    accessExpiresAt: now + accessTokenLifetime,
    refreshIdleExpiresAt: now + 30 * day,
    refreshAbsoluteExpiresAt: now + 180 * day,
    ...overrides,
  };
};

/** Refreshes `grant-1`; lifetimes count from `now`. */
export const grantRefresh = (
  generation: number,
  now: number,
  overrides: Partial<GrantRefresh> = {},
): GrantRefresh => ({
  grantId: 'grant-1',
  clientId: 'chatgpt',
  generation,
  now,
  grace: 120,
  lateRefresh: 'recover',
  accessExpiresAt: now + accessTokenLifetime,
  refreshIdleExpiresAt: now + 30 * day,
  recheckLeaseDuration: 60,
  ...overrides,
});

/** Signs in and redeems the code a second later. */
export const signInAndRedeem = async (
  storage: BrokerStorage,
  overrides: SignInOverrides = {},
): Promise<CodeRedemptionOutcome> => {
  const { now, grant } = signIn(overrides);
  await storage.recordSignIn(signIn(overrides));
  return storage.redeemCode(
    redemption({ grantId: grant.id, clientId: grant.clientId, now: now + 1, codeExpiresAt: now + 60 }),
  );
};

/**
 * Ada's upstream token, as a sign-in stores it. Storage adds the namespace of its provider when it returns
 * it.
 */
export const adasUpstreamToken = {
  provider: 'google',
  subject: 'ada',
  sealedRefreshToken: 'sealed-1',
} as const satisfies StoredUpstreamToken;

/** Returns a stored token as storage returns it to someone who sends it to its provider. */
export const issued = (storedToken: StoredUpstreamToken) => ({ ...storedToken, subjectNamespace });

/** Tokens that were resealed a day later, while no recheck is in progress. */
export const buildTokenReplacement = (...tokens: readonly ResealedToken[]): UpstreamTokenReplacement => ({
  tokens,
  now: t0 + day,
  recheckLeaseDuration: 60,
});

/** The grant that most tests use. */
export const grant1: RevocationTarget = { kind: 'grant', id: 'grant-1' };

/** An access token of `grant-1`, issued when `redemption` redeems. */
export const token = (overrides: Partial<RevocableToken> = {}): RevocableToken => ({
  grantId: 'grant-1',
  userId: 'user-1',
  clientId: 'chatgpt',
  issuedAt: t0 + 1,
  ...overrides,
});

/** Returns all unexpired revocations. */
export const listActiveRevocations = async (storage: BrokerStorage, now: number) => {
  const page = await storage.readRevocations(undefined, now, 100);
  return page.kind === 'page' ? page.revocations : page.kind;
};

/** A cleanup by a deployment whose ring has never changed. */
export const buildCleanup = (now: number): Cleanup => ({
  ...{ now, deleteAuditBefore: now - 90 * day },
  ...{ sealingKey: 'key-1', ringKeys: ['key-1'] },
});

/** A cleanup that deletes what expired at this time or before: it runs after the margin. */
export const buildDueCleanup = (expiredBy: number): Cleanup => buildCleanup(expiredBy + cleanupMargin);

/** With this setting, a late refresh revokes the grant. */
export const revokeLate = { lateRefresh: 'revoke' } as const;

/** Returns whether `readRefreshable` finds the grant. Calls it twice, because it must change nothing. */
export const isRefreshable = async (
  storage: BrokerStorage,
  ...args: Parameters<typeof grantRefresh>
): Promise<boolean> => {
  const [one, other] = [
    await storage.readRefreshable(grantRefresh(...args)),
    await storage.readRefreshable(grantRefresh(...args)),
  ];
  equal(other, one);
  return one !== undefined;
};

/** Returns `continued 4` for a refresh that returned generation 4, otherwise the reason of the refusal. */
export const summarizeOutcome = (outcome: RefreshOutcome): string =>
  outcome.kind === 'refreshed' ? `continued ${outcome.grant.generation}` : outcome.reason;

/** Refusals of `redeemCode` (`invalid`, `replayed`), of `refresh` (`inactive`, `reused`), and of both. */
export const invalid = { kind: 'refused', reason: 'invalid' };
export const replayed = { kind: 'refused', reason: 'replayed' };
export const inactive = { kind: 'refused', reason: 'inactive' };
export const reused = { kind: 'refused', reason: 'reused' };
export const assertionReplayed = { kind: 'refused', reason: 'assertion-replayed' };

/** Counts how often each value occurs. */
export const countValues = (values: readonly string[]): Readonly<Record<string, number>> =>
  values.reduce<Record<string, number>>((counts, value) => {
    counts[value] = (counts[value] ?? 0) + 1;
    return counts;
  }, {});

/** For fifty calls at the same time. */
export const fiftyIndexes = Array.from({ length: 50 }, (_, index) => index);
