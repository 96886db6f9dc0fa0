/** The provider's word at a refresh, from servers that others wrote: revoking at Google, rotation at an OpenID Connect issuer. */
import { google, oidc } from 'assistant-auth';
import { afterEach, describe, expect, it } from 'vitest';
import { startGoogle, startOidcIssuer } from '../../src/index.ts';
import { ada, bruno, deployWithFakeProvider, expectTokens } from './signed-in.ts';

let running: Awaited<ReturnType<typeof deployWithFakeProvider>> | undefined;
afterEach(() => running?.fakeProvider.close());

const overGoogle = async () => {
  running = await deployWithFakeProvider(startGoogle, (baseUrl, client) => google({ ...client, baseUrl }));
  return running;
};

const overIssuer = async () => {
  running = await deployWithFakeProvider(startOidcIssuer, (issuer, client) =>
    oidc({
      ...{ id: 'acme', displayName: 'Acme', issuer, ...client },
      // The scope offline_access is added because the issuer lists it. Without this parameter, the issuer would ignore the scope.
      authorizationParameters: { prompt: 'consent' },
    }),
  );
  return running;
};

/** ChatGPT signs a person in anew. */
const signInAgain = {
  kind: 'error',
  status: 401,
  body: { error: 'invalid_grant', error_description: 'The refresh token is not valid.' },
};

describe('at Google', () => {
  it('B13.4 a person who withdraws is signed out at the next refresh, and nobody else is', async () => {
    const { fakeProvider, tokens, signIn, refresh, call, advance } = await overGoogle();
    const [adas, brunos] = [await signIn(ada), await signIn(bruno)];
    const access = expectTokens(await refresh(adas)).accessToken;
    expect(await call(access)).toBe('granted');
    await revoke(fakeProvider.issuer, tokens.sent[0] ?? '');
    advance(600);
    expect(await refresh(adas)).toEqual(signInAgain);
    expect(await refresh(adas)).toEqual(signInAgain);
    advance(10);
    expect(await call(access)).toBe('refused');
    expect(await call(expectTokens(await refresh(brunos)).accessToken)).toBe('granted');
    expect(tokens.sent).toHaveLength(3);
  });

  it('who comes back is asked about anew', async () => {
    const { fakeProvider, tokens, signIn, refresh, advance } = await overGoogle();
    const before = await signIn(ada);
    await revoke(fakeProvider.issuer, tokens.received[0] ?? '');
    expect(await refresh(before)).toEqual(signInAgain);
    const after = await signIn(ada);
    advance(600);
    expectTokens(await refresh(after));
    expect(tokens.sent).toEqual(tokens.received);
  });

  it('B13.3 a Google that is out of reach signs nobody out', async () => {
    const { fakeProvider, log, signIn, refresh, call, advance } = await overGoogle();
    const adas = await signIn(ada);
    expectTokens(await refresh(adas));
    await fakeProvider.close();
    advance(600);
    expect(await call(expectTokens(await refresh(adas)).accessToken)).toBe('granted');
    expect(log.filter(({ event }) => event === 'recheck-failed')).toMatchObject([
      { provider: 'google', cause: expect.stringMatching(/^127\.0\.0\.1:\d+ is out of reach$/) },
    ]);
  });
});

describe('at an issuer that rotates its tokens, and takes one that comes back for stolen', () => {
  it('refreshes at once ask it once, with the newest token each time', async () => {
    const { tokens, signIn, refresh, advance } = await overIssuer();
    const adas = await signIn(ada);
    for (let round = 1; round <= 5; round++) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(adas)));
      expect(answers.map(({ kind }) => kind)).toEqual(Array(20).fill('tokens'));
      expect(tokens.sent).toHaveLength(round);
      advance(600);
    }
    expect(tokens.sent).toEqual(tokens.received.slice(0, 5));
    expect(new Set(tokens.received).size).toBe(6);
  });

  it('B13.4 its word ends the grant when a token of it was stolen', async () => {
    const { fakeProvider, tokens, signIn, refresh, advance } = await overIssuer();
    const adas = await signIn(ada);
    expectTokens(await refresh(adas));
    const reused = await useElsewhere(fakeProvider.issuer, tokens.sent[0] ?? '');
    expect(reused).toMatchObject({ error: 'invalid_grant' });
    advance(600);
    expect(await refresh(adas)).toEqual(signInAgain);
  });
});

const client = { client_id: 'words', client_secret: 'a-secret-of-the-test' };

const revoke = async (issuer: string, token: string): Promise<void> => {
  const discovered = await fetch(`${issuer}/.well-known/openid-configuration`);
  const { revocation_endpoint: endpoint } = Object(await discovered.json());
  const body = new URLSearchParams({ token, ...client });
  const response = await fetch(String(endpoint), { method: 'POST', body });
  expect(response.status).toBe(200);
};

/** What somebody gets who presents a token that was replaced. */
const useElsewhere = async (issuer: string, token: string): Promise<unknown> => {
  const { token_endpoint: endpoint } = Object(
    await (await fetch(`${issuer}/.well-known/openid-configuration`)).json(),
  );
  const headers = { authorization: `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}` };
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token });
  return (await fetch(String(endpoint), { method: 'POST', headers, body })).json();
};
