import { expect, test } from 'vitest';
import { defaultPages } from '../../src/index.ts';
import { createTestBrowser, gptRequest } from '../browser.ts';
import { deploy, issuer } from '../deployment.ts';
import { readAttributes } from '../ui/read-markup.ts';

const stylesheetOf = (deployment = deploy(), init: RequestInit = {}) =>
  deployment.fetch(new Request(`${issuer}/authorize/style.css`, init));

test('serves the pages’ stylesheet where the pages look for it, to be cached for an hour', async () => {
  const response = await stylesheetOf();
  expect(response.status).toBe(200);
  expect(await response.text()).toBe(defaultPages.stylesheet);
  expect(Object.fromEntries(response.headers)).toEqual({
    'cache-control': 'public, max-age=3600',
    'content-type': 'text/css; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  const page = await (await createTestBrowser(deploy()).openSignInPage(gptRequest)).response.text();
  expect(await readAttributes(page, 'link')).toEqual([{ rel: 'stylesheet', href: '/authorize/style.css' }]);
});

test('serves a stylesheet of the publisher’s instead', async () => {
  const stylesheet = `${defaultPages.stylesheet}:root { --accent: #123456; }`;
  expect(await (await stylesheetOf(deploy({ pages: { stylesheet } }))).text()).toBe(stylesheet);
});

test('answers HEAD like GET, without the stylesheet', async () => {
  const response = await stylesheetOf(deploy(), { method: 'HEAD' });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
  expect(await response.text()).toBe('');
});

test('answers another method with a problem', async () => {
  const response = await stylesheetOf(deploy(), { method: 'POST' });
  expect(response.status).toBe(405);
  expect(await response.json()).toEqual({
    type: 'about:blank',
    title: 'Method Not Allowed',
    status: 405,
    detail: 'This address does not answer that method.',
  });
  expect(Object.fromEntries(response.headers)).toEqual({
    allow: 'GET, HEAD',
    'cache-control': 'no-store',
    'content-type': 'application/problem+json',
    'x-content-type-options': 'nosniff',
  });
});
