import { describe, expect, test } from 'vitest';
import {
  type BrokerOptions,
  type IdentityProvider,
  type RecheckResult,
  StorageUnavailable,
} from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createAccountBrowser, readButtonValues } from '../account-browser.ts';
import { buildGptCodeRequest, expectTokens, gptRequest, readRedirect, requestTokens } from '../browser.ts';
import { type Deployment, deploy, gptRedirect } from '../deployment.ts';
import { expectErrorRedirect } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

/** A deployment whose Google says what a test has it say, and counts how often it was asked. */
const saying = (
  word: RecheckResult = { kind: 'active' },
  changes: Partial<BrokerOptions> = {},
  features: { readonly hasAccountPage?: boolean } = {},
) => {
  const said = { word, asked: 0 };
  const google: IdentityProvider = {
    ...createProvider('google', 'Google'),
    async validateRefreshToken() {
      said.asked += 1;
      return said.word;
    },
  };
  const providers = [google, createProvider('other', 'Other')];
  return { deployment: deploy({ providers, ...changes }, features), said };
};

/** Signed in at the account page, with a token of Google's stored, and in front of ChatGPT's sign-in page. */
const inFront = async (
  deployment: Deployment,
  answer: Readonly<Record<string, string>> = { refresh: 'r-1' },
) => {
  const accountBrowser = createAccountBrowser(deployment);
  await accountBrowser.signInToAccount('ada', 'google', answer);
  const { response, consent } = await accountBrowser.openSignInPage(gptRequest);
  const html = await response.text();
  return { accountBrowser, consent, html, choices: readButtonValues(html, 'choice') };
};

const codeOf = (response: Response) => readRedirect(response).searchParams.get('code');

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
    const accountBrowser = createAccountBrowser(saying().deployment);
    if (subject !== undefined) await accountBrowser.signInToAccount(subject);
    const { response } = await accountBrowser.openSignInPage(gptRequest);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
  });

  test('asks storage only where a session may be', async () => {
    const storage = createSpyStorage();
    const { deployment } = saying(undefined, { storage });
    await createAccountBrowser(deployment).openSignInPage(gptRequest);
    expect(storage.calls).toEqual([]);
    const { accountBrowser } = await inFront(deployment);
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'redeemCode', 'useSession']);
    accountBrowser.cookies.set('__Host-session', 'garbage');
    await accountBrowser.openSignInPage(gptRequest);
    expect(storage.calls).toHaveLength(4);
  });

  test('stands without storage, and offers nothing then', async () => {
    const memory = memoryStorage();
    let down = false;
    const storage = {
      ...memory,
      useSession: (use: Parameters<typeof memory.useSession>[0]) =>
        down ? Promise.reject(new StorageUnavailable('down')) : memory.useSession(use),
    };
    const { deployment } = saying(undefined, { storage });
    const { accountBrowser } = await inFront(deployment);
    down = true;
    const { response } = await accountBrowser.openSignInPage(gptRequest);
    expect(response.status).toBe(200);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
  });
});

