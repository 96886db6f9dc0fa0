import { describe, expect, it } from 'vitest';
import { staticClient } from '../../src/index.ts';
import { appRequest, createTestBrowser, gptRequest, serverRequest } from '../browser.ts';
import { app, gpt, obtainCode, redeem, server, without } from '../clients.ts';
import { deploy, gptRedirect, issuer } from '../deployment.ts';
import { expectErrorPage, expectTokenError, invalidCodeError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

const unregistered = 'The address to return to is not registered for this app.';
const otherHost = gptRedirect.replace('chat.openai.com', 'chatgpt.com');

it.each([
  ['R5.1 token step: refuses ChatGPT’s other host', gpt, { redirect_uri: otherHost }],
  ['R5.1 token step: refuses another GPT', gpt, { redirect_uri: gptRedirect.replace('g-1234', 'g-4321') }],
  ['R5.1 token step: refuses an empty address where PKCE is not used', gpt, { redirect_uri: '' }],
  ['R5.1 token step: refuses a longer path', app, { redirect_uri: 'https://app.example/callback/' }],
  [
    'R5.1 token step: refuses the client’s other address',
    server,
    { redirect_uri: 'https://server.example/cb2?tenant=1' },
  ],
])('%s, and the code lives on', async (_, testClient, changes) => {
  const storage = createSpyStorage();
  const deployment = deploy({ storage });
  const code = await obtainCode(deployment, testClient);
  await expectTokenError(await redeem(deployment, testClient, code, changes), invalidCodeError);
  expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.redirect' });
  expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
  expect((await redeem(deployment, testClient, code)).status).toBe(200);
});

it('R6.1 omitted: wants the address spelt out where several may be meant', async () => {
  const query = without(serverRequest, 'redirect_uri');
  for (const client_id of ['server', 'gpt', 'native']) {
    for (const given of [{}, { redirect_uri: '' }]) {
      const deployment = deploy();
      const { response } = await createTestBrowser(deployment).openSignInPage({
        ...query,
        ...given,
        client_id,
      });
      await expectErrorPage(response, deployment, 'The parameter redirect_uri is missing.');
    }
  }
});

it('R6.1 omitted: means the only address where there is but one', async () => {
  const back = await createTestBrowser(deploy()).signIn(without(appRequest, 'redirect_uri'));
  expect(back.origin + back.pathname).toBe(appRequest.redirect_uri);
});

describe('R8', () => {
  // Everything else is wrong as well, and would be answered by a redirect if this one were right.
  const wrong = { ...appRequest, response_type: 'token', scope: 'admin', prompt: 'none', code_challenge: '' };

  it.each([
    ['R8.1 stays on a page: no client', without(wrong, 'client_id'), 'The parameter client_id is missing.'],
    [
      'R8.1 stays on a page: empty client',
      { ...wrong, client_id: '' },
      'The parameter client_id is missing.',
    ],
    [
      'R8.1 stays on a page: unknown client',
      { ...wrong, client_id: '__proto__' },
      'The app that sent you here is not registered with us.',
    ],
    [
      'R8.1 stays on a page: unregistered address',
      { ...wrong, redirect_uri: 'https://evil.example' },
      unregistered,
    ],
    ['R8.1 stays on a page: relative address', { ...wrong, redirect_uri: '/callback' }, unregistered],
    [
      'R8.1 stays on a page: no address where several are registered',
      { ...without(wrong, 'redirect_uri'), client_id: 'server' },
      'The parameter redirect_uri is missing.',
    ],
    [
      'R8.1 stays on a page: long state',
      { ...wrong, state: 's'.repeat(2049) },
      'The parameter state is too long.',
    ],
  ])('%s', async (_, query, message) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const { response } = await createTestBrowser(deployment).openSignInPage(query);
    await expectErrorPage(response, deployment, message);
    expect(storage.calls).toEqual([]);
  });

  it.each(['client_id', 'redirect_uri', 'state'])(
    'R8.1 stays on a page: %s given twice, also alike',
    async (name) => {
      for (const [first, second] of [
        ['https://evil.example', undefined],
        [undefined, 'https://evil.example'],
        [undefined, undefined],
      ]) {
        const deployment = deploy();
        const query = new URLSearchParams(wrong);
        query.set(name, first ?? query.get(name) ?? '');
        query.append(name, second ?? appRequest[name === 'client_id' ? 'client_id' : 'redirect_uri']);
        const response = await createTestBrowser(deployment).visit(`${issuer}/authorize?${query}`);
        await expectErrorPage(response, deployment, 'A parameter is given more than once.');
      }
    },
  );

  it('R8.1 stays on a page: a request for another host', async () => {
    const deployment = deploy();
    const url = `https://evil.example/authorize?${new URLSearchParams(appRequest)}`;
    const response = await deployment.fetch(new Request(url));
    await expectErrorPage(response, deployment, 'This server does not answer for that host.', 421);
  });
});

