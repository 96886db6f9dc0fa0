import { describe, expect, it } from 'vitest';
import { deploy, issuer } from '../../deployment.ts';
import { atProvider, cookieHeader, journeysIn } from '../../on-the-way.ts';
import { appRequest, createPerson, gptRequest, locationOf } from '../../person.ts';
import { gpt, redeem } from '../../players.ts';
import { createProvider } from '../../provider.ts';
import {
  expectCompletedPage,
  expectCookiesPage,
  expectErrorPage,
  expectErrorRedirect,
  lostSignIn,
  toGpt,
} from '../../refusals.ts';
import { watchLedger } from '../../watched-ledger.ts';
import { watchProvider } from '../../watched-provider.ts';

const stale =
  'This sign-in has expired or was started in another browser. Go back to the app and start again.';

const codeIn = (response: Response): string => locationOf(response).searchParams.get('code') ?? '';

/** A deployment whose provider and ledger tell what they were asked. */
const watched = () => {
  const provider = watchProvider();
  const ledger = watchLedger();
  return {
    provider,
    ledger,
    deployment: deploy({ providers: [provider, createProvider('other', 'Other')], ledger }),
  };
};

it('B2.1 captured URL: a person who follows the attacker’s way to the provider comes back to a page', async () => {
  const { provider, ledger, deployment } = watched();
  const attacker = await atProvider(deployment);
  const answer = attacker.answerUrl({ code: provider.codeFor(attacker.sent, 'victim') });
  await expectCookiesPage(await createPerson(deployment).visit(answer), deployment, 'callback');
  expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.no-cookies' });
  const victim = (await atProvider(deployment)).person;
  await expectErrorPage(await victim.visit(answer), deployment, lostSignIn);
  expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.missing' });
  expect(provider.redeemed).toEqual([]);
  expect(ledger.calls).toEqual([]);
});

it('B2.2 look-alike name: a journey that a neighbouring domain planted is none', async () => {
  const { provider, ledger, deployment } = watched();
  const attacker = await atProvider(deployment);
  const [name = ''] = journeysIn(attacker.person.cookies);
  const answer = attacker.answerUrl({ code: provider.codeFor(attacker.sent, 'victim') });
  // Browsers keep the promises of `__Host-` for names that begin with it, and servers may take others for the same.
  for (const space of ['\u00a0', '\u2000', '\u3000', '\ufeff', '\v']) {
    const cookie = `${space}${name}=${attacker.person.cookies.get(name)}`;
    const response = await createPerson(deployment).visit(answer, { headers: { cookie } });
    await expectCookiesPage(response, deployment, 'callback');
    expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.no-cookies' });
  }
  expect(provider.redeemed).toEqual([]);
  expect(ledger.calls).toEqual([]);
});

it('B5.1 mix-up: an answer at another provider’s callback goes to neither provider', async () => {
  const provider = watchProvider('google');
  const other = watchProvider('other');
  const deployment = deploy({ providers: [provider, other] });
  const { person, comeBack } = await atProvider(deployment);
  await expectErrorPage(await comeBack({ code: 'ada' }, '/callback/other'), deployment, stale);
  expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.provider' });
  expect([...provider.redeemed, ...other.redeemed]).toEqual([]);
  expect(journeysIn(person.cookies)).toHaveLength(1);
  // The journey itself goes on at its own place.
  expect(codeIn(await comeBack({ code: 'ada' }))).not.toBe('');
});

