/** The storage contract for clients that are not in the configuration, and for client assertions. */
import type {
  CodeRedemption,
  CodeRedemptionOutcome,
  CompleteStorage,
  RefreshOutcome,
  SignIn,
} from '../../storage/broker-storage.ts';
import { equal, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  adasUpstreamToken,
  assertion1,
  assertion2,
  assertionReplayed,
  chatgpt,
  countValues,
  day,
  fiftyIndexes,
  grantRefresh,
  inactive,
  invalid,
  issued,
  listActiveRevocations,
  redemption,
  refreshPolicies,
  replayed,
  reused,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';
import { createSession } from './sessions.ts';

const renamed = { ...chatgpt, name: 'ChatGPT 2', metadata: '{"scope":"score:read"}' };

/** Returns the tests of the clients that are stored with sign-ins. */
export const clientTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('stores the client of a sign-in, and returns it unchanged', async () => {
    const storage = await createStorage();
    const metadata = JSON.stringify({ name: 'it\'s "Ада" 🙂\n', nested: [{ logo: null }], '': '\\' });
    const client = { ...chatgpt, id: `https://app.example/${'c'.repeat(1280)}`, name: 'Ада 🙂', metadata };
    matches(await storage.recordSignIn(signIn({ clientId: client.id, client })), { kind: 'recorded' });
    equal(await storage.readClient(client.id), client);
  }),

  test('stores no client for a sign-in without one', async () => {
    const storage = await createStorage();
    equal(await storage.readClient('chatgpt'), undefined);
    await storage.recordSignIn(signIn());
    equal(await storage.readClient('chatgpt'), undefined);
  }),

  test('replaces the name and the metadata at the next sign-in', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ client: chatgpt }));
    await storage.recordSignIn(signIn({ grantId: 'grant-2', client: renamed }));
    equal(await storage.readClient('chatgpt'), renamed);
    await storage.recordSignIn(signIn({ grantId: 'grant-3' }));
    equal(await storage.readClient('chatgpt'), renamed);
  }),

  test('increases retainUntil, and never decreases it', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ client: chatgpt }));
    await storage.recordSignIn(
      signIn({ grantId: 'grant-2', client: { ...renamed, retainUntil: chatgpt.retainUntil - 1 } }),
    );
    equal(await storage.readClient('chatgpt'), renamed);
    const retainedLonger = { ...renamed, retainUntil: chatgpt.retainUntil + 1 };
    await storage.recordSignIn(signIn({ grantId: 'grant-3', client: retainedLonger }));
    equal(await storage.readClient('chatgpt'), retainedLonger);
  }),

  test('stores the highest retainUntil of 50 sign-ins at once', async () => {
    const storage = await createStorage();
    await Promise.all(
      fiftyIndexes.map((n) =>
        storage.recordSignIn(
          signIn({ grantId: `grant-${n}`, client: { ...chatgpt, retainUntil: t0 + ((n * 7) % 50) } }),
        ),
      ),
    );
    equal(await storage.readClient('chatgpt'), { ...chatgpt, retainUntil: t0 + 49 });
  }),

  test('returns a client whose retainUntil has passed', async () => {
    const storage = await createStorage();
    const client = { ...chatgpt, retainUntil: t0 - 1 };
    await storage.recordSignIn(signIn({ client }));
    equal(await storage.readClient('chatgpt'), client);
  }),

  test('distinguishes client IDs exactly', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ client: chatgpt }));
    for (const id of ['ChatGPT', 'chatgpt ', 'chat_pt', 'chatgp', ''])
      equal(await storage.readClient(id), undefined);
    await storage.recordSignIn(signIn({ grantId: 'grant-2', client: { ...renamed, id: 'ChatGPT' } }));
    equal(await storage.readClient('chatgpt'), chatgpt);
  }),

  test('deletes one client, and does not change its grants', async () => {
    const storage = await createStorage();
    await storage.deleteClient('chatgpt');
    await signInAndRedeem(storage, { client: chatgpt });
    const claude = { ...chatgpt, id: 'claude' };
    await storage.recordSignIn(signIn({ grantId: 'grant-2', clientId: 'claude', client: claude }));
    await storage.deleteClient('chatgpt');
    equal(await storage.readClient('chatgpt'), undefined);
    equal(await storage.readClient('claude'), claude);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 2))), 'continued 1');
    await storage.deleteClient('chatgpt');
  }),

  ...signInClientTests(createStorage),
  ...clientNameTests(createStorage),
];

