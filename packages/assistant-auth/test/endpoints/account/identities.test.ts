import { describe, expect, test } from 'vitest';
import type { BrokerOptions, IdentityProvider } from '../../../src/index.ts';
import {
  buttons,
  createVisitor,
  expectBack,
  expectUnheeded,
  hidden,
  staleForm,
  type Visitor,
} from '../../account-visitor.ts';
import { type Deployment, deploy, issuer } from '../../deployment.ts';
import { gptSignIn } from '../../person.ts';
import { gpt, refresh, tokensFor } from '../../players.ts';
import { createProvider } from '../../provider.ts';
import { expectDeadToken, expectErrorPage } from '../../refusals.ts';
import { watchLedger } from '../../watched-ledger.ts';
import { watchProvider } from '../../watched-provider.ts';

const cat = { provider: 'other', subject: 'cat' } as const;
const ada = { provider: 'google', subject: 'ada' } as const;

const signedIn = async (deployment: Deployment = deploy()) => {
  const visitor = createVisitor(deployment);
  await visitor.enter();
  return { deployment, visitor };
};

/** Back from the other provider as `cat`, in front of the question. */
const asked = async (visitor: Visitor, answer: Readonly<Record<string, string>> = { code: 'cat' }) => {
  const response = await visitor.journey('/link', { choice: 'other' }, answer);
  const html = await response.clone().text();
  return { response, html, link: hidden(html, 'link'), form: hidden(html, 'form') };
};

const confirm = async (visitor: Visitor) => {
  const { link, form } = await asked(visitor);
  return visitor.post('/link/confirm', { link, confirm: '1' }, form);
};

describe('linking an identity', () => {
  test('shows both accounts and asks, and writes nothing before the answer', async () => {
    const ledger = watchLedger();
    const { deployment, visitor } = await signedIn(deploy({ ledger }));
    const { response, html } = await asked(visitor);
    expect(response.status).toBe(200);
    expect(html).toContain('ada@example.com');
    expect(html).toContain('cat@example.com');
    expect(html).toContain('Other');
    expect(ledger.calls.slice(-2)).toEqual(['useSession', 'findUser']);
    expect(ledger.calls).not.toContain('linkIdentity');
    expect([...visitor.cookies.keys()].filter((name) => name.startsWith('__Host-tx-'))).toEqual([]);
    expect(await deployment.ledger.findUser(cat)).toBeUndefined();
  });

  test('makes both the same person: the same score through either', async () => {
    const { deployment, visitor } = await signedIn();
    const { html } = await expectBack(visitor, await confirm(visitor), 'linked');
    expect(html).toContain('cat@example.com');
    expect(buttons(html, 'identity')).toHaveLength(2);
    const other = createVisitor(deployment);
    await other.enter('cat', 'other');
    expect((await other.see()).html).toContain('ada@example.com');
    expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'linked', provider: 'other' }));
  });

  test('wants a new proof from the other provider, too', async () => {
    const provider = watchProvider('other');
    const { deployment, visitor } = await signedIn(
      deploy({ providers: [createProvider('google', 'Google'), provider] }),
    );
    await visitor.post('/link', { choice: 'other' });
    expect(provider.begun).toEqual([expect.objectContaining({ fresh: { since: deployment.now() } })]);
  });

  test('keeps the provider’s refresh token, sealed for the identity', async () => {
    const { deployment, visitor } = await signedIn();
    const { link, form, html } = await asked(visitor, { code: 'cat', refresh: 'their-refresh-token' });
    expect(html).not.toContain('their-refresh-token');
    await visitor.post('/link/confirm', { link, confirm: '1' }, form);
    const turn = await deployment.ledger.takeCheck({ ...cat, now: deployment.now(), checkLease: 60 });
    expect(turn).toEqual({
      kind: 'due',
      token: {
        ...cat,
        sealedRefreshToken: expect.any(String),
        isUnresolved: false,
        startedAt: deployment.now(),
      },
    });
  });

  test('can be left', async () => {
    const { deployment, visitor } = await signedIn();
    const { link, form } = await asked(visitor);
    for (const answer of [{ link, cancel: '1' }, { link, cancel: '1', confirm: '1' }, { link }])
      await expectBack(visitor, await visitor.post('/link/confirm', answer, form), 'link-cancelled');
    expect(await deployment.ledger.findUser(cat)).toBeUndefined();
  });

  test('can be given up at the provider', async () => {
    const { visitor } = await signedIn();
    await expectBack(visitor, (await asked(visitor, { error: 'access_denied' })).response, 'link-cancelled');
  });

  test('says so when it is theirs already', async () => {
    const { visitor } = await signedIn();
    await confirm(visitor);
    await expectBack(visitor, (await asked(visitor)).response, 'already-linked');
  });

  test('says that it belongs to another account, and offers nothing but the way back', async () => {
    const deployment = deploy();
    const owner = createVisitor(deployment);
    await owner.enter('cat', 'other');
    const { visitor } = await signedIn(deployment);
    const { response, html } = await asked(visitor);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("form-action 'self'");
    expect(html).toContain('another account');
    expect(html).not.toContain('<form');
    expect(html).toContain('href="/account"');
    await expectOwner(deployment, owner);
  });

  test('leaves it with who signed in with it while the question was open', async () => {
    const { deployment, visitor } = await signedIn();
    const { link, form } = await asked(visitor);
    const owner = createVisitor(deployment);
    await owner.enter('cat', 'other');
    await expectBack(
      visitor,
      await visitor.post('/link/confirm', { link, confirm: '1' }, form),
      'not-linked',
    );
    await expectOwner(deployment, owner);
  });

  const expectOwner = async (deployment: Deployment, owner: Visitor) => {
    expect((await owner.see()).html).not.toContain('ada@example.com');
    expect(await deployment.ledger.findUser(cat)).not.toBe(await deployment.ledger.findUser(ada));
  };

  test('heeds the publisher’s word on whose it is, or that it may not be', async () => {
    const { deployment, visitor } = await signedIn(
      deploy({
        admit: async ({ subject }) => {
          if (subject === 'dog') return { kind: 'refused', reason: 'no dogs' };
          return { kind: 'admitted', userId: subject === 'cat' ? 'their-9' : 'their-1' };
        },
      }),
    );
    expect((await asked(visitor)).html).toContain('another account');
    const { response } = await asked(visitor, { code: 'dog' });
    await expectErrorPage(response, deployment, 'This account may not sign in here.', 403);
  });

  /** A publisher who knows some people as users of theirs, by subject. */
  const knowing = (users: Readonly<Record<string, string>>): Partial<BrokerOptions> => ({
    admit: async ({ subject }) => {
      const userId = users[subject];
      return { kind: 'admitted', ...(userId !== undefined && { userId }) };
    },
  });

  test.each([
    ['is theirs, and the other one is not known', { ada: 'emp-7' }],
    ['is not known, and the other one is', { cat: 'emp-7' }],
  ])('lets nobody in by a way that the publisher does not hold: who is signed in %s', async (_, users) => {
    const { deployment, visitor } = await signedIn(deploy(knowing(users)));
    const { response, html } = await asked(visitor);
    if ('ada' in users)
      await expectErrorPage(
        response,
        deployment,
        'This account cannot be added to the one that you are signed in to.',
        403,
      );
    else expect(html).toContain('another account');
    expect(await deployment.ledger.findUser(cat)).toBeUndefined();
  });

  test('links two of which the publisher says that they are the same person', async () => {
    const { deployment, visitor } = await signedIn(deploy(knowing({ ada: 'emp-7', cat: 'emp-7' })));
    await expectBack(visitor, await confirm(visitor), 'linked');
    expect(await deployment.ledger.findUser(cat)).toBe('emp-7');
  });

  test('ends on a page when the provider does not vouch', async () => {
    const { deployment, visitor } = await signedIn();
    const { response } = await asked(visitor, { error: 'invalid_scope' });
    await expectErrorPage(
      response,
      deployment,
      'The sign-in provider gave an answer that could not be verified.',
      500,
    );
  });
});

