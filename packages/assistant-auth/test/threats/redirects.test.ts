/** Attacks on redirect URIs: at /authorize and at the token endpoint. */
import { describe, expect, it } from 'vitest';
import { gptAction, staticClient } from '../../src/index.ts';
import { appRequest, createTestBrowser, gptRequest, serverRequest } from '../browser.ts';
import { app, gpt, obtainCode, redeem, server, without } from '../clients.ts';
import { clients, deploy, gptRedirect, gptSecret, issuer, metadataParameter } from '../deployment.ts';
import { expectErrorPage, expectTokenError, invalidCodeError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

describe('redirect URIs that are not registered', () => {
  /** Sends an authorization request, and expects an error page that refuses the redirect URI. */
  const expectRefused = async (query: Readonly<Record<string, string>>, deployment = deploy()) => {
    const { client_id: clientId } = query;
    const { response } = await createTestBrowser(deployment).openSignInPage(query);
    await expectErrorPage(response, deployment, 'The redirect URI is not registered for this app.');
    expect(deployment.log.at(-1)).toMatchObject({
      ...{ endpoint: 'authorize', reason: 'redirect.unregistered', clientId },
    });
  };

  it('R1.1 unregistered: refuses a redirect URI that the client did not register, even if another client did', async () => {
    for (const { id } of clients) {
      await expectRefused({ ...gptRequest, client_id: id, redirect_uri: 'https://evil.example/callback' });
    }
    await expectRefused({ ...appRequest, redirect_uri: serverRequest.redirect_uri });
    await expectRefused({ ...appRequest, redirect_uri: gptRedirect });
    await expectRefused({ ...gptRequest, redirect_uri: appRequest.redirect_uri });
  });

  const registered = 'https://app.example/callback';

  it.each([
    [
      'R2.1 prefix: refuses a URI that only starts like a registered one',
      [`${registered}/`, `${registered}2`, `${registered}?a=b`, `${registered}?`, `${registered}#`],
    ],
    [
      'R2.2 suffix: refuses a URI that only ends like a registered one',
      [`https://evil.example/${registered}`, 'https://evil-app.example/callback', ` ${registered}`],
    ],
    [
      'R2.3 substring: refuses a part of a registered URI, and a URI that contains one',
      ['https://app.example/', 'https://app.example/callbac', `https://evil.example/?to=${registered}&a=b`],
    ],
    [
      'R2.4 userinfo: refuses a URI with userinfo',
      [
        'https://app.example@evil.example/callback',
        'https://app.example:443@evil.example/callback',
        'https://user:word@app.example/callback',
        'https://app.example%40evil.example/callback',
      ],
    ],
    [
      'R2.5 port: refuses another port, and the explicit default port',
      [
        'https://app.example:8443/callback',
        'https://app.example:443/callback',
        'https://app.example:/callback',
      ],
    ],
    [
      'R2.6 case: refuses another case in scheme, host and path',
      ['HTTPS://app.example/callback', 'https://APP.example/callback', 'https://app.example/Callback'],
    ],
    [
      'R2.7 trailing dot: refuses a dot after host or path',
      ['https://app.example./callback', `${registered}.`],
    ],
    [
      'R2.8 ..: refuses dot segments, even if they resolve to the registered path',
      ['https://app.example/x/../callback', `${registered}/..`, 'https://app.example/../callback'],
    ],
    [
      'R2.9 ..;/: refuses dot segments that only some servers resolve',
      ['https://app.example/..;/callback', 'https://app.example/x/..;/callback'],
    ],
    [
      'R2.10 %2e: refuses an encoded dot',
      [
        'https://app.example/x/%2e%2e/callback',
        'https://app%2eexample/callback',
        'https://app%2Eexample/callback',
      ],
    ],
    [
      'R2.11 %2f: refuses an encoded slash',
      [
        'https://app.example%2fcallback',
        'https://app.example/%2fcallback',
        'https:%2f%2fapp.example/callback',
      ],
    ],
    [
      'R2.12 backslash: refuses a backslash, which browsers read as a slash',
      [
        'https:\\\\app.example/callback',
        'https://app.example\\callback',
        'https://evil.example\\@app.example/callback',
      ],
    ],
    [
      'R2.13 double encoding: refuses a URI that would match if it were decoded once more',
      [
        'https://app.example/%63allback',
        'https://app.example/%2563allback',
        'https://app.example/x/%252e%252e/callback',
      ],
    ],
    [
      'R2.14 IDN: refuses letters that look like the registered ones or fold to them',
      [
        'https://\u0430pp.example/callback',
        'https://xn--pp-7kc.example/callback',
        'https://\uff41pp.example/callback',
        'https://app\u3002example/callback',
      ],
    ],
  ])('%s', async (_, addresses) => {
    for (const redirect_uri of addresses) await expectRefused({ ...appRequest, redirect_uri });
  });

  it('R3.1 public suffix: refuses another site under the same public suffix', async () => {
    const redirectUris = ['https://you.workers.dev/callback'];
    const client = staticClient({ id: 'app', name: 'Yours', redirectUris, scopes: ['words'] });
    const deployment = deploy({ clients: [client] });
    for (const host of [
      'evil.workers.dev',
      'workers.dev',
      'evil.you.workers.dev',
      'you.workers.dev.evil.dev',
    ]) {
      await expectRefused({ ...appRequest, redirect_uri: `https://${host}/callback` }, deployment);
    }
  });

  const scriptUrls = ['javascript:alert(1)', 'data:text/html,hi', 'vbscript:x', 'blob:https://app.example/1'];
  it.each([
    ['R4.1 case: refuses a script URL in any case', ['JaVaScRiPt:alert(1)', 'DATA:text/html,hi']],
    [
      'R4.2 tabs: refuses a script URL with tabs in it',
      ['java\tscript:alert(1)', '\tjavascript:alert(1)', 'da\tta:text/html,hi'],
    ],
    [
      'R4.3 control characters: refuses a script URL with control characters in it',
      [
        '\u0001javascript:alert(1)',
        'java\r\nscript:alert(1)',
        'javascript\u0000:alert(1)',
        ' data:text/html,hi',
      ],
    ],
  ])('%s', async (_, addresses) => {
    for (const redirect_uri of [...scriptUrls, ...addresses]) {
      await expectRefused({ ...appRequest, redirect_uri });
      const register = () =>
        staticClient({ id: 'bad', name: 'Bad', redirectUris: [redirect_uri], scopes: ['words'] });
      expect(register).toThrow(/^clients\.bad\.redirectUris must /);
    }
  });

  const id = 'g-1234567890abcdef1234567890abcdef';
  const pinned = gptAction({ id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes: ['words'], gptIds: [id] });

  it.each([
    [
      'R7.1 /aip/../: refuses a path that leaves /aip/',
      [
        'https://chatgpt.com/aip/../oauth/callback',
        `https://chatgpt.com/aip/g-0000/../${id}/oauth/callback`,
        `https://chatgpt.com/aip/..%2f${id}/oauth/callback`,
        `https://chatgpt.com/x/../aip/${id}/oauth/callback`,
      ],
    ],
    [
      'R7.2 extra path: refuses more or fewer segments',
      [
        `https://chatgpt.com/aip/${id}/oauth/callback/`,
        `https://chatgpt.com/aip/${id}/x/oauth/callback`,
        `https://chatgpt.com//aip/${id}/oauth/callback`,
        'https://chatgpt.com/aip/oauth/callback',
        'https://chatgpt.com/aip//oauth/callback',
      ],
    ],
    [
      'R7.3 query or fragment: refuses both, even if empty or encoded',
      ['?x=1', '?', '#x', '#', '%3Fx=1', '\n'].map(
        (suffix) => `https://chatgpt.com/aip/${id}/oauth/callback${suffix}`,
      ),
    ],
    [
      'R7.4 chatgpt.com.evil: refuses other hosts, ports and schemes',
      [
        'https://chatgpt.com.evil',
        'https://evil.chatgpt.com',
        'https://chatgptxcom',
        'https://chat.openai.com.evil',
        'https://chatgpt.com@evil.example',
        'https://chatgpt.com:443',
        'http://chatgpt.com',
        'http://localhost:8787',
      ].map((origin) => `${origin}/aip/${id}/oauth/callback`),
    ],
    [
      'R7.5 another GPT: refuses every ID except the pinned ones',
      ['g-0000567890abcdef1234567890abcdef', `${id}-slug`, id.slice(0, -1), id.toUpperCase()].map(
        (otherId) => `https://chatgpt.com/aip/${otherId}/oauth/callback`,
      ),
    ],
  ])('%s', async (_, addresses) => {
    for (const redirect_uri of addresses) {
      await expectRefused({ ...gptRequest, redirect_uri }, deploy({ clients: [pinned] }));
    }
    const address = `https://chatgpt.com/aip/${id}/oauth/callback`;
    const browser = createTestBrowser(deploy({ clients: [pinned] }));
    const redirect = await browser.signIn({ ...gptRequest, redirect_uri: address });
    expect(redirect.origin + redirect.pathname).toBe(address);
    expect(redirect.searchParams.has('code')).toBe(true);
  });

  it('R7.5 another GPT: refuses an ID that no GPT can have, even if none is pinned', async () => {
    for (const otherId of [
      'g-',
      'g-123',
      'x-12345678',
      `g-${'a'.repeat(129)}`,
      'g-1234%2f',
      'g-1234.x',
      'g-1234é',
    ]) {
      await expectRefused({
        ...gptRequest,
        redirect_uri: `https://chatgpt.com/aip/${otherId}/oauth/callback`,
      });
    }
  });
});

describe('redirects and errors of authorization requests', () => {
  const unregistered = 'The redirect URI is not registered for this app.';
  const otherHost = gptRedirect.replace('chat.openai.com', 'chatgpt.com');

  it.each([
    ['R5.1 token step: refuses ChatGPT’s other host', gpt, { redirect_uri: otherHost }],
    ['R5.1 token step: refuses another GPT', gpt, { redirect_uri: gptRedirect.replace('g-1234', 'g-4321') }],
    ['R5.1 token step: refuses an empty redirect_uri without PKCE', gpt, { redirect_uri: '' }],
    ['R5.1 token step: refuses a longer path', app, { redirect_uri: 'https://app.example/callback/' }],
    [
      'R5.1 token step: refuses the client’s other redirect URI',
      server,
      { redirect_uri: 'https://server.example/cb2?tenant=1' },
    ],
  ])('%s, and the code stays valid', async (_, testClient, changes) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const code = await obtainCode(deployment, testClient);
    await expectTokenError(await redeem(deployment, testClient, code, changes), invalidCodeError);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.redirect' });
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
    expect((await redeem(deployment, testClient, code)).status).toBe(200);
  });

  it('R6.1 omitted: requires redirect_uri if several are registered', async () => {
    const query = without(serverRequest, 'redirect_uri');
    for (const client_id of ['server', 'gpt', 'native']) {
      for (const parameters of [{}, { redirect_uri: '' }]) {
        const deployment = deploy();
        const { response } = await createTestBrowser(deployment).openSignInPage({
          ...query,
          ...parameters,
          client_id,
        });
        await expectErrorPage(response, deployment, 'The parameter redirect_uri is missing.');
      }
    }
  });

  it('R6.1 omitted: uses the only registered redirect URI', async () => {
    const redirect = await createTestBrowser(deploy()).signIn(without(appRequest, 'redirect_uri'));
    expect(redirect.origin + redirect.pathname).toBe(appRequest.redirect_uri);
  });

  // Every other parameter is wrong as well, and would cause a redirect if the tested one were right.
  const invalidRequest = {
    ...appRequest,
    response_type: 'token',
    scope: 'admin',
    prompt: 'none',
    code_challenge: '',
  };

  it.each([
    [
      'R8.1 stays on a page: no client',
      without(invalidRequest, 'client_id'),
      'The parameter client_id is missing.',
    ],
    [
      'R8.1 stays on a page: empty client',
      { ...invalidRequest, client_id: '' },
      'The parameter client_id is missing.',
    ],
    [
      'R8.1 stays on a page: unknown client',
      { ...invalidRequest, client_id: '__proto__' },
      'The app that sent you here is not registered with us.',
    ],
    [
      'R8.1 stays on a page: unregistered redirect URI',
      { ...invalidRequest, redirect_uri: 'https://evil.example' },
      unregistered,
    ],
    [
      'R8.1 stays on a page: relative redirect URI',
      { ...invalidRequest, redirect_uri: '/callback' },
      unregistered,
    ],
    [
      'R8.1 stays on a page: no redirect_uri although several are registered',
      { ...without(invalidRequest, 'redirect_uri'), client_id: 'server' },
      'The parameter redirect_uri is missing.',
    ],
    [
      'R8.1 stays on a page: long state',
      { ...invalidRequest, state: 's'.repeat(2049) },
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
    'R8.1 stays on a page: %s given twice, even with the same value',
    async (name) => {
      for (const [first, second] of [
        ['https://evil.example', undefined],
        [undefined, 'https://evil.example'],
        [undefined, undefined],
      ]) {
        const deployment = deploy();
        const query = new URLSearchParams(invalidRequest);
        query.set(name, first ?? query.get(name) ?? '');
        query.append(name, second ?? appRequest[name === 'client_id' ? 'client_id' : 'redirect_uri']);
        const response = await createTestBrowser(deployment).visit(`${issuer}/authorize?${query}`);
        await expectErrorPage(response, deployment, 'A parameter was sent more than once.');
      }
    },
  );

  it('R8.1 stays on a page: a request for another host', async () => {
    const deployment = deploy();
    const url = `https://evil.example/authorize?${new URLSearchParams(appRequest)}`;
    const response = await deployment.fetch(new Request(url));
    await expectErrorPage(response, deployment, 'This server does not serve the requested host.', 421);
  });

  const nativeRequest = {
    ...appRequest,
    client_id: 'native',
    redirect_uri: 'http://127.0.0.1:49152/callback',
  };
  const expectNativeRefused = async (redirect_uri: string, deployment = deploy()) => {
    const { response } = await createTestBrowser(deployment).openSignInPage({
      ...nativeRequest,
      redirect_uri,
    });
    await expectErrorPage(response, deployment, unregistered);
  };

  it('R9.1 port: lets a native app choose its port, on loopback only', async () => {
    for (const port of ['', ':1', ':80', ':8080', ':65535']) {
      const redirect_uri = `http://127.0.0.1${port}/callback`;
      const redirect = await createTestBrowser(deploy()).signIn({ ...nativeRequest, redirect_uri });
      expect(redirect.href.startsWith(`http://127.0.0.1${port === ':80' ? '' : port}/callback?code=`)).toBe(
        true,
      );
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
      await expectNativeRefused(`http://127.0.0.1${port}/callback`);
    const { response } = await createTestBrowser(deploy()).openSignInPage({
      ...appRequest,
      redirect_uri: 'https://app.example:49152/callback',
    });
    expect(response.status).toBe(400);
  });

  it('R9.2 swap: accepts another loopback name only if both are registered', async () => {
    for (const host of ['localhost', '[::1]', '127.0.0.2', '127.1', '2130706433', '0.0.0.0', '127.0.0.1.'])
      await expectNativeRefused(`http://${host}:49152/callback`);
    await expectNativeRefused('https://127.0.0.1:49152/callback');
    const redirectUris = ['http://127.0.0.1/callback', 'http://localhost/callback'];
    const client = staticClient({ id: 'native', name: 'Native', redirectUris, scopes: ['words'] });
    const redirect = await createTestBrowser(deploy({ clients: [client] })).signIn({
      ...nativeRequest,
      redirect_uri: 'http://localhost:49152/callback',
    });
    expect(redirect.origin).toBe('http://localhost:49152');
    await expectNativeRefused('http://[::1]:49152/callback', deploy({ clients: [client] }));
  });

  it('R10.1 state: refuses a state that would not be returned unchanged', async () => {
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
    const state = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
    const redirect = await createTestBrowser(deploy()).signIn({ ...gptRequest, state });
    expect(redirect.searchParams.get('state')).toBe(state);
  });

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

  it('R11.1 issuer: forwarded headers change no URL that the broker sends', async () => {
    const deployment = deploy();
    const url = `${issuer}/.well-known/oauth-authorization-server`;
    const response = await deployment.fetch(new Request(url));
    const forwardedResponse = await deployment.fetch(new Request(url, { headers }));
    expect(await forwardedResponse.text()).toBe(await response.text());

    const browser = createTestBrowser(deployment, headers);
    const redirect = await browser.signIn(gptRequest);
    expect(redirect.searchParams.get('iss')).toBe(issuer);
    const protection = await deployment.broker.protect(new Request(`${issuer}/api`, { headers }));
    if (protection.ok) throw new Error('the API granted access');
    expect(protection.response.headers.get('www-authenticate')).toBe(
      `Bearer realm="${issuer}", ${metadataParameter}`,
    );
  });

  it('R11.2 cookies or checks: forwarded headers change no cookie and bypass no check', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment, headers);
    const { response, consent } = await browser.openSignInPage(gptRequest);
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-csrf-[\w-]{8}=[\w-]{22}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800$/,
      ),
    ]);
    const consentResponse = await deployment.fetch(
      new Request(`${issuer}/authorize/consent`, {
        method: 'POST',
        headers: { ...headers, origin: 'http://evil.example' },
        body: new URLSearchParams({ consent, choice: 'google' }),
      }),
    );
    expect([consentResponse.status, consentResponse.headers.getSetCookie()]).toEqual([400, []]);

    const forwardedHeaders = { 'x-forwarded-host': 'words.example', 'x-forwarded-proto': 'https' };
    for (const origin of ['http://words.example', 'https://evil.example', 'https://words.example:8443']) {
      const response = await deployment.fetch(
        new Request(`${origin}/authorize?${new URLSearchParams(gptRequest)}`, { headers: forwardedHeaders }),
      );
      expect([response.status, response.headers.get('location')]).toEqual([421, null]);
    }
  });
});
