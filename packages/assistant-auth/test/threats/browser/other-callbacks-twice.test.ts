/** The same callback, arriving more than once: posted answers, second ways to the provider, and those of the account page. */
import { describe, expect, it } from 'vitest';
import { createVisitor, hidden, type Visitor } from '../../account-visitor.ts';
import { deploy, issuer } from '../../deployment.ts';
import { atProvider, cookieHeader, journeysIn } from '../../on-the-way.ts';
import { locationOf } from '../../person.ts';
import { gpt, redeem } from '../../players.ts';
import { createProvider } from '../../provider.ts';
import { expectCompletedPage, toAccountPage, toGpt } from '../../refusals.ts';
import { codeIn, createStrictSystem, repeat } from '../../repeated-callback.ts';

type Query = Readonly<Record<string, string>>;

describe('B22 a posted answer', () => {
  it('B22.6 posted: brought round twice, and again after it expired', async () => {
    const { asked, deployment } = createStrictSystem({}, { answersBy: 'form_post' });
    const { person, state } = await atProvider(deployment);
    const post = () =>
      deployment.fetch(
        new Request(`${issuer}/callback/google`, {
          method: 'POST',
          headers: { origin: 'https://google.example', 'sec-fetch-site': 'cross-site' },
          body: new URLSearchParams({ state, code: 'ada' }),
        }),
      );
    const rounds = [locationOf(await post()).href, locationOf(await post()).href];
    const [first = '', second = ''] = rounds;
    expect(codeIn(await person.visit(first))).not.toBe('');
    await expectCompletedPage(await person.visit(first), 'signed-in', toGpt);
    await expectCompletedPage(await person.visit(second), 'signed-in', toGpt);
    deployment.advance(61);
    await expectCompletedPage(await person.visit(first), 'signed-in', toGpt);
    expect(asked).toHaveLength(1);
  });
});

describe('B22 a second way to the provider', () => {
  const createForgetful = () => {
    const plain = createProvider('google', 'Google');
    return createStrictSystem({}, { askAgainUrl: (_, leg, io) => plain.authorizationUrl(leg, io) });
  };

  it('B22.7 second way: the first callback again sends nobody anywhere', async () => {
    const { asked, deployment } = createForgetful();
    const { person, answerUrl, comeBack } = await atProvider(deployment);
    const before = repeat(deployment, answerUrl({ code: 'ada' }), cookieHeader(person.cookies));
    const again = locationOf(await comeBack({ code: 'ada' }));
    expect(again.origin).toBe('https://google.example');
    await expectCompletedPage(await comeBack({ code: 'ada' }), 'signed-in', toGpt);
    await expectCompletedPage(await before(), 'signed-in', toGpt);
    expect(asked).toHaveLength(1);
    const state = again.searchParams.get('state') ?? '';
    const answer = new URLSearchParams({ state, code: 'ada', refresh: 'r-1' });
    expect(codeIn(await person.visit(`${issuer}/callback/google?${answer}`))).not.toBe('');
  });

  it.each<[string, Query]>([
    ['brought a token', { code: 'ada', refresh: 'r-1' }],
    ['was refused', { error: 'access_denied' }],
  ])('B22.7 second way: of many that %s one makes a code', async (_, query) => {
    const { deployment } = createForgetful();
    const { person, comeBack } = await atProvider(deployment);
    const state = locationOf(await comeBack({ code: 'ada' })).searchParams.get('state') ?? '';
    const url = `${issuer}/callback/google?${new URLSearchParams({ state, ...query })}`;
    const again = repeat(deployment, url, cookieHeader(person.cookies));
    const responses = await Promise.all([again(), again(), again()]);
    const [first, ...others] = responses.toSorted((one, other) => one.status - other.status);
    if (first === undefined) throw new Error('no response');
    for (const response of [...others, await again(), await person.visit(url)])
      await expectCompletedPage(response, 'signed-in', toGpt);
    expect((await redeem(deployment, gpt, codeIn(first))).status).toBe(200);
    await expectCompletedPage(await again(), 'signed-in', toGpt);
  });

  it('B22.7 second way: in two processes at once one makes a code', async () => {
    const { provider, ledger, deployment } = createForgetful();
    const other = deploy({ providers: [provider], ledger });
    const { person, comeBack } = await atProvider(deployment);
    const state = locationOf(await comeBack({ code: 'ada' })).searchParams.get('state') ?? '';
    const url = `${issuer}/callback/google?${new URLSearchParams({ state, error: 'access_denied' })}`;
    const cookie = cookieHeader(person.cookies);
    const responses = await Promise.all([deployment, other].map((one) => repeat(one, url, cookie)()));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400]);
  });

  it('B22.7 second way: makes no code for a grant that ended meanwhile', async () => {
    const { ledger, deployment } = createForgetful();
    const { person, comeBack } = await atProvider(deployment);
    const state = locationOf(await comeBack({ code: 'ada' })).searchParams.get('state') ?? '';
    const userId = (await ledger.findUser({ provider: 'google', subject: 'ada' })) ?? '';
    await ledger.deleteUser({ userId, by: 'user', now: deployment.now() });
    const answer = new URLSearchParams({ state, code: 'ada', refresh: 'r-1' });
    const response = await person.visit(`${issuer}/callback/google?${answer}`);
    await expectCompletedPage(response, 'ended', toGpt);
  });
});