describe('unlinking an identity', () => {
  /** Signed in with Google, with another identity linked; the keys of both, in the order of the page. */
  const withTwo = async (deployment: Deployment = deploy()) => {
    const { visitor } = await signedIn(deployment);
    await confirm(visitor);
    const [current = '', other = ''] = buttons((await visitor.see()).html, 'identity');
    return { deployment, visitor, current, other };
  };

  test('ends what was connected through it, and nothing else', async () => {
    const { deployment, visitor, other } = await withTwo();
    const { access_token } = await gptSignIn(deployment, 'ada');
    const { html } = await expectBack(
      visitor,
      await visitor.post('/unlink', { identity: other }),
      'unlinked',
    );
    expect(html).not.toContain('cat@example.com');
    expect(await deployment.ledger.findUser(cat)).toBeUndefined();
    expect((await visitor.see()).html).toContain('Words GPT');
    await expect(
      deployment.broker.protect(
        new Request(`${issuer}/api`, { headers: { authorization: `Bearer ${access_token}` } }),
      ),
    ).resolves.toMatchObject({ kind: 'granted' });
  });

  test('signs out who signed in with it, and ends their apps', async () => {
    const { deployment, visitor, current } = await withTwo();
    const { access_token, refresh_token } = await gptSignIn(deployment, 'ada');
    const response = await visitor.post('/unlink', { identity: current });
    expect((await expectBack(visitor, response, 'session-ended')).kind).toBe('sign-in');
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(401);
    await expectDeadToken(deployment, access_token);
    await visitor.enter('cat', 'other');
    expect((await visitor.see()).html).not.toContain('ada@example.com');
  });

  test('tells apart two of one provider: the session stays with the one that it began with', async () => {
    const { deployment, visitor } = await signedIn();
    const response = await visitor.journey('/link', { choice: 'google' }, { code: 'bob' });
    const question = await response.text();
    const [link, form] = [hidden(question, 'link'), hidden(question, 'form')];
    await visitor.post('/link/confirm', { link, confirm: '1' }, form);
    const { html } = await visitor.see();
    expect(html.match(/You are signed in with this one/g)).toHaveLength(1);
    const [, bob = ''] = buttons(html, 'identity');
    await expectBack(visitor, await visitor.post('/unlink', { identity: bob }), 'unlinked');
    expect((await visitor.see()).kind).toBe('account');
    expect(await deployment.ledger.findUser({ ...ada, subject: 'bob' })).toBeUndefined();
  });

  test('never takes the last one, and offers no button for it', async () => {
    const { deployment, visitor } = await signedIn();
    const { html } = await visitor.see();
    expect(buttons(html, 'identity')).toEqual([]);
    const { visitor: before, other, deployment: its } = await withTwo();
    await before.post('/unlink', { identity: other });
    const left = (await its.ledger.readAccount((await its.ledger.findUser(ada)) ?? ''))?.identities;
    expect(left).toHaveLength(1);
    expect(await deployment.ledger.findUser(ada)).toBeDefined();
  });

  test('never takes the last one that somebody can sign in with', async () => {
    const { deployment, visitor, current, other } = await withTwo();
    const { ledger } = deployment;
    const without = createVisitor(deploy({ ledger, providers: [createProvider('google', 'Google')] }));
    for (const [name, value] of visitor.cookies) without.cookies.set(name, value);
    await expectBack(without, await without.post('/unlink', { identity: current }), 'last-identity');
    expect(await ledger.findUser(ada)).toBeDefined();
    await expectBack(without, await without.post('/unlink', { identity: other }), 'unlinked');
    expect(await ledger.findUser(cat)).toBeUndefined();
  });

  test.each([['nobody'], [''], ['ada'], ['google ada']])(
    'that is not theirs changes nothing: "%s"',
    async (identity) => {
      const { deployment, visitor } = await withTwo();
      await expectUnheeded(
        await visitor.post('/unlink', { identity }),
        deployment,
        'There is no such thing in your account any longer. Open your account again.',
      );
      expect(await deployment.ledger.findUser(cat)).toBeDefined();
    },
  );

  test('takes no key of another session', async () => {
    const { deployment, other } = await withTwo();
    const elsewhere = await signedIn(deployment);
    expect((await elsewhere.visitor.post('/unlink', { identity: other })).status).toBe(400);
    expect(await deployment.ledger.findUser(cat)).toBeDefined();
  });

  test('revokes the token at the provider, and goes on when that fails', async () => {
    const revoked: string[] = [];
    const revoking = (failing: boolean): IdentityProvider => ({
      ...createProvider('other', 'Other'),
      async revoke(token) {
        revoked.push(token);
        if (failing) throw new Error('no route');
      },
    });
    for (const failing of [false, true]) {
      const deployment = deploy({ providers: [createProvider('google', 'Google'), revoking(failing)] });
      const { visitor } = await signedIn(deployment);
      const { link, form } = await asked(visitor, { code: 'cat', refresh: 'their-refresh-token' });
      await visitor.post('/link/confirm', { link, confirm: '1' }, form);
      const [, key = ''] = buttons((await visitor.see()).html, 'identity');
      await expectBack(visitor, await visitor.post('/unlink', { identity: key }), 'unlinked');
      const failures = deployment.log.filter(({ event }) => event === 'revocation-failed');
      expect(failures.map(({ provider }) => provider)).toEqual(failing ? ['other'] : []);
    }
    expect(revoked).toEqual(['their-refresh-token', 'their-refresh-token']);
  });
});