describe('continuing', () => {
  test('asks the provider first, and sends the client its code', async () => {
    const { deployment, said } = saying();
    const { accountBrowser, consent } = await inFront(deployment);
    const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
    expect(said.asked).toBe(1);
    const back = readRedirect(response);
    expect(back.href.startsWith(`${gptRedirect}?`)).toBe(true);
    expect(back.searchParams.get('state')).toBe(gptRequest.state);
    const tokens = await expectTokens(
      await requestTokens(deployment, buildGptCodeRequest(codeOf(response) ?? '')),
    );
    const protection = await deployment.broker.protect(
      new Request(`${deployment.issuer}/api`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      }),
    );
    expect(protection).toMatchObject({
      access: {
        userId: await deployment.storage.findUser({ provider: 'google', subject: 'ada' }),
        clientId: 'gpt',
        scopes: ['words', 'score'],
      },
    });
    expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'signed-in', clientId: 'gpt' }));
  });

  test('is not possible after the account page was removed, where people could sign out', async () => {
    const storage = memoryStorage();
    const before = await inFront(saying(undefined, { storage }).deployment);
    expect(before.choices).toContain('continue');
    const { deployment, said } = saying(undefined, { storage }, { hasAccountPage: false });
    const browser = createAccountBrowser(deployment);
    for (const [name, value] of before.accountBrowser.cookies) browser.cookies.set(name, value);
    const { response } = await browser.openSignInPage(gptRequest);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
    const continued = await browser.submitConsent(before.consent, { choice: 'continue' });
    expect(continued.status).toBe(200);
    expect(readButtonValues(await continued.text(), 'choice')).toEqual(['google', 'other']);
    expect(browser.cookies.has('__Host-session')).toBe(false);
    expect(said.asked).toBe(0);
    expect(deployment.log.map(({ event }) => event)).not.toContain('signed-in');
  });

  test('asks again only when the last word no longer holds', async () => {
    const { deployment, said } = saying();
    const { accountBrowser, consent } = await inFront(deployment);
    for (let time = 0; time < 2; time++)
      expect(codeOf(await accountBrowser.submitConsent(consent, { choice: 'continue' }))).not.toBeNull();
    expect(said.asked).toBe(1);
    deployment.advance(600);
    const { consent: later } = await accountBrowser.openSignInPage(gptRequest);
    await accountBrowser.submitConsent(later, { choice: 'continue' });
    expect(said.asked).toBe(2);
  });

  test('ends here for who is gone at the provider, and so does the session', async () => {
    const { deployment } = saying({ kind: 'revoked' });
    const { accountBrowser, consent } = await inFront(deployment);
    const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    const html = await response.text();
    expect(readButtonValues(html, 'choice')).toEqual(['google', 'other']);
    expect(html).toContain('role="status"');
    expect(accountBrowser.cookies.has('__Host-session')).toBe(false);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
  });

  test('needs a clear answer: without one they sign in again, from the same page', async () => {
    const { deployment, said } = saying({ kind: 'unknown', reason: 'took too long' });
    const { accountBrowser, consent } = await inFront(deployment);
    const first = await (await accountBrowser.submitConsent(consent, { choice: 'continue' })).text();
    expect(readButtonValues(first, 'choice')).toEqual(['google', 'other']);
    // The lease is still held: nobody asks a second time, and the silence is no yes.
    said.word = { kind: 'active' };
    const { consent: again } = await accountBrowser.openSignInPage(gptRequest);
    expect((await accountBrowser.submitConsent(again, { choice: 'continue' })).status).toBe(200);
    expect(said.asked).toBe(1);
    const nextForm = /name="consent" value="([^"]*)"/.exec(first)?.[1] ?? '';
    expect(readRedirect(await accountBrowser.submitConsent(nextForm, { choice: 'google' })).origin).toBe(
      'https://google.example',
    );
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  test('asks the publisher with what the provider said of them, and accepts a refusal', async () => {
    const asked: unknown[] = [];
    let allowed = true;
    const { deployment } = saying(undefined, {
      resolveUser: async (identity, client) => {
        asked.push([identity, client.id]);
        return allowed || client.id === 'account'
          ? { kind: 'accepted' }
          : { kind: 'refused', reason: 'left' };
      },
    });
    const { accountBrowser, consent } = await inFront(deployment);
    await accountBrowser.submitConsent(consent, { choice: 'continue' });
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
    expectErrorRedirect(await accountBrowser.submitConsent(consent, { choice: 'continue' }), {
      to: gptRedirect,
      state: gptRequest.state,
      error: 'access_denied',
      description: 'This account may not sign in here.',
    });
  });

  test('is not offered to who would be unknown to the publisher', async () => {
    const google: IdentityProvider = {
      ...createProvider('google', 'Google'),
      async handleCallback(...transaction) {
        const identity = await createProvider('google', 'Google').handleCallback(...transaction);
        return { ...identity, claims: { groups: 'x'.repeat(4000) } };
      },
    };
    const { choices } = await inFront(deploy({ providers: [google] }));
    expect(choices).toEqual(['google']);
  });

  test('without having been offered is no choice', async () => {
    const { deployment } = saying();
    const accountBrowser = createAccountBrowser(deployment);
    const { consent } = await accountBrowser.openSignInPage(gptRequest);
    await accountBrowser.signInToAccount('ada', 'google', { refresh: 'r-1' });
    const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
  });

  test('rests on no provider that was taken away while the page was open', async () => {
    const { deployment } = saying();
    const { accountBrowser, consent } = await inFront(deployment);
    expect(codeOf(await accountBrowser.submitConsent(consent, { choice: 'continue' }))).not.toBeNull();
    const { storage } = deployment;
    const without = createAccountBrowser(deploy({ storage, providers: [createProvider('other', 'Other')] }));
    for (const [name, value] of accountBrowser.cookies) without.cookies.set(name, value);
    const response = await without.submitConsent(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['other']);
    const { response: page } = await without.openSignInPage(gptRequest);
    expect(readButtonValues(await page.text(), 'choice')).toEqual(['other']);
  });

  test('brings back nobody who was deleted while the provider was asked', async () => {
    const storage = memoryStorage();
    const google: IdentityProvider = {
      ...createProvider('google', 'Google'),
      async validateRefreshToken() {
        const userId = (await storage.findUser({ provider: 'google', subject: 'ada' })) ?? '';
        await storage.deleteUser({ userId, actor: 'user', now: deployment.now() });
        return { kind: 'active' };
      },
    };
    const deployment = deploy({ storage, providers: [google, createProvider('other', 'Other')] });
    const { accountBrowser, consent } = await inFront(deployment);
    const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
    expect(await storage.findUser({ provider: 'google', subject: 'ada' })).toBeUndefined();
  });

  test('tells the publisher their address, and storage the session that they have at the provider', async () => {
    const google: IdentityProvider = {
      ...createProvider('google', 'Google'),
      async handleCallback(...transaction) {
        const identity = await createProvider('google', 'Google').handleCallback(...transaction);
        return { ...identity, email: 'ada@example.com', emailVerified: true, sid: 'sid-1' };
      },
    };
    const storage = memoryStorage();
    const [accepted, recorded]: [unknown[], unknown[]] = [[], []];
    const deployment = deploy({
      providers: [google],
      storage: {
        ...storage,
        recordSignIn: async (signIn) => {
          recorded.push(signIn.grant);
          return storage.recordSignIn(signIn);
        },
      },
      resolveUser: async (identity) => {
        accepted.push(identity);
        return { kind: 'accepted' };
      },
    });
    const { accountBrowser, consent } = await inFront(deployment);
    expect(codeOf(await accountBrowser.submitConsent(consent, { choice: 'continue' }))).not.toBeNull();
    const known = { email: 'ada@example.com', emailVerified: true, sid: 'sid-1' };
    expect(accepted).toEqual([expect.objectContaining(known), expect.objectContaining(known)]);
    expect(recorded.at(-1)).toMatchObject({ clientId: 'gpt', sid: 'sid-1' });
  });

  test('is cancelled like any sign-in', async () => {
    const { deployment, said } = saying();
    const { accountBrowser, consent } = await inFront(deployment);
    expectErrorRedirect(await accountBrowser.submitConsent(consent, { choice: 'continue', cancel: '1' }), {
      to: gptRedirect,
      state: gptRequest.state,
      error: 'access_denied',
      description: 'The sign-in was cancelled.',
    });
    expect(said.asked).toBe(0);
  });
});
