/** Key rotation: resealing stored tokens, and deployments whose key rings differ during a rollout. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BrokerStorage } from '../../src/index.ts';
import { generateKey, listSealedPrefixes, parseKeyRing } from '../../src/seal/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
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
import { signIn, t0 } from '../storage/storage-contract/sample.ts';

describe('resealing', () => {
  const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const [older, old, fresh] = ['older-1', 'old-1', 'new-1'].map((id) => generateKey(id, randomBytes));

  const deployed = (...keys: readonly (string | undefined)[]) => {
    const ring = parseKeyRing(keys.join(' '));
    return { ring, sealers: createSealers(ring, issuer, [], randomBytes) };
  };

  const before = deployed(old, older);
  const long = deployed(older);
  const after = deployed(fresh, old, older);

  /** Stores a user's token. */
  const store = async (
    storage: BrokerStorage,
    { sealers }: typeof before,
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

  const numbered = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, at) => `${1000 + at}`);

  const sealedUnder = (storage: BrokerStorage, keyId: string) =>
    storage.findUpstreamTokens({ prefixes: listSealedPrefixes(keyId), limit: 10_000 });

  const countsOf = async (storage: BrokerStorage) =>
    Object.fromEntries(
      await Promise.all(
        ['older-1', 'old-1', 'new-1', 'lost-1'].map(async (id) => [
          id,
          (await sealedUnder(storage, id)).length,
        ]),
      ),
    );

  const now = () => t0 + 1;

  it('reseals the tokens of every other key with the first key, which then opens them alone', async () => {
    const storage = memoryStorage();
    await store(storage, before, 'ada');
    await store(storage, long, 'bob');
    await store(storage, after, 'cyd');
    const [untouched] = await sealedUnder(storage, 'new-1');
    await createResealer({ storage, now, ...after })();
    const moved = await sealedUnder(storage, 'new-1');
    expect(moved).toHaveLength(3);
    expect(moved).toContainEqual(untouched);
    const { sealers } = deployed(fresh);
    for (const token of moved) {
      const opened = await openUpstreamToken(sealers, token);
      expect(opened).toEqual({ kind: 'opened', value: `theirs-of-${token.subject}` });
    }
  });

  it('does not call storage while the ring has one key', async () => {
    const storage = createSpyStorage();
    await createResealer({ storage, now, ...deployed(fresh) })();
    expect(storage.calls).toEqual([]);
  });

  it('reseals a hundred at a time until all are done', async () => {
    const storage = memoryStorage();
    for (const subject of numbered(250)) await store(storage, before, subject);
    const reseal = createResealer({ storage, now, ...after });
    const left = [];
    for (let turn = 0; turn < 4; turn++) {
      await reseal();
      left.push((await sealedUnder(storage, 'old-1')).length);
    }
    expect(left).toEqual([150, 50, 0, 0]);
  });

  it('starts again in each process, and still finishes', async () => {
    const storage = memoryStorage();
    for (const subject of numbered(150)) await store(storage, before, subject);
    for (let turn = 0; turn < 2; turn++) await createResealer({ storage, now, ...after })();
    expect(await sealedUnder(storage, 'old-1')).toEqual([]);
  });

  it('skips tokens that do not open', async () => {
    const storage = memoryStorage();
    const elsewhere = { sealers: createSealers(before.ring, 'https://old.example', [], randomBytes) };
    for (const subject of numbered(300)) await store(storage, { ...before, ...elsewhere }, subject);
    await store(storage, deployed(generateKey('lost-1', randomBytes)), 'lost');
    await store(storage, before, 'zoe');
    const foreign = await sealedUnder(storage, 'lost-1');
    await createResealer({ storage, now, ...after })();
    expect(await countsOf(storage)).toEqual({ 'older-1': 0, 'old-1': 300, 'new-1': 1, 'lost-1': 1 });
    expect(await sealedUnder(storage, 'lost-1')).toEqual(foreign);
  });

  it('continues after a thousand that do not open', async () => {
    const storage = memoryStorage();
    const elsewhere = { sealers: createSealers(before.ring, 'https://old.example', [], randomBytes) };
    for (const subject of numbered(1050)) await store(storage, { ...before, ...elsewhere }, subject);
    await store(storage, before, 'zoe');
    const reseal = createResealer({ storage, now, ...after });
    await reseal();
    expect(await sealedUnder(storage, 'new-1')).toEqual([]);
    await reseal();
    expect(await sealedUnder(storage, 'new-1')).toMatchObject([{ subject: 'zoe' }]);
  });

  it('keeps the token of a sign-in that happens meanwhile', async () => {
    const inner = memoryStorage();
    await store(inner, before, 'ada');
    const newer = { provider: 'google', subject: 'ada', sealedRefreshToken: 'newer' };
    const storage = {
      findUpstreamTokens: inner.findUpstreamTokens,
      replaceUpstreamTokens: async (...given: Parameters<BrokerStorage['replaceUpstreamTokens']>) => {
        await inner.storeUpstreamToken(newer);
        await inner.replaceUpstreamTokens(...given);
      },
    };
    await createResealer({ storage, now, ...after })();
    expect(await inner.findUpstreamTokens({ prefixes: ['newer'], limit: 1 })).toEqual([newer]);
  });
});

