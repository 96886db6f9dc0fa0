import { describe, expect, test } from 'vitest';
import type { IdentityProvider, SignIn } from '../../src/index.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { memoryLedger } from '../../src/storage/memory.ts';
import { createVault } from '../../src/tokens/sealers.ts';
import { clients, deploy, gptRedirect, issuer, keys } from '../deployment.ts';
import { atProvider, completionsIn, cookieHeader, journeysIn } from '../on-the-way.ts';
import { appRequest, callApi, challenge, createPerson, gptRequest, locationOf, tokensOf } from '../person.ts';
import { gpt, redeem, refresh, tokensFor } from '../players.ts';
import { createProvider } from '../provider.ts';
import { expectErrorPage } from '../refusals.ts';
import { watchLedger } from '../watched-ledger.ts';
import { watchProvider } from '../watched-provider.ts';

const stale =
  'This sign-in has expired or was started in another browser. Go back to the app and start again.';
const vault = createVault(parseKeyRing(keys), issuer, [], (length) => new Uint8Array(length));

/** A ledger that keeps a copy of what it recorded. */
const recordingLedger = () => {
  const signIns: SignIn[] = [];
  const ledger = memoryLedger();
  return {
    signIns,
    ledger: {
      ...ledger,
      recordSignIn: (signIn: SignIn) => {
        signIns.push(signIn);
        return ledger.recordSignIn(signIn);
      },
    },
  };
};

describe('coming back from the provider', () => {
  test('records the sign-in, ends the journey and sends the client its code', async () => {
    const ledger = watchLedger();
    const { deployment, person, comeBack } = await atProvider(deploy({ ledger }));
    const response = await comeBack({ code: 'ada' });
    const location = locationOf(response);
    expect(response.status).toBe(303);
    expect(location.origin + location.pathname).toBe(gptRedirect);
    expect([...location.searchParams]).toEqual([
      ['code', expect.stringMatching(/^[\w-]+$/)],
      ['state', gptRequest.state],
      ['iss', issuer],
    ]);
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-tx-[\w-]{8}=; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=0$/),
      expect.stringMatching(
        /^__Host-done-[\w-]{8}=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
      ),
    ]);
    expect(journeysIn(person.cookies)).toEqual([]);
    const [completed = ''] = completionsIn(person.cookies);
    expect(await vault.completion.open(person.cookies.get(completed) ?? '')).toMatchObject({
      kind: 'opened',
      value: { provider: 'google', errand: { kind: 'authorize', clientId: 'gpt', redirectUri: gptRedirect } },
    });
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn']);
    expect(deployment.log.at(-1)).toEqual({
      event: 'signed-in',
      endpoint: 'callback',
      requestId: expect.stringMatching(/^[\w-]{22}$/),
      clientId: 'gpt',
      provider: 'google',
      redirectUri: gptRedirect,
    });
  });

  test('seals into the code what the token endpoint must compare, for a minute', async () => {
    const { deployment, comeBack } = await atProvider(deploy(), {
      ...appRequest,
      resource: `${issuer}/other`,
    });
    const code = locationOf(await comeBack({ code: 'ada' })).searchParams.get('code') ?? '';
    expect(await vault.code.open(code)).toEqual({
      kind: 'opened',
      value: {
        grantId: expect.stringMatching(/^[\w-]{22}$/),
        clientId: 'app',
        redirectUri: 'https://app.example/callback',
        resource: `${issuer}/other`,
        codeChallenge: challenge,
        expiresAt: deployment.now() + 60,
      },
    });
  });

  test('redeems the answer with the values that the journey began with', async () => {
    const provider = watchProvider();
    const { comeBack } = await atProvider(deploy({ providers: [provider] }));
    await comeBack({ code: 'ada' });
    expect(provider.redeemed).toEqual(provider.begun);
  });

  test('finds the same user again for the same subject, and another for another provider’s', async () => {
    const deployment = deploy();
    const userOf = async (provider: string, subject: string) => {
      const { comeBack } = await atProvider(deployment, gptRequest, provider);
      const code = locationOf(await comeBack({ code: subject })).searchParams.get('code') ?? '';
      const tokens = await tokensOf(await redeem(deployment, gpt, code));
      const protection = await callApi(deployment, tokens.access_token);
      return protection.kind === 'granted' ? protection.access.userId : undefined;
    };
    const ada = await userOf('google', 'ada');
    expect(ada).toMatch(/^[\w-]{22}$/);
    expect(await userOf('google', 'ada')).toBe(ada);
    expect(new Set([ada, await userOf('google', 'bob'), await userOf('other', 'ada')]).size).toBe(3);
  });
});

