/** The cache of opened access tokens: what it keeps, and what is still checked at every call. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { memoryStorage } from '../../src/storage/memory.ts';
import type { AccessToken } from '../../src/tokens/sealed-types.ts';
import { cacheOpened } from '../../src/tokens/token-cache.ts';
import { gpt, obtainTokens } from '../clients.ts';
import { type Deployment, deploy, issuer } from '../deployment.ts';

afterEach(() => vi.restoreAllMocks());

const api = `${issuer}/api`;
const other = `${issuer}/other`;

const call = ({ broker }: Deployment, token: string, scopes: readonly string[] = [], resource = api) =>
  broker.protect(new Request(`${issuer}/x`, { headers: { authorization: `Bearer ${token}` } }), {
    scopes,
    resource,
  });

/** Signs in, and calls until the token is in the cache. */
const cacheToken = async (deployment: Deployment): Promise<string> => {
  const { access_token: token } = await obtainTokens(deployment, gpt);
  for (let calls = 0; calls < 3; calls++) expect((await call(deployment, token)).ok).toBe(true);
  const decrypt = vi.spyOn(crypto.subtle, 'decrypt');
  expect((await call(deployment, token)).ok).toBe(true);
  expect(decrypt).not.toHaveBeenCalled();
  decrypt.mockRestore();
  return token;
};

const readStatus = async (pending: ReturnType<typeof call>): Promise<number> => {
  const result = await pending;
  return result.ok ? 200 : result.response.status;
};

describe('a token in the cache', () => {
  it('gets the same result as when it was decrypted', async () => {
    const deployment = deploy({
      resolveUser: async () => ({ kind: 'accepted', userId: 'u1', claims: { plan: 'free' } }),
    });
    const { access_token: token } = await obtainTokens(deployment, gpt);
    const first = await call(deployment, token, ['words']);
    expect(first).toMatchObject({ ok: true, user: { id: 'u1' }, claims: { plan: 'free' } });
    for (let calls = 0; calls < 3; calls++) expect(await call(deployment, token, ['words'])).toEqual(first);
  });

  it('T18.1 cached token: refuses it at the second at which it expires', async () => {
    const deployment = deploy();
    const token = await cacheToken(deployment);
    deployment.advance(1799);
    expect(await readStatus(call(deployment, token))).toBe(200);
    deployment.advance(1);
    expect(await readStatus(call(deployment, token))).toBe(401);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'token.expired' });
  });

  it('T18.2 cached token: refuses it once its grant is revoked', async () => {
    const storage = memoryStorage();
    const deployment = deploy({ storage });
    const token = await cacheToken(deployment);
    const auth = await call(deployment, token);
    if (!auth.ok) throw new Error('the call was refused');
    await storage.revoke({ kind: 'grant', id: auth.grant.id }, 'test', deployment.now());
    deployment.advance(10);
    expect(await readStatus(call(deployment, token))).toBe(401);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'token.revoked' });
  });

  it('T18.3 cached token: refuses it for a scope that it does not have', async () => {
    const deployment = deploy();
    const token = await cacheToken(deployment);
    expect(await readStatus(call(deployment, token, ['words']))).toBe(200);
    expect(await readStatus(call(deployment, token, ['words', 'admin']))).toBe(403);
  });

  it('T18.4 cached token: refuses it at another resource', async () => {
    const deployment = deploy();
    const token = await cacheToken(deployment);
    for (let calls = 0; calls < 3; calls++)
      expect(await readStatus(call(deployment, token, [], other))).toBe(401);
    expect(await readStatus(call(deployment, token))).toBe(200);
  });

  it('T18.5 cached token: refuses every text that ends like it or is longer or shorter', async () => {
    const deployment = deploy();
    const token = await cacheToken(deployment);
    const changed = token.startsWith('A') ? 'B' : 'A';
    for (const text of [
      changed + token.slice(1),
      `${token.slice(0, 40)}${token[40] === 'A' ? 'B' : 'A'}${token.slice(41)}`,
      token.slice(1),
      token.slice(-10),
      `A${token}`,
      `${token}A`,
    ])
      for (let calls = 0; calls < 3; calls++) expect(await readStatus(call(deployment, text))).toBe(401);
  });

  it('T18.6 cached token: its scopes and claims cannot be changed by a caller', async () => {
    const deployment = deploy({
      resolveUser: async () => ({ kind: 'accepted', claims: { plan: 'free' } }),
    });
    const { access_token: token } = await obtainTokens(deployment, gpt);
    for (let calls = 0; calls < 4; calls++) {
      const auth = await call(deployment, token);
      if (!auth.ok) throw new Error('the call was refused');
      expect(() => Object.assign(auth.claims, { plan: 'paid' })).toThrow(TypeError);
      expect(() => Object.assign(auth.scopes, { 0: 'admin' })).toThrow(TypeError);
      // The result itself belongs to the caller, and changing it changes no other call.
      Object.assign(auth, { scopes: ['admin'] });
      Object.assign(auth.user, { id: 'other' });
    }
    expect(await call(deployment, token)).toMatchObject({
      scopes: ['words', 'score'],
      claims: { plan: 'free' },
    });
    expect(await readStatus(call(deployment, token, ['admin']))).toBe(403);
  });
});

