/** A second way to the provider for the sake of a refresh token: it may bring one, and takes nothing away. */

import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type BrokerStorage,
  type IdentityProvider,
  ProviderError,
  StorageUnavailable,
} from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createTestBrowser, expectTokens, gptRequest, readRedirect } from '../browser.ts';
import { gpt, redeem, refresh } from '../clients.ts';
import { type Deployment, deploy, gptRedirect, issuer } from '../deployment.ts';
import { expectCompletedPage, expectCookiesPage, expectErrorPage, gptDestination } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { buildCookieHeader, continueToProvider, listTransactionCookies } from '../flows.ts';

type Query = Readonly<Record<string, string>>;

/** A provider that gives a refresh token only when it asks again, as Google does, and what it was checked with. */
const createForgetfulProvider = (changes: Partial<IdentityProvider> = {}) => {
  const plain = createProvider('google', 'Google');
  const checked: string[] = [];
  const provider: IdentityProvider = {
    ...plain,
    async reconsentUrl(subject, upstreamRequest, io) {
      const url = await plain.authorizationUrl(upstreamRequest, io);
      url.searchParams.set('again', subject);
      return url;
    },
    validateRefreshToken: async (refreshToken) => {
      checked.push(refreshToken);
      return { kind: 'active' };
    },
    ...changes,
  };
  return { provider, checked };
};

const deployWith = (changes: Partial<BrokerOptions> = {}, provider: Partial<IdentityProvider> = {}) => {
  const forgetfulProvider = createForgetfulProvider(provider);
  return {
    checked: forgetfulProvider.checked,
    deployment: deploy({ providers: [forgetfulProvider.provider], ...changes }),
  };
};

/** Signs Ada in without a refresh token: where she is sent then, and how she comes back from there. */
const afterSignIn = async (deployment: Deployment, request: Query = gptRequest) => {
  const { browser, returnFromProvider } = await continueToProvider(deployment, request);
  const response = await returnFromProvider({ code: 'ada' });
  const sent = readRedirect(response);
  const backUrl = (answer: Query) => {
    const state = sent.searchParams.get('state') ?? '';
    return `${issuer}/callback/google?${new URLSearchParams({ state, ...answer })}`;
  };
  return { browser, response, sent, backUrl, comeAgain: (answer: Query) => browser.visit(backUrl(answer)) };
};

