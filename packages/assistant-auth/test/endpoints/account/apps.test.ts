import { describe, expect, test } from 'vitest';
import { buttons, createVisitor, expectBack, expectUnheeded, type Visitor } from '../../account-visitor.ts';
import { type Deployment, deploy } from '../../deployment.ts';
import { createPerson, gptRequest, gptSignIn } from '../../person.ts';
import { app, codeFor, gpt, type Player, redeem, refresh, server, tokensFor } from '../../players.ts';
import { badRefresh, expectDeadToken, expectTokenError } from '../../refusals.ts';

/** Signs `subject-1`, who everybody is that signs in at a client here, in at the account page. */
const visit = async (deployment: Deployment): Promise<Visitor> => {
  const visitor = createVisitor(deployment);
  await visitor.enter('subject-1');
  return visitor;
};

const gptKey = 'gpt chat.openai.com';

describe('connected apps', () => {
  test('are shown once per client and host, with what they may do and when they did', async () => {
    const deployment = deploy();
    await tokensFor(deployment, gpt);
    deployment.advance(86_400);
    const { refresh_token } = await tokensFor(deployment, gpt);
    await tokensFor(deployment, app);
    deployment.advance(86_400);
    await refresh(deployment, gpt, refresh_token);
    const { html } = await (await visit(deployment)).see();
    expect(buttons(html, 'app')).toEqual([gptKey, 'app app.example']);
    const [, card = ''] = html.split('Words GPT');
    expect(card).toContain('read the word lists');
    expect([...card.matchAll(/<time datetime="([^"]+)"/g)].slice(0, 2).map(([, at]) => at)).toEqual([
      expect.stringContaining('2027-01-15'),
      expect.stringContaining('2027-01-17'),
    ]);
  });

  test('are those whose code was redeemed, that have not ended, and whose tokens live', async () => {
    const deployment = deploy();
    await createPerson(deployment).signIn(gptRequest, 'subject-1');
    const online = { ...app, request: { ...app.request, scope: 'words' } };
    await tokensFor(deployment, online);
    const visitor = await visit(deployment);
    expect(buttons((await visitor.see()).html, 'app')).toEqual(['app app.example']);
    deployment.advance(1800);
    expect(buttons((await visitor.see()).html, 'app')).toEqual([]);
    expect((await visitor.see()).html).toContain('No app is connected yet.');
  });

  test('are none that stayed away for so long that they must ask again', async () => {
    const deployment = deploy();
    await tokensFor(deployment, app);
    deployment.advance(30 * 86_400 - 1);
    expect(buttons((await (await visit(deployment)).see()).html, 'app')).toEqual(['app app.example']);
    deployment.advance(1);
    expect(buttons((await (await visit(deployment)).see()).html, 'app')).toEqual([]);
  });

  test('are never the account page itself, nor anybody else’s', async () => {
    const deployment = deploy();
    await gptSignIn(deployment, 'somebody else');
    expect(buttons((await (await visit(deployment)).see()).html, 'app')).toEqual([]);
  });

  test('keep their id as a name when they are no longer registered', async () => {
    const deployment = deploy();
    await tokensFor(deployment, server);
    const others = deploy({ ledger: deployment.ledger, clients: [] });
    const visitor = createVisitor(others);
    await visitor.enter('subject-1');
    expect((await visitor.see()).html).toContain('>server<');
  });
});

describe('disconnecting an app', () => {
  test('ends its grants, all of them: refresh at once, the API within ten seconds; the others live', async () => {
    const deployment = deploy();
    const [first, second] = [await tokensFor(deployment, gpt), await tokensFor(deployment, gpt)];
    const other = await tokensFor(deployment, server);
    const visitor = await visit(deployment);
    const { html } = await expectBack(visitor, await visitor.post('/apps/end', { app: gptKey }), 'app-ended');
    expect(buttons(html, 'app')).toEqual(['server server.example']);
    for (const { access_token, refresh_token } of [first, second]) {
      const answer = await refresh(deployment, gpt, refresh_token);
      await expectTokenError(answer, { ...badRefresh, status: 401 });
      await expectDeadToken(deployment, access_token);
    }
    expect((await refresh(deployment, server, other.refresh_token)).status).toBe(200);
    expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'revoked', clientId: 'gpt' }));
  });

  test('leaves it no code to come back with, and another app its own', async () => {
    const deployment = deploy();
    await tokensFor(deployment, gpt);
    const codes = [await codeFor(deployment, gpt), await codeFor(deployment, server)] as const;
    const visitor = await visit(deployment);
    await expectBack(visitor, await visitor.post('/apps/end', { app: gptKey }), 'app-ended');
    expect((await redeem(deployment, gpt, codes[0])).status).toBe(400);
    expect((await redeem(deployment, server, codes[1])).status).toBe(200);
    expect(buttons((await visitor.see()).html, 'app')).toEqual(['server server.example']);
  });

  test('that has no more than a code is to disconnect nothing', async () => {
    const deployment = deploy();
    const code = await codeFor(deployment, gpt);
    const visitor = await visit(deployment);
    expect((await visitor.post('/apps/end', { app: gptKey })).status).toBe(400);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  test.each([['nobody nowhere'], [''], ['account words.example'], ['gpt evil.example']])(
    'that is not there ends nothing: "%s"',
    async (key) => {
      const deployment = deploy();
      const { refresh_token } = await tokensFor(deployment, gpt);
      const visitor = await visit(deployment);
      const response = await visitor.post('/apps/end', { app: key });
      await expectUnheeded(
        response,
        deployment,
        'There is no such thing in your account any longer. Open your account again.',
      );
      expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    },
  );
});

test('ending everything ends every app and every session, this one too', async () => {
  const deployment = deploy();
  const players: readonly Player[] = [gpt, app, server];
  const tokens = await Promise.all(players.map((player) => tokensFor(deployment, player)));
  const elsewhere = await visit(deployment);
  const visitor = await visit(deployment);
  const response = await visitor.post('/apps/end', { all: '1' });
  const { kind, html } = await expectBack(visitor, response, 'ended-everywhere');
  expect(kind).toBe('sign-in');
  expect(html).toContain('signed out everywhere');
  expect((await elsewhere.see()).kind).toBe('sign-in');
  for (const [at, player] of players.entries()) {
    const answer = await refresh(deployment, player, tokens[at]?.refresh_token ?? '');
    expect(answer.status).toBe(player === gpt ? 401 : 400);
    await expectDeadToken(deployment, tokens[at]?.access_token ?? '');
  }
  // They are still somebody here, and may begin again.
  await visitor.enter('subject-1');
  expect((await visitor.see()).kind).toBe('account');
});

test('a code that was not redeemed when its app was ended is worth nothing', async () => {
  const deployment = deploy();
  const back = await createPerson(deployment).signIn(gptRequest, 'subject-1');
  const visitor = await visit(deployment);
  await visitor.post('/apps/end', { all: '1' });
  const answer = await redeem(deployment, gpt, back.searchParams.get('code') ?? '');
  expect(answer.status).toBe(400);
});