describe('R9', () => {
  const native = { ...appRequest, client_id: 'native', redirect_uri: 'http://127.0.0.1:49152/callback' };
  const refused = async (redirect_uri: string, deployment = deploy()) => {
    const { response } = await createTestBrowser(deployment).openSignInPage({ ...native, redirect_uri });
    await expectErrorPage(response, deployment, unregistered);
  };

  it('R9.1 port: lets a native app choose its port, on loopback only', async () => {
    for (const port of ['', ':1', ':80', ':8080', ':65535']) {
      const redirect_uri = `http://127.0.0.1${port}/callback`;
      const back = await createTestBrowser(deploy()).signIn({ ...native, redirect_uri });
      expect(back.href.startsWith(`http://127.0.0.1${port === ':80' ? '' : port}/callback?code=`)).toBe(true);
    }
    for (const port of [
      ':',
      ':0',
      ':080',
      ':65536',
      ':1e3',
      ':+80',
      ':80:80',
      ':-1',
      ': 80',
      ':80@evil.example',
    ])
      await refused(`http://127.0.0.1${port}/callback`);
    const { response } = await createTestBrowser(deploy()).openSignInPage({
      ...appRequest,
      redirect_uri: 'https://app.example:49152/callback',
    });
    expect(response.status).toBe(400);
  });

  it('R9.2 swap: takes one loopback name for another only where both were registered', async () => {
    for (const host of ['localhost', '[::1]', '127.0.0.2', '127.1', '2130706433', '0.0.0.0', '127.0.0.1.'])
      await refused(`http://${host}:49152/callback`);
    await refused('https://127.0.0.1:49152/callback');
    const redirectUris = ['http://127.0.0.1/callback', 'http://localhost/callback'];
    const both = staticClient({ id: 'native', name: 'Native', redirectUris, scopes: ['words'] });
    const back = await createTestBrowser(deploy({ clients: [both] })).signIn({
      ...native,
      redirect_uri: 'http://localhost:49152/callback',
    });
    expect(back.origin).toBe('http://localhost:49152');
    await refused('http://[::1]:49152/callback', deploy({ clients: [both] }));
  });
});

it('R10.1 state: refuses what would not come back unchanged', async () => {
  const controls = Array.from({ length: 33 }, (_, code) => String.fromCharCode(code === 32 ? 127 : code));
  for (const character of [...controls, '\u0085', '\u2028', 'é', '\ufeff', '😀']) {
    for (const state of [character, `a${character}b`, `a${character}`]) {
      const deployment = deploy();
      const { response } = await createTestBrowser(deployment).openSignInPage({ ...gptRequest, state });
      await expectErrorPage(
        response,
        deployment,
        'The parameter state contains characters that are not allowed.',
      );
    }
  }
  const state = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join('');
  const back = await createTestBrowser(deploy()).signIn({ ...gptRequest, state });
  expect(back.searchParams.get('state')).toBe(state);
});

describe('R11', () => {
  const headers = {
    forwarded: 'for=1.2.3.4;host=evil.example;proto=http',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': '8080',
    'x-forwarded-prefix': '/evil',
    'x-original-url': '/evil',
    'x-rewrite-url': '/evil',
    'x-host': 'evil.example',
  };

  it('R11.1 issuer: forwarded headers move no address that the broker names', async () => {
    const deployment = deploy();
    const url = `${issuer}/.well-known/oauth-authorization-server`;
    const plain = await deployment.fetch(new Request(url));
    const forwarded = await deployment.fetch(new Request(url, { headers }));
    expect(await forwarded.text()).toBe(await plain.text());

    const browser = createTestBrowser(deployment, headers);
    const back = await browser.signIn(gptRequest);
    expect(back.searchParams.get('iss')).toBe(issuer);
    const challenge = await deployment.broker.protect(new Request(`${issuer}/api`, { headers }));
    if (challenge.kind === 'granted') throw new Error('the API answered');
    expect(challenge.response.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}"`);
  });

  it('R11.2 cookies or checks: forwarded headers change no cookie, and open nothing', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment, headers);
    const { response, consent } = await browser.openSignInPage(gptRequest);
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-csrf-[\w-]{8}=[\w-]{22}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800$/,
      ),
    ]);
    const foreign = await deployment.fetch(
      new Request(`${issuer}/authorize/consent`, {
        method: 'POST',
        headers: { ...headers, origin: 'http://evil.example' },
        body: new URLSearchParams({ consent, choice: 'google' }),
      }),
    );
    expect([foreign.status, foreign.headers.getSetCookie()]).toEqual([400, []]);

    const claiming = { 'x-forwarded-host': 'words.example', 'x-forwarded-proto': 'https' };
    for (const origin of ['http://words.example', 'https://evil.example', 'https://words.example:8443']) {
      const answer = await deployment.fetch(
        new Request(`${origin}/authorize?${new URLSearchParams(gptRequest)}`, { headers: claiming }),
      );
      expect([answer.status, answer.headers.get('location')]).toEqual([421, null]);
    }
  });
});
