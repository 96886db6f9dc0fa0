/**
 * Tests the site as the running system serves it: every page at its URL, without JavaScript, and nothing
 * else.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { publicFolder } from '../scripts/app/paths.ts';

const { origin, gpt } = inject('system');

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(origin + path, { headers, redirect: 'manual' });

const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

describe.each([
  ['/', 'text/html; charset=utf-8'],
  ['/privacy', 'text/html; charset=utf-8'],
  ['/terms', 'text/html; charset=utf-8'],
  ['/setup', 'text/html; charset=utf-8'],
  ['/style.css', 'text/css; charset=utf-8'],
  ['/robots.txt', 'text/plain; charset=utf-8'],
  ['/favicon.svg', 'image/svg+xml'],
  ['/apple-touch-icon.png', 'image/png'],
  ['/social-card.png', 'image/png'],
])('%s', (path, type) => {
  it('is served as what it is, under the strict policy, to be framed by nobody', async () => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-security-policy')).toBe(policy);
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('W4.1 no CORS: no page of another origin reads it', async () => {
    const { headers } = await get(path, { origin: 'https://evil.example' });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });
});

it('W4.1 removes the CORS header that Pages, unlike the local server, adds to every file', async () => {
  expect(await readFile(join(publicFolder, '_headers'), 'utf8')).toMatch(
    /^\/\*\n(?: {2}.+\n)*? {2}! Access-Control-Allow-Origin$/m,
  );
});

describe('a page', () => {
  it.each(['/', '/privacy', '/terms', '/setup'])('%s has neither script nor style in it', async (path) => {
    expect(await (await get(path)).text()).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
  });

  it('that is not there says so, in HTML to a browser and as a problem to a program', async () => {
    const page = await get('/nothing-here', { accept: 'text/html' });
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toBe(policy);
    const problem = await get('/nothing-here');
    expect([problem.status, problem.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });
});

describe('the landing page', () => {
  it('is shared with addresses that other sites can resolve', async () => {
    const page = await (await get('/')).text();
    expect(page).toContain(`<meta property="og:url" content="${origin}/">`);
    expect(page).toContain(`<meta property="og:image" content="${origin}/social-card.png">`);
  });

  it('has no button while there is no GPT to open', async () => {
    expect(await (await get('/')).text()).not.toMatch(/GPT_URL|class="button"/);
  });
});

describe('the page for setting up a GPT', () => {
  it('shows the addresses and the client id, and never the secret', async () => {
    const page = await (await get('/setup')).text();
    for (const value of [
      ...['/authorize', '/token', '/openapi.json', '/privacy'].map((path) => origin + path),
      gpt.clientId,
    ])
      expect(page).toContain(`>${value}<`);
    expect(page).toContain('call post_score exactly once');
    expect(page).not.toContain(gpt.clientSecret);
  });
});
