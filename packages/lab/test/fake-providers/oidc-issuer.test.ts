/** The fake provider for any issuer: its page, its refusal, and what it asks of a client. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeProvider, fakeUsers, type Page, startOidcIssuer } from '../../src/index.ts';
import {
  buildAuthorizationUrl,
  clickAndReadCallback,
  createTestBrowser,
  fakeProviders,
  findEndpoints,
  redeem,
  startFakeProvider,
} from './visit.ts';

const [ada, bruno] = fakeUsers;
const fakeProvider = fakeProviders.oidc;
let issuer: FakeProvider;
beforeEach(async () => {
  issuer = await startFakeProvider(startOidcIssuer);
});
afterEach(() => issuer.close());

const open = async (change: (url: URL) => void = () => {}, browser = createTestBrowser()) => {
  const url = buildAuthorizationUrl(
    (await findEndpoints(fakeProvider, issuer.issuer)).authorize,
    fakeProvider,
  );
  change(url);
  const page = await browser.open(url);
  return { browser, page };
};

const pageOf = ({ page }: Awaited<ReturnType<typeof open>>): Page => {
  if (page.kind === 'stopped-redirect') throw new Error(`sent to ${page.location}`);
  return page;
};

it('shows everybody who has an account there', async () => {
  const { html, status } = pageOf(await open());
  expect(status).toBe(200);
  for (const { name, email } of fakeUsers) expect(html).toContain(`${name} <small>${email}`);
});

it('sends the refusal back as access_denied', async () => {
  const opened = await open();
  const answer = await clickAndReadCallback(opened.browser, pageOf(opened), 'Refuse');
  expect(answer.get('error')).toBe('access_denied');
  expect(answer.get('state')).toBe('a state');
  expect(answer.get('code')).toBeNull();
});

it('asks again although somebody is signed in, and lets another take their place', async () => {
  const first = await open();
  await clickAndReadCallback(first.browser, pageOf(first), ada.email);
  const second = await open(undefined, first.browser);
  // oidc-provider signs the first person out on a page of its own.
  const between = await first.browser.clickButton(pageOf(second), bruno.email);
  const answer =
    between.kind === 'page'
      ? await clickAndReadCallback(first.browser, between, '')
      : between.location.searchParams;
  expect(await redeem(fakeProvider, issuer.issuer, answer.get('code') ?? '')).toMatchObject({
    email: bruno.email,
  });
});

it('names itself in every answer', async () => {
  const opened = await open();
  expect((await clickAndReadCallback(opened.browser, pageOf(opened), ada.email)).get('iss')).toBe(
    issuer.issuer,
  );
});

it.each([
  ['without PKCE', (url: URL) => url.searchParams.delete('code_challenge')],
  ['of another client', (url: URL) => url.searchParams.set('client_id', 'another')],
  ['for another address', (url: URL) => url.searchParams.set('redirect_uri', 'http://localhost:1/')],
])('brings no code for a request %s', async (_, change) => {
  const { page } = await open(change);
  if (page.kind === 'stopped-redirect')
    expect(page.location.searchParams.get('error')).toBe('invalid_request');
  else expect(page.status).toBe(400);
});
