/** Log lines: their counts, and the causes of errors. */
import { describe, expect, it } from 'vitest';
import { createBroker, type LogEntry, StorageUnavailable } from '../../src/index.ts';
import { describeCause, formatStack } from '../../src/oauth/errors.ts';
import { addLogCounts } from '../../src/oauth/log.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { clients, issuer, keys, listPaths } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';

describe('counts', () => {
  it('counts by event and reason, starting at one', () => {
    const lines: LogEntry[] = [];
    const log = addLogCounts((entry) => void lines.push(entry));
    log({ event: 'signed-in', provider: 'google' });
    log({ event: 'refused', reason: 'code.expired' });
    log({ event: 'refused', reason: 'code.client' });
    log({ event: 'refused', reason: 'code.expired', clientId: 'gpt' });
    log({ event: 'signed-in', provider: 'github' });
    expect(lines).toEqual([
      { event: 'signed-in', provider: 'google', count: 1 },
      { event: 'refused', reason: 'code.expired', count: 1 },
      { event: 'refused', reason: 'code.client', count: 1 },
      { event: 'refused', reason: 'code.expired', clientId: 'gpt', count: 2 },
      { event: 'signed-in', provider: 'github', count: 2 },
    ]);
  });

  it('counts the lines of one broker, and gives each request its ID', async () => {
    const lines: LogEntry[] = [];
    const options = {
      issuer,
      sealingKeys: keys,
      scopes: { words: 'read the word lists', score: 'see and increase your score' },
      clients,
      providers: [createProvider('google', 'Google')],
      storage: memoryStorage(),
      log: (entry: LogEntry) => void lines.push(entry),
    };
    const broker = createBroker(options);
    const paths = listPaths(options);
    for (const path of paths) await broker.handle(new Request(`https://elsewhere.example${path}`));
    await broker.protect(new Request(issuer, { headers: { authorization: 'Bearer x' } }));
    expect(lines).toHaveLength(paths.length + 2);
    expect(lines.filter(({ event }) => event === 'refused')).toEqual(
      lines.slice(1).map((line) => ({ ...line, requestId: expect.stringMatching(/^[\w-]{22}$/) })),
    );
    const hostRefusals = lines.filter(({ reason }) => reason === 'request.host');
    expect(hostRefusals.map(({ count }) => count)).toEqual(hostRefusals.map((_, index) => index + 1));
    expect(new Set(lines.map(({ requestId }) => requestId)).size).toBe(lines.length);
  });
});

describe('the cause of an error', () => {
  it('is described with its whole chain of causes', () => {
    const fetchError = new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
    const cause = new StorageUnavailable('D1 did not respond', { cause: fetchError });
    expect(describeCause(cause)).toBe(
      'StorageUnavailable: D1 did not respond, caused by TypeError: fetch failed, caused by Error: ECONNREFUSED',
    );
  });

  it('that is a string is described by itself, and has no stack', () => {
    expect(describeCause('forged')).toBe('forged');
    expect(formatStack('forged')).toBeUndefined();
  });

  it('that cannot be converted to a string is described by its type', () => {
    expect(describeCause(Object.create(null))).toBe('object');
    expect(describeCause(new Error('failed', { cause: Object.create(null) }))).toBe(
      'Error: failed, caused by object',
    );
  });

  it('that refers to itself is truncated', () => {
    const cyclicError = new Error('again');
    cyclicError.cause = cyclicError;
    expect(describeCause(cyclicError).split('caused by')).toHaveLength(6);
  });

  it('has a stack without its message', () => {
    const stack = formatStack(new Error('alpha-line\nomega-line'));
    expect(stack).toMatch(/^at .*log\.test\.ts/);
    expect(stack).not.toMatch(/alpha-line|omega-line|\n/);
  });
});
