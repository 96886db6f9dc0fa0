import { describe, expect, it } from 'vitest';
import { gptAction, staticClient } from '../../src/index.ts';
import { appRequest, createTestBrowser, gptRequest, serverRequest } from '../browser.ts';
import { clients, deploy, gptRedirect, gptSecret } from '../deployment.ts';
import { expectErrorPage } from '../expect-error.ts';

/** Asks for authorization, and makes sure that the address was refused before anything else happened. */
const expectRefused = async (query: Readonly<Record<string, string>>, deployment = deploy()) => {
  const { response } = await createTestBrowser(deployment).openSignInPage(query);
  await expectErrorPage(response, deployment, 'The address to return to is not registered for this app.');
  expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'authorize', reason: 'redirect.unregistered' });
};

it('R1.1 unregistered: refuses an address that the client did not register, whoever did', async () => {
  for (const { id } of clients) {
    await expectRefused({ ...gptRequest, client_id: id, redirect_uri: 'https://evil.example/callback' });
  }
  await expectRefused({ ...appRequest, redirect_uri: serverRequest.redirect_uri });
  await expectRefused({ ...appRequest, redirect_uri: gptRedirect });
  await expectRefused({ ...gptRequest, redirect_uri: appRequest.redirect_uri });
});

const registered = 'https://app.example/callback';

describe('R2', () => {
  it.each([
    [
      'R2.1 prefix: refuses what only begins like a registered address',
      [`${registered}/`, `${registered}2`, `${registered}?a=b`, `${registered}?`, `${registered}#`],
    ],
    [
      'R2.2 suffix: refuses what only ends like a registered address',
      [`https://evil.example/${registered}`, 'https://evil-app.example/callback', ` ${registered}`],
    ],
    [
      'R2.3 substring: refuses a part of a registered address, and what contains one',
      ['https://app.example/', 'https://app.example/callbac', `https://evil.example/?to=${registered}&a=b`],
    ],
    [
      'R2.4 userinfo: refuses a user in front of the host',
      [
        'https://app.example@evil.example/callback',
        'https://app.example:443@evil.example/callback',
        'https://user:word@app.example/callback',
        'https://app.example%40evil.example/callback',
      ],
    ],
    [
      'R2.5 port: refuses another port, and the usual one spelt out',
      [
        'https://app.example:8443/callback',
        'https://app.example:443/callback',
        'https://app.example:/callback',
      ],
    ],
    [
      'R2.6 case: refuses other letters in scheme, host and path',
      ['HTTPS://app.example/callback', 'https://APP.example/callback', 'https://app.example/Callback'],
    ],
    [
      'R2.7 trailing dot: refuses a dot behind host or path',
      ['https://app.example./callback', `${registered}.`],
    ],
    [
      'R2.8 ..: refuses a path that climbs, even to the registered one',
      ['https://app.example/x/../callback', `${registered}/..`, 'https://app.example/../callback'],
    ],
    [
      'R2.9 ..;/: refuses a path that climbs for some servers only',
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
      'R2.12 backslash: refuses what browsers read as a slash',
      [
        'https:\\\\app.example/callback',
        'https://app.example\\callback',
        'https://evil.example\\@app.example/callback',
      ],
    ],
    [
      'R2.13 double encoding: refuses what becomes right when decoded once more',
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
});

it('R3.1 public suffix: refuses a neighbour under the same public suffix', async () => {
  const redirectUris = ['https://you.workers.dev/callback'];
  const yours = staticClient({ id: 'app', name: 'Yours', redirectUris, scopes: ['words'] });
  const deployment = deploy({ clients: [yours] });
  for (const host of [
    'evil.workers.dev',
    'workers.dev',
    'evil.you.workers.dev',
    'you.workers.dev.evil.dev',
  ]) {
    await expectRefused({ ...appRequest, redirect_uri: `https://${host}/callback` }, deployment);
  }
});

describe('R4', () => {
  const plain = ['javascript:alert(1)', 'data:text/html,hi', 'vbscript:x', 'blob:https://app.example/1'];
  it.each([
    [
      'R4.1 case: takes no script address, however its scheme is spelt',
      ['JaVaScRiPt:alert(1)', 'DATA:text/html,hi'],
    ],
    [
      'R4.2 tabs: takes no script address with tabs in it',
      ['java\tscript:alert(1)', '\tjavascript:alert(1)', 'da\tta:text/html,hi'],
    ],
    [
      'R4.3 control characters: takes no script address with control characters in it',
      [
        '\u0001javascript:alert(1)',
        'java\r\nscript:alert(1)',
        'javascript\u0000:alert(1)',
        ' data:text/html,hi',
      ],
    ],
  ])('%s', async (_, addresses) => {
    for (const redirect_uri of [...plain, ...addresses]) {
      await expectRefused({ ...appRequest, redirect_uri });
      const register = () =>
        staticClient({ id: 'bad', name: 'Bad', redirectUris: [redirect_uri], scopes: ['words'] });
      expect(register).toThrow(/^clients\.bad\.redirectUris must /);
    }
  });
});

describe('R7', () => {
  const id = 'g-1234567890abcdef1234567890abcdef';
  const pinned = gptAction({ id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes: ['words'], gptIds: [id] });

  it.each([
    [
      'R7.1 /aip/../: refuses a path that leaves its place',
      [
        'https://chatgpt.com/aip/../oauth/callback',
        `https://chatgpt.com/aip/g-0000/../${id}/oauth/callback`,
        `https://chatgpt.com/aip/..%2f${id}/oauth/callback`,
        `https://chatgpt.com/x/../aip/${id}/oauth/callback`,
      ],
    ],
    [
      'R7.2 extra path: refuses more segments, and fewer',
      [
        `https://chatgpt.com/aip/${id}/oauth/callback/`,
        `https://chatgpt.com/aip/${id}/x/oauth/callback`,
        `https://chatgpt.com//aip/${id}/oauth/callback`,
        'https://chatgpt.com/aip/oauth/callback',
        'https://chatgpt.com/aip//oauth/callback',
      ],
    ],
    [
      'R7.3 query or fragment: refuses both, also empty or encoded',
      ['?x=1', '?', '#x', '#', '%3Fx=1', '\n'].map(
        (end) => `https://chatgpt.com/aip/${id}/oauth/callback${end}`,
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
      'R7.5 another GPT: refuses every id but the pinned ones',
      ['g-0000567890abcdef1234567890abcdef', `${id}-slug`, id.slice(0, -1), id.toUpperCase()].map(
        (other) => `https://chatgpt.com/aip/${other}/oauth/callback`,
      ),
    ],
  ])('%s', async (_, addresses) => {
    for (const redirect_uri of addresses) {
      await expectRefused({ ...gptRequest, redirect_uri }, deploy({ clients: [pinned] }));
    }
    const address = `https://chatgpt.com/aip/${id}/oauth/callback`;
    const browser = createTestBrowser(deploy({ clients: [pinned] }));
    const back = await browser.signIn({ ...gptRequest, redirect_uri: address });
    expect(back.origin + back.pathname).toBe(address);
    expect(back.searchParams.has('code')).toBe(true);
  });

  it('R7.5 another GPT: refuses an id that no GPT can have, even where none is pinned', async () => {
    for (const other of [
      'g-',
      'g-123',
      'x-12345678',
      `g-${'a'.repeat(129)}`,
      'g-1234%2f',
      'g-1234.x',
      'g-1234é',
    ]) {
      await expectRefused({ ...gptRequest, redirect_uri: `https://chatgpt.com/aip/${other}/oauth/callback` });
    }
  });
});
