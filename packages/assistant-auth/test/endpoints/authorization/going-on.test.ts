import { describe, expect, test } from 'vitest';
import {
  type BrokerOptions,
  type IdentityProvider,
  LedgerUnavailable,
  type ProviderWord,
} from '../../../src/index.ts';
import { memoryLedger } from '../../../src/storage/memory.ts';
import { buttons, createVisitor } from '../../account-visitor.ts';
import { type Deployment, deploy, gptRedirect } from '../../deployment.ts';
import { askForTokens, gptRedemption, gptRequest, locationOf, tokensOf } from '../../person.ts';
import { createProvider } from '../../provider.ts';
import { expectErrorRedirect } from '../../refusals.ts';
import { watchLedger } from '../../watched-ledger.ts';

/** A deployment whose Google says what a test has it say, and counts how often it was asked. */
const saying = (word: ProviderWord = { kind: 'alive' }, changes: Partial<BrokerOptions> = {}) => {
  const said = { word, asked: 0 };
  const google: IdentityProvider = {
    ...createProvider('google', 'Google'),
    async check() {
      said.asked += 1;
      return said.word;
    },
  };
  return { deployment: deploy({ providers: [google, createProvider('other', 'Other')], ...changes }), said };
};

/** Signed in at the account page, with a token of Google's stored, and in front of ChatGPT's sign-in page. */
const inFront = async (
  deployment: Deployment,
  answer: Readonly<Record<string, string>> = { refresh: 'r-1' },
) => {
  const visitor = createVisitor(deployment);
  await visitor.enter('ada', 'google', answer);
  const { response, consent } = await visitor.open(gptRequest);
  const html = await response.text();
  return { visitor, consent, html, choices: buttons(html, 'choice') };
};

const codeOf = (response: Response) => locationOf(response).searchParams.get('code');

describe('the sign-in page of who is signed in', () => {
  test('offers to continue as them, and shows the consent all the same', async () => {
    const { deployment } = saying();
    const { html, choices } = await inFront(deployment);
    expect(choices).toEqual(['continue', 'google', 'other']);
    expect(html).toContain('ada@example.com');
    expect(html).toContain('Words GPT');
    expect(html).toContain('chat.openai.com');
    expect(html).toContain('read the word lists');
  });

  test.each([
    ['nobody is signed in', undefined],
    ['the provider cannot be asked about them', 'bob'],
  ])('offers nothing when %s', async (_, subject) => {
    const visitor = createVisitor(saying().deployment);
    if (subject !== undefined) await visitor.enter(subject);
    const { response } = await visitor.open(gptRequest);
    expect(buttons(await response.text(), 'choice')).toEqual(['google', 'other']);
  });

  test('asks storage only where a session may be', async () => {
    const ledger = watchLedger();
    const { deployment } = saying(undefined, { ledger });
    await createVisitor(deployment).open(gptRequest);
    expect(ledger.calls).toEqual([]);
    const { visitor } = await inFront(deployment);
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn', 'redeemCode', 'useSession']);
    visitor.cookies.set('__Host-session', 'garbage');
    await visitor.open(gptRequest);
    expect(ledger.calls).toHaveLength(4);
  });

  test('stands without storage, and offers nothing then', async () => {
    const memory = memoryLedger();
    let down = false;
    const ledger = {
      ...memory,
      useSession: (use: Parameters<typeof memory.useSession>[0]) =>
        down ? Promise.reject(new LedgerUnavailable('down')) : memory.useSession(use),
    };
    const { deployment } = saying(undefined, { ledger });
    const { visitor } = await inFront(deployment);
    down = true;
    const { response } = await visitor.open(gptRequest);
    expect(response.status).toBe(200);
    expect(buttons(await response.text(), 'choice')).toEqual(['google', 'other']);
  });
});

