import { expect, test } from 'vitest';
import { microsoft } from '../../src/index.ts';
import { createTestBrowser, gptRequest } from '../browser.ts';
import { deploy, issuer } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';
import { readAttributes } from '../ui/read-markup.ts';

const icon = '<svg xmlns="http://www.w3.org/2000/svg"/>';
const marked = () =>
  deploy({
    providers: [{ ...createProvider('acme', 'Acme'), icon }, createProvider('other', 'Other')],
  });

test('serves a provider’s icon where the page looks for it, as a picture that may do nothing', async () => {
  const deployment = marked();
  const page = await (await createTestBrowser(deployment).openSignInPage(gptRequest)).response.text();
  expect(await readAttributes(page, 'img')).toEqual([
    { class: 'icon', src: '/authorize/icons/acme.svg', alt: '', width: '24', height: '24' },
  ]);
  const response = await deployment.fetch(new Request(`${issuer}/authorize/icons/acme.svg`));
  expect(response.status).toBe(200);
  expect(await response.text()).toBe(icon);
  expect(Object.fromEntries(response.headers)).toEqual({
    'cache-control': 'public, max-age=3600',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'content-type': 'image/svg+xml',
    'x-content-type-options': 'nosniff',
  });
});

test('has no address for a provider without one', () => {
  const paths = marked().broker.routes.map(({ path }) => path);
  expect(paths.filter((path) => path.includes('icons'))).toEqual(['/authorize/icons/acme.svg']);
});

test('answers HEAD like GET, without the picture', async () => {
  const request = new Request(`${issuer}/authorize/icons/acme.svg`, { method: 'HEAD' });
  const response = await marked().fetch(request);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
  expect(await response.text()).toBe('');
});

test('answers another method with a problem', async () => {
  const request = new Request(`${issuer}/authorize/icons/acme.svg`, { method: 'POST' });
  const response = await marked().fetch(request);
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET, HEAD');
});

test('Microsoft’s is four squares in its colours, and neither loads nor runs anything', () => {
  const svg = microsoft({ clientId: 'id', clientSecret: 'secret' }).icon ?? '';
  const squares = [...svg.matchAll(/<path fill="(#[0-9a-f]{6})" d="M(?:1|11) (?:1|11)h9v9(?:h-9|H1)z"\/>/g)];
  expect(squares.map(([, fill]) => fill)).toEqual(['#f25022', '#7fba00', '#00a4ef', '#ffb900']);
  expect(svg).not.toMatch(/script|style|href|url\(|on[a-z]+=/);
});
