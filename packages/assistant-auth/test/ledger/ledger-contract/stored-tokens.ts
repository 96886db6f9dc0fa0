/** The port's contract for stored tokens: found by how they begin, and replaced only while they are the stored ones. */
import { expect, it } from 'vitest';
import type { Ledger, StoredToken } from '../../../src/storage/broker-storage.ts';
import { adasToken, begin, day, type MakeLedger, refreshUse, resealed, signIn, t0 } from './sample.ts';

const tokenOf = (provider: string, subject: string, sealedRefreshToken: string): StoredToken => ({
  provider,
  subject,
  sealedRefreshToken,
});

const stored = [
  tokenOf('github', 'ada', 'old-2'),
  tokenOf('github', 'bob', 'new-1'),
  tokenOf('google', 'ada', 'old-1'),
  tokenOf('google', 'bob', 'older-1'),
  tokenOf('google', 'cyd', 'ol'),
] as const;

/** People with these tokens, and one without. */
const withTokens = async (makeLedger: MakeLedger): Promise<Ledger> => {
  const ledger = await makeLedger();
  for (const [at, identity] of [...stored, { provider: 'google', subject: 'dan' }].entries()) {
    const user = { kind: 'ours', newId: `user-${at}` } as const;
    await ledger.recordSignIn(signIn({ grantId: `grant-${at}`, identity, user }));
  }
  return ledger;
};

const everything = async (ledger: Ledger) => ledger.findTokens({ beginnings: ['o', 'n'], limit: 100 });

export const storedTokenContract = (makeLedger: MakeLedger): void => {
  it('finds those that begin in one of several ways, of one length or another', async () => {
    const ledger = await withTokens(makeLedger);
    const found = async (...beginnings: string[]) =>
      (await ledger.findTokens({ beginnings, limit: 100 })).map(
        ({ sealedRefreshToken }) => sealedRefreshToken,
      );
    expect(await found('old-')).toEqual(['old-2', 'old-1']);
    expect(await found('old-', 'new-')).toEqual(['old-2', 'new-1', 'old-1']);
    expect(await found('older-', 'new-')).toEqual(['new-1', 'older-1']);
    expect(await found('ld-', 'OLD-', 'old-1x')).toEqual([]);
    expect(await found()).toEqual([]);
  });

  it('gives them whole, a page at a time, each once', async () => {
    const ledger = await withTokens(makeLedger);
    const question = { beginnings: ['old'], limit: 2 };
    const first = await ledger.findTokens(question);
    expect(first).toEqual([stored[0], stored[2]]);
    expect(await ledger.findTokens({ ...question, after: stored[2] })).toEqual([stored[3]]);
    expect(await ledger.findTokens({ ...question, after: stored[3] })).toEqual([]);
  });

  it('replaces several at once', async () => {
    const ledger = await withTokens(makeLedger);
    await ledger.replaceTokens(
      resealed(
        { provider: 'github', subject: 'ada', was: 'old-2', sealedRefreshToken: 'new-2' },
        { provider: 'google', subject: 'ada', was: 'old-1', sealedRefreshToken: 'new-3' },
      ),
    );
    expect((await everything(ledger)).map(({ sealedRefreshToken }) => sealedRefreshToken)).toEqual([
      'new-2',
      'new-1',
      'new-3',
      'older-1',
      'ol',
    ]);
  });

  it('leaves a token that came meanwhile, and an identity that went', async () => {
    const ledger = await withTokens(makeLedger);
    const before = await everything(ledger);
    await ledger.replaceTokens(
      resealed(
        { provider: 'google', subject: 'ada', was: 'old-0', sealedRefreshToken: 'new' },
        { provider: 'google', subject: 'dan', was: '', sealedRefreshToken: 'new' },
        { provider: 'google', subject: 'eve', was: 'old-1', sealedRefreshToken: 'new' },
      ),
    );
    await ledger.replaceTokens(resealed());
    expect(await everything(ledger)).toEqual(before);
  });

  it('leaves a token that a provider is being asked with, so that what it says counts', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'stable', identity: adasToken });
    const { sealedRefreshToken: was, ...ada } = adasToken;
    const anew = (now: number) =>
      ledger.replaceTokens({ ...resealed({ ...ada, was, sealedRefreshToken: 'sealed anew' }), now });
    const stored = async () => (await ledger.findTokens({ beginnings: ['sealed'], limit: 9 }))[0];
    expect(await ledger.refresh(refreshUse(0, t0 + 100))).toMatchObject({ due: adasToken });
    // The lease is until 160, and may have been taken by a clock or a statement that came later.
    for (const now of [40, 100, 159]) {
      await anew(t0 + now);
      expect(await stored()).toEqual(adasToken);
    }
    const rotated = { ...adasToken, sealedRefreshToken: 'sealed by rotation' };
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + day, ...rotated });
    expect(await stored()).toEqual(rotated);
  });

  it.each([
    ['over', 160],
    ['so far away that it is none', 39],
  ])('replaces a token again when the lease is %s', async (_, now) => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'stable', identity: adasToken });
    await ledger.refresh(refreshUse(0, t0 + 100));
    const { sealedRefreshToken: was, ...ada } = adasToken;
    const anew = resealed({ ...ada, was, sealedRefreshToken: 'sealed anew' });
    await ledger.replaceTokens({ ...anew, now: t0 + now });
    expect(await ledger.findTokens({ beginnings: ['sealed anew'], limit: 9 })).toHaveLength(1);
  });

  it('lets the provider be asked with what it replaced', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn({ identity: adasToken }));
    const { sealedRefreshToken: was, ...ada } = adasToken;
    await ledger.replaceTokens(resealed({ ...ada, was, sealedRefreshToken: 'sealed-2' }));
    expect(await ledger.endIdentity(adasToken, 'gone', t0 + 9)).toBe('superseded');
    expect(await ledger.endIdentity({ ...ada, sealedRefreshToken: 'sealed-2' }, 'gone', t0 + 9)).toBe(
      'ended',
    );
  });
};
