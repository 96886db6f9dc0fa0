/** The port's contract for stored tokens: found by how they begin, and replaced only while they are the stored ones. */
import { expect, it } from 'vitest';
import type { Ledger, StoredToken } from '../../../src/ledger/ledger.ts';
import { adasToken, type MakeLedger, signIn, t0 } from './sample.ts';

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
    await ledger.replaceTokens([
      { provider: 'github', subject: 'ada', was: 'old-2', sealedRefreshToken: 'new-2' },
      { provider: 'google', subject: 'ada', was: 'old-1', sealedRefreshToken: 'new-3' },
    ]);
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
    await ledger.replaceTokens([
      { provider: 'google', subject: 'ada', was: 'old-0', sealedRefreshToken: 'new' },
      { provider: 'google', subject: 'dan', was: '', sealedRefreshToken: 'new' },
      { provider: 'google', subject: 'eve', was: 'old-1', sealedRefreshToken: 'new' },
    ]);
    await ledger.replaceTokens([]);
    expect(await everything(ledger)).toEqual(before);
  });

  it('lets the provider be asked with what it replaced', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn({ identity: adasToken }));
    const { sealedRefreshToken: was, ...ada } = adasToken;
    await ledger.replaceTokens([{ ...ada, was, sealedRefreshToken: 'sealed-2' }]);
    expect(await ledger.endIdentity(adasToken, 'gone', t0 + 9)).toBe('superseded');
    expect(await ledger.endIdentity({ ...ada, sealedRefreshToken: 'sealed-2' }, 'gone', t0 + 9)).toBe(
      'ended',
    );
  });
};
