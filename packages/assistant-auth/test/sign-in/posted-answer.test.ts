/** An answer that comes as a form from the provider's site, without this site's cookies, and is brought round to where they are. */
import { describe, expect, it } from 'vitest';
import { deploy, gptRedirect, issuer } from '../deployment.ts';
import { atProvider, cookieHeader, journeysIn } from '../on-the-way.ts';
import { createPerson, gptRequest, locationOf } from '../person.ts';
import { createProvider } from '../provider.ts';
import { expectCompletedPage, expectCookiesPage, expectErrorPage, lostSignIn, toGpt } from '../refusals.ts';
import { watchLedger } from '../watched-ledger.ts';

const stale =
  'This sign-in has expired or was started in another browser. Go back to the app and start again.';
const callback = `${issuer}/callback/apple`;

/** Two providers that post their answers, one that does not, and what they were given. */
const formPosting = () => {
  const answers: string[] = [];
  const posting = (id: string) => {
    const provider = createProvider(id, id);
    return {
      ...provider,
      answersBy: 'form_post' as const,
      identify: (...[answer, leg, io]: Parameters<typeof provider.identify>) => {
        answers.push(answer.href);
        return provider.identify(answer, leg, io);
      },
    };
  };
  const ledger = watchLedger();
  const providers = [posting('apple'), posting('pear'), createProvider('google', 'Google')];
  return { answers, ledger, deployment: deploy({ providers, ledger }) };
};

/** The browser on its way from the provider's site: without cookies. */
const post = (deployment: ReturnType<typeof deploy>, body: BodyInit, url = callback, headers = {}) =>
  deployment.fetch(
    new Request(url, {
      method: 'POST',
      headers: { origin: 'https://apple.example', 'sec-fetch-site': 'cross-site', ...headers },
      body,
    }),
  );

const atApple = async () => {
  const { answers, ledger, deployment } = formPosting();
  const { person, state } = await atProvider(deployment, gptRequest, 'apple');
  const answer = (more: Readonly<Record<string, string>> = { code: 'ada' }) =>
    new URLSearchParams({ state, ...more });
  return { answers, ledger, deployment, person, state, answer };
};

/** Goes to where the posted answer was sent round, and tells that nobody was signed in there. */
const expectNobody = async (
  { answers, ledger, deployment }: ReturnType<typeof formPosting>,
  response: Response,
  reason: string,
) => {
  if (reason === 'transaction.no-cookies') await expectCookiesPage(response, deployment, 'callback');
  else await expectErrorPage(response, deployment, reason === 'transaction.missing' ? lostSignIn : stale);
  expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
  expect(answers).toEqual([]);
  expect(ledger.calls).toEqual([]);
};

