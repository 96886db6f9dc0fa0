/** The methods of the account page, which `accountPages()` adds to storage in SQL. */
import { DatabaseSync } from 'node:sqlite';
import {
  type AccountStorage,
  type BrokerOptions,
  type BrokerStorage,
  ConfigurationError,
  createBroker,
  StorageUnavailable,
} from 'assistant-auth';
import { accountPages, accountStorage } from 'assistant-auth/account';
import { memoryStorage } from 'assistant-auth/memory';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { describe, expect, it } from 'vitest';
import { signIn, t0 } from '../../../src/testing/storage-contract/sample.ts';
import { createAccountBrowser } from '../../account-browser.ts';
import { gptSignIn } from '../../browser.ts';
import { clients, deploy, issuer, keys } from '../../deployment.ts';
import { createProvider } from '../../fake-provider.ts';
import { createSpyStorage } from '../../spy-storage.ts';

const accountMethods = [
  'useSession',
  'acquireRecheckLease',
  'readAccount',
  'readHistory',
  'findUser',
  'linkIdentity',
  'unlinkIdentity',
  'revokeGrants',
  'deleteUser',
] as const satisfies readonly (keyof AccountStorage)[];

const ada = { provider: 'google', subject: 'ada' } as const;

const createStorage = async (): Promise<BrokerStorage> => {
  const database = new DatabaseSync(':memory:');
  await migrate(database);
  return sqliteStorage(database);
};

/** A storage of a publisher that does not have some of the methods. */
const createStorageWithout = (names: readonly string[]): BrokerStorage => {
  const storage = memoryStorage();
  for (const name of names) Reflect.deleteProperty(storage, name);
  return storage;
};

const catchError = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('accountStorage', () => {
  it('returns a storage that has the methods as it is', () => {
    const memory = memoryStorage();
    expect(accountStorage(memory)).toBe(memory);
    const complete: BrokerStorage = accountStorage(memory);
    expect(accountStorage(complete)).toBe(complete);
  });

  it('adds the methods to storage in SQL, which then uses the same database', async () => {
    const storage = await createStorage();
    expect(accountMethods.filter((name) => name in storage)).toEqual([]);
    const complete = accountStorage(storage);
    expect(accountMethods.filter((name) => name in complete)).toEqual(accountMethods);
    expect(accountStorage(complete)).toBe(complete);
    await storage.recordSignIn(signIn());
    expect(await complete.findUser(ada)).toBe('user-1');
    expect(await complete.deleteUser({ userId: 'user-1', actor: 'operator', now: t0 })).toEqual({
      kind: 'deleted',
      tokens: [],
    });
    expect(await storage.readGrantStatus('grant-1')).toBe('unknown');
  });

  it('adds the methods to a copy, except those that the copy has', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const findUser: AccountStorage['findUser'] = async () => 'replaced';
    const readGrantStatus: BrokerStorage['readGrantStatus'] = async () => 'revoked';
    const copy = { ...storage, findUser, readGrantStatus };
    const complete = accountStorage(copy);
    expect(complete.findUser).toBe(findUser);
    expect(complete.readGrantStatus).toBe(readGrantStatus);
    expect(complete.refresh).toBe(storage.refresh);
    expect((await complete.readAccount('user-1'))?.identities).toMatchObject([ada]);
  });

  it('refuses other storage, and names the methods that are missing', () => {
    const error = catchError(() => accountStorage(createStorageWithout(['readHistory', 'deleteUser'])));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      option: 'storage',
      message:
        'storage must have the methods of AccountStorage, because the account page calls them. Missing: readHistory, deleteUser.',
    });
  });
});

describe('a broker', () => {
  const createOptions = (storage: BrokerStorage): BrokerOptions => ({
    ...{ issuer, sealingKeys: keys, clients, storage },
    scopes: { words: 'read the word lists', score: 'see and increase your score' },
    resources: [`${issuer}/api`, `${issuer}/other`],
    providers: [createProvider('google', 'Google')],
    log: () => {},
  });

  it.each(accountMethods)('with the account page does not start if the storage has no %s', (name) => {
    const options = createOptions(createStorageWithout([name]));
    const error = catchError(() => createBroker({ ...options, account: accountPages() }));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ option: 'storage', message: expect.stringContaining(`Missing: ${name}.`) });
  });

  it('without the account page needs none of these methods', () => {
    expect(createBroker(createOptions(createStorageWithout(accountMethods)))).toMatchObject({ issuer });
  });

  it('with the account page and storage in SQL serves the page', async () => {
    const deployment = deploy({ storage: await createStorage() });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada');
    await gptSignIn(deployment, 'ada');
    const { kind, html } = await accountBrowser.openAccountPage();
    expect(kind).toBe('account');
    expect(html).toContain('Words GPT');
    expect(await deployment.storage.findUser(ada)).toBeDefined();
    expect((await accountBrowser.post('/delete', { confirm: 'yes' })).status).toBe(303);
    expect(await deployment.storage.findUser(ada)).toBeUndefined();
  });

  it('with the account page calls the methods of a copy of storage in SQL', async () => {
    const storage = createSpyStorage(await createStorage());
    const accountBrowser = createAccountBrowser(deploy({ storage }));
    await accountBrowser.signInToAccount();
    await accountBrowser.openAccountPage();
    expect(storage.calls.slice(-2)).toEqual(['useSession', 'readAccount']);
  });

  it('with the account page calls a method of its own that a copy of storage in SQL has', async () => {
    const storage: BrokerStorage & Pick<AccountStorage, 'useSession'> = {
      ...(await createStorage()),
      useSession: () => Promise.reject(new StorageUnavailable('down')),
    };
    const deployment = deploy({ storage });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const response = await accountBrowser.visit(`${issuer}/account`);
    expect(response.status).toBe(503);
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason: 'storage.unavailable' });
  });
});
