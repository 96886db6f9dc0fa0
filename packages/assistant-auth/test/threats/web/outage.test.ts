import { describe, expect, it } from 'vitest';
import { corsHeaders, type Ledger, LedgerUnavailable } from '../../../src/index.ts';
import { memoryLedger } from '../../../src/storage/memory.ts';
import { type Deployment, deploy, gptRedirect, issuer } from '../../deployment.ts';
import { atProvider } from '../../on-the-way.ts';
import { callApi, gptRequest, locationOf, tokensOf } from '../../person.ts';
import { app, codeFor, gpt, type Player, redeem, refresh, server, tokensFor } from '../../players.ts';
import { expectErrorRedirect } from '../../refusals.ts';

/** When a ledger fails: before it did anything, or after it did everything and could not say so. */
type Failure = 'before' | 'after';

/** A deployment whose ledger can be put out of reach. */
const fragile = () => {
  let failure: Failure | undefined;
  const ledger: Ledger = memoryLedger();
  const fail = () => Promise.reject(new LedgerUnavailable('no route to storage'));
  const fragileAs =
    <Given extends readonly unknown[], Result>(method: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      if (failure === 'before') return fail();
      const result = await method(...given);
      return failure === 'after' ? fail() : result;
    };
  const deployment = deploy({
    ledger: {
      recordSignIn: fragileAs(ledger.recordSignIn),
      grantStatus: fragileAs(ledger.grantStatus),
      claimCode: fragileAs(ledger.claimCode),
      redeemCode: fragileAs(ledger.redeemCode),
      refresh: fragileAs(ledger.refresh),
      isRefreshable: fragileAs(ledger.isRefreshable),
      storeToken: fragileAs(ledger.storeToken),
      recordCheck: fragileAs(ledger.recordCheck),
      endIdentity: fragileAs(ledger.endIdentity),
      resolveRecheck: fragileAs(ledger.resolveRecheck),
      dropUpstreamToken: fragileAs(ledger.dropUpstreamToken),
      revoke: fragileAs(ledger.revoke),
      revocationsSince: fragileAs(ledger.revocationsSince),
      isRevoked: fragileAs(ledger.isRevoked),
      sweep: fragileAs(ledger.sweep),
      findTokens: fragileAs(ledger.findTokens),
      replaceTokens: fragileAs(ledger.replaceTokens),
      useSession: fragileAs(ledger.useSession),
      takeCheck: fragileAs(ledger.takeCheck),
      readAccount: fragileAs(ledger.readAccount),
      readHistory: fragileAs(ledger.readHistory),
      findUser: fragileAs(ledger.findUser),
      linkIdentity: fragileAs(ledger.linkIdentity),
      unlinkIdentity: fragileAs(ledger.unlinkIdentity),
      endApps: fragileAs(ledger.endApps),
      deleteUser: fragileAs(ledger.deleteUser),
      recordSignal: fragileAs(ledger.recordSignal),
    },
  });
  /** Does something while the ledger is out of reach. */
  const during = async <Result>(how: Failure, work: () => Promise<Result>): Promise<Result> => {
    failure = how;
    try {
      return await work();
    } finally {
      failure = undefined;
    }
  };
  return { deployment, during };
};

const sentence = 'The service is out of order for a moment. Try again soon.';

/** The token endpoint's 503, whole. */
const expectTokenOutage = async (response: Response) => {
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ error: 'temporarily_unavailable', error_description: sentence });
  expect(Object.fromEntries(response.headers)).toEqual({
    'cache-control': 'no-store',
    'content-type': 'application/json',
    pragma: 'no-cache',
    'retry-after': '10',
    'x-content-type-options': 'nosniff',
    ...corsHeaders,
  });
};

const expectLogged = ({ log }: Deployment, endpoint: string) =>
  expect(log.at(-1)).toMatchObject({
    endpoint,
    reason: 'ledger.unavailable',
    cause: 'LedgerUnavailable: no route to storage',
  });

