/** The storage contract for reading revocations with a cursor that misses none. */

import type { BrokerStorage } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  accessTokenLifetime,
  buildCleanup,
  type CreateStorage,
  type DeclareTest,
  signInAndRedeem,
  t0,
} from './sample.ts';

/** Creates and revokes a grant: this appends one revocation that expires half an hour after `at + 1`. */
const appendRevocation = async (storage: BrokerStorage, grantId: string, at: number): Promise<void> => {
  await signInAndRedeem(storage, { grantId, now: at });
  await storage.revoke({ kind: 'grant', id: grantId }, 'signed out', at + 1);
};

const buildRevocation = (id: string, at: number) => ({
  kind: 'grant',
  id,
  revokedAt: at + 1,
  expiresAt: at + 1 + accessTokenLifetime,
});

export const revocationPageContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('returns nothing if nothing was revoked', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    expect(await storage.readRevocations(undefined, t0, 10)).toEqual({
      kind: 'page',
      revocations: [],
      cursor: 0,
    });
  });

  it('returns all unexpired revocations in order, then only those that were appended since', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-b', t0);
    await appendRevocation(storage, 'grant-a', t0 + 1);
    expect(await storage.readRevocations(undefined, t0 + 5, 10)).toEqual({
      kind: 'page',
      revocations: [buildRevocation('grant-b', t0), buildRevocation('grant-a', t0 + 1)],
      cursor: 2,
    });
    await appendRevocation(storage, 'grant-c', t0 + 6);
    expect(await storage.readRevocations(2, t0 + 9, 10)).toEqual({
      kind: 'page',
      revocations: [buildRevocation('grant-c', t0 + 6)],
      cursor: 3,
    });
    expect(await storage.readRevocations(3, t0 + 9, 10)).toEqual({
      kind: 'page',
      revocations: [],
      cursor: 3,
    });
  });

  it('returns a revocation in its last second, and not when it has expired', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-1', t0);
    const expiresAt = t0 + 1 + accessTokenLifetime;
    expect(await storage.readRevocations(undefined, expiresAt - 1, 10)).toMatchObject({
      revocations: [buildRevocation('grant-1', t0)],
      cursor: 1,
    });
    expect(await storage.readRevocations(undefined, expiresAt, 10)).toEqual({
      kind: 'page',
      revocations: [],
      cursor: 1,
    });
  });

  it('misses nothing if the newest revocations were cleaned up', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-1', t0);
    await appendRevocation(storage, 'grant-2', t0);
    const later = t0 + 2 * accessTokenLifetime;
    await storage.cleanUp(buildCleanup(later));
    expect(await storage.readRevocations(2, later, 10)).toEqual({
      kind: 'page',
      revocations: [],
      cursor: 0,
    });
    await appendRevocation(storage, 'grant-3', later);
    expect(await storage.readRevocations(2, later + 1, 10)).toEqual({
      kind: 'page',
      revocations: [buildRevocation('grant-3', later)],
      cursor: 3,
    });
  });

  it('misses nothing with a cursor that was read after a cleanup', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-1', t0);
    const later = t0 + 2 * accessTokenLifetime;
    await storage.cleanUp(buildCleanup(later));
    const page = await storage.readRevocations(undefined, later, 10);
    await appendRevocation(storage, 'grant-2', later);
    const cursor = page.kind === 'page' ? page.cursor : undefined;
    expect(await storage.readRevocations(cursor, later + 1, 10)).toMatchObject({
      revocations: [buildRevocation('grant-2', later)],
      cursor: 2,
    });
  });

  it('returns all unexpired revocations if the cursor is ahead of the newest one, as after a restored backup', async () => {
    const storage = await createStorage();
    expect(await storage.readRevocations(41, t0, 10)).toEqual({ kind: 'page', revocations: [], cursor: 0 });
    await appendRevocation(storage, 'grant-1', t0);
    expect(await storage.readRevocations(41, t0 + 1, 10)).toEqual({
      kind: 'page',
      revocations: [buildRevocation('grant-1', t0)],
      cursor: 1,
    });
  });

  it('returns too-many beyond the limit, which counts only unexpired revocations after the cursor', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-dead', t0 - 2 * accessTokenLifetime);
    for (const id of ['grant-1', 'grant-2', 'grant-3']) await appendRevocation(storage, id, t0);
    expect(await storage.readRevocations(undefined, t0 + 1, 2)).toEqual({ kind: 'too-many' });
    expect(await storage.readRevocations(undefined, t0 + 1, 3)).toMatchObject({ kind: 'page', cursor: 4 });
    expect(await storage.readRevocations(2, t0 + 1, 2)).toMatchObject({
      kind: 'page',
      revocations: [{ id: 'grant-2' }, { id: 'grant-3' }],
      cursor: 4,
    });
  });
};
