import { describe, expect, it } from 'vitest';
import { type BrokerStorage, corsHeaders, StorageUnavailable } from '../../../src/index.ts';
import { memoryStorage } from '../../../src/storage/memory.ts';
import { callApi, expectTokens, gptRequest, readRedirect } from '../../browser.ts';
import {
  app,
  gpt,
  obtainCode,
  obtainTokens,
  redeem,
  refresh,
  server,
  type TestClient,
} from '../../clients.ts';
import { type Deployment, deploy, gptRedirect, issuer } from '../../deployment.ts';
import { expectErrorRedirect } from '../../expect-error.ts';
import { continueToProvider } from '../../flows.ts';

/** When storage fails: before it did anything, or after it did everything and could not say so. */
type Failure = 'before' | 'after';

/** A deployment whose storage can be put out of reach. */
const fragile = () => {
  let failure: Failure | undefined;
  const storage: BrokerStorage = memoryStorage();
  const fail = () => Promise.reject(new StorageUnavailable('no route to storage'));
  const fragileAs =
    <Given extends readonly unknown[], Result>(method: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      if (failure === 'before') return fail();
      const result = await method(...given);
      return failure === 'after' ? fail() : result;
    };
  const deployment = deploy({
    storage: {
      recordSignIn: fragileAs(storage.recordSignIn),
      readGrantStatus: fragileAs(storage.readGrantStatus),
      claimCode: fragileAs(storage.claimCode),
      redeemCode: fragileAs(storage.redeemCode),
      refresh: fragileAs(storage.refresh),
      isRefreshable: fragileAs(storage.isRefreshable),
      storeUpstreamToken: fragileAs(storage.storeUpstreamToken),
      recordRecheck: fragileAs(storage.recordRecheck),
      revokeGrantsOfIdentity: fragileAs(storage.revokeGrantsOfIdentity),
      resolveRecheck: fragileAs(storage.resolveRecheck),
      dropUpstreamToken: fragileAs(storage.dropUpstreamToken),
      revoke: fragileAs(storage.revoke),
      readRevocations: fragileAs(storage.readRevocations),
      isRevoked: fragileAs(storage.isRevoked),
      cleanUp: fragileAs(storage.cleanUp),
      findUpstreamTokens: fragileAs(storage.findUpstreamTokens),
      replaceUpstreamTokens: fragileAs(storage.replaceUpstreamTokens),
      useSession: fragileAs(storage.useSession),
      acquireRecheckLease: fragileAs(storage.acquireRecheckLease),
      readAccount: fragileAs(storage.readAccount),
      readHistory: fragileAs(storage.readHistory),
      findUser: fragileAs(storage.findUser),
      linkIdentity: fragileAs(storage.linkIdentity),
      unlinkIdentity: fragileAs(storage.unlinkIdentity),
      revokeGrants: fragileAs(storage.revokeGrants),
      deleteUser: fragileAs(storage.deleteUser),
      recordSecurityEvent: fragileAs(storage.recordSecurityEvent),
    },
  });
  /** Does something while storage is out of reach. */
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
    reason: 'storage.unavailable',
    cause: 'StorageUnavailable: no route to storage',
  });