describe('continuing', () => {
  test('asks the provider first, and sends the client its code', async () => {
    const { deployment, said } = saying();
    const { visitor, consent } = await inFront(deployment);
    const response = await visitor.choose(consent, { choice: 'continue' });
    expect(said.asked).toBe(1);
    const back = locationOf(response);
    expect(back.href.startsWith(`${gptRedirect}?`)).toBe(true);
    expect(back.searchParams.get('state')).toBe(gptRequest.state);
    const tokens = await tokensOf(await askForTokens(deployment, gptRedemption(codeOf(response) ?? '')));
    const protection = await deployment.broker.protect(
      new Request(`${deployment.issuer}/api`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      }),
    );
    expect(protection).toMatchObject({
      access: {
        userId: await deployment.ledger.findUser({ provider: 'google', subject: 'ada' }),
        clientId: 'gpt',
        scopes: ['words', 'score'],
      },
    });
    expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'signed-in', clientId: 'gpt' }));
  });

  test('asks again only when the last word no longer holds', async () => {
    const { deployment, said } = saying();
    const { visitor, consent } = await inFront(deployment);
    for (let time = 0; time < 2; time++)
      expect(codeOf(await visitor.choose(consent, { choice: 'continue' }))).not.toBeNull();
    expect(said.asked).toBe(1);
    deployment.advance(600);
    const { consent: later } = await visitor.open(gptRequest);
    await visitor.choose(later, { choice: 'continue' });
    expect(said.asked).toBe(2);
  });

  test('ends here for who is gone at the provider, and so does the session', async () => {
    const { deployment } = saying({ kind: 'gone' });
    const { visitor, consent } = await inFront(deployment);
    const response = await visitor.choose(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    const html = await response.text();
    expect(buttons(html, 'choice')).toEqual(['google', 'other']);
    expect(html).toContain('role="status"');
    expect(visitor.cookies.has('__Host-session')).toBe(false);
    expect((await visitor.see()).kind).toBe('sign-in');
  });

  test('needs a clear word: without one they sign in anew, from the very same page', async () => {
    const { deployment, said } = saying({ kind: 'unknown', reason: 'took too long' });
    const { visitor, consent } = await inFront(deployment);
    const first = await (await visitor.choose(consent, { choice: 'continue' })).text();
    expect(buttons(first, 'choice')).toEqual(['google', 'other']);
    // The lease is still held: nobody asks a second time, and the silence is no yes.
    said.word = { kind: 'alive' };
    const { consent: again } = await visitor.open(gptRequest);
    expect((await visitor.choose(again, { choice: 'continue' })).status).toBe(200);
    expect(said.asked).toBe(1);
    const anew = /name="consent" value="([^"]*)"/.exec(first)?.[1] ?? '';
    expect(locationOf(await visitor.choose(anew, { choice: 'google' })).origin).toBe(
      'https://google.example',
    );
    expect((await visitor.see()).kind).toBe('account');
  });

  test('asks the publisher with what the provider said of them, and heeds its no', async () => {
    const asked: unknown[] = [];
    let allowed = true;
    const { deployment } = saying(undefined, {
      admit: async (identity, client) => {
        asked.push([identity, client.id]);
        return allowed || client.id === 'account'
          ? { kind: 'admitted' }
          : { kind: 'refused', reason: 'left' };
      },
    });
    const { visitor, consent } = await inFront(deployment);
    await visitor.choose(consent, { choice: 'continue' });
    expect(asked.at(-1)).toEqual([
      expect.objectContaining({
        provider: 'google',
        subject: 'ada',
        label: 'ada@example.com',
        emailVerified: false,
        claims: { sub: 'ada' },
      }),
      'gpt',
    ]);
    allowed = false;
    expectErrorRedirect(await visitor.choose(consent, { choice: 'continue' }), {
      to: gptRedirect,
      state: gptRequest.state,
      error: 'access_denied',
      description: 'This account may not sign in here.',
    });
  });

  test('is not offered to who would be unknown to the publisher', async () => {
    const google: IdentityProvider = {
      ...createProvider('google', 'Google'),
      async identify(...journey) {
        const identity = await createProvider('google', 'Google').identify(...journey);
        return { ...identity, claims: { groups: 'x'.repeat(4000) } };
      },
    };
    const { choices } = await inFront(deploy({ providers: [google] }));
    expect(choices).toEqual(['google']);
  });

  test('without having been offered is no choice', async () => {
    const { deployment } = saying();
    const visitor = createVisitor(deployment);
    const { consent } = await visitor.open(gptRequest);
    await visitor.enter('ada', 'google', { refresh: 'r-1' });
    const response = await visitor.choose(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(buttons(await response.text(), 'choice')).toEqual(['google', 'other']);
  });

  test('rests on no provider that was taken away while the page was open', async () => {
    const { deployment } = saying();
    const { visitor, consent } = await inFront(deployment);
    expect(codeOf(await visitor.choose(consent, { choice: 'continue' }))).not.toBeNull();
    const { ledger } = deployment;
    const without = createVisitor(deploy({ ledger, providers: [createProvider('other', 'Other')] }));
    for (const [name, value] of visitor.cookies) without.cookies.set(name, value);
    const response = await without.choose(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(buttons(await response.text(), 'choice')).toEqual(['other']);
    const { response: page } = await without.open(gptRequest);
    expect(buttons(await page.text(), 'choice')).toEqual(['other']);
  });

  test('brings back nobody who was deleted while the provider was asked', async () => {
    const ledger = memoryLedger();
    const google: IdentityProvider = {
      ...createProvider('google', 'Google'),
      async check() {
        const userId = (await ledger.findUser({ provider: 'google', subject: 'ada' })) ?? '';
        await ledger.deleteUser({ userId, by: 'user', now: deployment.now() });
        return { kind: 'alive' };
      },
    };
    const deployment = deploy({ ledger, providers: [google, createProvider('other', 'Other')] });
    const { visitor, consent } = await inFront(deployment);
    const response = await visitor.choose(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(buttons(await response.text(), 'choice')).toEqual(['google', 'other']);
    expect(await ledger.findUser({ provider: 'google', subject: 'ada' })).toBeUndefined();
  });

  test('tells the publisher their address, and the ledger the session that they have at the provider', async () => {
    const google: IdentityProvider = {
      ...createProvider('google', 'Google'),
      async identify(...journey) {
        const identity = await createProvider('google', 'Google').identify(...journey);
        return { ...identity, email: 'ada@example.com', emailVerified: true, sid: 'sid-1' };
      },
    };
    const ledger = memoryLedger();
    const [admitted, recorded]: [unknown[], unknown[]] = [[], []];
    const deployment = deploy({
      providers: [google],
      ledger: {
        ...ledger,
        recordSignIn: async (signIn) => {
          recorded.push(signIn.grant);
          return ledger.recordSignIn(signIn);
        },
      },
      admit: async (identity) => {
        admitted.push(identity);
        return { kind: 'admitted' };
      },
    });
    const { visitor, consent } = await inFront(deployment);
    expect(codeOf(await visitor.choose(consent, { choice: 'continue' }))).not.toBeNull();
    const known = { email: 'ada@example.com', emailVerified: true, sid: 'sid-1' };
    expect(admitted).toEqual([expect.objectContaining(known), expect.objectContaining(known)]);
    expect(recorded.at(-1)).toMatchObject({ clientId: 'gpt', sid: 'sid-1' });
  });

  test('is cancelled like any sign-in', async () => {
    const { deployment, said } = saying();
    const { visitor, consent } = await inFront(deployment);
    expectErrorRedirect(await visitor.choose(consent, { choice: 'continue', cancel: '1' }), {
      to: gptRedirect,
      state: gptRequest.state,
      error: 'access_denied',
      description: 'The sign-in was cancelled.',
    });
    expect(said.asked).toBe(0);
  });
});
