/** What a refresh makes of the provider's word on a person, whether it comes in time, late, garbled or not at all. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type IdentityProvider,
  type Ledger,
  LedgerUnavailable,
  memoryLedger,
  type ProviderWord,
} from '../../src/index.ts';
import { type Deployment, deploy, keys } from '../deployment.ts';
import { atProvider } from '../on-the-way.ts';
import { callApi, locationOf, type TokenBody, tokensOf } from '../person.ts';
import { gpt, type Player, redeem, refresh, server } from '../players.ts';
import { createProvider } from '../provider.ts';
import { badRefresh, expectDeadToken, expectTokenError } from '../refusals.ts';
import { watchLedger } from '../watched-ledger.ts';

const alive: ProviderWord = { kind: 'alive' };
const gone: ProviderWord = { kind: 'gone' };
const unknown: ProviderWord = { kind: 'unknown', reason: 'out of order' };

/** A provider whose words a test chooses, and what it was asked with. */
const createOracle = (id = 'google', checkEvery = 600) => {
  const asked: { readonly refreshToken: string; readonly patience: number }[] = [];
  let word: ProviderWord | Promise<ProviderWord> = alive;
  const provider: IdentityProvider = {
    ...createProvider(id, id),
    checkEvery,
    check: async (refreshToken, { patience }) => {
      asked.push({ refreshToken, patience });
      return word;
    },
  };
  return {
    provider,
    asked,
    says(next: ProviderWord | Promise<ProviderWord>) {
      word = next;
    },
  };
};

const deployWith = (changes: Partial<BrokerOptions> = {}, checkEvery?: number) => {
  const oracle = createOracle('google', checkEvery);
  return { oracle, deployment: deploy({ providers: [oracle.provider], ...changes }) };
};

/** Signs Ada in, with the refresh token that the provider gives or without one. */
const signIn = async (
  deployment: Deployment,
  player: Player,
  {
    subject = 'ada',
    theirs = 'their-1',
  }: { readonly subject?: string; readonly theirs?: string | null } = {},
): Promise<TokenBody> => {
  const { comeBack } = await atProvider(deployment, player.request);
  const back = locationOf(await comeBack({ code: subject, ...(theirs !== null && { refresh: theirs }) }));
  return tokensOf(await redeem(deployment, player, back.searchParams.get('code') ?? ''));
};

const eventsOf = ({ log }: Deployment, event: string) => log.filter((entry) => entry.event === event);

const players: readonly (readonly [string, Player, 400 | 401])[] = [
  ['ChatGPT', gpt, 401],
  ['a client whose tokens rotate', server, 400],
];