describe('B6', () => {
  it('B6.1 login CSRF: the attacker’s own answer signs nobody in as the attacker', async () => {
    const { provider, ledger, deployment } = watched();
    const attacker = await atProvider(deployment);
    const victim = await atProvider(deployment);
    const answer = attacker.answerUrl({ code: provider.codeFor(attacker.sent, 'attacker') });
    await expectErrorPage(await victim.person.visit(answer), deployment, lostSignIn);
    expect(provider.redeemed).toEqual([]);
    // The victim's own journey is untouched.
    const own = await victim.comeBack({ code: provider.codeFor(victim.sent, 'victim') });
    expect(codeIn(own)).not.toBe('');
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn']);
  });

  it('B6.1 login CSRF: the attacker’s code under the victim’s state is held against the victim’s nonce', async () => {
    const { provider, ledger, deployment } = watched();
    const attacker = await atProvider(deployment);
    const victim = await atProvider(deployment);
    const response = await victim.comeBack({ code: provider.codeFor(attacker.sent, 'attacker') });
    expect(locationOf(response).searchParams.get('error')).toBe('server_error');
    expect(provider.redeemed.map(({ nonce }) => nonce)).toEqual([victim.sent.searchParams.get('nonce')]);
    expect(ledger.calls).toEqual(['grantStatus', 'grantStatus']);
  });

  it.each([
    ['no state', (url: URL) => url.searchParams.delete('state')],
    ['an empty state', (url: URL) => url.searchParams.set('state', '')],
    ['a guessed state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43))],
    ['a state cut short', (url: URL) => url.searchParams.set('state', 'x')],
    ['the client’s state', (url: URL) => url.searchParams.set('state', gptRequest.state)],
  ])('B6.1 login CSRF: an answer with %s finds no journey', async (_, change) => {
    const { provider, deployment } = watched();
    const { person, answerUrl } = await atProvider(deployment);
    const url = new URL(answerUrl({ code: 'ada' }));
    change(url);
    await expectErrorPage(await person.visit(url.href), deployment, lostSignIn);
    expect(provider.redeemed).toEqual([]);
  });

  it('B6.1 login CSRF: one journey’s cookie under the name of another opens neither', async () => {
    const { provider, deployment } = watched();
    const attacker = await atProvider(deployment);
    const victim = await atProvider(deployment);
    const [name = ''] = journeysIn(victim.person.cookies);
    const foreign = attacker.person.cookies.get(journeysIn(attacker.person.cookies)[0] ?? '') ?? '';
    for (const value of [foreign, `${foreign}A`, '', 'x', cookieHeader(victim.person.cookies)]) {
      victim.person.cookies.set(name, value);
      const message = value === foreign ? lostSignIn : stale;
      await expectErrorPage(await victim.comeBack({ code: 'ada' }), deployment, message);
    }
    expect(provider.redeemed).toEqual([]);
  });
});

describe('B7', () => {
  it('B7.1 state replay: an answer that came once is known the second time, and makes nothing of it', async () => {
    const { provider, ledger, deployment } = watched();
    const { comeBack } = await atProvider(deployment);
    await comeBack({ code: 'ada' });
    await expectCompletedPage(await comeBack({ code: 'ada' }), 'signed-in', toGpt);
    expect(provider.redeemed).toHaveLength(1);
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn', 'grantStatus']);
  });

  it('B7.1 state replay: with the cookie put back by hand no second code is made, and the first works', async () => {
    const { deployment } = watched();
    const { person, comeBack } = await atProvider(deployment);
    const before = new Map(person.cookies);
    const code = codeIn(await comeBack({ code: 'ada' }));
    for (const subject of ['ada', 'somebody-else']) {
      for (const [name, value] of before) person.cookies.set(name, value);
      await expectCompletedPage(await comeBack({ code: subject }), 'signed-in', toGpt);
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.replayed' });
    }
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  it('B7.1 state replay: of two answers at once exactly one makes a code', async () => {
    const { deployment } = watched();
    const { comeBack } = await atProvider(deployment);
    const responses = await Promise.all([1, 2, 3, 4].map(() => comeBack({ code: 'ada' })));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400, 400, 400]);
  });

  it('B7.2 expiry: a person may take ten minutes at the provider, and not a second more', async () => {
    const { deployment, provider } = watched();
    const [quick, slow] = [await atProvider(deployment), await atProvider(deployment)];
    deployment.advance(599);
    expect(codeIn(await quick.comeBack({ code: 'ada' }))).not.toBe('');
    deployment.advance(1);
    await expectErrorPage(await slow.comeBack({ code: 'ada' }), deployment, stale);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.expired' });
    expect(provider.redeemed).toHaveLength(1);
  });

  it('B7.3 two tabs: journeys side by side end each at its own client, in any order', async () => {
    const { deployment } = watched();
    const person = createPerson(deployment);
    const [one, two] = [await person.open(gptRequest), await person.open(appRequest)];
    const stateOf = (response: Response) => locationOf(response).searchParams.get('state') ?? '';
    const second = stateOf(await person.choose(two.consent, { choice: 'other' }));
    const first = stateOf(await person.choose(one.consent, { choice: 'google' }));
    const back = async (provider: string, state: string) =>
      locationOf(
        await person.visit(`${issuer}/callback/${provider}?${new URLSearchParams({ state, code: 'ada' })}`),
      );
    const toGpt = await back('google', first);
    expect(toGpt.origin + toGpt.pathname).toBe(gptRequest.redirect_uri);
    expect(toGpt.searchParams.get('state')).toBe(gptRequest.state);
    const toApp = await back('other', second);
    expect(toApp.origin + toApp.pathname).toBe(appRequest.redirect_uri);
    expect(toApp.searchParams.get('state')).toBe(appRequest.state);
    expect([toGpt, toApp].every(({ searchParams }) => searchParams.has('code'))).toBe(true);
  });

  it('B7.3 two tabs: a refusal in one leaves the other its journey', async () => {
    const { deployment } = watched();
    const person = createPerson(deployment);
    const consents = [(await person.open(gptRequest)).consent, (await person.open(gptRequest)).consent];
    const states: string[] = [];
    for (const consent of consents) {
      const sent = locationOf(await person.choose(consent, { choice: 'google' }));
      states.push(sent.searchParams.get('state') ?? '');
    }
    const [one = '', two = ''] = states;
    const refused = await person.visit(`${issuer}/callback/google?error=access_denied&state=${one}`);
    expectErrorRedirect(withoutCookies(refused), {
      to: gptRequest.redirect_uri,
      state: gptRequest.state,
      error: 'access_denied',
      description: 'The sign-in was refused or cancelled at the provider.',
    });
    expect(codeIn(await person.visit(`${issuer}/callback/google?code=ada&state=${two}`))).not.toBe('');
  });

  it('B7.3 two tabs: of six journeys the newest five can end, also if all began in one second', async () => {
    const { deployment } = watched();
    const person = createPerson(deployment);
    const states: string[] = [];
    for (let tab = 1; tab <= 6; tab++) {
      const { consent } = await person.open(gptRequest);
      const response = await person.choose(consent, { choice: 'google' });
      states.push(locationOf(response).searchParams.get('state') ?? '');
      expect(response.headers.getSetCookie()).toHaveLength(tab <= 5 ? 1 : 2);
    }
    expect(journeysIn(person.cookies)).toHaveLength(5);
    const statuses: number[] = [];
    for (const state of states) {
      const answer = new URLSearchParams({ state, code: 'ada' });
      statuses.push((await person.visit(`${issuer}/callback/google?${answer}`)).status);
    }
    expect(statuses).toEqual([400, 303, 303, 303, 303, 303]);
  });
});

const withoutCookies = (response: Response): Response => {
  response.headers.delete('set-cookie');
  return response;
};
