/** The port's contract for asking about a refresh token without using it. */
import { expect, it } from 'vitest';
import type { Ledger } from '../../../src/storage/broker-storage.ts';
import { begin, day, grant1, type MakeLedger, redemption, refreshUse, signIn, t0 } from './sample.ts';

/** Asks twice, because asking must change nothing, and then what `refresh` says. */
const ask = async (ledger: Ledger, ...use: Parameters<typeof refreshUse>): Promise<boolean> => {
  const question = refreshUse(...use);
  const answers = [await ledger.isRefreshable(question), await ledger.isRefreshable(question)];
  const { kind } = await ledger.refresh(question);
  expect(answers).toEqual([kind === 'continued', kind === 'continued']);
  return kind === 'continued';
};

export const refreshQuestionContract = (makeLedger: MakeLedger): void => {
  it.each(['stable', 'rotating'] as const)('says yes to the current token of a %s grant', async (policy) => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: policy });
    expect(await ask(ledger, 0, t0 + 2)).toBe(true);
  });

  it('says no where there is no grant, no redemption, no refresh or no life', async () => {
    const ledger = await makeLedger();
    expect(await ask(ledger, 0, t0)).toBe(false);
    await ledger.recordSignIn(signIn());
    expect(await ask(ledger, 0, t0)).toBe(false);
    await begin(ledger, { grantId: 'grant-2', refreshPolicy: 'none' });
    expect(await ask(ledger, 0, t0 + 2, { grantId: 'grant-2' })).toBe(false);
    await ledger.redeemCode(redemption());
    expect(await ask(ledger, 0, t0 + 2, { clientId: 'claude' })).toBe(false);
    await ledger.revoke(grant1, 'signed out', t0 + 2);
    expect(await ask(ledger, 0, t0 + 3)).toBe(false);
  });

  it('says yes until the last second of the idle expiry', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    const expiry = t0 + 1 + 30 * day;
    expect(await ledger.isRefreshable(refreshUse(0, expiry))).toBe(false);
    expect(await ask(ledger, 0, expiry - 1)).toBe(true);
  });

  it('says yes to the previous token for exactly as long as it is accepted', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(await ask(ledger, 0, t0 + 220)).toBe(true);
    expect(await ledger.isRefreshable(refreshUse(0, t0 + 221, { lateRefresh: 'revoke' }))).toBe(false);
    // `isRefreshable` changes nothing: the grant is not revoked.
    expect(await ask(ledger, 1, t0 + 222)).toBe(true);
    expect(await ledger.isRefreshable(refreshUse(3, t0 + 223))).toBe(false);
  });

  it('says yes to a late token until its successor is used, and no to a successor that was replaced', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(await ask(ledger, 0, t0 + 300)).toBe(true);
    expect(await ledger.isRefreshable(refreshUse(1, t0 + 301))).toBe(false);
    expect(await ask(ledger, 2, t0 + 302)).toBe(true);
    expect(await ledger.isRefreshable(refreshUse(0, t0 + 303))).toBe(false);
  });
};