describe.each(players)('at a refresh of %s', (_, player, status) => {
  it('the provider is asked with the token that it gave, and not for long', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, player);
    expect(oracle.asked).toEqual([]);
    expect((await refresh(deployment, player, refresh_token)).status).toBe(200);
    expect(oracle.asked).toEqual([{ refreshToken: 'their-1', patience: 3000 }]);
  });

  it.each([
    ['every ten minutes', 600],
    ['Apple once a day', 86_400],
  ])('it is asked no more often than it wants: %s', async (_name, every) => {
    const { oracle, deployment } = deployWith({}, every);
    let { refresh_token: token } = await signIn(deployment, player);
    for (const [later, times] of [
      [0, 1],
      [every - 1, 1],
      [1, 2],
      [every, 3],
    ] as const) {
      deployment.advance(later);
      token = (await tokensOf(await refresh(deployment, player, token))).refresh_token;
      expect(oracle.asked).toHaveLength(times);
    }
  });

  it('one of 50 at once asks, and all are answered', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, player);
    const responses = await Promise.all(
      Array.from({ length: 50 }, () => refresh(deployment, player, refresh_token)),
    );
    expect(responses.map(({ status: answered }) => answered)).toEqual(Array(50).fill(200));
    expect(oracle.asked).toHaveLength(1);
  });

  it('B13.4 gone: a person who is gone loses the grant, and the next refresh is refused alike', async () => {
    const { oracle, deployment } = deployWith();
    const tokens = await signIn(deployment, player);
    oracle.says(gone);
    for (const reason of ['refresh.gone', 'refresh.ended']) {
      const refused = await refresh(deployment, player, tokens.refresh_token);
      await expectTokenError(refused, { ...badRefresh, status });
      expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
    }
    expect(oracle.asked).toHaveLength(1);
    await expectDeadToken(deployment, tokens.access_token);
  });

  it('a token that took the place of the old one is stored before the client is answered', async () => {
    const ledger = watchLedger();
    const { oracle, deployment } = deployWith({ ledger });
    const { refresh_token } = await signIn(deployment, player);
    oracle.says({ kind: 'alive', refreshToken: 'their-2' });
    const again = await tokensOf(await refresh(deployment, player, refresh_token));
    expect(ledger.calls.slice(-2)).toEqual(['refresh', 'recordCheck']);
    deployment.advance(600);
    await refresh(deployment, player, again.refresh_token);
    expect(oracle.asked.map(({ refreshToken }) => refreshToken)).toEqual(['their-1', 'their-2']);
  });

  it('a word that cannot be stored is no answer, and the client’s next try is one', async () => {
    let failing = true;
    const memory = memoryLedger();
    const recordCheck: Ledger['recordCheck'] = async (check) => {
      if (failing) throw new LedgerUnavailable('no route');
      return memory.recordCheck(check);
    };
    const { deployment } = deployWith({ ledger: { ...memory, recordCheck } });
    const { refresh_token } = await signIn(deployment, player);
    const refused = await refresh(deployment, player, refresh_token);
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: 'temporarily_unavailable' }]);
    failing = false;
    expect((await refresh(deployment, player, refresh_token)).status).toBe(200);
  });

  it('an ending that cannot be stored is no answer, and is asked for again a minute later', async () => {
    let failing = true;
    const memory = memoryLedger();
    const endIdentity: Ledger['endIdentity'] = async (...ending) => {
      if (failing) throw new LedgerUnavailable('no route');
      return memory.endIdentity(...ending);
    };
    const { oracle, deployment } = deployWith({ ledger: { ...memory, endIdentity } });
    const { refresh_token } = await signIn(deployment, player);
    oracle.says(gone);
    expect((await refresh(deployment, player, refresh_token)).status).toBe(503);
    failing = false;
    deployment.advance(60);
    await expectTokenError(await refresh(deployment, player, refresh_token), { ...badRefresh, status });
  });

  it('no clear word leaves the grant, and is noted and asked for again a minute later', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, player);
    oracle.says(unknown);
    let token = (await tokensOf(await refresh(deployment, player, refresh_token))).refresh_token;
    expect(eventsOf(deployment, 'check-failed')).toEqual([
      {
        event: 'check-failed',
        provider: 'google',
        cause: 'out of order',
        endpoint: 'token',
        requestId: expect.any(String),
      },
    ]);
    deployment.advance(59);
    token = (await tokensOf(await refresh(deployment, player, token))).refresh_token;
    expect(oracle.asked).toHaveLength(1);
    deployment.advance(1);
    oracle.says(gone);
    await expectTokenError(await refresh(deployment, player, token), { ...badRefresh, status });
  });
});

