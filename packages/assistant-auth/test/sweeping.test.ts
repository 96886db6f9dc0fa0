import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  createBroker,
  type Ledger,
  LedgerUnavailable,
  type Sweep,
} from '../src/index.ts';
import { sweptOnWrite } from '../src/storage/cleanup.ts';
import { memoryLedger } from '../src/storage/memory.ts';
import { clients, deploy, issuer, keys } from './deployment.ts';
import { ledgerContract } from './ledger/ledger-contract.ts';
import { createPerson, gptRequest } from './person.ts';
import { gpt, redeem, refresh, tokensFor } from './players.ts';
import { createProvider } from './provider.ts';
import { watchLedger } from './watched-ledger.ts';

const hour = 3600;

/** A deployment that sweeps every hour, and when it swept. */
const deploySweeping = (changes: Partial<BrokerOptions> = {}, sweep?: Ledger['sweep']) => {
  const swept: number[] = [];
  const inner = memoryLedger();
  const ledger: Ledger = {
    ...inner,
    sweep: async (given) => {
      swept.push(given.now);
      await (sweep ?? inner.sweep)(given);
    },
  };
  const deployment = deploy({ ledger, sweepEvery: hour, ...changes });
  return { ...deployment, swept, start: deployment.now() };
};

const eventsOf = ({ log }: ReturnType<typeof deploy>, event: string) =>
  log.filter((entry) => entry.event === event);

describe('a broker that sweeps on write', () => {
  it('sweeps at the first write, and at most once an hour from then on', async () => {
    const deployment = deploySweeping();
    const { swept, start } = deployment;
    const { refresh_token: token } = await tokensFor(deployment, gpt);
    expect(swept).toEqual([start]);
    deployment.advance(hour - 1);
    await refresh(deployment, gpt, token);
    expect(swept).toEqual([start]);
    deployment.advance(1);
    await refresh(deployment, gpt, token);
    expect(swept).toEqual([start, start + hour]);
  });

  it('sweeps again when its clock was set back', async () => {
    const deployment = deploySweeping();
    const { refresh_token: token } = await tokensFor(deployment, gpt);
    deployment.advance(-hour);
    await refresh(deployment, gpt, token);
    expect(deployment.swept).toEqual([deployment.start, deployment.start - hour]);
  });

  it('sweeps for nobody who makes it write nothing', async () => {
    const deployment = deploySweeping();
    await createPerson(deployment).open(gptRequest);
    await redeem(deployment, gpt, 'no-code');
    await refresh(deployment, gpt, 'no-token');
    expect(deployment.swept).toEqual([]);
  });
});

describe('a sweep', () => {
  it('tells the ledger which key seals, and which keys open', async () => {
    const given: Sweep[] = [];
    const ledger: Ledger = { ...memoryLedger(), sweep: async (sweep) => void given.push(sweep) };
    const ring = `test-2.ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8 ${keys}`;
    const { broker, now } = deploy({ ledger, sealingKeys: ring });
    await broker.sweep();
    expect(given).toEqual([
      {
        now: now(),
        auditBefore: now() - 90 * 24 * hour,
        sealingKey: 'test-2',
        openingKeys: ['test-2', 'test-1'],
      },
    ]);
  });

  it('is waited for by no answer, but handed to what keeps it going', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const work: Promise<void>[] = [];
    const deployment = deploySweeping({ afterResponse: (one) => void work.push(one) }, () => promise);
    await tokensFor(deployment, gpt);
    // The callback, and the sweep.
    expect(work).toHaveLength(2);
    resolve();
    await expect(Promise.all(work)).resolves.toEqual([undefined, undefined]);
  });

  it.each<[string, Partial<BrokerOptions>, Ledger['sweep']]>([
    ['the ledger does not answer', {}, () => Promise.reject(new LedgerUnavailable('no route'))],
    [
      'nothing keeps it going',
      {
        afterResponse: () => {
          throw new Error('no route');
        },
      },
      async () => {},
    ],
  ])('fails in the log alone when %s, and is tried again an hour later', async (_, changes, sweep) => {
    const deployment = deploySweeping(changes, sweep);
    const { refresh_token: token } = await tokensFor(deployment, gpt);
    await refresh(deployment, gpt, token);
    expect(eventsOf(deployment, 'sweep-failed')).toEqual([
      { event: 'sweep-failed', cause: expect.stringMatching(/Error|LedgerUnavailable: no route/) },
    ]);
    deployment.advance(hour);
    expect((await refresh(deployment, gpt, token)).status).toBe(200);
    expect(eventsOf(deployment, 'sweep-failed')).toHaveLength(2);
  });
});

describe('sweepEvery', () => {
  const start = (changes: Partial<BrokerOptions>) =>
    createBroker({
      issuer,
      sealingKeys: keys,
      scopes: { words: 'read the word lists', score: 'see and raise your score' },
      clients,
      providers: [createProvider('google', 'Google')],
      ledger: memoryLedger(),
      log: () => {},
      ...changes,
    });

  it.each([59, 86_401, 60.5, Number.NaN, -3600])('of %s stops the start', (sweepEvery) => {
    expect(() => start({ sweepEvery })).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: 'sweepEvery must be a whole number of seconds from 60 to 86400.',
      }),
    );
  });

  it('is a minute at least and a day at most', () => {
    expect(() => [start({ sweepEvery: 60 }), start({ sweepEvery: 86_400 })]).not.toThrow();
  });

  it('left out means that nothing is swept unasked', async () => {
    const ledger = watchLedger();
    await tokensFor(deploy({ ledger }), gpt);
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn', 'redeemCode']);
  });
});

ledgerContract('a ledger that is swept on write, and has been a moment ago', async () =>
  sweptOnWrite(memoryLedger(), {
    every: hour,
    sweep: async () => {},
    afterResponse: () => {},
    now: () => 0,
    log: () => {},
  }),
);
