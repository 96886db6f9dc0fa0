/** The same callback, arriving more than once: reloaded, delivered twice, or twice at the same moment. */

import { describe, expect, it } from 'vitest';
import {
  type IdentityProvider,
  type Ledger,
  LedgerUnavailable,
  ProviderError,
  staticClient,
} from '../../../src/index.ts';
import { memoryLedger } from '../../../src/storage/memory.ts';
import { clients, deploy, issuer, keys } from '../../deployment.ts';
import { atProvider, completionsIn, cookieHeader, journeysIn } from '../../on-the-way.ts';
import { appRequest, gptRequest, locationOf } from '../../person.ts';
import { gpt, redeem, refresh } from '../../players.ts';
import { createProvider } from '../../provider.ts';
import { expectCompletedPage, expectErrorRedirect, toGpt } from '../../refusals.ts';
import { codeIn, createStrictSystem, repeat } from '../../repeated-callback.ts';
import { watchLedger } from '../../watched-ledger.ts';

type Query = Readonly<Record<string, string>>;

describe('B22 a client’s callback', () => {
  it('B22.1 reload: says that the person is signed in, and asks the provider nothing', async () => {
    const { asked, ledger, deployment } = createStrictSystem();
    const { person, comeBack } = await atProvider(deployment);
    const code = codeIn(await comeBack({ code: 'ada' }));
    const before = new Map(person.cookies);
    for (let time = 0; time < 3; time++) {
      await expectCompletedPage(await comeBack({ code: 'ada' }), 'signed-in', toGpt);
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.replayed' });
    }
    expect(asked).toHaveLength(1);
    expect(ledger.calls.filter((name) => name === 'recordSignIn')).toHaveLength(1);
    expect(person.cookies).toEqual(before);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
    await expectCompletedPage(await comeBack({ code: 'ada' }), 'signed-in', toGpt);
  });

  it.each<[string, Query]>([
    ['the same answer', { code: 'ada' }],
    ['another person’s', { code: 'eve' }],
    ['a refusal', { error: 'access_denied' }],
    ['an outage', { error: 'temporarily_unavailable' }],
    ['nothing', {}],
  ])('B22.1 reload: nor does %s under the same state tell the client anything', async (_, answer) => {
    const { asked, deployment } = createStrictSystem();
    const { comeBack } = await atProvider(deployment);
    await comeBack({ code: 'ada' });
    await expectCompletedPage(await comeBack(answer), 'signed-in', toGpt);
    expect(asked).toHaveLength(1);
  });

  it('B22.1 reload: is known for as long as the sign-in could have taken', async () => {
    const { deployment } = createStrictSystem();
    const { comeBack } = await atProvider(deployment);
    await comeBack({ code: 'ada' });
    deployment.advance(599);
    await expectCompletedPage(await comeBack({ code: 'ada' }), 'signed-in', toGpt);
    deployment.advance(1);
    expect((await comeBack({ code: 'ada' })).status).toBe(400);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.expired' });
  });

  it('B22.1 reload: of several sign-ins the newest three are known', async () => {
    const { deployment } = createStrictSystem();
    const { person, answerUrl } = await atProvider(deployment);
    const urls = [answerUrl({ code: 'ada' })];
    await person.visit(urls[0] ?? '');
    for (let time = 1; time < 5; time++) {
      const { consent } = await person.open(gptRequest);
      const sent = locationOf(await person.choose(consent, { choice: 'google' }));
      const state = sent.searchParams.get('state') ?? '';
      urls.push(`${issuer}/callback/google?${new URLSearchParams({ state, code: 'ada' })}`);
      await person.visit(urls.at(-1) ?? '');
    }
    expect(journeysIn(person.cookies)).toEqual([]);
    expect(completionsIn(person.cookies)).toHaveLength(3);
    for (const url of urls.slice(-3)) await expectCompletedPage(await person.visit(url), 'signed-in', toGpt);
  });

  it('B22.2 delivered twice: before the first response reached the browser', async () => {
    const { asked, ledger, deployment } = createStrictSystem();
    const { person, answerUrl } = await atProvider(deployment);
    const again = repeat(deployment, answerUrl({ code: 'ada' }), cookieHeader(person.cookies));
    expect(codeIn(await again())).not.toBe('');
    await expectCompletedPage(await again(), 'signed-in', toGpt);
    expect(asked).toHaveLength(1);
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn', 'grantStatus', 'grantStatus']);
  });

  it('B22.2 delivered twice: to another process', async () => {
    const { provider, asked, ledger, deployment } = createStrictSystem();
    const other = deploy({ providers: [provider], ledger });
    const { person, answerUrl } = await atProvider(deployment);
    const cookie = cookieHeader(person.cookies);
    expect(codeIn(await repeat(deployment, answerUrl({ code: 'ada' }), cookie)())).not.toBe('');
    await expectCompletedPage(await repeat(other, answerUrl({ code: 'ada' }), cookie)(), 'signed-in', toGpt);
    expect(asked).toHaveLength(1);
  });

  it('B22.3 at the same moment: of ten one gets a code, and no other reaches the client', async () => {
    const { asked, deployment } = createStrictSystem();
    const { person, answerUrl } = await atProvider(deployment);
    const again = repeat(deployment, answerUrl({ code: 'ada' }), cookieHeader(person.cookies));
    const responses = await Promise.all(Array.from({ length: 10 }, again));
    const [first, ...others] = responses.toSorted((one, other) => one.status - other.status);
    if (first === undefined) throw new Error('no response');
    expect((await redeem(deployment, gpt, codeIn(first))).status).toBe(200);
    for (const response of others) await expectCompletedPage(response, 'signed-in', toGpt);
    expect(asked).toHaveLength(1);
  });

  it('B22.3 at the same moment: in two processes, where the second finds the code used', async () => {
    const ledger = watchLedger();
    const { promise: recorded, resolve } = Promise.withResolvers<void>();
    const plain = createProvider('google', 'Google');
    const late: IdentityProvider = {
      ...plain,
      async identify() {
        await recorded;
        throw new ProviderError('invalid', 'invalid_grant');
      },
    };
    const one = deploy({ providers: [plain], ledger });
    const two = deploy({ providers: [late], ledger });
    const { person, answerUrl } = await atProvider(one);
    const cookie = cookieHeader(person.cookies);
    const second = repeat(two, answerUrl({ code: 'ada' }), cookie)();
    expect(codeIn(await repeat(one, answerUrl({ code: 'ada' }), cookie)())).not.toBe('');
    resolve();
    await expectCompletedPage(await second, 'signed-in', toGpt);
    expect(ledger.calls.filter((name) => name === 'recordSignIn')).toHaveLength(1);
  });

  it('B22.3 at the same moment: in two processes, where the provider accepts the code twice', async () => {
    const ledger = watchLedger();
    const provider = createProvider('google', 'Google');
    const [one, two] = [deploy({ providers: [provider], ledger }), deploy({ providers: [provider], ledger })];
    const { person, answerUrl } = await atProvider(one);
    const cookie = cookieHeader(person.cookies);
    const responses = await Promise.all(
      [one, two].map((deployment) => repeat(deployment, answerUrl({ code: 'ada' }), cookie)()),
    );
    const statuses = responses.map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([303, 400]);
    for (const response of responses.filter(({ status }) => status === 400))
      await expectCompletedPage(response, 'signed-in', toGpt);
  });

  it('B22.3 at the same moment: the second signs in if the first failed for a reason of its own', async () => {
    let calls = 0;
    const memory = memoryLedger();
    const grantStatus: typeof memory.grantStatus = async (id) => {
      calls += 1;
      if (calls === 1) throw new Error('out of memory');
      return memory.grantStatus(id);
    };
    const { deployment } = createStrictSystem({ ledger: { ...memory, grantStatus } });
    const { person, answerUrl } = await atProvider(deployment);
    const again = repeat(deployment, answerUrl({ code: 'ada' }), cookieHeader(person.cookies));
    const [first, second] = await Promise.all([again(), again()]);
    expect(locationOf(first).searchParams.get('error')).toBe('server_error');
    expect(codeIn(second)).not.toBe('');
  });

  it('B22.4 a real failure: the client is told, each time, as long as there is no grant', async () => {
    const { asked, ledger, deployment } = createStrictSystem();
    const { person, answerUrl } = await atProvider(deployment);
    const again = repeat(deployment, answerUrl({ error: 'x' }), cookieHeader(person.cookies));
    for (let time = 0; time < 2; time++) {
      const response = await again();
      expect(response.headers.getSetCookie()).toEqual([
        expect.stringMatching(/^__Host-tx-[\w-]{8}=; .*Max-Age=0$/),
      ]);
      response.headers.delete('set-cookie');
      expectErrorRedirect(response, {
        to: gptRequest.redirect_uri,
        state: gptRequest.state,
        error: 'server_error',
        description: 'The sign-in provider gave an answer that could not be verified.',
      });
    }
    expect(asked).toHaveLength(2);
    expect(ledger.calls).not.toContain('recordSignIn');
  });

  it.each(['revoked', 'deleted'] as const)(
    'B22.5 after the grant was %s: says that it ended, and asks the provider nothing',
    async (how) => {
      const { asked, ledger, deployment } = createStrictSystem();
      const { comeBack } = await atProvider(deployment);
      const code = codeIn(await comeBack({ code: 'ada' }));
      await redeem(deployment, gpt, code);
      const userId = (await ledger.findUser({ provider: 'google', subject: 'ada' })) ?? '';
      if (how === 'revoked')
        await ledger.revoke({ kind: 'user', id: userId }, 'signed out', deployment.now(), 'user');
      else await ledger.deleteUser({ userId, by: 'user', now: deployment.now() });
      await expectCompletedPage(await comeBack({ code: 'ada' }), 'ended', toGpt);
      expect(asked).toHaveLength(1);
      const left = await ledger.findUser({ provider: 'google', subject: 'ada' });
      expect(left).toBe(how === 'revoked' ? userId : undefined);
    },
  );

  it('B22.5 after the grant was revoked: also with the cookies from before', async () => {
    const { asked, ledger, deployment } = createStrictSystem();
    const { person, answerUrl } = await atProvider(deployment);
    const again = repeat(deployment, answerUrl({ code: 'ada' }), cookieHeader(person.cookies));
    await again();
    const userId = (await ledger.findUser({ provider: 'google', subject: 'ada' })) ?? '';
    await ledger.revoke({ kind: 'user', id: userId }, 'signed out', deployment.now(), 'user');
    await expectCompletedPage(await again(), 'ended', toGpt);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['https', 'https://app.example:8443/a/callback?x=1', 'https://app.example:8443/'],
    ['loopback', 'http://127.0.0.1:4711/callback', undefined],
    ['a private-use scheme', 'com.example.app:/callback', undefined],
  ])('B22.1 reload: leads to the website of a client at %s, never to its callback', async (_, uri, url) => {
    const client = staticClient({ id: 'app', name: 'An app', redirectUris: [uri], scopes: ['words'] });
    const { deployment } = createStrictSystem({ clients: [client] });
    const { comeBack } = await atProvider(deployment, { ...appRequest, redirect_uri: uri });
    await comeBack({ code: 'ada' });
    const destination = { kind: 'client', name: 'An app', ...(url !== undefined && { url }) } as const;
    await expectCompletedPage(await comeBack({ code: 'ada' }), 'signed-in', destination);
  });

  it('B22.1 reload: names no client that is no longer registered', async () => {
    const { deployment } = createStrictSystem();
    const { person, answerUrl, comeBack } = await atProvider(deployment);
    await comeBack({ code: 'ada' });
    const changed = deploy({ clients: clients.slice(1) });
    const response = await repeat(changed, answerUrl({ code: 'ada' }), cookieHeader(person.cookies))();
    expect(response.status).toBe(400);
    expect(changed.log.at(-1)).toMatchObject({ reason: 'client.unknown' });
  });

  it('B22.1 reload: is a page while storage is out of reach, and no redirect', async () => {
    const { deployment } = createStrictSystem();
    const { person, answerUrl, comeBack } = await atProvider(deployment);
    await comeBack({ code: 'ada' });
    const out = deploy({
      sealingKeys: keys,
      ledger: { ...memoryLedger(), grantStatus: () => Promise.reject(new Error('no route')) },
    });
    const response = await repeat(out, answerUrl({ code: 'ada' }), cookieHeader(person.cookies))();
    expect([response.status, response.headers.get('location')]).toEqual([500, null]);
  });
});

