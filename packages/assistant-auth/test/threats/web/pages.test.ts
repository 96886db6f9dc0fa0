import { describe, expect, it } from 'vitest';
import { staticClient } from '../../../src/index.ts';
import { appRequest, callApi, createTestBrowser, gptRequest, gptSignIn } from '../../browser.ts';
import { gpt, obtainCode, redeem, refresh } from '../../clients.ts';
import { deploy, issuer } from '../../deployment.ts';
import { createProvider } from '../../fake-provider.ts';
import { continueToProvider, listTransactionCookies, startAuthorization } from '../../flows.ts';
import { readMarkup } from '../../ui/read-markup.ts';

/** Every kind of page of one deployment, with what may be strange in a request in it. */
const everyPage = async (deployment = deploy(), request: Readonly<Record<string, string>> = gptRequest) => {
  const strange = { ...request, state: markup, unknown: markup };
  const browser = createTestBrowser(deployment);
  const { callbackUrl } = await continueToProvider(deployment, request);
  return [
    (await browser.openSignInPage(strange)).response,
    (await browser.openSignInPage({ ...strange, client_id: markup })).response,
    (await browser.openSignInPage({ ...strange, redirect_uri: markup })).response,
    await browser.submitConsent(markup, { choice: markup }),
    await browser.visit(callbackUrl({ state: markup, code: markup, error: markup })),
    await browser.visit(`${issuer}/callback/${encodeURIComponent(markup)}`),
    await browser.visit(`${issuer}/authorize`, { method: 'PUT', headers: { referer: markup } }),
    await deployment.fetch(new Request('https://evil.example/authorize')),
  ];
};

const markup = `"'><script src=//evil.example></script><img src=x onerror=alert(1)>`;

describe('W1', () => {
  const client = staticClient({
    id: 'app',
    name: `App ${markup}`,
    redirectUris: [appRequest.redirect_uri],
    scopes: ['words'],
  });
  const deployment = () =>
    deploy({
      clients: [client],
      scopes: { words: `read ${markup}` },
      providers: [createProvider('google', `Google ${markup}`)],
      branding: { name: `Words ${markup}`, texts: { cancel: `Cancel ${markup}` } },
    });

  it('W1.1 markup: stays text on every page, whoever wrote it', async () => {
    const pages = await everyPage(deployment(), appRequest);
    const expected = ['App', 'read', 'Google', 'Words', 'Cancel'].map((word) => `${word} ${markup}`);
    const [signIn, ...errors] = await Promise.all(pages.map(async (page) => readMarkup(await page.text())));
    const textOf = (pieces: typeof signIn) =>
      (pieces ?? []).map((one) => ('text' in one ? one.text : '')).join('');
    for (const text of expected) expect(textOf(signIn)).toContain(text);
    for (const page of errors) expect(textOf(page)).toContain(`Words ${markup}`);
    const tags = [signIn, ...errors]
      .flatMap((page) => page ?? [])
      .flatMap((one) => ('tag' in one ? [one.tag] : []));
    expect(tags).not.toContain('script');
    expect(tags).not.toContain('img');
  });

  it('W1.1 markup: no page repeats what the request brought', async () => {
    for (const page of await everyPage()) expect(await page.text()).not.toContain('evil.example');
  });

  it('W1.2 strict CSP: pages load from their own origin alone, and error pages lead nowhere', async () => {
    const strict =
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    const [signIn, ...errors] = await everyPage();
    expect(signIn?.headers.get('content-security-policy')).toBe(strict);
    for (const { headers } of errors)
      expect(headers.get('content-security-policy')).toBe(`${strict}; form-action 'none'`);
  });

  it('W1.3 no inline script: no page needs the policy to be any weaker', async () => {
    for (const page of await everyPage(deployment(), appRequest)) {
      for (const piece of await readMarkup(await page.text())) {
        if (!('tag' in piece)) continue;
        expect(['script', 'style', 'iframe', 'object', 'embed', 'base']).not.toContain(piece.tag);
        for (const [name, value] of Object.entries(piece.attributes)) {
          expect(name).not.toMatch(/^(on|style$|srcdoc$)/i);
          expect(value).not.toMatch(/^\s*(javascript|data):/i);
        }
      }
    }
  });
});

