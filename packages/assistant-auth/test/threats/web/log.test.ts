import { describe, expect, it } from 'vitest';
import { LedgerUnavailable, type SignIn } from '../../../src/index.ts';
import { encodeBase64url } from '../../../src/oauth/base64url.ts';
import { memoryLedger } from '../../../src/storage/memory.ts';
import { type Deployment, deploy, gptSecret, issuer, keys, serverSecret } from '../../deployment.ts';
import { atProvider } from '../../on-the-way.ts';
import { callApi, createPerson, gptRequest, locationOf, tokensOf, verifier } from '../../person.ts';
import { app, gpt, type Player, redeem, refresh, server } from '../../players.ts';

const ada = 'subject-of-ada';
const wrong = 'wrong-secret-0123456789';

/** What must not be logged, by kind; filled on the way. */
const createForbidden = () => ({
  secret: [gptSecret, serverSecret, wrong, verifier, ...keys.split('.').slice(1)],
  token: ['provider-secret'],
  code: [ada],
  user: [ada, `${ada}@example.com`],
});
type Forbidden = ReturnType<typeof createForbidden>;

/** A deployment that keeps somebody out, and whose ledger can fail to record. */
const createSystem = () => {
  const forbidden = createForbidden();
  const memory = memoryLedger();
  const outage = { now: false };
  const deployment = deploy({
    ledger: {
      ...memory,
      recordSignIn: async (signIn: SignIn) => {
        if (outage.now) throw new LedgerUnavailable('no route');
        const outcome = await memory.recordSignIn(signIn);
        if (outcome.kind === 'recorded') forbidden.user.push(outcome.userId);
        return outcome;
      },
    },
    admit: async ({ subject }) =>
      subject === ada ? { kind: 'admitted' } : { kind: 'refused', reason: 'not on our list' },
  });
  return { forbidden, deployment, outage };
};

/** Signs in, comes back a second time and in another browser, and keeps every value on the way. */
const signInAs = async (
  deployment: Deployment,
  { secret, code: codes }: Forbidden,
  { request }: Player,
  subject = ada,
): Promise<string> => {
  const { person, sent, state, comeBack, answerUrl } = await atProvider(deployment, request);
  const before = new Map(person.cookies);
  secret.push(state, new URLSearchParams(request).get('state') ?? '', ...before.values());
  secret.push(sent.searchParams.get('nonce') ?? '');
  const back = await comeBack({ code: subject, refresh: 'provider-secret' });
  for (const [name, value] of before) person.cookies.set(name, value);
  await comeBack({ code: subject });
  await createPerson(deployment).visit(answerUrl({ code: subject }));
  const code = locationOf(back).searchParams.get('code') ?? '';
  if (code !== '') codes.push(code);
  return code;
};

/** Everything that can go right or wrong with tokens, for one client. */
const useTokens = async (deployment: Deployment, forbidden: Forbidden, player: Player): Promise<void> => {
  const code = await signInAs(deployment, forbidden, player);
  await redeem(deployment, player, code, { client_secret: wrong });
  await redeem(deployment, player, code, { redirect_uri: issuer });
  await redeem(deployment, player, code, { code_verifier: wrong });
  const first = await tokensOf(await redeem(deployment, player, code));
  deployment.advance(11);
  await callApi(deployment, first.access_token);
  await callApi(deployment, `${first.access_token}A`);
  const second = await tokensOf(await refresh(deployment, player, first.refresh_token));
  for (const issued of [first, second]) forbidden.token.push(issued.access_token, issued.refresh_token);
  await refresh(deployment, player, first.refresh_token, { client_secret: wrong });
  await refresh(deployment, player === gpt ? server : gpt, first.refresh_token);
  await redeem(deployment, player, code);
  deployment.advance(1800);
  await callApi(deployment, second.access_token);
  await refresh(deployment, player, second.refresh_token);
};

/** A text as it may hide in a log: plain, encoded for an address, or in base64. */
const disguises = (text: string): readonly string[] => [
  text,
  encodeURIComponent(text),
  encodeBase64url(new TextEncoder().encode(text)),
  btoa(text),
];

describe('W8', () => {
  it.each([
    ['W8.1 secret', 'secret'],
    ['W8.2 token', 'token'],
    ['W8.3 code', 'code'],
    ['W8.4 user', 'user'],
  ] as const)('%s: none stands in any line of the log, whatever happens', async (_, kind) => {
    const { deployment, forbidden, outage } = createSystem();
    for (const player of [gpt, app, server]) await useTokens(deployment, forbidden, player);
    await createPerson(deployment).open({ ...gptRequest, scope: wrong });
    await signInAs(deployment, forbidden, gpt, 'subject-of-bob');
    outage.now = true;
    await signInAs(deployment, forbidden, gpt);

    const text = deployment.log.map((line) => JSON.stringify(line)).join('\n');
    expect(forbidden[kind].length).toBeGreaterThan(3);
    for (const value of forbidden[kind]) {
      expect(value.length).toBeGreaterThan(8);
      for (const disguise of disguises(value)) expect(text).not.toContain(disguise);
    }
    const seen = new Set(deployment.log.map(({ event, reason }) => reason ?? event));
    expect([...seen].toSorted()).toEqual([
      'admission.refused',
      'authentication.method',
      'authentication.secret',
      'code.pkce',
      'code.redirect',
      'code.replayed',
      'ledger.unavailable',
      'refresh.client',
      'refresh.ended',
      'scope.unavailable',
      'signed-in',
      'token.expired',
      'token.unreadable',
      'tokens-issued',
      'transaction.no-cookies',
      'transaction.replayed',
      'unpinned-gpt',
    ]);
  });
});