describe('an answer that is posted', () => {
  it('is sent round to the same address, sealed, and touches no cookie', async () => {
    const { deployment, answer, answers, ledger } = await atApple();
    const response = await post(deployment, answer({ code: 'ada', user: '{"name":{}}' }));
    const location = locationOf(response);
    expect(response.status).toBe(303);
    expect(location.origin + location.pathname).toBe(callback);
    expect([...location.searchParams]).toEqual([['form_post', expect.stringMatching(/^[\w-]{100,}$/)]]);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      location: location.href,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(answers).toEqual([]);
    expect(ledger.calls).toEqual([]);
  });

  it('signs in where it comes round, as if it had come in the query', async () => {
    const { deployment, person, answer, answers, ledger } = await atApple();
    const round = locationOf(await post(deployment, answer({ code: 'ada', user: '{"n":"ä b"}' })));
    const back = locationOf(await person.visit(round.href));
    expect(back.origin + back.pathname).toBe(gptRedirect);
    expect([...back.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
    expect(answers).toEqual([`${callback}?${answer({ code: 'ada', user: '{"n":"ä b"}' })}`]);
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn']);
    expect(journeysIn(person.cookies)).toEqual([]);
  });

  it('lets the person refuse', async () => {
    const { deployment, person, answer } = await atApple();
    const round = locationOf(await post(deployment, answer({ error: 'access_denied' })));
    const { searchParams } = locationOf(await person.visit(round.href));
    expect(Object.fromEntries(searchParams)).toEqual({
      error: 'access_denied',
      error_description: 'The sign-in was refused or cancelled at the provider.',
      state: gptRequest.state,
      iss: issuer,
    });
  });

  it.each([
    ['as JSON', '{}', { 'content-type': 'application/json' }, 'request.content-type', 400],
    [
      'of more than 16 KiB',
      new URLSearchParams({ state: 's', x: 'x'.repeat(16_400) }),
      {},
      'request.too-large',
      413,
    ],
    [
      'too long for a URL',
      new URLSearchParams({ state: 's', x: 'x'.repeat(3_100) }),
      {},
      'request.too-large',
      413,
    ],
    ['without a state', new URLSearchParams({ code: 'ada' }), {}, 'transaction.missing', 400],
    ['with two states', new URLSearchParams('state=a&state=b'), {}, 'parameter.repeated', 400],
  ])('is refused on a page: %s', async (_, body, headers, reason, status) => {
    const { deployment, answers } = formPosting();
    const response = await post(deployment, body, callback, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
    expect(answers).toEqual([]);
  });

  it('still fits with all that an honest provider sends', async () => {
    const { deployment, answer } = await atApple();
    const user = JSON.stringify({ name: { firstName: 'Ä'.repeat(60), lastName: 'ß'.repeat(60) } });
    expect((await post(deployment, answer({ code: 'c'.repeat(512), user }))).status).toBe(303);
  });
});

describe('what comes round', () => {
  it('B6.2 posted answer: is refused in a browser that did not begin the journey', async () => {
    const system = await atApple();
    const round = locationOf(await post(system.deployment, system.answer()));
    const victim = createPerson(system.deployment);
    await expectNobody(system, await victim.visit(round.href), 'transaction.no-cookies');
    expect(journeysIn(system.person.cookies)).toHaveLength(1);
  });

  it('B6.2 posted answer: brings nobody in twice', async () => {
    const { deployment, person, answer, ledger } = await atApple();
    const cookie = cookieHeader(person.cookies);
    const round = locationOf(await post(deployment, answer()));
    await person.visit(round.href);
    await expectCompletedPage(await person.visit(round.href), 'signed-in', toGpt);
    const again = await createPerson(deployment, { cookie }).visit(round.href);
    expect(again.status).toBe(400);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.replayed' });
    expect(ledger.calls).toEqual([
      'grantStatus',
      'recordSignIn',
      'grantStatus',
      'grantStatus',
      'grantStatus',
    ]);
  });

  it('B6.3 moved from body to query: is refused, and the journey goes on', async () => {
    const system = await atApple();
    await expectNobody(system, await system.person.visit(`${callback}?${system.answer()}`), 'answer.plain');
    expect(journeysIn(system.person.cookies)).toHaveLength(1);
  });

  it('B6.3 moved from body to query: plain parameters beside the sealed ones are not read', async () => {
    const { deployment, person, answer, answers } = await atApple();
    const round = locationOf(await post(deployment, answer()));
    await person.visit(`${round.href}&code=mallory&state=x&user=y`);
    expect(answers).toEqual([`${callback}?${answer()}`]);
  });

  it('B6.3 moved from query to body: a provider that answers in the query is not posted for', async () => {
    const { deployment } = formPosting();
    const { state, person } = await atProvider(deployment, gptRequest, 'google');
    const body = new URLSearchParams({ state, code: 'ada' });
    const response = await post(deployment, body, `${issuer}/callback/google`);
    expect(response.headers.get('allow')).toBe('GET');
    response.headers.delete('allow');
    await expectErrorPage(response, deployment, 'This address does not answer that method.', 405);
    expect(journeysIn(person.cookies)).toHaveLength(1);
  });

  it('B5.2 posted answer: another provider’s is refused', async () => {
    const system = await atApple();
    const round = locationOf(await post(system.deployment, system.answer()));
    const elsewhere = round.href.replace('/callback/apple', '/callback/pear');
    await expectNobody(system, await system.person.visit(elsewhere), 'answer.provider');
  });

  it('B5.2 posted answer: at a provider that answers in the query it is no answer', async () => {
    const system = await atApple();
    const round = locationOf(await post(system.deployment, system.answer()));
    const elsewhere = round.href.replace('/callback/apple', '/callback/google');
    await expectNobody(system, await system.person.visit(elsewhere), 'transaction.missing');
  });

  it('is good for less than a minute', async () => {
    const system = await atApple();
    const round = locationOf(await post(system.deployment, system.answer()));
    system.deployment.advance(60);
    await expectNobody(system, await system.person.visit(round.href), 'answer.expired');
  });

  it.each([
    ['changed', (sealed: string) => `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BA' : 'AA'}`],
    ['cut', (sealed: string) => sealed.slice(0, 40)],
    ['nothing that was sealed', () => 'AAAA'],
  ])('is refused when it is %s', async (_, bend) => {
    const system = await atApple();
    const round = locationOf(await post(system.deployment, system.answer()));
    round.searchParams.set('form_post', bend(round.searchParams.get('form_post') ?? ''));
    await expectNobody(system, await system.person.visit(round.href), 'answer.unreadable');
  });

  it('is refused when something else was sealed', async () => {
    const system = await atApple();
    const [transaction = ''] = journeysIn(system.person.cookies).map((name) =>
      system.person.cookies.get(name),
    );
    const response = await system.person.visit(`${callback}?form_post=${transaction}`);
    await expectNobody(system, response, 'answer.unreadable');
  });

  it('is refused when it comes twice', async () => {
    const { deployment, person, answer, answers } = await atApple();
    const round = locationOf(await post(deployment, answer()));
    const twice = `${round.href}&${round.searchParams}`;
    await expectErrorPage(await person.visit(twice), deployment, 'A parameter is given more than once.');
    expect(answers).toEqual([]);
  });
});