describe('W2', () => {
  /** Every `Set-Cookie` of a sign-in with a sixth tab, from the first page to the end. */
  const everyCookie = async () => {
    const { deployment, browser, consent } = await startAuthorization();
    const first = await browser.openSignInPage(gptRequest);
    const chosen = [];
    for (let tab = 1; tab <= 6; tab++)
      chosen.push(await browser.submitConsent(consent, { choice: 'google' }));
    const state = new URL(chosen.at(-1)?.headers.get('location') ?? '').searchParams.get('state');
    const back = await browser.visit(`${deployment.issuer}/callback/google?code=ada&state=${state}`);
    const last = chosen.at(-1)?.headers.getSetCookie() ?? [];
    const lines = [first.response, ...chosen, back].flatMap(({ headers }) => headers.getSetCookie());
    return { lines, last };
  };

  it('W2.1 flags: every cookie is Secure, HttpOnly and SameSite=Lax', async () => {
    const { lines } = await everyCookie();
    expect(lines).toHaveLength(10);
    for (const line of lines)
      expect(line).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=(0|600|1800)$/);
  });

  it('W2.2 size: a cookie of the longest request that is taken stays below what browsers keep', async () => {
    const browser = createTestBrowser(deploy());
    const { consent } = await browser.openSignInPage({ ...gptRequest, state: 'x'.repeat(2048) });
    const response = await browser.submitConsent(consent, { choice: 'google' });
    const lengths = response.headers.getSetCookie().map((line) => line.length);
    expect(lengths).toEqual([expect.toSatisfy((length: number) => length > 3_000 && length < 4_096)]);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
  });

  it('W2.3 __Host-: every cookie belongs to this host and no other', async () => {
    const { lines } = await everyCookie();
    for (const line of lines) {
      expect(line).toMatch(/^__Host-(csrf|tx|done)-[\w-]{8}=/);
      expect(line).not.toMatch(/domain=/i);
    }
  });

  it('W2.4 two Set-Cookie headers: both arrive, each whole', async () => {
    const { last } = await everyCookie();
    expect(last).toEqual([
      expect.stringMatching(/^__Host-tx-[\w-]{8}=[\w-]{100,}; .* Max-Age=600$/),
      expect.stringMatching(/^__Host-tx-[\w-]{8}=; .* Max-Age=0$/),
    ]);
  });
});

/** One answer of everything that sees a secret. */
const everyAnswer = async () => {
  const deployment = deploy();
  const { browser, consent } = await startAuthorization(deployment);
  const chosen = await browser.submitConsent(consent, { choice: 'google' });
  const { returnFromProvider } = await continueToProvider(deployment);
  const code = await obtainCode(deployment, gpt);
  const { refresh_token } = await gptSignIn(deployment);
  const refused = await callApi(deployment, 'forged');
  if (refused.kind === 'granted') throw new Error('the API answered');
  return [
    ...(await everyPage(deployment)),
    chosen,
    await browser.submitConsent(consent, { cancel: '1' }),
    (await browser.openSignInPage({ ...gptRequest, response_type: 'token' })).response,
    await returnFromProvider({ code: 'ada' }),
    await redeem(deployment, gpt, code),
    await redeem(deployment, gpt, code),
    await redeem(deployment, gpt, code, { client_secret: 'wrong' }),
    await refresh(deployment, gpt, refresh_token),
    await refresh(deployment, gpt, 'forged'),
    refused.response,
  ];
};

it('W3.1 no-store: nothing that saw a secret may be kept by a cache', async () => {
  const answers = await everyAnswer();
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 303, 400, 401, 404, 405, 421]));
  for (const { headers } of answers) {
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
});

it('W4.1 no CORS: no answer lets a page of another origin read it with the person’s cookies', async () => {
  for (const { headers } of await everyAnswer()) {
    expect(headers.has('access-control-allow-credentials')).toBe(false);
    const isPage = headers.has('content-security-policy') || headers.has('location');
    expect(headers.get('access-control-allow-origin')).toBe(isPage ? null : '*');
  }
});
