/** Cleanups that the broker starts itself after requests that write. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type BrokerStorage,
  type Cleanup,
  createBroker,
  StorageUnavailable,
} from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createTestBrowser, gptRequest } from '../browser.ts';
import { gpt, obtainTokens, redeem, refresh } from '../clients.ts';
import { clients, deploy, issuer, keys } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

const hour = 3600;

/** A deployment that cleans up every hour, and the times of its cleanups. */
const deployWithCleanup = (changes: Partial<BrokerOptions> = {}, cleanup?: BrokerStorage['cleanUp']) => {
  const cleanupTimes: number[] = [];
  const memory = memoryStorage();
  const storage: BrokerStorage = {
    ...memory,
    cleanUp: async (request) => {
      cleanupTimes.push(request.now);
      await (cleanup ?? memory.cleanUp)(request);
    },
  };
  const deployment = deploy({ storage, cleanupInterval: hour, ...changes });
  return { ...deployment, cleanupTimes, start: deployment.now() };
};

const eventsOf = ({ log }: ReturnType<typeof deploy>, event: string) =>
  log.filter((entry) => entry.event === event);

describe('a broker with cleanupInterval', () => {
  it('starts a cleanup at the first sign-in, and then at most once an hour', async () => {
    const deployment = deployWithCleanup();
    const { cleanupTimes, start } = deployment;
    const { refresh_token: token } = await obtainTokens(deployment, gpt);
    expect(cleanupTimes).toEqual([start]);
    deployment.advance(hour - 1);
    await refresh(deployment, gpt, token);
    expect(cleanupTimes).toEqual([start]);
    deployment.advance(1);
    await refresh(deployment, gpt, token);
    expect(cleanupTimes).toEqual([start, start + hour]);
  });

  it('starts a cleanup if the clock was set back', async () => {
    const deployment = deployWithCleanup();
    const { refresh_token: token } = await obtainTokens(deployment, gpt);
    deployment.advance(-hour);
    await refresh(deployment, gpt, token);
    expect(deployment.cleanupTimes).toEqual([deployment.start, deployment.start - hour]);
  });

  it('starts no cleanup for requests that store nothing', async () => {
    const deployment = deployWithCleanup();
    await createTestBrowser(deployment).openSignInPage(gptRequest);
    await redeem(deployment, gpt, 'no-code');
    await refresh(deployment, gpt, 'no-token');
    expect(deployment.cleanupTimes).toEqual([]);
  });
});

describe('a cleanup', () => {
  it('passes the IDs of the sealing key and of all keys to storage', async () => {
    const requests: Cleanup[] = [];
    const storage: BrokerStorage = {
      ...memoryStorage(),
      cleanUp: async (request) => void requests.push(request),
    };
    const ring = `test-2.kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ ${keys}`;
    const { broker, now } = deploy({ storage, sealingKeys: ring });
    await broker.cleanup();
    expect(requests).toEqual([
      {
        now: now(),
        deleteAuditBefore: now() - 90 * 24 * hour,
        sealingKey: 'test-2',
        ringKeys: ['test-2', 'test-1'],
      },
    ]);
  });

  it('does not delay the response, and is passed to waitUntil', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const backgroundWork: Promise<void>[] = [];
    const deployment = deployWithCleanup(
      { waitUntil: (task) => void backgroundWork.push(task) },
      () => promise,
    );
    await obtainTokens(deployment, gpt);
    // The callback, and the cleanup.
    expect(backgroundWork).toHaveLength(2);
    resolve();
    await expect(Promise.all(backgroundWork)).resolves.toEqual([undefined, undefined]);
  });

  it.each<[string, Partial<BrokerOptions>, BrokerStorage['cleanUp']]>([
    ['storage is unavailable', {}, () => Promise.reject(new StorageUnavailable('no route'))],
    [
      'waitUntil throws',
      {
        waitUntil: () => {
          throw new Error('no route');
        },
      },
      async () => {},
    ],
  ])('only logs the failure if %s, and tries again an hour later', async (_, changes, cleanup) => {
    const deployment = deployWithCleanup(changes, cleanup);
    const { refresh_token: token } = await obtainTokens(deployment, gpt);
    await refresh(deployment, gpt, token);
    expect(eventsOf(deployment, 'cleanup-failed')).toEqual([
      { event: 'cleanup-failed', cause: expect.stringMatching(/Error|StorageUnavailable: no route/) },
    ]);
    deployment.advance(hour);
    expect((await refresh(deployment, gpt, token)).status).toBe(200);
    expect(eventsOf(deployment, 'cleanup-failed')).toHaveLength(2);
  });
});

describe('cleanupInterval', () => {
  const start = (changes: Partial<BrokerOptions>) =>
    createBroker({
      issuer,
      sealingKeys: keys,
      scopes: { words: 'read the word lists', score: 'see and increase your score' },
      clients,
      providers: [createProvider('google', 'Google')],
      storage: memoryStorage(),
      log: () => {},
      ...changes,
    });

  it.each([59, 86_401, 60.5, Number.NaN, -3600])('rejects %s at startup', (cleanupInterval) => {
    expect(() => start({ cleanupInterval })).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: 'cleanupInterval must be a whole number of seconds from 60 to 86400.',
      }),
    );
  });

  it('accepts a minute and a day', () => {
    expect(() => [start({ cleanupInterval: 60 }), start({ cleanupInterval: 86_400 })]).not.toThrow();
  });

  it('starts no cleanup by default', async () => {
    const storage = createSpyStorage();
    await obtainTokens(deploy({ storage }), gpt);
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'redeemCode']);
  });
});
