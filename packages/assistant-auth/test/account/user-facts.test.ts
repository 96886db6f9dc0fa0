/** The publisher's facts about a user on the account page (`summarizeUser`). */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AccountOptions } from '../../src/account/context.ts';
import { accountPages } from '../../src/account/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createSignedInBrowser } from '../account-browser.ts';
import { deploy } from '../deployment.ts';
import { readLines } from '../ui/read-markup.ts';

type SummarizeUser = NonNullable<AccountOptions['summarizeUser']>;

const openPage = async (summarizeUser: SummarizeUser) => {
  const { deployment, accountBrowser } = await createSignedInBrowser(
    deploy({ account: accountPages({ summarizeUser }) }),
  );
  const { html } = await accountBrowser.openAccountPage();
  const lines = await readLines(html);
  const facts = lines.slice(lines.indexOf('Sign out') + 1, lines.indexOf('Connected apps'));
  const failures = deployment.log.filter(({ event }) => event === 'page-failed');
  return { deployment, html, facts, failures };
};

const createSignal = () => {
  let send = () => {};
  const received = new Promise<void>((resolve) => {
    send = resolve;
  });
  return { received, send };
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the publisher’s facts', () => {
  it('are shown with the profile, for this user', async () => {
    const asked: string[] = [];
    const { deployment, facts, failures } = await openPage(async (userId) => {
      asked.push(userId);
      return [
        { label: 'Score', value: '12' },
        { label: 'L'.repeat(100), value: '<b>'.padEnd(100, 'V') },
      ];
    });
    expect(facts).toEqual(['Score 12', `${'L'.repeat(100)} ${'<b>'.padEnd(100, 'V')}`]);
    expect(asked).toEqual([await deployment.storage.findUser({ provider: 'google', subject: 'ada' })]);
    expect(failures).toEqual([]);
  });

  const fact = { label: 'Score', value: '12' };

  it('are shown if there are ten', async () => {
    const { facts, failures } = await openPage(async () => Array(10).fill(fact));
    expect(facts).toHaveLength(10);
    expect(failures).toEqual([]);
  });

  it.each([
    ['not a list', fact],
    ['nothing', undefined],
    ['eleven facts', Array(11).fill(fact)],
    ['no fact', [null]],
    ['no value', [fact, { label: 'Score' }]],
    ['a number', [{ label: 'Score', value: 12 }]],
    ['an empty label', [{ ...fact, label: ' ' }]],
    ['a label that is too long', [{ ...fact, label: 'x'.repeat(101) }]],
    ['a value that is too long', [{ ...fact, value: 'x'.repeat(101) }]],
    ['a line break', [{ ...fact, value: '1\n2' }]],
    ['a change of direction', [{ ...fact, value: '1\u202e2' }]],
  ])('are not shown, and the page works, if the publisher returns %s', async (_, returned) => {
    // A JavaScript caller can return anything.
    const { html, facts, failures } = await openPage(async () =>
      JSON.parse(JSON.stringify(returned ?? null)),
    );
    expect(facts).toEqual([]);
    expect(html).toContain('Delete your account');
    expect(failures).toEqual([
      expect.objectContaining({ endpoint: 'account', cause: expect.stringContaining('TypeError') }),
    ]);
  });

  it.each<[string, SummarizeUser]>([
    [
      'throws',
      () => {
        throw new Error('no route to the scores');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no route to the scores'))],
  ])('are not shown, and the page works, if the function %s', async (_, summarizeUser) => {
    const { html, facts, failures } = await openPage(summarizeUser);
    expect(facts).toEqual([]);
    expect(html).not.toContain('no route');
    expect(html).toContain('Delete your account');
    expect(failures).toEqual([
      expect.objectContaining({ endpoint: 'account', cause: 'Error: no route to the scores' }),
    ]);
  });

  it('are not shown, and the page works, if the function takes longer than three seconds', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
      const timer = new AbortController();
      queueMicrotask(() => timer.abort());
      return timer.signal;
    });
    const { html, facts, failures } = await openPage(() => new Promise(() => {}));
    expect(timeout.mock.calls).toEqual([[3_000]]);
    expect(facts).toEqual([]);
    expect(html).toContain('Sign out and disconnect everything');
    expect(failures).toEqual([
      expect.objectContaining({ endpoint: 'account', cause: expect.stringContaining('within 3000 ms') }),
    ]);
  });

  it('are read at the same time as the account', async () => {
    const memory = memoryStorage();
    const [facts, account] = [createSignal(), createSignal()];
    const storage = {
      ...memory,
      async readAccount(userId: string) {
        account.send();
        await facts.received;
        return memory.readAccount(userId);
      },
    };
    const summarizeUser: SummarizeUser = async () => {
      facts.send();
      await account.received;
      return [fact];
    };
    const { accountBrowser } = await createSignedInBrowser(
      deploy({ storage, account: accountPages({ summarizeUser }) }),
    );
    expect((await accountBrowser.openAccountPage()).html).toContain('<dd>12</dd>');
  });

  it('are not read if nobody is signed in', async () => {
    let calls = 0;
    const account = accountPages({
      summarizeUser: async () => {
        calls += 1;
        return [];
      },
    });
    const { accountBrowser } = await createSignedInBrowser(deploy({ account }));
    await accountBrowser.post('/sign-out');
    const before = calls;
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    expect(calls).toBe(before);
  });
});
