/** Tokens that were good once, and a guard that does not know: expired, revoked, storage or configuration out of order. */

import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type BrokerStorage,
  ConfigurationError,
  gptAction,
  type RevocationTarget,
  StorageUnavailable,
} from '../../../src/index.ts';
import { memoryStorage } from '../../../src/storage/memory.ts';
import { maxRevocationAge, maxRevocationAgeInOutage } from '../../../src/storage/revocation-cache.ts';
import { callApi } from '../../browser.ts';
import { app, gpt, obtainTokens, server, type TestClient } from '../../clients.ts';
import { clients, type Deployment, deploy, gptSecret, issuer, keys } from '../../deployment.ts';
import { expectInvalidToken } from '../../expect-error.ts';

const testClients: readonly (readonly [string, TestClient])[] = [
  ['ChatGPT', gpt],
  ['a public client', app],
  ['a confidential client', server],
];

const accessOf = async (deployment: Deployment, token: string) => {
  const protection = await callApi(deployment, token);
  if (protection.kind === 'refused') throw new Error(`the API refused: ${protection.response.status}`);
  return protection.access;
};

describe('T7', () => {
  it.each(testClients)(
    'T7.1 expired: the API takes a token of %s for 30 min, not a second longer',
    async (_, testClient) => {
      const deployment = deploy();
      const { access_token, expires_in } = await obtainTokens(deployment, testClient);
      expect(expires_in).toBe(1800);
      deployment.advance(1799);
      await accessOf(deployment, access_token);
      deployment.advance(1);
      await expectInvalidToken(deployment, access_token);
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'protect', reason: 'token.expired' });
      deployment.advance(365 * 86_400);
      await expectInvalidToken(deployment, access_token);
    },
  );

  it('T7.1 expired: a publisher’s own lifetime is kept as exactly', async () => {
    const deployment = deploy({ lifetimes: { access: 600 } });
    const { access_token } = await obtainTokens(deployment, gpt);
    deployment.advance(599);
    await accessOf(deployment, access_token);
    deployment.advance(1);
    await expectInvalidToken(deployment, access_token);
  });
});

const targets = ['grant', 'user', 'client'] as const;

describe('T9', () => {
  it('T9.1 dead within ten seconds: that is the horizon', () => {
    expect(maxRevocationAge).toBe(10);
  });

  it.each(targets)(
    'T9.1 dead within ten seconds: a revoked %s, on every isolate, however busy',
    async (kind) => {
      const home = deploy();
      const isolates = [home, ...[1, 2, 3].map(() => deploy({ storage: home.storage, now: home.now }))];
      const { access_token } = await obtainTokens(home, gpt);
      const { grantId, userId, clientId } = await accessOf(home, access_token);
      const target: RevocationTarget = { kind, id: { grant: grantId, user: userId, client: clientId }[kind] };
      // Every isolate has just looked, which is the longest that it may go without looking again.
      for (const isolate of isolates) await accessOf(isolate, access_token);
      await home.storage.revoke(target, 'a test', home.now());
      for (let second = 1; second < maxRevocationAge; second++) {
        home.advance(1);
        for (const isolate of isolates) await callApi(isolate, access_token);
      }
      home.advance(1);
      for (const isolate of isolates) {
        await expectInvalidToken(isolate, access_token);
        expect(isolate.log.at(-1)).toMatchObject({ endpoint: 'protect', reason: 'token.revoked' });
      }
    },
  );

  it('T9.1 dead within ten seconds: and for good, until it has expired anyway', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const { grantId } = await accessOf(deployment, access_token);
    await deployment.storage.revoke({ kind: 'grant', id: grantId }, 'a test', deployment.now());
    for (let age = 10; age < 2400; age += 10) {
      deployment.advance(10);
      await deployment.broker.cleanup();
      await expectInvalidToken(deployment, access_token);
    }
  });

  it('T9.1 dead within ten seconds: others’ tokens live on', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const { access_token: other } = await obtainTokens(deployment, app);
    const { grantId } = await accessOf(deployment, access_token);
    await deployment.storage.revoke({ kind: 'grant', id: grantId }, 'a test', deployment.now());
    deployment.advance(maxRevocationAge);
    await expectInvalidToken(deployment, access_token);
    await accessOf(deployment, other);
  });
});