describe('W14', () => {
  it('W14.1 clear 503: a sign-in during an outage stays on a page, and a reload finishes it', async () => {
    const { deployment, during } = fragile();
    const { comeBack } = await atProvider(deployment);
    const response = await during('before', () => comeBack({ code: 'ada' }));
    expect([response.status, response.headers.get('retry-after'), response.headers.getSetCookie()]).toEqual([
      503,
      '10',
      [],
    ]);
    expect(await response.text()).toContain('Wait a moment, then reload this page.');
    expect(deployment.log.at(-1)).toMatchObject({
      event: 'refused',
      reason: 'transaction.status',
      cause: 'LedgerUnavailable: no route to storage',
      endpoint: 'callback',
    });
    const back = locationOf(await comeBack({ code: 'ada' }));
    expect(back.searchParams.get('code')).not.toBeNull();
  });

  it('W14.1 clear 503: a sign-in that cannot be stored goes back to the client, which may try again', async () => {
    const recordSignIn = () => Promise.reject(new LedgerUnavailable('no route to storage'));
    const deployment = deploy({ ledger: { ...memoryLedger(), recordSignIn } });
    const { comeBack } = await atProvider(deployment);
    const response = await comeBack({ code: 'ada' });
    response.headers.delete('set-cookie');
    expectErrorRedirect(response, {
      to: gptRedirect,
      state: gptRequest.state,
      error: 'temporarily_unavailable',
      description: sentence,
    });
    expectLogged(deployment, 'callback');
  });

  it('W14.1 clear 503: the sign-in page needs no storage and stands', async () => {
    const { deployment, during } = fragile();
    const { sent } = await during('before', () => atProvider(deployment));
    expect(sent.host).toBe('google.example');
  });

  const players: readonly (readonly [string, Player])[] = [
    ['ChatGPT', gpt],
    ['a public client', app],
    ['a confidential client', server],
  ];

  it.each(players)('W14.2 nothing lost: the code of %s is good after an outage', async (_, player) => {
    const { deployment, during } = fragile();
    const code = await codeFor(deployment, player);
    await expectTokenOutage(await during('before', () => redeem(deployment, player, code)));
    expectLogged(deployment, 'token');
    expect((await tokensOf(await redeem(deployment, player, code))).token_type).toBe('bearer');
  });

  it.each(players)(
    'W14.2 nothing lost: the refresh token of %s is good after an outage',
    async (_, player) => {
      const { deployment, during } = fragile();
      const { refresh_token } = await tokensFor(deployment, player);
      for (const how of ['before', 'after'] as const) {
        await expectTokenOutage(await during(how, () => refresh(deployment, player, refresh_token)));
        expectLogged(deployment, 'token');
      }
      const next = await tokensOf(await refresh(deployment, player, refresh_token));
      expect((await callApi(deployment, next.access_token)).kind).toBe('granted');
      expect((await refresh(deployment, player, next.refresh_token)).status).toBe(200);
    },
  );

  it('W14.2 nothing lost: an outage at the very end of a redemption revokes nothing', async () => {
    const { deployment, during } = fragile();
    const others = await tokensFor(deployment, gpt);
    const code = await codeFor(deployment, gpt);
    await expectTokenOutage(await during('after', () => redeem(deployment, gpt, code)));
    expect(await (await redeem(deployment, gpt, code)).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(deployment, gpt, others.refresh_token)).status).toBe(200);
    expect((await tokensFor(deployment, gpt)).token_type).toBe('bearer');
  });

  it('W14.1 clear 503: the guard says so when it knows nothing, and asks nobody to sign in again', async () => {
    const { deployment, during } = fragile();
    const { access_token } = await tokensFor(deployment, gpt);
    const protection = await during('before', () => callApi(deployment, access_token));
    if (protection.kind === 'granted') throw new Error('the API answered');
    const { response } = protection;
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: sentence,
    });
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'retry-after': '10',
      'x-content-type-options': 'nosniff',
      ...corsHeaders,
    });
    expectLogged(deployment, 'protect');
    expect((await callApi(deployment, access_token)).kind).toBe('granted');
  });

  it('W14.2 nothing lost: the guard goes on from what it last knew, for a minute', async () => {
    const { deployment, during } = fragile();
    const { access_token } = await tokensFor(deployment, gpt);
    const during60 = (seconds: number) => {
      deployment.advance(seconds);
      return during('before', () => callApi(deployment, access_token));
    };
    expect((await callApi(deployment, access_token)).kind).toBe('granted');
    expect((await during60(11)).kind).toBe('granted');
    expect((await during60(49)).kind).toBe('granted');
    expect(await during60(1)).toMatchObject({ kind: 'refused', response: { status: 503 } });
    expect((await callApi(deployment, access_token)).kind).toBe('granted');
  });

  it('W14.1 clear 503: what fails in another way is a 500 that says nothing of itself', async () => {
    const broken = async () => Promise.reject(new Error('no such table: grants'));
    const deployment = deploy({
      ledger: { ...memoryLedger(), redeemCode: broken, revocationsSince: broken },
    });
    const code = await codeFor(deployment, gpt);
    const response = await redeem(deployment, gpt, code);
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'server_error', error_description: 'Something went wrong on our side.' },
    ]);
    expect(deployment.log.at(-1)).toMatchObject({
      reason: 'unexpected',
      cause: 'Error: no such table: grants',
    });
    const { access_token } = await tokensFor(deploy(), gpt);
    const protection = await callApi(deployment, access_token);
    expect(protection).toMatchObject({ kind: 'refused', response: { status: 500 } });
    if (protection.kind === 'refused') expect(await protection.response.text()).not.toContain('grants');
  });
});

it('W11.1 abandoned sign-ins: a thousand people who never come back leave nothing', async () => {
  const untouchable: Ledger = new Proxy(memoryLedger(), {
    get: (_, name) => () => Promise.reject(new Error(`the ledger was asked to ${String(name)}`)),
  });
  const deployment = deploy({ ledger: untouchable });
  const { person } = await atProvider(deployment);
  for (let time = 0; time < 1000; time++) {
    const { consent } = await person.open({ ...gptRequest, state: `state-${time}` });
    if (time % 3 > 0) await person.choose(consent, { choice: 'google' });
    if (time % 3 > 1) await person.visit(`${issuer}/callback/google?error=access_denied&state=${time}`);
  }
  expect(person.cookies.size).toBe(6);
  expect(deployment.log.filter(({ reason }) => reason === 'unexpected')).toEqual([]);
});
