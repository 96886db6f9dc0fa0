/** An answer that comes as a form from the provider's site, without this site's cookies, and is brought round to where they are. */
import { describe, expect, it } from 'vitest';
import { createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { deploy, gptRedirect, issuer } from '../deployment.ts';
import {
  expectCompletedPage,
  expectCookiesPage,
  expectErrorPage,
  gptDestination,
  missingTransactionMessage,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { buildCookieHeader, continueToProvider, listTransactionCookies } from '../flows.ts';
import { createSpyStorage } from '../spy-storage.ts';

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
      responseMode: 'form_post' as const,
      handleCallback: (...[answer, upstreamRequest, io]: Parameters<typeof provider.handleCallback>) => {
        answers.push(answer.href);
        return provider.handleCallback(answer, upstreamRequest, io);
      },
    };
  };
  const storage = createSpyStorage();
  const providers = [posting('apple'), posting('pear'), createProvider('google', 'Google')];
  return { answers, storage, deployment: deploy({ providers, storage }) };
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
  const { answers, storage, deployment } = formPosting();
  const { browser, state } = await continueToProvider(deployment, gptRequest, 'apple');
  const answer = (more: Readonly<Record<string, string>> = { code: 'ada' }) =>
    new URLSearchParams({ state, ...more });
  return { answers, storage, deployment, browser, state, answer };
};

/** Goes to where the posted answer was sent round, and tells that nobody was signed in there. */
const expectNoIdentity = async (
  { answers, storage, deployment }: ReturnType<typeof formPosting>,
  response: Response,
  reason: string,
) => {
  if (reason === 'transaction.no-cookies') await expectCookiesPage(response, deployment, 'callback');
  else
    await expectErrorPage(
      response,
      deployment,
      reason === 'transaction.missing' ? missingTransactionMessage : stale,
    );
  expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
  expect(answers).toEqual([]);
  expect(storage.calls).toEqual([]);
};

describe('an answer that is posted', () => {
  it('is sent round to the same address, sealed, and touches no cookie', async () => {
    const { deployment, answer, answers, storage } = await atApple();
    const response = await post(deployment, answer({ code: 'ada', user: '{"name":{}}' }));
    const location = readRedirect(response);
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
    expect(storage.calls).toEqual([]);
  });

  it('signs in where it comes round, as if it had come in the query', async () => {
    const { deployment, browser, answer, answers, storage } = await atApple();
    const round = readRedirect(await post(deployment, answer({ code: 'ada', user: '{"n":"ä b"}' })));
    const back = readRedirect(await browser.visit(round.href));
    expect(back.origin + back.pathname).toBe(gptRedirect);
    expect([...back.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
    expect(answers).toEqual([`${callback}?${answer({ code: 'ada', user: '{"n":"ä b"}' })}`]);
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
  });

  it('lets the person refuse', async () => {
    const { deployment, browser, answer } = await atApple();
    const round = readRedirect(await post(deployment, answer({ error: 'access_denied' })));
    const { searchParams } = readRedirect(await browser.visit(round.href));
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
  it('B6.2 posted answer: is refused in a browser that did not start the login transaction', async () => {
    const system = await atApple();
    const round = readRedirect(await post(system.deployment, system.answer()));
    const victim = createTestBrowser(system.deployment);
    await expectNoIdentity(system, await victim.visit(round.href), 'transaction.no-cookies');
    expect(listTransactionCookies(system.browser.cookies)).toHaveLength(1);
  });

  it('B6.2 posted answer: brings nobody in twice', async () => {
    const { deployment, browser, answer, storage } = await atApple();
    const cookie = buildCookieHeader(browser.cookies);
    const round = readRedirect(await post(deployment, answer()));
    await browser.visit(round.href);
    await expectCompletedPage(await browser.visit(round.href), 'signed-in', gptDestination);
    const again = await createTestBrowser(deployment, { cookie }).visit(round.href);
    expect(again.status).toBe(400);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.replayed' });
    expect(storage.calls).toEqual([
      'readGrantStatus',
      'recordSignIn',
      'readGrantStatus',
      'readGrantStatus',
      'readGrantStatus',
    ]);
  });

  it('B6.3 moved from body to query: is refused, and the login transaction goes on', async () => {
    const system = await atApple();
    await expectNoIdentity(
      system,
      await system.browser.visit(`${callback}?${system.answer()}`),
      'form-post.missing',
    );
    expect(listTransactionCookies(system.browser.cookies)).toHaveLength(1);
  });

  it('B6.3 moved from body to query: plain parameters beside the sealed ones are not read', async () => {
    const { deployment, browser, answer, answers } = await atApple();
    const round = readRedirect(await post(deployment, answer()));
    await browser.visit(`${round.href}&code=mallory&state=x&user=y`);
    expect(answers).toEqual([`${callback}?${answer()}`]);
  });

  it('B6.3 moved from query to body: a provider that answers in the query is not posted for', async () => {
    const { deployment } = formPosting();
    const { state, browser } = await continueToProvider(deployment, gptRequest, 'google');
    const body = new URLSearchParams({ state, code: 'ada' });
    const response = await post(deployment, body, `${issuer}/callback/google`);
    expect(response.headers.get('allow')).toBe('GET');
    response.headers.delete('allow');
    await expectErrorPage(response, deployment, 'This address does not answer that method.', 405);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
  });

  it('B5.2 posted answer: another provider’s is refused', async () => {
    const system = await atApple();
    const round = readRedirect(await post(system.deployment, system.answer()));
    const elsewhere = round.href.replace('/callback/apple', '/callback/pear');
    await expectNoIdentity(system, await system.browser.visit(elsewhere), 'form-post.provider');
  });

  it('B5.2 posted answer: at a provider that answers in the query it is no answer', async () => {
    const system = await atApple();
    const round = readRedirect(await post(system.deployment, system.answer()));
    const elsewhere = round.href.replace('/callback/apple', '/callback/google');
    await expectNoIdentity(system, await system.browser.visit(elsewhere), 'transaction.missing');
  });

  it('is good for less than a minute', async () => {
    const system = await atApple();
    const round = readRedirect(await post(system.deployment, system.answer()));
    system.deployment.advance(60);
    await expectNoIdentity(system, await system.browser.visit(round.href), 'form-post.expired');
  });

  it.each([
    ['changed', (sealed: string) => `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BA' : 'AA'}`],
    ['cut', (sealed: string) => sealed.slice(0, 40)],
    ['nothing that was sealed', () => 'AAAA'],
  ])('is refused when it is %s', async (_, override) => {
    const system = await atApple();
    const round = readRedirect(await post(system.deployment, system.answer()));
    round.searchParams.set('form_post', override(round.searchParams.get('form_post') ?? ''));
    await expectNoIdentity(system, await system.browser.visit(round.href), 'form-post.unreadable');
  });

  it('is refused when something else was sealed', async () => {
    const system = await atApple();
    const [transaction = ''] = listTransactionCookies(system.browser.cookies).map((name) =>
      system.browser.cookies.get(name),
    );
    const response = await system.browser.visit(`${callback}?form_post=${transaction}`);
    await expectNoIdentity(system, response, 'form-post.unreadable');
  });

  it('is refused when it comes twice', async () => {
    const { deployment, browser, answer, answers } = await atApple();
    const round = readRedirect(await post(deployment, answer()));
    const twice = `${round.href}&${round.searchParams}`;
    await expectErrorPage(await browser.visit(twice), deployment, 'A parameter is given more than once.');
    expect(answers).toEqual([]);
  });
});
