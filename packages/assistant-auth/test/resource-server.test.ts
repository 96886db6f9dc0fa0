import { describe, expect, it, vi } from 'vitest';
import { deriveResourceKeys, type LogEntry, StorageUnavailable } from '../src/index.ts';
import { createResourceServer, type ResourceServerOptions } from '../src/resource-server.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { expectTokens } from './browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem } from './clients.ts';
import { type Deployment, deploy, issuer, keys } from './deployment.ts';

const resource = 'https://api.example/v1';
const other = 'https://other.example';

/** A broker that issues tokens for an API elsewhere, and the guard of that API, on one clock. */
const stand = async (storage = memoryStorage(), changes: Partial<ResourceServerOptions> = {}) => {
  const deployment = deploy({ storage, resources: [resource, other] });
  const log: LogEntry[] = [];
  const server = createResourceServer({
    issuer,
    resource,
    keys: await deriveResourceKeys({ sealingKeys: keys, issuer, resource }),
    log: (entry) => void log.push(entry),
    now: deployment.now,
    ...changes,
  });
  const call = (token: string | undefined, requirement = {}, url = `${resource}/score`) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return server.protect(new Request(url, { headers }), requirement);
  };
  return { deployment, log, call };
};

const tokenFor = async (deployment: Deployment): Promise<string> =>
  (await obtainTokens(deployment, gpt)).access_token;

const refused = (status: number) => ({ kind: 'refused', response: expect.objectContaining({ status }) });

describe('an API in another process', () => {
  it('knows who calls, from the token alone', async () => {
    const { deployment, call } = await stand();
    const token = await tokenFor(deployment);
    const here = await call(token, { scopes: ['score'] });
    const there = await deployment.broker.protect(
      new Request(`${issuer}/`, { headers: { authorization: `Bearer ${token}` } }),
    );
    expect(here).toMatchObject({ kind: 'granted', access: { clientId: 'gpt', scopes: ['words', 'score'] } });
    expect(here).toEqual(there);
  });

  it('challenges a call without a token, naming the broker', async () => {
    const { call, log } = await stand();
    const answer = await call(undefined, { scopes: ['score'] });
    if (answer.kind === 'granted') throw new Error('let in');
    expect(answer.response.status).toBe(401);
    expect(answer.response.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}", scope="score"`);
    expect(log).toEqual([]);
  });

  it('is guarded whether or not its log can be written', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { call } = await stand(memoryStorage(), {
      log: () => {
        throw new Error('the disk is full');
      },
    });
    const answer = await call('x');
    const logged = lines.mock.calls.map(([line]) => JSON.parse(line));
    lines.mockRestore();
    expect(answer).toEqual(refused(401));
    expect(logged).toEqual([{ event: 'log-failed', cause: 'Error: the disk is full', count: 1 }]);
  });

  it('refuses a token for another resource, whatever it is asked to guard', async () => {
    const { deployment, call } = await stand();
    const code = await obtainCode(deployment, app, { resource: other });
    const { access_token: token } = await expectTokens(await redeem(deployment, app, code));
    expect(await call(token)).toEqual(refused(401));
  });

  it('refuses a token without the scope, an altered one and one that has expired', async () => {
    const { deployment, call, log } = await stand();
    const token = await tokenFor(deployment);
    expect(await call(token, { scopes: ['admin'] })).toEqual(refused(403));
    expect(await call(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toEqual(refused(401));
    deployment.advance(1800);
    expect(await call(token)).toEqual(refused(401));
    expect(log.map(({ reason }) => reason)).toEqual(['token.scope', 'token.unreadable', 'token.expired']);
  });

  it('opens nothing else of the broker', async () => {
    const { deployment, call } = await stand();
    const { refresh_token: refresh } = await obtainTokens(deployment, gpt);
    expect(await call(refresh)).toEqual(refused(401));
    expect(await call(await obtainCode(deployment, gpt))).toEqual(refused(401));
  });

  it('answers at its own origin only', async () => {
    const { deployment, call } = await stand();
    const token = await tokenFor(deployment);
    expect(await call(token, {}, 'https://api.example.evil/v1')).toEqual(refused(421));
    expect(await call(token, {}, `${issuer}/v1`)).toEqual(refused(421));
  });

  it('lets a revoked token go on until it expires, when it has nowhere to ask', async () => {
    const storage = memoryStorage();
    const { deployment, call } = await stand(storage);
    const token = await tokenFor(deployment);
    await storage.revoke({ kind: 'client', id: 'gpt' }, 'test', deployment.now());
    deployment.advance(1799);
    expect(await call(token)).toMatchObject({ kind: 'granted' });
    deployment.advance(1);
    expect(await call(token)).toEqual(refused(401));
  });

  it('knows of a revocation within ten seconds, when it may ask', async () => {
    const shared = memoryStorage();
    const { deployment, call } = await stand(shared, { revocations: shared });
    const token = await tokenFor(deployment);
    expect(await call(token)).toMatchObject({ kind: 'granted' });
    await shared.revoke({ kind: 'client', id: 'gpt' }, 'test', deployment.now());
    deployment.advance(10);
    expect(await call(token)).toEqual(refused(401));
  });

  it('answers nobody while what it asks is out of reach, and it knows nothing', async () => {
    const { deployment, call } = await stand(memoryStorage(), {
      revocations: {
        readRevocations: () => Promise.reject(new StorageUnavailable('no route')),
        isRevoked: () => Promise.reject(new StorageUnavailable('no route')),
      },
    });
    expect(await call(await tokenFor(deployment))).toEqual(refused(503));
  });

  it('takes tokens of every key of the ring that its own were derived from', async () => {
    const ring = `${'new-1.Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA'} ${keys}`;
    const { deployment, call } = await stand(memoryStorage(), {
      keys: await deriveResourceKeys({ sealingKeys: ring, issuer, resource }),
    });
    expect(await call(await tokenFor(deployment))).toMatchObject({ kind: 'granted' });
  });
});

describe('a wrong option', () => {
  it.each([
    ['issuer', { issuer: 'words.example' }],
    ['resource', { resource: 'api.example' }],
    ['resource', { resource: 'http://api.example' }],
    ['resource', { resource: `${resource}#a` }],
    ['keys', { keys: '' }],
    ['keys', { keys }],
  ])('stops the start of an API and is named: %s', async (option, changes) => {
    await expect(stand(memoryStorage(), changes)).rejects.toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option }),
    );
  });

  it.each([
    ['sealingKeys', { sealingKeys: '' }],
    ['issuer', { issuer: '' }],
    ['resource', { resource: '/api' }],
  ])('stops the derivation of its keys and is named: %s', async (option, changes) => {
    await expect(deriveResourceKeys({ sealingKeys: keys, issuer, resource, ...changes })).rejects.toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option }),
    );
  });
});