describe('the cache', () => {
  const content: AccessToken = {
    ...{ userId: 'u', grantId: 'g', clientId: 'c', scopes: [], claims: {}, issuedAt: 0, expiresAt: 1 },
    isChatGptMcpClient: false,
  };

  const createCounted = (isAuthentic: (sealed: string) => boolean = () => true) => {
    const opened: string[] = [];
    const { open } = cacheOpened({
      open: async (sealed) => {
        opened.push(sealed);
        return isAuthentic(sealed)
          ? { kind: 'opened', value: { ...content, userId: sealed } }
          : { kind: 'failed', reason: 'forged' };
      },
    });
    return { open, opened };
  };

  const nameToken = (index: number): string => `token-${String(index).padStart(10, '0')}`;

  it('opens a token once', async () => {
    const { open, opened } = createCounted();
    const results = [await open('one'), await open('one'), await open('one'), await open('one')];
    expect(opened).toEqual(['one']);
    for (const result of results)
      expect(result).toEqual({ kind: 'opened', value: { ...content, userId: 'one' } });
  });

  it('never keeps a failure', async () => {
    let isAuthentic = false;
    const { open, opened } = createCounted(() => isAuthentic);
    for (let calls = 0; calls < 5; calls++) expect((await open('one')).kind).toBe('failed');
    expect(opened).toHaveLength(5);
    isAuthentic = true;
    expect((await open('one')).kind).toBe('opened');
  });

  it('keeps at most 4,000 tokens', async () => {
    const { open, opened } = createCounted();
    const tokens = Array.from({ length: 20_000 }, (_, index) => nameToken(index));
    for (const token of tokens) for (let calls = 0; calls < 2; calls++) await open(token);
    opened.length = 0;
    for (const token of tokens) expect((await open(token)).kind).toBe('opened');
    const hits = tokens.length - opened.length;
    expect(hits).toBeGreaterThan(3000);
    expect(hits).toBeLessThanOrEqual(4000);
  });

  it('never returns the content of another token', async () => {
    const { open } = createCounted();
    for (let round = 0; round < 3; round++)
      for (let index = 0; index < 12_000; index++) {
        const token = nameToken(index % 6000);
        expect(await open(token)).toEqual({ kind: 'opened', value: { ...content, userId: token } });
      }
  });

  it('keeps some of more tokens than it has slots, although they are used in turn', async () => {
    const { open, opened } = createCounted();
    const tokens = Array.from({ length: 10_000 }, (_, index) => nameToken(index));
    for (const token of tokens) await open(token);
    opened.length = 0;
    for (const token of tokens) await open(token);
    expect(tokens.length - opened.length).toBeGreaterThan(3000);
  });

  it('replaces a token by one that is opened twice in a row in its slot', async () => {
    const { open, opened } = createCounted();
    const tokens = Array.from({ length: 20_000 }, (_, index) => nameToken(index));
    for (const token of tokens) for (let calls = 0; calls < 2; calls++) await open(token);
    opened.length = 0;
    for (const token of tokens.slice(-2000)) await open(token);
    // At most those that share their slot with a later one.
    expect(opened.length).toBeLessThan(800);
  });

  it('keeps a token although others in its slot are opened once', async () => {
    const { open, opened } = createCounted();
    await open('frequent');
    for (let index = 0; index < 20_000; index++) await open(nameToken(index));
    opened.length = 0;
    await open('frequent');
    expect(opened).toEqual([]);
  });

  it('does not keep tokens of more than 2,048 characters, so that its memory is bounded', async () => {
    const { open, opened } = createCounted();
    for (const length of [2048, 2049]) for (let calls = 0; calls < 5; calls++) await open('x'.repeat(length));
    expect(opened.map((sealed) => sealed.length)).toEqual([2048, ...Array.from({ length: 5 }, () => 2049)]);
  });
});