const unreachable = () => Promise.reject(new StorageUnavailable('no route'));
const broken = () => Promise.reject(new TypeError('no such table'));

/** A token of a deployment in order, at an isolate that has just started over other storage. */
const atFreshIsolate = async (changes: Partial<BrokerStorage>) => {
  const home = deploy();
  const { access_token } = await obtainTokens(home, gpt);
  const isolate = deploy({ storage: { ...memoryStorage(), ...changes }, now: home.now });
  const protection = await callApi(isolate, access_token);
  return { protection, log: isolate.log };
};

describe('T12', () => {
  it.each([
    ['T12.1 storage: an isolate that knows of no revocation says 503', { readRevocations: unreachable }, 503],
    [
      'T12.1 storage: with more revocations than memory holds, no answer about one token is 503',
      { readRevocations: async () => ({ kind: 'too-many' }), isRevoked: unreachable },
      503,
    ],
    ['T12.1 storage: storage that fails otherwise is 500', { readRevocations: broken }, 500],
    [
      'T12.1 storage: also when asked about one token',
      { readRevocations: async () => ({ kind: 'too-many' }), isRevoked: broken },
      500,
    ],
  ] satisfies readonly (readonly [string, Partial<BrokerStorage>, number])[])(
    '%s',
    async (_, changes, status) => {
      const { protection, log } = await atFreshIsolate(changes);
      expect(protection).toMatchObject({ kind: 'refused', response: { status } });
      expect(log.at(-1)).toMatchObject({
        endpoint: 'protect',
        reason: status === 503 ? 'storage.unavailable' : 'unexpected',
      });
    },
  );

  it('T12.1 storage: what was known is good for a minute of outage, and then for nothing', async () => {
    const storage = memoryStorage();
    const revocationScope = { now: true };
    const readRevocations: BrokerStorage['readRevocations'] = (...asked) =>
      revocationScope.now ? storage.readRevocations(...asked) : unreachable();
    const deployment = deploy({ storage: { ...storage, readRevocations } });
    const { access_token } = await obtainTokens(deployment, gpt);
    await accessOf(deployment, access_token);
    revocationScope.now = false;
    deployment.advance(maxRevocationAgeInOutage);
    await accessOf(deployment, access_token);
    deployment.advance(1);
    expect(await callApi(deployment, access_token)).toMatchObject({ response: { status: 503 } });
    expect(maxRevocationAgeInOutage).toBe(60);
  });

  const gptWith = (secret: string) => [
    gptAction({ id: 'gpt', name: 'GPT', secrets: [secret], scopes: ['words'] }),
  ];
  const wrong: readonly (readonly [string, () => Partial<BrokerOptions>])[] = [
    ['sealingKeys', () => ({ sealingKeys: '' })],
    ['sealingKeys', () => ({ sealingKeys: keys.slice(0, -4) })],
    ['sealingKeys', () => ({ sealingKeys: `zero.${'A'.repeat(43)}` })],
    ['issuer', () => ({ issuer: 'http://words.example' })],
    ['issuer', () => ({ issuer: '' })],
    ['clients.gpt.secrets', () => ({ clients: gptWith('') })],
    ['clients.gpt.secrets', () => ({ clients: gptWith(gptSecret.slice(0, 31)) })],
    ['clients', () => ({ clients: [clients[0], clients[0]] })],
    ['providers', () => ({ providers: [] })],
    ['resources', () => ({ resources: ['words.example/api'] })],
    ['lifetimes.access', () => ({ lifetimes: { access: 10 * 86_400 } })],
    ['lifetimes.access', () => ({ lifetimes: { access: Number.NaN } })],
  ];

  it.each(wrong)('T12.2 configuration: a wrong %s stops the start, and is named', (option, changes) => {
    const start = () => deploy(changes());
    expect(start).toThrow(ConfigurationError);
    expect(start).toThrow(expect.objectContaining({ option }));
  });

  it('T12.2 configuration: a guard for an API that nobody configured lets nobody in', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const request = new Request(issuer, { headers: { authorization: `Bearer ${access_token}` } });
    const asked = deployment.broker.protect(request, { resource: `${issuer}/typo` });
    expect(await asked).toMatchObject({ kind: 'refused', response: { status: 500 } });
  });
});