/** Sign-ins that are refused after Ada has signed in to the client, and after her session was revoked. */
const refusedSignIns: readonly (readonly [kind: string, signIn: SignIn])[] = [
  ['replayed', signIn({ client: renamed })],
  ['limited', signIn({ grantId: 'grant-2', client: renamed, limits: { signIns: 1 } })],
  ['session-ended', { ...signIn({ grantId: 'grant-2', client: renamed }), session: 'session-1' }],
];

/** Sign-ins with a client, and what else they change. */
const signInClientTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...refusedSignIns.map(([kind, refusedSignIn]) =>
    test(`stores nothing for a sign-in that is ${kind}`, async () => {
      const storage = await createStorage();
      await createSession(storage);
      await storage.revoke({ kind: 'grant', id: 'session-1' }, 'signed out', t0 + 2);
      await storage.recordSignIn(signIn());
      matches(await storage.recordSignIn(refusedSignIn), { kind });
      equal(await storage.readClient('chatgpt'), undefined);
      await storage.recordSignIn(signIn({ grantId: 'grant-3', client: chatgpt }));
      matches(await storage.recordSignIn(refusedSignIn), { kind });
      equal(await storage.readClient('chatgpt'), chatgpt);
    }),
  ),

  test('stores the client of a sign-in that continues a session', async () => {
    const storage = await createStorage();
    await createSession(storage);
    matches(
      await storage.recordSignIn({ ...signIn({ client: chatgpt, now: t0 + 3 }), session: 'session-1' }),
      {
        kind: 'recorded',
      },
    );
    equal(await storage.readClient('chatgpt'), chatgpt);
  }),

  test('revokes the least recently used grant beyond the limit of a sign-in with a client', async () => {
    const storage = await createStorage();
    const limits = { activeGrants: 1 };
    for (const [index, client] of [chatgpt, chatgpt, renamed].entries()) {
      const grantId = `grant-${index + 1}`;
      matches(await storage.recordSignIn(signIn({ grantId, client, limits, now: t0 + index })), {
        kind: 'recorded',
        userId: 'user-1',
      });
    }
    const statuses = ['grant-1', 'grant-2', 'grant-3'].map((id) => storage.readGrantStatus(id));
    equal(await Promise.all(statuses), ['revoked', 'revoked', 'active']);
    equal(await storage.readClient('chatgpt'), renamed);
  }),
];

/** Returns the name of the client of each of Ada's grants, by grant ID. */
const readClientNames = async (storage: CompleteStorage) =>
  Object.fromEntries(
    ((await storage.readAccount('user-1'))?.grants ?? []).map((grant) => [
      grant.id,
      'clientName' in grant ? grant.clientName : 'absent',
    ]),
  );

const clientNameTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('readAccount returns the current name of the client of each grant, if the client is stored', async () => {
    const storage = await createStorage();
    await createSession(storage);
    await signInAndRedeem(storage, { client: chatgpt });
    await storage.recordSignIn(signIn({ grantId: 'grant-2', clientId: 'claude' }));
    const others = { 'grant-2': 'absent', 'session-1': 'absent' };
    equal(await readClientNames(storage), { ...others, 'grant-1': 'ChatGPT' });
    await storage.recordSignIn(signIn({ grantId: 'grant-3', client: renamed, now: t0 + 2 }));
    equal(await readClientNames(storage), { ...others, 'grant-1': 'ChatGPT 2', 'grant-3': 'ChatGPT 2' });
    await storage.deleteClient('chatgpt');
    equal(await readClientNames(storage), { ...others, 'grant-1': 'absent', 'grant-3': 'absent' });
  }),
];