describe('deployments with different key rings', () => {
  const draw = (id: string): string =>
    generateKey(id, (length) => crypto.getRandomValues(new Uint8Array(length)));
  const [old, fresh] = [draw('2026-01-01'), draw('2026-11-24')];

  let storage: BrokerStorage;
  let deployment: Deployment;
  let ada: AccountBrowser;

  /** Deploys with this ring and the same storage. Open browsers use the new deployment. */
  const deployWith = (...keys: readonly string[]): void => {
    deployment = deploy({ storage, sealingKeys: keys.join(' ') });
  };

  beforeEach(async () => {
    storage = memoryStorage();
    deployWith(old);
    ada = createAccountBrowser({ issuer, fetch: (request) => deployment.fetch(request) });
    await ada.signInToAccount('ada', 'google', { refresh: 'theirs' });
  });

  const kindOfCall = async ({ access_token }: TokenBody): Promise<string> =>
    (await callApi(deployment, access_token)).kind;

  const sealedUnder = (id: string) =>
    storage.findUpstreamTokens({ prefixes: listSealedPrefixes(id), limit: 100 });

  describe('after a key was promoted', () => {
    it('tokens, sessions and codes from before and after it work', async () => {
      const before = { stable: await gptSignIn(deployment), rotating: await obtainTokens(deployment, app) };
      const code = await obtainCode(deployment, gpt);
      deployWith(fresh, old);
      const after = await gptSignIn(deployment);
      for (const tokens of [before.stable, before.rotating, after])
        expect(await kindOfCall(tokens)).toBe('granted');
      for (const { refresh_token: token } of [before.stable, after])
        expect((await refresh(deployment, gpt, token)).status).toBe(200);
      expect((await redeem(deployment, gpt, code)).status).toBe(200);
      expect((await ada.openAccountPage()).kind).toBe('account');
    });

    it('a rotating refresh token is sealed with the new key when it is used', async () => {
      const before = await obtainTokens(deployment, app);
      deployWith(fresh, old);
      const after = await expectTokens(await refresh(deployment, app, before.refresh_token));
      deployWith(fresh);
      expect((await refresh(deployment, app, after.refresh_token)).status).toBe(200);
    });

    it('a cleanup reseals stored upstream tokens, so that only the new key opens them', async () => {
      expect(await sealedUnder('2026-01-01')).toHaveLength(1);
      deployWith(fresh, old);
      await deployment.broker.cleanup();
      expect(await sealedUnder('2026-01-01')).toEqual([]);
      const [stored] = await sealedUnder('2026-11-24');
      if (stored === undefined) throw new Error('no token is stored');
      const alone = createSealers(parseKeyRing(fresh), issuer, [], (length) => new Uint8Array(length));
      expect(await openUpstreamToken(alone, stored)).toEqual({ kind: 'opened', value: 'theirs' });
    });
  });

  describe('a compromised key that was removed', () => {
    it('invalidates everything that it sealed, and nothing else', async () => {
      const before = { stable: await gptSignIn(deployment), rotating: await obtainTokens(deployment, app) };
      const code = await obtainCode(deployment, gpt);
      deployWith(fresh, old);
      const after = await gptSignIn(deployment);
      deployWith(fresh);
      for (const tokens of Object.values(before)) expect(await kindOfCall(tokens)).toBe('refused');
      expect((await refresh(deployment, gpt, before.stable.refresh_token)).status).toBe(401);
      expect((await refresh(deployment, app, before.rotating.refresh_token)).status).toBe(400);
      expect((await redeem(deployment, gpt, code)).status).toBe(400);
      expect((await ada.openAccountPage()).kind).toBe('sign-in');
      expect(await kindOfCall(after)).toBe('granted');
      expect((await refresh(deployment, gpt, after.refresh_token)).status).toBe(200);
    });

    it('keeps stored tokens that do not open, until a sign-in replaces them', async () => {
      deployWith(fresh);
      await deployment.broker.cleanup();
      expect(await sealedUnder('2026-01-01')).toHaveLength(1);
      await ada.signInToAccount('ada', 'google', { refresh: 'their new token' });
      expect(await sealedUnder('2026-01-01')).toEqual([]);
      expect(await sealedUnder('2026-11-24')).toHaveLength(1);
    });
  });

  /** A value that a deployment with this ring sealed. */
  interface SealedValue {
    readonly keyRing: string;
    readonly kind: SealedTypeCase;
    readonly present: Awaited<ReturnType<SealedTypeCase['seal']>>;
  }

  /** The rings of a rotation, in the order in which they are deployed. */
  const [before, added, promoted, retired] = [old, `${old} ${fresh}`, `${fresh} ${old}`, fresh];

  /** `[old new]` for the ring with both keys, the old one first. */
  const nameOf = (keyRing: string): string => `[${keyRing.replace(old, 'old').replace(fresh, 'new')}]`;

  const newSharedStorage = (): SharedStorage => createSharedStorage({ storage: memoryStorage() });

  let shared = newSharedStorage();
  let kinds = sealedTypeCases(shared);
  const names = kinds.map(({ name }) => name);

  const kindOf = (name: string): SealedTypeCase => {
    const found = kinds.find((kind) => kind.name === name);
    if (found === undefined) throw new Error(`no kind is called ${name}`);
    return found;
  };

  beforeEach(() => {
    shared = newSharedStorage();
    kinds = sealedTypeCases(shared);
  });

  /** Pairs of rings that are deployed side by side, or one after the other, in a rollout or a rollback: the first seals, the second opens. */
  const ringPairs = [
    [before, added],
    [added, before],
    [added, promoted],
    [promoted, added],
    [promoted, retired],
    [retired, promoted],
  ] as const;

  const cases = ringPairs.flatMap((pair) =>
    names.map((name) => [...pair.map(nameOf), name, ...pair] as const),
  );

  it.each(cases)(
    'T16.1 side by side: %s seals and %s opens %s',
    async (_sealing, _opening, name, sealing, opening) => {
      const kind = kindOf(name);
      const present = await kind.seal(shared.run(sealing));
      expect(await present(shared.run(opening))).toBe(kind.accepted);
    },
  );

  it.each(names)('T16.2 promoted without having been added everywhere: %s is refused', async (name) => {
    const kind = kindOf(name);
    const [old, fresh] = [shared.run(before), shared.run(promoted)];
    const present = await kind.seal(fresh);
    expect(await present(old)).toBe(kind.refused);
    // Nothing was revoked: the deployment that has the key still accepts it.
    expect(await present(fresh)).toBe(kind.accepted);
  });

  const longLived = ['a stable refresh token', 'a session cookie', 'a stored upstream token'];
  const rollout = [
    ...[[before], [before, added], [before], [before, added], [added]],
    ...[[added, promoted], [added], [added, promoted], [promoted]],
  ];

  it('T16.1 side by side: after a rotation with a rollback of each step, long-lived tokens and cookies still work', async () => {
    const kept: SealedValue[] = [];
    for (const rings of rollout) {
      const running = rings.map((keyRing) => shared.run(keyRing));
      for (const deployment of running) {
        for (const kind of longLived.map(kindOf))
          kept.push({ keyRing: deployment.keyRing, kind, present: await kind.seal(deployment) });
        for (const one of running) await one.broker.cleanup();
      }
      for (const deployment of running)
        for (const { kind, present } of kept) expect(await present(deployment)).toBe(kind.accepted);
    }
    // Removing the old key invalidates what it sealed. Rolling that back makes everything work again.
    const sealedByNew = kept.filter(
      ({ keyRing, kind }) => keyRing === promoted || kind.name === 'a stored upstream token',
    );
    for (const { kind, present } of sealedByNew)
      expect(await present(shared.run(retired))).toBe(kind.accepted);
    for (const { kind, present } of kept) expect(await present(shared.run(promoted))).toBe(kind.accepted);
  });
});