describe('a publisher who decides who may come in', () => {
  test('keeps somebody out: nothing is stored, and the client learns only that', async () => {
    const ledger = watchLedger();
    const admit = async () => ({ kind: 'refused', reason: 'hd is not example.org' }) as const;
    const { deployment, comeBack } = await atProvider(deploy({ ledger, admit }));
    const location = locationOf(await comeBack({ code: 'ada' }));
    expect(Object.fromEntries(location.searchParams)).toEqual({
      error: 'access_denied',
      error_description: 'This account may not sign in here.',
      state: gptRequest.state,
      iss: issuer,
    });
    expect(ledger.calls).toEqual(['grantStatus']);
    expect(deployment.log.at(-1)).toMatchObject({
      reason: 'admission.refused',
      cause: 'hd is not example.org',
    });
  });

  test('names a user of theirs, whose facts come out of the guard, unchanged by a refresh', async () => {
    const claims = { plan: 'pro', seats: 3, beta: false };
    const deployment = deploy({ admit: async () => ({ kind: 'admitted', userId: 'their-42', claims }) });
    const first = await tokensFor(deployment, gpt);
    const refreshed = await tokensOf(await refresh(deployment, gpt, first.refresh_token));
    for (const token of [first.access_token, refreshed.access_token])
      expect(await callApi(deployment, token)).toMatchObject({
        kind: 'granted',
        access: { userId: 'their-42', claims },
      });
  });

  test('says too much about somebody: our error, and nothing is stored', async () => {
    const ledger = watchLedger();
    const admit = async () => ({ kind: 'admitted', claims: { much: 'x'.repeat(600) } }) as const;
    const { comeBack } = await atProvider(deploy({ ledger, admit }));
    expect(locationOf(await comeBack({ code: 'ada' })).searchParams.get('error')).toBe('server_error');
    expect(ledger.calls).toEqual(['grantStatus']);
  });

  test('is asked about the client that asks', async () => {
    const asked: string[] = [];
    const { comeBack } = await atProvider(
      deploy({
        admit: async (identity, client) => {
          asked.push(`${identity.provider} ${identity.subject} ${client.id}`);
          return { kind: 'admitted' };
        },
      }),
    );
    await comeBack({ code: 'ada' });
    expect(asked).toEqual(['google ada gpt']);
  });
});

test('the provider’s refresh token reaches the ledger sealed, bound to its row', async () => {
  const { signIns, ledger } = recordingLedger();
  const { comeBack } = await atProvider(deploy({ ledger }));
  await comeBack({ code: 'ada', refresh: 'provider-secret-1' });
  const [{ identity } = { identity: undefined }] = signIns;
  expect(JSON.stringify(signIns)).not.toContain('provider-secret-1');
  const sealed = identity?.sealedRefreshToken ?? '';
  const row = (text: string) => Uint8Array.from(new TextEncoder().encode(text));
  expect(await vault.providerToken.open(sealed, row('google\0ada'))).toEqual({
    kind: 'opened',
    value: row('provider-secret-1'),
  });
  expect((await vault.providerToken.open(sealed, row('google\0bob'))).kind).toBe('unopened');
});

describe('an address that is no way to sign in', () => {
  test.each([
    '/callback/nobody',
    '/callback/',
    '/callback/google/',
    '/callback/google/more',
    '/callback/Google',
    '/callback/goo%67le',
    '/callback//google',
    '/callback/__proto__',
  ])('is a page: %s', async (path) => {
    const { deployment, person, comeBack } = await atProvider();
    const response = await comeBack({ code: 'ada' }, path);
    await expectErrorPage(response, deployment, 'There is no such way to sign in.', 404);
    expect(person.cookies.size).toBe(2);
  });

  test('is a page when the state is repeated', async () => {
    const { deployment, person, state } = await atProvider();
    const response = await person.visit(`${issuer}/callback/google?code=ada&state=${state}&state=${state}`);
    await expectErrorPage(response, deployment, 'A parameter is given more than once.');
  });
});

describe('a journey whose client changed meanwhile', () => {
  const [gptClient, ...others] = clients;

  test.each([
    ['gone', others, 'The app that sent you here is not registered with us.'],
    [
      'of another address',
      [{ ...gptClient, redirects: [{ kind: 'gpt', gptIds: ['g-another'] } as const] }],
      'The address to return to is not registered for this app.',
    ],
  ])('ends on a page, and asks the provider nothing: %s', async (_, left, message) => {
    const { person, answerUrl } = await atProvider();
    const cookie = cookieHeader(person.cookies);
    const provider = watchProvider();
    const changed = deploy({ clients: left, providers: [provider] });
    const response = await createPerson(changed, { cookie }).visit(answerUrl({ code: 'ada' }));
    await expectErrorPage(response, changed, message);
    expect(provider.redeemed).toEqual([]);
  });

  test('ends on a page when the provider is no longer offered', async () => {
    const { person, answerUrl } = await atProvider();
    const cookie = cookieHeader(person.cookies);
    const changed = deploy({ providers: [createProvider('other', 'Other')] });
    const response = await createPerson(changed, { cookie }).visit(answerUrl({ code: 'ada' }));
    await expectErrorPage(response, changed, 'There is no such way to sign in.', 404);
  });
});

test('a journey survives a new key, and ends with its old one', async () => {
  const { person, answerUrl } = await atProvider();
  const cookie = cookieHeader(person.cookies);
  const newest = 'test-2.8PHy8_T19vf4-fr7_P3-_wABAgMEBQYHCAkKCwwNDg8';
  const answer = answerUrl({ code: 'ada' });
  const rotated = deploy({ sealingKeys: `${newest} ${keys}` });
  expect(locationOf(await createPerson(rotated, { cookie }).visit(answer)).searchParams.has('code')).toBe(
    true,
  );
  const burned = deploy({ sealingKeys: newest });
  await expectErrorPage(await createPerson(burned, { cookie }).visit(answer), burned, stale);
  expect(burned.log.at(-1)).toMatchObject({ reason: 'transaction.unreadable', cause: 'unknown-key' });
});

test('a provider that fails in a way nobody foresaw is our error, and says nothing of itself', async () => {
  const failing: IdentityProvider = {
    ...createProvider('google', 'Google'),
    identify: () => Promise.reject(new Error('client_secret=hunter2')),
  };
  const { comeBack } = await atProvider(deploy({ providers: [failing] }));
  const response = await comeBack({ code: 'ada' });
  expect(locationOf(response).searchParams.get('error')).toBe('server_error');
  expect(JSON.stringify([...response.headers])).not.toContain('hunter2');
});
