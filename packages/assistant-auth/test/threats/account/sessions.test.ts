import { describe, expect, it } from 'vitest';
import type { IdentityProvider, ProviderWord, SignalReach } from '../../../src/index.ts';
import { buttons, createVisitor, expectBack, type Visitor } from '../../account-visitor.ts';
import { type Deployment, deploy } from '../../deployment.ts';
import { gptRequest } from '../../person.ts';
import { gpt, refresh, tokensFor } from '../../players.ts';
import { createProvider } from '../../provider.ts';
import { expectDeadToken } from '../../refusals.ts';

const saying = (word: ProviderWord): IdentityProvider => ({
  ...createProvider('google', 'Google'),
  check: async () => word,
});

/** Somebody whose session cookie, pages and forms an attacker has kept from when it lived. */
const captured = async (word: ProviderWord = { kind: 'alive' }) => {
  const deployment = deploy({ providers: [saying(word), createProvider('other', 'Other')] });
  const visitor = createVisitor(deployment);
  await visitor.enter('subject-1', 'google', { refresh: 'r-1' });
  const tokens = await tokensFor(deployment, gpt);
  const { form } = await visitor.see();
  const { consent } = await visitor.open(gptRequest);
  const cookies = new Map(visitor.cookies);
  const putBack = () => {
    for (const [name, value] of cookies) visitor.cookies.set(name, value);
    visitor.cookies.delete('__Host-notice');
  };
  return { deployment, visitor, tokens, form, consent, putBack };
};

const userOf = async (deployment: Deployment): Promise<string> =>
  (await deployment.ledger.findUser({ provider: 'google', subject: 'subject-1' })) ?? 'nobody';

type Captured = Awaited<ReturnType<typeof captured>>;

/** The kept cookie opens no page, and none of the kept forms does anything. */
const expectUseless = async ({ deployment, visitor, form, consent, putBack }: Captured) => {
  const before = await everythingOf(deployment);
  putBack();
  expect((await visitor.see()).kind).toBe('sign-in');
  const fields = { all: '1', app: 'gpt chat.openai.com', choice: 'other', identity: 'x', confirm: 'yes' };
  for (const action of [
    '/apps/end',
    '/link',
    '/link/confirm',
    '/unlink',
    '/export',
    '/delete',
    '/sign-out',
  ]) {
    putBack();
    const response = await visitor.post(action, fields, form);
    expect((await expectBack(visitor, response, 'session-ended')).kind).toBe('sign-in');
  }
  putBack();
  const page = await (await visitor.open(gptRequest)).response.text();
  expect(buttons(page, 'choice')).toEqual(['google', 'other']);
  putBack();
  const answer = await visitor.choose(consent, { choice: 'continue' });
  expect(answer.status).toBe(200);
  expect(buttons(await answer.text(), 'choice')).toEqual(['google', 'other']);
  expect(await everythingOf(deployment)).toEqual(before);
};

const everythingOf = async (deployment: Deployment) =>
  deployment.ledger.readAccount(await userOf(deployment));

describe('B16', () => {
  it('B16.1 sign-out: the cookie is worth nothing afterwards', async () => {
    const all = await captured();
    await all.visitor.post('/sign-out');
    await expectUseless(all);
  });

  it('B16.2 revoke-all: the cookie is worth nothing afterwards, in whichever browser it was said', async () => {
    const all = await captured();
    const elsewhere = createVisitor(all.deployment);
    await elsewhere.enter('subject-1');
    await elsewhere.post('/apps/end', { all: '1' });
    await expectUseless(all);
  });

  it('B16.3 gone at the provider: a refresh that finds out ends the session, too', async () => {
    const all = await captured({ kind: 'gone' });
    expect((await refresh(all.deployment, gpt, all.tokens.refresh_token)).status).toBe(401);
    await expectUseless(all);
  });

  /** A provider's signal about the person, as the endpoints for them record it. */
  const tell = ({ deployment }: Captured, reach: SignalReach) =>
    deployment.ledger.recordSignal({
      ...{ provider: 'google', jti: 'signal-1', reason: 'a signal', neededUntil: deployment.now() + 600 },
      ...{ before: deployment.now(), now: deployment.now() },
      endings: [{ target: { kind: 'identity', subject: 'subject-1' }, reach }],
    });

  it.each([
    ['B16.4 security event: one that ends every grant', 'identity'],
    ['B16.4 security event: one that ends sessions only', 'sessions'],
    ['B16.5 logout: at the provider', 'presence'],
  ] as const)('%s leaves a cookie that is worth nothing', async (_, reach) => {
    const all = await captured();
    expect(await tell(all, reach)).toBe('first');
    await expectUseless(all);
    const left = await refresh(all.deployment, gpt, all.tokens.refresh_token);
    expect(left.status).toBe(reach === 'identity' ? 401 : 200);
  });

  it('B16.6 deletion: the cookie is worth nothing afterwards, and brings nobody back', async () => {
    const all = await captured();
    await all.visitor.post('/delete', { confirm: 'yes' });
    await expectUseless(all);
    expect(await userOf(all.deployment)).toBe('nobody');
  });
});

describe('F8', () => {
  it('F8.1 deletion: refresh is dead at once, the API within ten seconds', async () => {
    const { deployment, visitor, tokens } = await captured();
    await visitor.post('/delete', { confirm: 'yes' });
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(401);
    await expectDeadToken(deployment, tokens.access_token);
  });

  it('F8.2 sign-out: ending everything ends the refresh token, and signing out of this browser does not', async () => {
    const { deployment, visitor, tokens } = await captured();
    await visitor.post('/sign-out');
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
    await visitor.enter('subject-1');
    await visitor.post('/apps/end', { all: '1' });
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(401);
    await expectDeadToken(deployment, tokens.access_token);
  });
});

describe('W12', () => {
  it('W12.1 deletion: ends every grant and session, and a late call brings nobody back', async () => {
    const { deployment, visitor, tokens } = await captured();
    const late: Visitor = createVisitor(deployment);
    await late.enter('subject-1', 'google', { refresh: 'r-1' });
    const { consent } = await late.open(gptRequest);
    const { form } = await late.see();
    await visitor.post('/delete', { confirm: 'yes' });
    await late.choose(consent, { choice: 'continue' });
    await late.post('/link', { choice: 'other' }, form);
    await refresh(deployment, gpt, tokens.refresh_token);
    expect(await userOf(deployment)).toBe('nobody');
    await deployment.ledger.storeToken({ provider: 'google', subject: 'subject-1', sealedRefreshToken: 'x' });
    expect(await userOf(deployment)).toBe('nobody');
  });
});