describe('a person who is gone', () => {
  it('loses every grant that rests on that sign-in, at once at refresh and within ten seconds at the API', async () => {
    const { oracle, deployment } = deployWith();
    const atChatGpt = await signIn(deployment, gpt);
    const atServer = await signIn(deployment, server);
    const bobs = await signIn(deployment, server, { subject: 'bob', theirs: 'their-bob' });
    for (const { access_token } of [atChatGpt, atServer, bobs])
      expect(await callApi(deployment, access_token)).toMatchObject({ kind: 'granted' });
    oracle.says(gone);
    await refresh(deployment, gpt, atChatGpt.refresh_token);
    await expectTokenError(await refresh(deployment, server, atServer.refresh_token), badRefresh);
    deployment.advance(10);
    for (const { access_token } of [atChatGpt, atServer]) await expectDeadToken(deployment, access_token);
    expect(await callApi(deployment, bobs.access_token)).toMatchObject({ kind: 'granted' });
    oracle.says(alive);
    expect((await refresh(deployment, server, bobs.refresh_token)).status).toBe(200);
  });

  it('stays when they signed in again while the provider was asked about the time before', async () => {
    const { oracle, deployment } = deployWith();
    const before = await signIn(deployment, gpt);
    const { promise, resolve } = Promise.withResolvers<ProviderWord>();
    oracle.says(promise);
    const asking = refresh(deployment, gpt, before.refresh_token);
    const after = await signIn(deployment, server, { theirs: 'their-2' });
    resolve(gone);
    expect((await asking).status).toBe(200);
    expect(await callApi(deployment, after.access_token)).toMatchObject({ kind: 'granted' });
    oracle.says(alive);
    deployment.advance(60);
    expect((await refresh(deployment, server, after.refresh_token)).status).toBe(200);
    expect(oracle.asked.map(({ refreshToken }) => refreshToken)).toEqual(['their-1', 'their-2']);
  });

  it('comes back with the next sign-in', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt);
    oracle.says(gone);
    await refresh(deployment, gpt, refresh_token);
    oracle.says(alive);
    const back = await signIn(deployment, gpt, { theirs: 'their-2' });
    deployment.advance(60);
    expect((await refresh(deployment, gpt, back.refresh_token)).status).toBe(200);
  });
});

describe('nobody is asked', () => {
  it('where the sign-in brought no token', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt, { theirs: null });
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(oracle.asked).toEqual([]);
    expect(eventsOf(deployment, 'check-failed')).toEqual([]);
  });

  it('for a refresh that is refused anyway', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt);
    expect((await refresh(deployment, gpt, refresh_token, { scope: 'admin' })).status).toBe(400);
    expect((await refresh(deployment, gpt, refresh_token, { client_secret: 'guess' })).status).toBe(401);
    expect(oracle.asked).toEqual([]);
  });

  it('when the provider was taken out of the configuration', async () => {
    const ledger = memoryLedger();
    const { refresh_token } = await signIn(deployWith({ ledger }).deployment, gpt);
    const after = deploy({ ledger, providers: [createProvider('other', 'Other')] });
    expect((await refresh(after, gpt, refresh_token)).status).toBe(200);
    expect(eventsOf(after, 'check-failed')).toMatchObject([
      { provider: 'google', cause: 'the provider is no longer configured' },
    ]);
  });

  it('with a token whose key was burned', async () => {
    const ledger = memoryLedger();
    const [newer] = ['test-2.ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8'];
    await signIn(deployWith({ ledger }).deployment, gpt);
    const rotated = deployWith({ ledger, sealingKeys: `${newer} ${keys}` }).deployment;
    const { refresh_token } = await signIn(rotated, gpt, { theirs: null });
    const { oracle, deployment } = deployWith({ ledger, sealingKeys: newer });
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(oracle.asked).toEqual([]);
    expect(eventsOf(deployment, 'check-failed')).toMatchObject([
      { provider: 'google', cause: 'the stored token: unknown-key' },
    ]);
  });
});

it('nothing that the provider gives leaves by an answer or a log line', async () => {
  const { oracle, deployment } = deployWith();
  const subject = 'ada.lovelace';
  const { refresh_token } = await signIn(deployment, gpt, { subject });
  oracle.says({ kind: 'alive', refreshToken: 'their-2' });
  const answered = await (await refresh(deployment, gpt, refresh_token)).text();
  deployment.advance(600);
  oracle.says(gone);
  const refused = await (await refresh(deployment, gpt, refresh_token)).text();
  for (const text of [answered, refused, JSON.stringify(deployment.log)]) {
    expect(text).not.toContain('their-');
    expect(text).not.toContain(subject);
  }
});