test('what needs a proof is not done without one, and says so', async () => {
  const { deployment, visitor } = await signedIn();
  await tokensFor(deployment, gpt);
  await confirm(visitor);
  const { html, form } = await visitor.see();
  const [key = ''] = buttons(html, 'identity');
  const pending = await asked(await secondLink(deployment));
  deployment.advance(300);
  const rows = [
    ['/link', { choice: 'other' }],
    ['/link/confirm', { link: pending.link, confirm: '1' }],
    ['/unlink', { identity: key }],
    ['/export', {}],
    ['/delete', { confirm: 'yes' }],
  ] as const;
  for (const [action, fields] of rows) {
    const back = await expectBack(visitor, await visitor.post(action, fields, form), 'proof-needed');
    expect(back.html).toContain('Please confirm that it is you');
  }
  expect((await visitor.see()).html).toContain('cat@example.com');
});

/** Another person, in front of a question of their own. */
const secondLink = async (deployment: Deployment): Promise<Visitor> => {
  const { visitor } = await signedIn(deployment);
  return visitor;
};

test('a question that waited for longer than five minutes is asked anew', async () => {
  const { deployment, visitor } = await signedIn();
  const { link, form } = await asked(visitor);
  deployment.advance(299);
  await visitor.prove();
  deployment.advance(1);
  // Proven anew, it is another session by now.
  await expectUnheeded(
    await visitor.post('/link/confirm', { link, confirm: '1' }, form),
    deployment,
    staleForm,
  );
  expect(await deployment.ledger.findUser(cat)).toBeUndefined();
});
