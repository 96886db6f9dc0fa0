/**
 * Tests a browser app in a real Chromium: a public client without a server, which makes all calls with
 * `fetch` from another origin.
 */
import { calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { testUser } from '../test-users.ts';
import { launchChromium, openContext, timeoutMs } from './chromium.ts';
import { type ClientCallback, startClientCallback } from './client-callback.ts';
import { waitForClientPage } from './flows.ts';

const { origin, publicClientId } = inject('system');

let chromium: Browser;
let appServer: ClientCallback;
let appOrigin: string;

beforeAll(async () => {
  chromium = await launchChromium();
  appServer = await startClientCallback('show-page');
  // The page is on 127.0.0.1 and the server on localhost, so they differ in origin and in site.
  appOrigin = new URL(appServer.redirectUri).origin;
});

afterAll(async () => {
  await chromium.close();
  appServer.close();
});

interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly credentials?: 'include';
}

/** Calls `fetch` in the page. Returns the response, or the error if the browser blocks it. */
const fetchInPage = (page: Page, path: string, options: FetchOptions = {}) =>
  page.evaluate(
    async ({ url, form, ...init }) => {
      try {
        const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
        const response = await fetch(url, { ...body, ...init });
        const text = await response.text();
        return {
          status: response.status,
          body: text.startsWith('{') ? JSON.parse(text) : text,
          challenge: response.headers.get('www-authenticate'),
        };
      } catch (error) {
        return String(error);
      }
    },
    { url: new URL(path, origin).href, ...options },
  );

const blockedError = 'TypeError: Failed to fetch';

/** Omits the errors that Chromium reports for responses with status 400 and 401, which the tests expect. */
const omitExpectedErrors = (pageErrors: readonly string[]) =>
  pageErrors.filter((pageError) => !/Failed to load resource: .* status of 40[01]/.test(pageError));

describe('a browser app on another origin', () => {
  it('signs a user in, calls the API, refreshes and revokes, all with fetch', async () => {
    const { context, pageErrors } = await openContext(chromium);
    const page = await context.newPage();
    await page.goto(`${appOrigin}/`);

    const metadata = await fetchInPage(page, '/.well-known/oauth-authorization-server', {
      headers: { 'mcp-protocol-version': '2026-07-28' },
    });
    if (typeof metadata === 'string') throw new Error(metadata);
    expect(metadata).toMatchObject({ status: 200, body: { issuer: origin } });
    const { authorization_endpoint, token_endpoint, revocation_endpoint } = metadata.body;
    expect(await fetchInPage(page, '/api/scoring')).toMatchObject({
      status: 401,
      challenge: `Bearer realm="${origin}", scope="score", resource_metadata="${origin}/.well-known/oauth-protected-resource"`,
      body: { detail: 'Sign in to use this API.' },
    });

    const verifier = randomPKCECodeVerifier();
    const redirect_uri = `${appOrigin}/callback`;
    const authorizationUrl = new URL(authorization_endpoint);
    authorizationUrl.search = new URLSearchParams({
      response_type: 'code',
      client_id: publicClientId,
      redirect_uri,
      scope: 'score offline_access',
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }).toString();
    await page.goto(authorizationUrl.href);
    await page.getByRole('button', { name: 'Google' }).click();
    await page.getByRole('button', { name: testUser('browser-app').email }).click();
    await waitForClientPage(page);

    const code = new URL(page.url()).searchParams.get('code') ?? '';
    const codeRequest = {
      grant_type: 'authorization_code',
      client_id: publicClientId,
      redirect_uri,
      code,
      code_verifier: verifier,
    };
    expect(await fetchInPage(page, token_endpoint, { form: { ...codeRequest, code: 'x' } })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    // The request has a header that needs a preflight, and the preflight must not consume the code.
    const headers = { authorization: `Basic ${btoa(`${publicClientId}:`)}` };
    const tokenResponse = await fetchInPage(page, token_endpoint, { form: codeRequest, headers });
    expect(tokenResponse).toMatchObject({ status: 200, body: { scope: 'score offline_access' } });
    if (typeof tokenResponse === 'string') throw new Error(tokenResponse);

    const refreshRequest = { grant_type: 'refresh_token', client_id: publicClientId };
    const refreshResponse = await fetchInPage(page, token_endpoint, {
      form: { ...refreshRequest, refresh_token: tokenResponse.body.refresh_token },
    });
    if (typeof refreshResponse === 'string') throw new Error(refreshResponse);
    const authorization = `Bearer ${refreshResponse.body.access_token}`;
    for (const [method, score] of [
      ['GET', 0],
      ['POST', 1],
    ] as const)
      expect(await fetchInPage(page, '/api/scoring', { method, headers: { authorization } })).toMatchObject({
        status: 200,
        body: { score },
      });

    const { refresh_token } = refreshResponse.body;
    const revocationRequest = { client_id: publicClientId, token: refresh_token };
    expect(await fetchInPage(page, revocation_endpoint, { form: revocationRequest })).toMatchObject({
      status: 200,
      body: {},
    });
    expect(
      await fetchInPage(page, token_endpoint, { form: { ...refreshRequest, refresh_token } }),
    ).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    await expect
      .poll(() => fetchInPage(page, '/api/scoring', { headers: { authorization } }), { timeout: timeoutMs })
      .toMatchObject({ status: 401, challenge: expect.stringContaining('error="invalid_token"') });
    await context.close();
    expect(omitExpectedErrors(pageErrors)).toEqual([]);
  });

  it.each([
    ['cookies at the token endpoint', '/token', { form: {}, credentials: 'include' }],
    ['cookies at the API', '/api/scoring', { credentials: 'include' }],
    ['a header that is not listed', '/api/scoring', { headers: { 'x-custom': '1' } }],
    ['the introspection endpoint', '/introspect', { form: { token: 'x' } }],
    ['the account page', '/account', {}],
    ['the authorization endpoint', '/authorize', {}],
    ['the consent form', '/authorize/consent', { form: {} }],
    ['a static page', '/', {}],
  ] satisfies readonly (readonly [string, string, FetchOptions])[])(
    'W17.1 not shared: cannot use %s',
    async (_, path, options) => {
      const { context } = await openContext(chromium);
      const page = await context.newPage();
      await page.goto(`${appOrigin}/`);
      expect(await fetchInPage(page, path, options)).toBe(blockedError);
      await context.close();
    },
  );
});