it('B22.2 delivered twice: is a page while storage is out of reach, and no error for the client', async () => {
  const memory = memoryLedger();
  let isOut = false;
  const grantStatus: Ledger['grantStatus'] = async (id) => {
    if (isOut) throw new LedgerUnavailable('no route');
    return memory.grantStatus(id);
  };
  const { deployment } = createStrictSystem({ ledger: { ...memory, grantStatus } });
  const { person, answerUrl } = await atProvider(deployment);
  const again = repeat(deployment, answerUrl({ code: 'ada' }), cookieHeader(person.cookies));
  expect(codeIn(await again())).not.toBe('');
  isOut = true;
  const refused = await again();
  expect([refused.status, refused.headers.get('location'), refused.headers.getSetCookie()]).toEqual([
    503,
    null,
    [],
  ]);
  isOut = false;
  await expectCompletedPage(await again(), 'signed-in', toGpt);
});

it('B22.3 at the same moment: the work goes on when the browser disconnects', async () => {
  const kept: Promise<void>[] = [];
  const { deployment } = createStrictSystem({ afterResponse: (work) => void kept.push(work) });
  const { comeBack } = await atProvider(deployment);
  const before = kept.length;
  await comeBack({ code: 'ada' });
  expect(kept).toHaveLength(before + 1);
});

it('B22.1 reload: a client that redeemed its code keeps its tokens', async () => {
  const { deployment } = createStrictSystem();
  const { comeBack } = await atProvider(deployment);
  const tokens = await (await redeem(deployment, gpt, codeIn(await comeBack({ code: 'ada' })))).json<{
    readonly refresh_token: string;
  }>();
  deployment.advance(60);
  await comeBack({ code: 'ada' });
  expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
});