describe('W14', () => {
  it('W14.1 clear 503: a sign-in during an outage stays on a page, and a reload finishes it', async () => {
    const { deployment, during } = fragile();
    const { returnFromProvider } = await continueToProvider(deployment);
    const response = await during('before', () => returnFromProvider({ code: 'ada' }));
    expect([response.status, response.headers.get('retry-after'), response.headers.getSetCookie()]).toEqual([
      503,
      '10',
      [],
    ]);
    expect(await response.text()).toContain('Wait a moment, then reload this page.');
    expect(deployment.log.at(-1)).toMatchObject({
      event: 'refused',
      reason: 'transaction.status-unknown',
      cause: 'StorageUnavailable: no route to storage',
      endpoint: 'callback',
    });
    const back = readRedirect(await returnFromProvider({ code: 'ada' }));
    expect(back.searchParams.get('code')).not.toBeNull();
  });

  it('W14.1 clear 503: a sign-in that cannot be stored goes back to the client, which may try again', async () => {
    const recordSignIn = () => Promise.reject(new StorageUnavailable('no route to storage'));
    const deployment = deploy({ storage: { ...memoryStorage(), recordSignIn } });
    const { returnFromProvider } = await continueToProvider(deployment);
    const response = await returnFromProvider({ code: 'ada' });
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
    const { sent } = await during('before', () => continueToProvider(deployment));
    expect(sent.host).toBe('google.example');
  });

  const testClients: readonly (readonly [string, TestClient])[] = [
    ['ChatGPT', gpt],
    ['a public client', app],
    ['a confidential client', server],
  ];

  it.each(testClients)(
    'W14.2 nothing lost: the code of %s is good after an outage',
    async (_, testClient) => {
      const { deployment, during } = fragile();
      const code = await obtainCode(deployment, testClient);
      await expectTokenOutage(await during('before', () => redeem(deployment, testClient, code)));
      expectLogged(deployment, 'token');
      expect((await expectTokens(await redeem(deployment, testClient, code))).token_type).toBe('bearer');
    },
  );

  it.each(testClients)(
    'W14.2 nothing lost: the refresh token of %s is good after an outage',
    async (_, testClient) => {
      const { deployment, during } = fragile();
      const { refresh_token } = await obtainTokens(deployment, testClient);
      for (const how of ['before', 'after'] as const) {
        await expectTokenOutage(await during(how, () => refresh(deployment, testClient, refresh_token)));
        expectLogged(deployment, 'token');
      }
      const next = await expectTokens(await refresh(deployment, testClient, refresh_token));
      expect((await callApi(deployment, next.access_token)).kind).toBe('granted');
      expect((await refresh(deployment, testClient, next.refresh_token)).status).toBe(200);
    },
  );

  it('W14.2 nothing lost: an outage at the very end of a redemption revokes nothing', async () => {
    const { deployment, during } = fragile();
    const others = await obtainTokens(deployment, gpt);
    const code = await obtainCode(deployment, gpt);
    await expectTokenOutage(await during('after', () => redeem(deployment, gpt, code)));
    expect(await (await redeem(deployment, gpt, code)).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(deployment, gpt, others.refresh_token)).status).toBe(200);
    expect((await obtainTokens(deployment, gpt)).token_type).toBe('bearer');
  });

  it('W14.1 clear 503: the guard says so when it knows nothing, and asks nobody to sign in again', async () => {
    const { deployment, during } = fragile();
    const { access_token } = await obtainTokens(deployment, gpt);
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
    const { access_token } = await obtainTokens(deployment, gpt);
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
      storage: { ...memoryStorage(), redeemCode: broken, readRevocations: broken },
    });
    const code = await obtainCode(deployment, gpt);
    const response = await redeem(deployment, gpt, code);
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'server_error', error_description: 'Something went wrong on our side.' },
    ]);
    expect(deployment.log.at(-1)).toMatchObject({
      reason: 'unexpected',
      cause: 'Error: no such table: grants',
    });
    const { access_token } = await obtainTokens(deploy(), gpt);
    const protection = await callApi(deployment, access_token);
    expect(protection).toMatchObject({ kind: 'refused', response: { status: 500 } });
    if (protection.kind === 'refused') expect(await protection.response.text()).not.toContain('grants');
  });
});

it('W11.1 abandoned sign-ins: a thousand people who never come back leave nothing', async () => {
  const untouchable: BrokerStorage = new Proxy(memoryStorage(), {
    get: (_, name) => () => Promise.reject(new Error(`storage was asked to ${String(name)}`)),
  });
  const deployment = deploy({ storage: untouchable });
  const { browser } = await continueToProvider(deployment);
  for (let time = 0; time < 1000; time++) {
    const { consent } = await browser.openSignInPage({ ...gptRequest, state: `state-${time}` });
    if (time % 3 > 0) await browser.submitConsent(consent, { choice: 'google' });
    if (time % 3 > 1) await browser.visit(`${issuer}/callback/google?error=access_denied&state=${time}`);
  }
  expect(browser.cookies.size).toBe(6);
  expect(deployment.log.filter(({ reason }) => reason === 'unexpected')).toEqual([]);
});