/** Returns the tests of client assertions: with codes, with refresh tokens, and on their own. */
export const assertionTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('recordAssertion records an assertion once, also after it has expired', async () => {
    const storage = await createStorage();
    const assertion = {
      ...assertion1,
      clientId: 'c'.repeat(1000),
      jti: '🙂"\' %_'.repeat(36),
      retainUntil: 1,
    };
    equal(await storage.recordAssertion(assertion), 'recorded');
    equal(await storage.recordAssertion(assertion), 'replayed');
    equal(await storage.recordAssertion({ ...assertion, retainUntil: t0 + day }), 'replayed');
  }),

  test('treats another jti, and the same jti of another client, as another assertion', async () => {
    const storage = await createStorage();
    const keys = [
      ['chatgpt', 'assertion-1'],
      ['chatgpt', 'Assertion-1'],
      ['chatgpt', 'assertion-1 '],
      ['claude', 'assertion-1'],
      ['a', 'b:c'],
      ['a:b', 'c'],
      ['a', ''],
      ['', 'a'],
    ] as const;
    const record = () =>
      Promise.all(keys.map(([clientId, jti]) => storage.recordAssertion({ ...assertion1, clientId, jti })));
    equal(countValues(await record()), { recorded: keys.length });
    equal(countValues(await record()), { replayed: keys.length });
  }),

  test('redeems a code with an assertion whose jti another client has used', async () => {
    const storage = await createStorage();
    await storage.recordAssertion({ ...assertion1, clientId: 'claude' });
    await storage.recordSignIn(signIn());
    matches(await storage.redeemCode(redemption({ assertion: assertion1 })), { kind: 'redeemed' });
  }),

  ...assertionRaceTests(createStorage),
  ...codeAssertionTests(createStorage),
  ...refreshAssertionTests(createStorage),
  ...refusalTests(createStorage),
];

const summarize = (outcome: CodeRedemptionOutcome | RefreshOutcome): string =>
  outcome.kind === 'refused' ? outcome.reason : outcome.kind;

const assertionRaceTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('accepts exactly one of 50 concurrent uses: on its own', async () => {
    const storage = await createStorage();
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.recordAssertion(assertion1)));
    equal(countValues(outcomes), { recorded: 1, replayed: 49 });
  }),

  test('accepts exactly one of 50 concurrent uses: with the codes of different grants', async () => {
    const storage = await createStorage();
    for (const n of fiftyIndexes) await storage.recordSignIn(signIn({ grantId: `grant-${n}` }));
    const redeemAll = (overrides: Partial<CodeRedemption> = {}) =>
      Promise.all(
        fiftyIndexes.map((n) => storage.redeemCode(redemption({ grantId: `grant-${n}`, ...overrides }))),
      );
    equal(countValues((await redeemAll({ assertion: assertion1 })).map(summarize)), {
      redeemed: 1,
      'assertion-replayed': 49,
    });
    equal(countValues((await redeemAll()).map(summarize)), { redeemed: 49, invalid: 1 });
  }),

  ...refreshPolicies.map((refreshPolicy) =>
    test(`accepts exactly one of 50 concurrent uses: with the token of a ${refreshPolicy} grant`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const request = grantRefresh(0, t0 + 100, { assertion: assertion1 });
      const outcomes = await Promise.all(fiftyIndexes.map(() => storage.refresh(request)));
      equal(countValues(outcomes.map(summarize)), { refreshed: 1, 'assertion-replayed': 49 });
    }),
  ),

  test('accepts exactly one of 50 concurrent uses: at different methods', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
    const assertion = assertion1;
    const uses = [
      async () => ((await storage.recordAssertion(assertion)) === 'recorded' ? 'accepted' : 'replayed'),
      async () => summarize(await storage.redeemCode(redemption({ grantId: 'grant-2', assertion }))),
      async () => summarize(await storage.refresh(grantRefresh(0, t0 + 2, { assertion }))),
    ];
    const outcomes = await Promise.all(fiftyIndexes.map((n) => uses[n % uses.length]?.()));
    equal(outcomes.filter((outcome) => outcome?.endsWith('replayed') === false).length, 1);
  }),
];

const codeAssertionTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('redeems a code only with an assertion that was not used before, even for another grant', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
    matches(await storage.redeemCode(redemption({ assertion: assertion1 })), { kind: 'redeemed' });
    const other = { grantId: 'grant-2', assertion: assertion1 };
    equal(await storage.redeemCode(redemption(other)), assertionReplayed);
    equal(await storage.recordAssertion(assertion1), 'replayed');
    matches(await storage.redeemCode(redemption({ ...other, assertion: assertion2 })), {
      kind: 'redeemed',
      grant: { refreshIdleExpiresAt: t0 + 1 + 30 * day },
    });
  }),

  test('refuses a code with an assertion that was used without a grant, and does not use up the code', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.recordAssertion(assertion1);
    equal(await storage.redeemCode(redemption({ assertion: assertion1 })), assertionReplayed);
    equal((await storage.readAccount('user-1'))?.grants[0]?.use, undefined);
    matches(await storage.redeemCode(redemption()), { kind: 'redeemed' });
  }),

  test('does not revoke the grant of a replayed code if the assertion was used before', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.redeemCode(redemption({ assertion: assertion1 }));
    const lateRedemption = redemption({ now: t0 + 30, assertion: assertion1 });
    equal(await storage.redeemCode(lateRedemption), assertionReplayed);
    equal(await storage.readGrantStatus('grant-1'), 'active');
    equal(await listActiveRevocations(storage, t0 + 30), []);
    equal(await storage.isRevoked(token(), t0 + 30), false);
    equal(await storage.redeemCode({ ...lateRedemption, assertion: assertion2 }), replayed);
    equal(await storage.isRevoked(token(), t0 + 30), true);
  }),
];

const refreshAssertionTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...refreshPolicies.map((refreshPolicy) =>
    test(`does not refresh a ${refreshPolicy} grant with the assertion of its code`, async () => {
      const storage = await createStorage();
      await storage.recordSignIn(signIn({ refreshPolicy }));
      await storage.redeemCode(redemption({ assertion: assertion1 }));
      const before = await storage.readAccount('user-1');
      equal(await storage.refresh(grantRefresh(0, t0 + 100, { assertion: assertion1 })), assertionReplayed);
      equal(await storage.readAccount('user-1'), before);
      matches(await storage.refresh(grantRefresh(0, t0 + 101, { assertion: assertion2 })), {
        kind: 'refreshed',
        grant: { generation: refreshPolicy === 'rotating' ? 1 : 0 },
      });
      equal(await storage.refresh(grantRefresh(0, t0 + 102, { assertion: assertion2 })), assertionReplayed);
    }),
  ),

  test('does not revoke the grant of a reused token if the assertion was used before', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100, { assertion: assertion1 }));
    const reuse = { lateRefresh: 'revoke', assertion: assertion1 } as const;
    equal(await storage.refresh(grantRefresh(0, t0 + 300, reuse)), assertionReplayed);
    equal(await storage.readGrantStatus('grant-1'), 'active');
    equal(await listActiveRevocations(storage, t0 + 300), []);
    equal(await storage.refresh(grantRefresh(0, t0 + 300, { ...reuse, assertion: assertion2 })), reused);
  }),

  test('acquires no recheck lease if the assertion was used before', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: adasUpstreamToken });
    await storage.recordAssertion(assertion1);
    equal(await storage.refresh(grantRefresh(0, t0 + 100, { assertion: assertion1 })), assertionReplayed);
    matches(await storage.refresh(grantRefresh(0, t0 + 101, { assertion: assertion2 })), {
      recheck: { ...issued(adasUpstreamToken), isUnresolved: false, startedAt: t0 + 101 },
    });
  }),
];

const refusalTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('counts an assertion as used if the code is refused', async () => {
    const storage = await createStorage();
    equal(await storage.redeemCode(redemption({ assertion: assertion1 })), invalid);
    equal(await storage.recordAssertion(assertion1), 'replayed');
    await signInAndRedeem(storage);
    equal(await storage.redeemCode(redemption({ now: t0 + 30, assertion: assertion2 })), replayed);
    equal(await storage.recordAssertion(assertion2), 'replayed');
  }),

  test('counts an assertion as used if the refresh is refused', async () => {
    const storage = await createStorage();
    equal(await storage.refresh(grantRefresh(0, t0 + 2, { assertion: assertion1 })), inactive);
    equal(await storage.recordAssertion(assertion1), 'replayed');
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 200));
    equal(await storage.refresh(grantRefresh(0, t0 + 300, { assertion: assertion2 })), reused);
    equal(await storage.recordAssertion(assertion2), 'replayed');
  }),

  test('refuses a retry with the same assertion after a lost response, and accepts one with a new assertion', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const request = grantRefresh(0, t0 + 100, { assertion: assertion1 });
    await storage.refresh(request);
    equal(await storage.refresh(request), assertionReplayed);
    equal(summarizeOutcome(await storage.refresh({ ...request, assertion: assertion2 })), 'continued 1');
  }),
];
