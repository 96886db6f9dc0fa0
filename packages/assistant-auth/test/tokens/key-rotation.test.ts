/** Key rotation: resealing stored tokens, and deployments whose key rings differ during a rollout. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BrokerStorage } from '../../src/index.ts';
import { generateKey, listSealedPrefixes, parseKeyRing } from '../../src/seal/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { signIn, t0 } from '../../src/testing/storage-contract/sample.ts';
import { createResealer } from '../../src/tokens/key-rotation.ts';
import { createSealers, openUpstreamToken, sealUpstreamToken } from '../../src/tokens/sealers.ts';
import { type AccountBrowser, createAccountBrowser } from '../account-browser.ts';
import { callApi, expectTokens, gptSignIn, type TokenBody } from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh } from '../clients.ts';
import { type Deployment, deploy, issuer } from '../deployment.ts';
import {
  createSharedStorage,
  type SealedTypeCase,
  type SharedStorage,
  sealedTypeCases,
} from '../sealed-type-cases.ts';
import { createSpyStorage } from '../spy-storage.ts';

describe('resealing', () => {
  const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const [olderKey, oldKey, newKey] = ['older-1', 'old-1', 'new-1'].map((id) => generateKey(id, randomBytes));

  const buildSealers = (...keys: readonly (string | undefined)[]) => {
    const ring = parseKeyRing(keys.join(' '));
    return { ring, sealers: createSealers(ring, issuer, [], randomBytes) };
  };

  const beforeRotation = buildSealers(oldKey, olderKey);
  const onlyOlder = buildSealers(olderKey);
  const afterRotation = buildSealers(newKey, oldKey, olderKey);

  /** Stores a user's token. */
  const store = async (
    storage: BrokerStorage,
    { sealers }: typeof beforeRotation,
    subject: string,
  ): Promise<void> => {
    const identity = { provider: 'google', subject };
    const sealedRefreshToken = await sealUpstreamToken(sealers, identity, `theirs-of-${subject}`);
    await storage.recordSignIn(
      signIn({
        grantId: `grant-of-${subject}`,
        user: { kind: 'by-identity', newId: subject },
        identity: { ...identity, sealedRefreshToken },
      }),
    );
  };

  const numberSubjects = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${1000 + index}`);

  const findTokensSealedWith = (storage: BrokerStorage, keyId: string) =>
    storage.findUpstreamTokens({ prefixes: listSealedPrefixes(keyId), limit: 10_000 });

  const countTokensByKey = async (storage: BrokerStorage) =>
    Object.fromEntries(
      await Promise.all(
        ['older-1', 'old-1', 'new-1', 'lost-1'].map(async (id) => [
          id,
          (await findTokensSealedWith(storage, id)).length,
        ]),
      ),
    );

  const now = () => t0 + 1;

  it('reseals the tokens of every other key with the first key, which then opens them alone', async () => {
    const storage = memoryStorage();
    await store(storage, beforeRotation, 'ada');
    await store(storage, onlyOlder, 'bob');
    await store(storage, afterRotation, 'cyd');
    const [untouched] = await findTokensSealedWith(storage, 'new-1');
    await createResealer({ storage, now, ...afterRotation })();
    const resealed = await findTokensSealedWith(storage, 'new-1');
    expect(resealed).toHaveLength(3);
    expect(resealed).toContainEqual(untouched);
    const { sealers } = buildSealers(newKey);
    for (const token of resealed) {
      const opened = await openUpstreamToken(sealers, token);
      expect(opened).toEqual({ kind: 'opened', value: `theirs-of-${token.subject}` });
    }
  });

  it('does not call storage while the ring has one key', async () => {
    const storage = createSpyStorage();
    await createResealer({ storage, now, ...buildSealers(newKey) })();
    expect(storage.calls).toEqual([]);
  });

  it('reseals a hundred at a time until all are done', async () => {
    const storage = memoryStorage();
    for (const subject of numberSubjects(250)) await store(storage, beforeRotation, subject);
    const reseal = createResealer({ storage, now, ...afterRotation });
    const remaining = [];
    for (let run = 0; run < 4; run++) {
      await reseal();
      remaining.push((await findTokensSealedWith(storage, 'old-1')).length);
    }
    expect(remaining).toEqual([150, 50, 0, 0]);
  });

  it('starts again in each process, and still finishes', async () => {
    const storage = memoryStorage();
    for (const subject of numberSubjects(150)) await store(storage, beforeRotation, subject);
    for (let run = 0; run < 2; run++) await createResealer({ storage, now, ...afterRotation })();
    expect(await findTokensSealedWith(storage, 'old-1')).toEqual([]);
  });

  it('skips tokens that do not open', async () => {
    const storage = memoryStorage();
    const otherIssuer = {
      sealers: createSealers(beforeRotation.ring, 'https://old.example', [], randomBytes),
    };
    for (const subject of numberSubjects(300))
      await store(storage, { ...beforeRotation, ...otherIssuer }, subject);
    await store(storage, buildSealers(generateKey('lost-1', randomBytes)), 'lost');
    await store(storage, beforeRotation, 'zoe');
    const lostTokens = await findTokensSealedWith(storage, 'lost-1');
    await createResealer({ storage, now, ...afterRotation })();
    expect(await countTokensByKey(storage)).toEqual({ 'older-1': 0, 'old-1': 300, 'new-1': 1, 'lost-1': 1 });
    expect(await findTokensSealedWith(storage, 'lost-1')).toEqual(lostTokens);
  });

  it('continues after a thousand that do not open', async () => {
    const storage = memoryStorage();
    const otherIssuer = {
      sealers: createSealers(beforeRotation.ring, 'https://old.example', [], randomBytes),
    };
    for (const subject of numberSubjects(1050))
      await store(storage, { ...beforeRotation, ...otherIssuer }, subject);
    await store(storage, beforeRotation, 'zoe');
    const reseal = createResealer({ storage, now, ...afterRotation });
    await reseal();
    expect(await findTokensSealedWith(storage, 'new-1')).toEqual([]);
    await reseal();
    expect(await findTokensSealedWith(storage, 'new-1')).toMatchObject([{ subject: 'zoe' }]);
  });

  it('keeps the token of a sign-in that happens meanwhile', async () => {
    const memory = memoryStorage();
    await store(memory, beforeRotation, 'ada');
    const newer = { provider: 'google', subject: 'ada', sealedRefreshToken: 'newer' };
    const storage = {
      findUpstreamTokens: memory.findUpstreamTokens,
      replaceUpstreamTokens: async (...args: Parameters<BrokerStorage['replaceUpstreamTokens']>) => {
        await memory.storeUpstreamToken(newer);
        await memory.replaceUpstreamTokens(...args);
      },
    };
    await createResealer({ storage, now, ...afterRotation })();
    expect(await memory.findUpstreamTokens({ prefixes: ['newer'], limit: 1 })).toEqual([newer]);
  });
});

describe('deployments with different key rings', () => {
  const generateRandomKey = (id: string): string =>
    generateKey(id, (length) => crypto.getRandomValues(new Uint8Array(length)));
  const [oldKey, newKey] = [generateRandomKey('2026-01-01'), generateRandomKey('2026-11-24')];

  let storage: BrokerStorage;
  let deployment: Deployment;
  let ada: AccountBrowser;

  /** Deploys with this ring and the same storage. Open browsers use the new deployment. */
  const deployWith = (...keys: readonly string[]): void => {
    deployment = deploy({ storage, sealingKeys: keys.join(' ') });
  };

  beforeEach(async () => {
    storage = memoryStorage();
    deployWith(oldKey);
    ada = createAccountBrowser({ issuer, fetch: (request) => deployment.fetch(request) });
    await ada.signInToAccount('ada', 'google', { refresh: 'theirs' });
  });

  const isAccepted = async ({ access_token }: TokenBody): Promise<boolean> =>
    (await callApi(deployment, access_token)).ok;

  const findTokensSealedWith = (id: string) =>
    storage.findUpstreamTokens({ prefixes: listSealedPrefixes(id), limit: 100 });

  describe('after a key was promoted', () => {
    it('tokens, sessions and codes from before and after it work', async () => {
      const before = { stable: await gptSignIn(deployment), rotating: await obtainTokens(deployment, app) };
      const code = await obtainCode(deployment, gpt);
      deployWith(newKey, oldKey);
      const after = await gptSignIn(deployment);
      for (const tokens of [before.stable, before.rotating, after])
        expect(await isAccepted(tokens)).toBe(true);
      for (const { refresh_token: token } of [before.stable, after])
        expect((await refresh(deployment, gpt, token)).status).toBe(200);
      expect((await redeem(deployment, gpt, code)).status).toBe(200);
      expect((await ada.openAccountPage()).kind).toBe('account');
    });

    it('a rotating refresh token is sealed with the new key when it is used', async () => {
      const before = await obtainTokens(deployment, app);
      deployWith(newKey, oldKey);
      const after = await expectTokens(await refresh(deployment, app, before.refresh_token));
      deployWith(newKey);
      expect((await refresh(deployment, app, after.refresh_token)).status).toBe(200);
    });

    it('a cleanup reseals stored upstream tokens, so that only the new key opens them', async () => {
      expect(await findTokensSealedWith('2026-01-01')).toHaveLength(1);
      deployWith(newKey, oldKey);
      await deployment.broker.cleanup();
      expect(await findTokensSealedWith('2026-01-01')).toEqual([]);
      const [stored] = await findTokensSealedWith('2026-11-24');
      if (stored === undefined) throw new Error('no token is stored');
      const newKeySealers = createSealers(
        parseKeyRing(newKey),
        issuer,
        [],
        (length) => new Uint8Array(length),
      );
      expect(await openUpstreamToken(newKeySealers, stored)).toEqual({ kind: 'opened', value: 'theirs' });
    });
  });

  describe('a compromised key that was removed', () => {
    it('invalidates everything that it sealed, and nothing else', async () => {
      const before = { stable: await gptSignIn(deployment), rotating: await obtainTokens(deployment, app) };
      const code = await obtainCode(deployment, gpt);
      deployWith(newKey, oldKey);
      const after = await gptSignIn(deployment);
      deployWith(newKey);
      for (const tokens of Object.values(before)) expect(await isAccepted(tokens)).toBe(false);
      expect((await refresh(deployment, gpt, before.stable.refresh_token)).status).toBe(401);
      expect((await refresh(deployment, app, before.rotating.refresh_token)).status).toBe(400);
      expect((await redeem(deployment, gpt, code)).status).toBe(400);
      expect((await ada.openAccountPage()).kind).toBe('sign-in');
      expect(await isAccepted(after)).toBe(true);
      expect((await refresh(deployment, gpt, after.refresh_token)).status).toBe(200);
    });

    it('keeps stored tokens that do not open, until a sign-in replaces them', async () => {
      deployWith(newKey);
      await deployment.broker.cleanup();
      expect(await findTokensSealedWith('2026-01-01')).toHaveLength(1);
      await ada.signInToAccount('ada', 'google', { refresh: 'their new token' });
      expect(await findTokensSealedWith('2026-01-01')).toEqual([]);
      expect(await findTokensSealedWith('2026-11-24')).toHaveLength(1);
    });
  });

  /** A value that a deployment with this ring sealed. */
  interface SealedValue {
    readonly keyRing: string;
    readonly sealedCase: SealedTypeCase;
    readonly present: Awaited<ReturnType<SealedTypeCase['seal']>>;
  }

  /** The rings of a rotation, in the order in which they are deployed. */
  const [initial, added, promoted, retired] = [oldKey, `${oldKey} ${newKey}`, `${newKey} ${oldKey}`, newKey];

  /** `[old new]` for the ring with both keys, the old one first. */
  const describeRing = (keyRing: string): string =>
    `[${keyRing.replace(oldKey, 'old').replace(newKey, 'new')}]`;

  const newSharedStorage = (): SharedStorage => createSharedStorage({ storage: memoryStorage() });

  let shared = newSharedStorage();
  let sealedCases = sealedTypeCases(shared);
  const names = sealedCases.map(({ name }) => name);

  const findCase = (name: string): SealedTypeCase => {
    const match = sealedCases.find((sealedCase) => sealedCase.name === name);
    if (match === undefined) throw new Error(`no kind is called ${name}`);
    return match;
  };

  beforeEach(() => {
    shared = newSharedStorage();
    sealedCases = sealedTypeCases(shared);
  });

  /**
   * Pairs of rings that are deployed side by side, or one after the other, in a rollout or a rollback: the
   * first seals, the second opens.
   */
  const ringPairs = [
    [initial, added],
    [added, initial],
    [added, promoted],
    [promoted, added],
    [promoted, retired],
    [retired, promoted],
  ] as const;

  const cases = ringPairs.flatMap((pair) =>
    names.map((name) => [...pair.map(describeRing), name, ...pair] as const),
  );

  it.each(cases)(
    'T16.1 side by side: %s seals and %s opens %s',
    async (_sealing, _opening, name, sealingRing, openingRing) => {
      const sealedCase = findCase(name);
      const present = await sealedCase.seal(shared.run(sealingRing));
      expect(await present(shared.run(openingRing))).toBe(sealedCase.accepted);
    },
  );

  it.each(names)('T16.2 promoted without having been added everywhere: %s is refused', async (name) => {
    const sealedCase = findCase(name);
    const [oldDeployment, newDeployment] = [shared.run(initial), shared.run(promoted)];
    const present = await sealedCase.seal(newDeployment);
    expect(await present(oldDeployment)).toBe(sealedCase.refused);
    // Nothing was revoked: the deployment that has the key still accepts it.
    expect(await present(newDeployment)).toBe(sealedCase.accepted);
  });

  const longLived = ['a stable refresh token', 'a session cookie', 'a stored upstream token'];
  const rollout = [
    ...[[initial], [initial, added], [initial], [initial, added], [added]],
    ...[[added, promoted], [added], [added, promoted], [promoted]],
  ];

  it('T16.1 side by side: after a rotation with a rollback of each step, long-lived tokens and cookies still work', async () => {
    const sealedValues: SealedValue[] = [];
    for (const rings of rollout) {
      const deployments = rings.map((keyRing) => shared.run(keyRing));
      for (const deployment of deployments) {
        for (const sealedCase of longLived.map(findCase))
          sealedValues.push({
            keyRing: deployment.keyRing,
            sealedCase,
            present: await sealedCase.seal(deployment),
          });
        for (const runningDeployment of deployments) await runningDeployment.broker.cleanup();
      }
      for (const deployment of deployments)
        for (const { sealedCase, present } of sealedValues)
          expect(await present(deployment)).toBe(sealedCase.accepted);
    }
    // Removing the old key invalidates what it sealed. Rolling that back makes everything work again.
    const sealedByNew = sealedValues.filter(
      ({ keyRing, sealedCase }) => keyRing === promoted || sealedCase.name === 'a stored upstream token',
    );
    for (const { sealedCase, present } of sealedByNew)
      expect(await present(shared.run(retired))).toBe(sealedCase.accepted);
    for (const { sealedCase, present } of sealedValues)
      expect(await present(shared.run(promoted))).toBe(sealedCase.accepted);
  });
});