/** Sent to a provider from a form of the account page; where a browser comes back to. */
const sentFrom = async (visitor: Visitor, action: string, fields: Query, code: string): Promise<string> => {
  const sent = locationOf(await visitor.post(action, fields));
  const state = sent.searchParams.get('state') ?? '';
  return `${sent.searchParams.get('redirect_uri')}?${new URLSearchParams({ state, code })}`;
};

describe('B22 the account page', () => {
  it('B22.8 account sign-in: again leaves the session alone', async () => {
    const { asked, deployment } = createStrictSystem();
    const visitor = createVisitor(deployment);
    const url = await sentFrom(visitor, '/sign-in', { choice: 'google' }, 'ada');
    const before = repeat(deployment, url, cookieHeader(visitor.cookies));
    expect(locationOf(await visitor.visit(url)).pathname).toBe('/account');
    const session = visitor.cookies.get('__Host-session');
    for (const again of [() => visitor.visit(url), before, before])
      await expectCompletedPage(await again(), 'signed-in', toAccountPage);
    expect(visitor.cookies.get('__Host-session')).toBe(session);
    expect((await visitor.see()).kind).toBe('account');
    expect(asked).toHaveLength(1);
  });

  it('B22.8 account sign-in: of five at once one begins a session', async () => {
    const { asked, deployment } = createStrictSystem();
    const visitor = createVisitor(deployment);
    const url = await sentFrom(visitor, '/sign-in', { choice: 'google' }, 'ada');
    const again = repeat(deployment, url, cookieHeader(visitor.cookies));
    const responses = await Promise.all(Array.from({ length: 5 }, again));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400, 400, 400, 400]);
    expect(asked).toHaveLength(1);
  });

  it('B22.8 account sign-in: a proof that comes again proves nothing more', async () => {
    const { deployment } = createStrictSystem();
    const visitor = createVisitor(deployment);
    await visitor.enter();
    const url = await sentFrom(visitor, '/sign-in', { choice: 'google', purpose: 'prove' }, 'ada');
    await visitor.visit(url);
    const session = visitor.cookies.get('__Host-session');
    deployment.advance(301);
    await expectCompletedPage(await visitor.visit(url), 'signed-in', toAccountPage);
    expect(visitor.cookies.get('__Host-session')).toBe(session);
  });

  it('B22.8 account sign-in: after signing out signs nobody in', async () => {
    const { deployment } = createStrictSystem();
    const visitor = createVisitor(deployment);
    const url = await sentFrom(visitor, '/sign-in', { choice: 'google' }, 'ada');
    await visitor.visit(url);
    await visitor.post('/sign-out');
    await expectCompletedPage(await visitor.visit(url), 'ended', toAccountPage);
    expect((await visitor.see()).kind).toBe('sign-in');
  });

  it('B22.8 account sign-in: a refusal at the provider can be followed by another answer', async () => {
    const { deployment } = createStrictSystem();
    const visitor = createVisitor(deployment);
    const url = await sentFrom(visitor, '/sign-in', { choice: 'google' }, 'ada');
    const denied = new URL(url);
    denied.searchParams.delete('code');
    denied.searchParams.set('error', 'access_denied');
    await visitor.visit(denied.href);
    expect(visitor.cookies.get('__Host-notice')).toBe('not-confirmed');
    expect(journeysIn(visitor.cookies)).toEqual([]);
  });

  it('B22.9 linking: the page that asks, reloaded, leads to the account, and its form still works', async () => {
    const { asked, ledger, deployment } = createStrictSystem();
    const visitor = createVisitor(deployment);
    await visitor.enter('ada', 'other');
    const url = await sentFrom(visitor, '/link', { choice: 'google' }, 'cat');
    const before = repeat(deployment, url, cookieHeader(visitor.cookies));
    const page = await (await visitor.visit(url)).text();
    for (const again of [() => visitor.visit(url), before, before])
      await expectCompletedPage(await again(), 'linked', toAccountPage);
    expect(asked).toHaveLength(1);
    expect(await ledger.findUser({ provider: 'google', subject: 'cat' })).toBeUndefined();
    const fields = { link: hidden(page, 'link'), confirm: '1' };
    await visitor.post('/link/confirm', fields, hidden(page, 'form'));
    expect(await ledger.findUser({ provider: 'google', subject: 'cat' })).toBeDefined();
    await expectCompletedPage(await visitor.visit(url), 'linked', toAccountPage);
  });

  it('B22.9 linking: of five at once one asks', async () => {
    const { asked, deployment } = createStrictSystem();
    const visitor = createVisitor(deployment);
    await visitor.enter('ada', 'other');
    const url = await sentFrom(visitor, '/link', { choice: 'google' }, 'cat');
    const again = repeat(deployment, url, cookieHeader(visitor.cookies));
    const responses = await Promise.all(Array.from({ length: 5 }, again));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400, 400]);
    expect(asked).toHaveLength(1);
  });
});