/** The client has its code, and it is good for tokens that can be refreshed. */
const expectSignedIn = async (deployment: Deployment, response: Response) => {
  const back = readRedirect(response);
  expect(back.origin + back.pathname).toBe(gptRedirect);
  expect([...back.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
  expect(back.searchParams.get('state')).toBe(gptRequest.state);
  const tokens = await expectTokens(await redeem(deployment, gpt, back.searchParams.get('code') ?? ''));
  await expectTokens(await refresh(deployment, gpt, tokens.refresh_token));
};

const eventsOf = ({ log }: Deployment, event: string) => log.filter((entry) => entry.event === event);

describe('somebody who brought no refresh token, and none is stored,', () => {
  it('goes to the provider once more, and then to the client', async () => {
    const { checked, deployment } = deployWith();
    const { browser, response, sent, comeAgain } = await afterSignIn(deployment);
    expect(response.status).toBe(303);
    expect([sent.origin, sent.searchParams.get('again')]).toEqual(['https://google.example', 'ada']);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
    await expectSignedIn(deployment, await comeAgain({ code: 'ada', refresh: 'their-2' }));
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    expect(checked).toEqual(['their-2']);
    expect(eventsOf(deployment, 'signed-in')).toHaveLength(1);
    expect(eventsOf(deployment, 'no-upstream-token')).toEqual([]);
  });

  it('creates new random values for it, and keeps the grant ID', async () => {
    const { deployment } = deployWith();
    const { sent: first, returnFromProvider } = await continueToProvider(deployment);
    const second = readRedirect(await returnFromProvider({ code: 'ada' }));
    for (const name of ['state', 'nonce'])
      expect(second.searchParams.get(name)).not.toBe(first.searchParams.get(name));
    expect(second.searchParams.get('redirect_uri')).toBe(first.searchParams.get('redirect_uri'));
    expect(second.href).not.toContain(gptRequest.state);
  });

  it('does not go again from then on', async () => {
    const { deployment } = deployWith();
    await (await afterSignIn(deployment)).comeAgain({ code: 'ada', refresh: 'their-2' });
    await expectSignedIn(deployment, (await afterSignIn(deployment)).response);
  });

  it.each<[string, Query, string]>([
    ['denies', { error: 'access_denied' }, 'ProviderError: access_denied'],
    ['meets an outage', { error: 'temporarily_unavailable' }, 'ProviderError: temporarily_unavailable'],
    ['brings an answer that does not verify', { error: 'x' }, 'ProviderError: x'],
    ['brings none again', { code: 'ada' }, 'ProviderError: the response has no refresh token'],
    [
      'comes back as somebody else',
      { code: 'eve', refresh: 'their-eve' },
      'ProviderError: another person signed in',
    ],
  ])('and then %s is signed in all the same, without an upstream token', async (_, answer, cause) => {
    const { checked, deployment } = deployWith();
    const { comeAgain } = await afterSignIn(deployment);
    await expectSignedIn(deployment, await comeAgain(answer));
    expect(checked).toEqual([]);
    expect(eventsOf(deployment, 'no-upstream-token')).toMatchObject([{ provider: 'google', cause }]);
  });

  it('is signed in when the provider fails in a way that nobody expected, and the log has the stack', async () => {
    const plain = createProvider('google', 'Google');
    const { deployment } = deployWith(
      {},
      {
        async handleCallback(answer, upstreamRequest, io) {
          if (answer.searchParams.get('code') === 'broken') throw new TypeError('not a function');
          return plain.handleCallback(answer, upstreamRequest, io);
        },
      },
    );
    const { comeAgain } = await afterSignIn(deployment);
    await expectSignedIn(deployment, await comeAgain({ code: 'broken' }));
    expect(eventsOf(deployment, 'no-upstream-token')).toMatchObject([
      { cause: 'TypeError: not a function', stack: expect.any(String) },
    ]);
  });

  it('is signed in at once where the provider cannot be reached for it', async () => {
    const away = new ProviderError('unavailable', 'google.example is out of reach');
    const { deployment } = deployWith({}, { reconsentUrl: () => Promise.reject(away) });
    await expectSignedIn(deployment, (await afterSignIn(deployment)).response);
    expect(eventsOf(deployment, 'no-upstream-token')).toMatchObject([{ cause: String(away) }]);
  });

  it('is signed in at once by a provider that has nothing more to give', async () => {
    const deployment = deploy();
    await expectSignedIn(deployment, (await afterSignIn(deployment)).response);
    expect(eventsOf(deployment, 'no-upstream-token')).toEqual([]);
  });

  it('is signed in at once when the second way does not fit into a cookie', async () => {
    const { deployment } = deployWith();
    const browser = 'x'.repeat(3000);
    const { returnFromProvider } = await continueToProvider(deployment);
    await expectSignedIn(deployment, await returnFromProvider({ code: browser }));
    expect(eventsOf(deployment, 'no-upstream-token')).toMatchObject([
      { cause: 'ProtocolError: request.sign-in-too-large' },
    ]);
  });

  it.each([1, 2, 4])('is signed in, and the token is stored after %i failures', async (failures) => {
    let left = failures;
    const memory = memoryStorage();
    const storeUpstreamToken: BrokerStorage['storeUpstreamToken'] = async (token) => {
      left -= 1;
      if (left >= 0) throw new StorageUnavailable('no route');
      return memory.storeUpstreamToken(token);
    };
    const { checked, deployment } = deployWith({ storage: { ...memory, storeUpstreamToken } });
    const { comeAgain } = await afterSignIn(deployment);
    const response = await comeAgain({ code: 'ada', refresh: 'their-2' });
    await deployment.flushBackgroundWork();
    expect(eventsOf(deployment, 'write-failed')).toEqual([]);
    await expectSignedIn(deployment, response);
    expect(checked).toEqual(['their-2']);
  });

  it('is signed in if the token can’t be stored, and the log says so', async () => {
    const storeUpstreamToken: BrokerStorage['storeUpstreamToken'] = () =>
      Promise.reject(new StorageUnavailable('no route'));
    const { deployment } = deployWith({ storage: { ...memoryStorage(), storeUpstreamToken } });
    const { comeAgain } = await afterSignIn(deployment);
    await expectSignedIn(deployment, await comeAgain({ code: 'ada', refresh: 'their-2' }));
    await deployment.flushBackgroundWork();
    expect(eventsOf(deployment, 'write-failed')).toMatchObject([
      { cause: 'storage was unavailable at every attempt' },
    ]);
  });
});

describe('nobody goes twice', () => {
  it('who brought a token', async () => {
    const { deployment } = deployWith();
    const { returnFromProvider } = await continueToProvider(deployment);
    await expectSignedIn(deployment, await returnFromProvider({ code: 'ada', refresh: 'their-1' }));
    await expectSignedIn(deployment, (await afterSignIn(deployment)).response);
  });

  it('who is refused', async () => {
    const resolveUser: BrokerOptions['resolveUser'] = async () => ({
      kind: 'refused',
      reason: 'not on the list',
    });
    const { deployment } = deployWith({ resolveUser });
    const { sent } = await afterSignIn(deployment);
    expect(sent.searchParams.get('error')).toBe('access_denied');
  });
});

const stale =
  'This sign-in has expired or was started in another browser. Go back to the app and start again.';

describe('the second way', () => {
  it('B2.1 is of no use in another browser', async () => {
    const { deployment } = deployWith();
    const { backUrl } = await afterSignIn(deployment);
    const other = createTestBrowser(deployment);
    const response = await other.visit(backUrl({ code: 'ada', refresh: 'their-2' }));
    await expectCookiesPage(response, deployment, 'callback');
  });

  it('B7.2 expires as the first does', async () => {
    const { deployment } = deployWith();
    const { comeAgain } = await afterSignIn(deployment);
    deployment.advance(600);
    await expectErrorPage(await comeAgain({ code: 'ada', refresh: 'their-2' }), deployment, stale);
  });

  it('B7.1 come back from twice, gives one code, whichever comes first', async () => {
    const { checked, deployment } = deployWith();
    const { browser, backUrl } = await afterSignIn(deployment);
    const cookie = buildCookieHeader(browser.cookies);
    const visit = (answer: Query) => deployment.fetch(new Request(backUrl(answer), { headers: { cookie } }));
    const responses = await Promise.all([
      visit({ code: 'ada', refresh: 'their-2' }),
      visit({ error: 'access_denied' }),
    ]);
    const [first] = responses.filter(({ status }) => status === 303);
    const [other] = responses.filter(({ status }) => status === 400);
    if (first === undefined || other === undefined) throw new Error('not one code');
    await expectCompletedPage(other, 'signed-in', gptDestination);
    await expectSignedIn(deployment, first);
    await expectCompletedPage(await visit({ code: 'ada', refresh: 'their-3' }), 'signed-in', gptDestination);
    expect(checked).not.toContain('their-3');
  });
});
