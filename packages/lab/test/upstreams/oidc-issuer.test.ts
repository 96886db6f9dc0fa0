/** The stand-in for any issuer: its page, its refusal, and what it asks of a client. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Page, people, startOidcIssuer, type Upstream } from '../../src/index.ts';
import { addressesOf, createVisitor, press, redeem, requestAt, standIns, startWith } from './visit.ts';

const [ada, bruno] = people;
const standIn = standIns.oidc;
let issuer: Upstream;
beforeEach(async () => {
  issuer = await startWith(startOidcIssuer);
});
afterEach(() => issuer.close());

const open = async (change: (url: URL) => void = () => {}, visitor = createVisitor()) => {
  const url = requestAt((await addressesOf(standIn, issuer.issuer)).authorize, standIn);
  change(url);
  const page = await visitor.open(url);
  return { visitor, page };
};

const pageOf = ({ page }: Awaited<ReturnType<typeof open>>): Page => {
  if (page.kind === 'departure') throw new Error(`sent to ${page.location}`);
  return page;
};

it('shows everybody who has an account there', async () => {
  const { html, status } = pageOf(await open());
  expect(status).toBe(200);
  for (const { name, email } of people) expect(html).toContain(`${name} <small>${email}`);
});

it('sends the refusal back as access_denied', async () => {
  const opened = await open();
  const answer = await press(opened.visitor, pageOf(opened), 'Refuse');
  expect(answer.get('error')).toBe('access_denied');
  expect(answer.get('state')).toBe('a state');
  expect(answer.get('code')).toBeNull();
});

it('asks again although somebody is signed in, and lets another take their place', async () => {
  const first = await open();
  await press(first.visitor, pageOf(first), ada.email);
  const second = await open(undefined, first.visitor);
  // oidc-provider signs the first person out on a page of its own.
  const between = await first.visitor.press(pageOf(second), bruno.email);
  const answer =
    between.kind === 'page' ? await press(first.visitor, between, '') : between.location.searchParams;
  expect(await redeem(standIn, issuer.issuer, answer.get('code') ?? '')).toMatchObject({
    email: bruno.email,
  });
});

it('names itself in every answer', async () => {
  const opened = await open();
  expect((await press(opened.visitor, pageOf(opened), ada.email)).get('iss')).toBe(issuer.issuer);
});

it.each([
  ['without PKCE', (url: URL) => url.searchParams.delete('code_challenge')],
  ['of another client', (url: URL) => url.searchParams.set('client_id', 'another')],
  ['for another address', (url: URL) => url.searchParams.set('redirect_uri', 'http://localhost:1/')],
])('brings no code for a request %s', async (_, change) => {
  const { page } = await open(change);
  if (page.kind === 'departure') expect(page.location.searchParams.get('error')).toBe('invalid_request');
  else expect(page.status).toBe(400);
});
