import { describe, expect, it } from 'vitest';
import { createTestBrowser, gptRequest, gptSignIn, readRedirect } from '../../browser.ts';
import { gpt, obtainCode, redeem } from '../../clients.ts';
import { deploy, issuer } from '../../deployment.ts';
import { continueToProvider, listTransactionCookies } from '../../flows.ts';
import { createSpyStorage } from '../../spy-storage.ts';

describe('W9', () => {
  it.each([
    ['W9.1 //', ['//api/scoring', '///api//scoring', '/./api/scoring', '/x/../api/scoring']],
    ['W9.2 %2f', ['/%2fapi/scoring', '/api%2Fscoring', '/api%252fscoring', '/%61pi/scoring']],
    ['W9.3 case', ['/API/scoring', '/api/SCORING', '/Api/Scoring']],
    [
      'W9.4 trailing slash',
      ['/api/scoring/', '/api/scoring//', '/api/scoring/.', '/api/scoring?', '/api/scoring;x'],
    ],
  ])('%s in the path: the guard asks for a token all the same', async (_, paths) => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    for (const path of paths) {
      const call = (headers: Record<string, string>) =>
        deployment.broker.protect(new Request(issuer + path, { headers }));
      expect(await call({})).toMatchObject({ kind: 'refused', response: { status: 401 } });
      expect((await call({ authorization: `Bearer ${access_token}` })).kind).toBe('granted');
    }
  });

  it.each(['https://evil.example/api', 'https://words.example.evil.example/', 'http://words.example/api'])(
    'W9.1 //: the guard answers for no other host: %s',
    async (url) => {
      const deployment = deploy();
      const { access_token } = await gptSignIn(deployment);
      const headers = { authorization: `Bearer ${access_token}` };
      expect(await deployment.broker.protect(new Request(url, { headers }))).toMatchObject({
        kind: 'refused',
        response: { status: 421 },
      });
    },
  );
});

const overriding = {
  'x-http-method-override': 'POST',
  'x-http-method': 'POST',
  'x-method-override': 'POST',
};

describe('W10', () => {
  it('W10.1 method override: no header or parameter makes another method of a request', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment, overriding);
    const { consent } = await browser.openSignInPage(gptRequest);
    expect(consent).not.toBe('');
    const code = await obtainCode(deployment, gpt);
    const form = new URLSearchParams({ ...gpt.codeRequest(code), _method: 'POST' });
    expect((await browser.visit(`${issuer}/token?${form}`)).status).toBe(405);
    const choice = new URLSearchParams({ consent, choice: 'google', _method: 'POST' });
    const response = await browser.visit(`${issuer}/authorize/consent?${choice}`);
    expect(response.status).toBe(405);
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  const endpoints = [
    ['/authorize', 'GET'],
    ['/authorize/consent', 'POST'],
    ['/callback/google', 'GET'],
    ['/token', 'POST'],
  ] as const;

  it.each([
    ['W10.2 HEAD', 'HEAD'],
    ['W10.3 OPTIONS', 'OPTIONS'],
    ['W10.1 method override: PATCH', 'PATCH'],
  ])('%s does nothing at any endpoint, and names the method that would', async (_, method) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
    const query = new URL(callbackUrl({ code: 'ada' })).search;
    for (const [path, allowed] of endpoints) {
      const response = await browser.visit(issuer + path + query, { method });
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 405, allowed]);
    }
    expect(storage.calls).toEqual([]);
    expect(readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.has('code')).toBe(true);
  });

  it.each([
    ['W10.2 HEAD', 'HEAD'],
    ['W10.3 OPTIONS', 'OPTIONS'],
    ['W10.1 method override: GET with a header', 'GET'],
  ])('%s gets past the guard with a token only', async (_, method) => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    const call = (headers: Record<string, string>) =>
      deployment.broker.protect(
        new Request(`${issuer}/api/scoring`, { method, headers: { ...overriding, ...headers } }),
      );
    expect(await call({})).toMatchObject({ kind: 'refused', response: { status: 401 } });
    expect((await call({ authorization: `Bearer ${access_token}` })).kind).toBe('granted');
  });
});
