/** The storage contract for providers whose subjects belong to another namespace than before. */
import type { CompleteStorage, IdentityLink, SignIn } from '../../storage/broker-storage.ts';
import { equal, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  adasUpstreamToken,
  chatgpt,
  day,
  grant1,
  grantRefresh,
  issued,
  listActiveRevocations,
  redemption,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  summarizeOutcome,
  t0,
} from './sample.ts';
import { createSession } from './sessions.ts';

const otherNamespace = 'https://other.example';
const ada = { provider: 'google', subject: 'ada' } as const;
const changed = { kind: 'provider-changed' };

/** A sign-in of the same subject at another issuer, so maybe of someone else. */
const changedSignIn = (overrides: Parameters<typeof signIn>[0] = {}): SignIn =>
  signIn({
    ...{ grantId: 'grant-2', now: t0 + 100, subjectNamespace: otherNamespace },
    ...overrides,
  });

/** Returns the tests of subject namespaces. */
export const providerTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('records nothing of a sign-in from another namespace', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: adasUpstreamToken });
    const account = await storage.readAccount('user-1');
    const stranger = { ...adasUpstreamToken, sealedRefreshToken: 'sealed-9', label: 'Mallory' };
    equal(await storage.recordSignIn(changedSignIn({ identity: stranger, client: chatgpt })), changed);
    equal(await storage.readAccount('user-1'), account);
    equal(await storage.readGrantStatus('grant-2'), 'unknown');
    equal(await storage.readClient('chatgpt'), undefined);
  }),

  test('creates no user for an unknown subject of another namespace', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    for (const user of [
      { kind: 'by-identity', newId: 'user-2' },
      { kind: 'resolved', id: 'user-2' },
    ] as const)
      equal(await storage.recordSignIn(changedSignIn({ identity: { subject: 'bob' }, user })), changed);
    equal(await storage.readAccount('user-2'), undefined);
    equal(await storage.findUser({ provider: 'google', subject: 'bob' }), undefined);
  }),

  test('refuses each of several sign-ins, and keeps the first namespace', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    for (const other of [otherNamespace, otherNamespace, 'https://third.example', otherNamespace])
      equal(await storage.recordSignIn(changedSignIn({ subjectNamespace: other })), changed);
    matches(await storage.recordSignIn(signIn({ grantId: 'grant-2' })), {
      kind: 'recorded',
      userId: 'user-1',
    });
  }),

  test('compares namespaces exactly', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    for (const other of [`${subjectNamespace}/`, subjectNamespace.toUpperCase(), ` ${subjectNamespace}`])
      equal(await storage.recordSignIn(changedSignIn({ subjectNamespace: other })), changed);
  }),

  test('stores a namespace for each provider', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const identity = { provider: 'github', subject: '42' };
    const user = { kind: 'by-identity', newId: 'user-2' } as const;
    matches(await storage.recordSignIn(changedSignIn({ identity, user })), { kind: 'recorded' });
    equal(await storage.recordSignIn(signIn({ grantId: 'grant-3', now: t0 + 101, identity })), changed);
  }),

  test('refuses a changed namespace before a replay, an ended session and the limit of sign-ins', async () => {
    const storage = await createStorage();
    await createSession(storage);
    await storage.recordSignIn(signIn());
    equal(await storage.recordSignIn(changedSignIn({ grantId: 'grant-1' })), changed);
    equal(await storage.recordSignIn(changedSignIn({ limits: { signIns: 1 } })), changed);
    for (const session of ['session-1', 'unknown'])
      equal(await storage.recordSignIn({ ...changedSignIn(), session }), changed);
  }),

  test('revokes no grant at the limit of active grants for a sign-in that is refused', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.recordSignIn(changedSignIn({ limits: { activeGrants: 1 } })), changed);
    equal(await storage.readGrantStatus('grant-1'), 'active');
  }),

  ...linkTests(createStorage),

  test('returns the namespace with a token that is to be rechecked or revoked at the provider', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: adasUpstreamToken });
    await storage.recordSignIn(changedSignIn());
    const lease = { ...issued(adasUpstreamToken), isUnresolved: false };
    matches(await storage.refresh(grantRefresh(0, t0 + 200)), {
      recheck: { ...lease, startedAt: t0 + 200 },
    });
    await storage.resolveRecheck(adasUpstreamToken);
    equal(await storage.acquireRecheckLease({ ...ada, now: t0 + day, recheckLeaseDuration: 60 }), {
      kind: 'acquired',
      lease: { ...lease, startedAt: t0 + day },
    });
    equal(await storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + day }), {
      kind: 'deleted',
      tokens: [issued(adasUpstreamToken)],
    });
  }),

  test('applies no security event from another namespace, and does not store it', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: adasUpstreamToken, sid: 'sid-1' });
    const event = {
      ...{ provider: 'google', jti: 'event-1', retainUntil: t0 + day, signedInBefore: t0 + 100 },
      revocations: [
        { target: { kind: 'identity', subject: 'ada' }, revocationScope: 'identity' },
        { target: { kind: 'session', sid: 'sid-1' }, revocationScope: 'grants' },
      ],
      ...{ reason: 'a security event', now: t0 + 100 },
    } as const;
    for (const _ of [1, 2])
      equal(
        await storage.recordSecurityEvent({ ...event, subjectNamespace: otherNamespace }),
        'provider-changed',
      );
    equal(await listActiveRevocations(storage, t0 + 100), []);
    equal(await storage.readGrantStatus('grant-1'), 'active');
    matches(await storage.acquireRecheckLease({ ...ada, now: t0 + 101, recheckLeaseDuration: 60 }), {
      kind: 'acquired',
    });
    equal(await storage.recordSecurityEvent({ ...event, subjectNamespace }), 'recorded');
    equal(await storage.readGrantStatus('grant-1'), 'revoked');
  }),

  test('does not change what refreshes and revocations do with grants of the stored namespace', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.recordSignIn(changedSignIn());
    matches(await storage.redeemCode(redemption()), { kind: 'redeemed' });
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 200))), 'continued 1');
    await storage.revoke(grant1, 'signed out', t0 + 201);
    equal(await storage.readGrantStatus('grant-1'), 'revoked');
  }),
];

const linkTests = (createStorage: CreateStorage): readonly StorageContractTest[] => {
  const cat = { provider: 'github', subject: '42' };
  const link = (storage: CompleteStorage, overrides: Partial<IdentityLink> = {}) =>
    storage.linkIdentity({
      ...{ userId: 'user-1', session: 'session-1', identity: cat, subjectNamespace, now: t0 + 5 },
      ...overrides,
    });
  return [
    test('links no identity of another namespace', async () => {
      const storage = await createStorage();
      await createSession(storage);
      equal(await link(storage), 'linked');
      const account = await storage.readAccount('user-1');
      for (const subject of ['42', '43'])
        equal(
          await link(storage, {
            identity: { ...cat, subject, label: 'Mallory' },
            subjectNamespace: otherNamespace,
          }),
          'provider-changed',
        );
      equal(
        await link(storage, { session: 'unknown', subjectNamespace: otherNamespace }),
        'provider-changed',
      );
      equal(await storage.readAccount('user-1'), account);
    }),

    test('stores the namespace of the first identity that is linked', async () => {
      const storage = await createStorage();
      await createSession(storage);
      equal(await link(storage, { subjectNamespace: otherNamespace }), 'linked');
      equal(await link(storage), 'provider-changed');
      equal(await storage.recordSignIn(signIn({ identity: cat })), changed);
    }),
  ];
};
