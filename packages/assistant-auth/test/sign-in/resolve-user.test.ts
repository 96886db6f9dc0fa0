/** Which user a sign-in belongs to, and what it stores. */
import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/clients/client.ts';
import type { ResolveUser } from '../../src/context.ts';
import { createLimits } from '../../src/limits/rate-limits.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { acceptEveryIdentity, buildSignIn, type RequestedGrant } from '../../src/sign-in/resolve-user.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { clients, issuer, keys } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const sealers = createSealers(parseKeyRing(keys), issuer, [issuer], randomBytes);
const providers = new Map([['google', createProvider('google', 'Google')]]);
const [gpt, app, server] = clients;

const requestedGrant: RequestedGrant = {
  id: 'grant-1',
  redirectUri: 'https://chatgpt.com/aip/g-1234/oauth/callback',
  scopes: ['words'],
  resource: `${issuer}/api`,
};

const identity = {
  provider: 'google',
  subject: 'subject-1',
  label: 'ada@example.com',
  email: 'ada@example.com',
  emailVerified: true,
  claims: { sub: 'subject-1', hd: 'example.com' },
};

const limits = createLimits(
  { signInsPerUser: { limit: 20, period: 600 } },
  () => 1_000,
  () => {},
);

const record = (
  resolveUser: ResolveUser,
  client: Client = gpt,
  changes: Partial<RequestedGrant> = {},
  identityChanges: object = {},
) =>
  buildSignIn(
    { resolveUser, providers, sealers, limits, now: () => 1_000, randomBytes },
    { ...requestedGrant, ...changes },
    client,
    {
      ...identity,
      ...identityChanges,
    },
  );

describe('the record of a sign-in', () => {
  it('contains the identifiers of the token, if the provider uses any', async () => {
    const tokenIdentifiers = ['start', 'digest'];
    const { identity: withIdentifiers } = await record(
      acceptEveryIdentity,
      gpt,
      {},
      { refreshToken: 'resolved', tokenIdentifiers },
    );
    expect(withIdentifiers.tokenIdentifiers).toEqual(tokenIdentifiers);
    const { identity: withoutIdentifiers } = await record(
      acceptEveryIdentity,
      gpt,
      {},
      { refreshToken: 'resolved' },
    );
    expect(withoutIdentifiers).not.toHaveProperty('tokenIdentifiers');
  });

  it('contains the session ID of the provider, if there is one', async () => {
    const { grant } = await record(acceptEveryIdentity, gpt, {}, { sid: 'session-1' });
    expect(grant.sid).toBe('session-1');
    expect((await record(acceptEveryIdentity)).grant).not.toHaveProperty('sid');
  });

  it('contains identity, a new user ID and the grant, and neither email address nor claims of the provider', async () => {
    const signIn = await record(acceptEveryIdentity);
    expect(signIn).toEqual({
      now: 1_000,
      limits: { signIns: 20, period: 600, activeGrants: 200 },
      identity: { provider: 'google', subject: 'subject-1', label: 'ada@example.com' },
      subjectNamespace: 'https://google.example',
      user: { kind: 'by-identity', newId: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/) },
      grant: {
        id: 'grant-1',
        clientId: 'gpt',
        redirectUri: 'https://chatgpt.com/aip/g-1234/oauth/callback',
        scopes: ['words'],
        resource: `${issuer}/api`,
        refreshPolicy: 'stable',
        claims: {},
      },
    });
  });

  it('creates another ID for every new user', async () => {
    const [one, other] = await Promise.all([record(acceptEveryIdentity), record(acceptEveryIdentity)]);
    expect(one.user).not.toEqual(other.user);
  });

  it('omits a label that the provider did not return', async () => {
    const { identity: stored } = await record(acceptEveryIdentity, gpt, {}, { label: undefined });
    expect(stored).toEqual({ provider: 'google', subject: 'subject-1' });
  });

  it.each([
    ['a GPT', gpt, ['words'], 'stable'],
    ['a client that always gets a refresh token', server, ['words'], 'rotating'],
    ['a client that requested offline_access', app, ['words', 'offline_access'], 'rotating'],
    ['a client that did not request it', app, ['words'], 'none'],
  ] as const)('lets %s refresh by its policy', async (_, client, scopes, refreshPolicy) => {
    const { grant } = await record(acceptEveryIdentity, client, { scopes });
    expect(grant.refreshPolicy).toBe(refreshPolicy);
  });
});

/** A `resolveUser` whose result is not type-checked. */
const resolveTo =
  (result: object): ResolveUser =>
  async () =>
    Object.assign(JSON.parse('{}'), result);

describe('resolveUser', () => {
  it('gets the verified identity, all its claims, and the client', async () => {
    const resolveUserArguments: unknown[] = [];
    await record(async (...args) => {
      resolveUserArguments.push(...args);
      return { kind: 'accepted' };
    });
    expect(resolveUserArguments).toEqual([identity, gpt]);
  });

  it('can return a user ID and claims', async () => {
    const signIn = await record(async () => ({
      kind: 'accepted',
      userId: 'their-42',
      claims: { plan: 'pro', seats: 3, beta: true },
    }));
    expect(signIn.user).toEqual({ kind: 'resolved', id: 'their-42' });
    expect(signIn.grant.claims).toEqual({ plan: 'pro', seats: 3, beta: true });
  });

  it('can refuse, with a reason for the log only', async () => {
    const refused = record(async () => ({ kind: 'refused', reason: 'not of example.org' }));
    await expect(refused).rejects.toMatchObject({
      reason: 'resolve-user.refused',
      code: 'access_denied',
      description: 'This account is not allowed to sign in here.',
      cause: 'not of example.org',
    });
  });

  it.each([{}, { kind: 'denied' }, { kind: 'Refused' }, { kind: 'ACCEPTED' }, { refused: 'no' }])(
    'refuses if the result is not valid: %j',
    async (result) => {
      await expect(record(resolveTo(result))).rejects.toMatchObject({ reason: 'resolve-user.refused' });
    },
  );

  it.each([
    ['empty', '', false],
    ['a number', 7, false],
    ['null', null, false],
    ['a lone surrogate', '\ud800', false],
    ['of 255 bytes', `${'é'.repeat(127)}x`, true],
    ['of 256 bytes', 'é'.repeat(128), false],
  ])('must return a user ID that is a valid string: %s', async (_, userId, isValid) => {
    const resolveUser = resolveTo({ kind: 'accepted', userId });
    if (isValid)
      await expect(record(resolveUser)).resolves.toMatchObject({ user: { kind: 'resolved', id: userId } });
    else
      await expect(record(resolveUser)).rejects.toMatchObject({
        reason: 'resolve-user.invalid-id',
        code: 'server_error',
      });
  });

  it.each([
    ['null', null],
    ['a list', ['a']],
    ['a string', 'plan=free'],
    ['a nested object', { plan: { name: 'free' } }],
    ['a nested null', { plan: null }],
    ['NaN', { seats: Number.NaN }],
    ['a lone surrogate', { plan: '\ud800' }],
  ])('must not return invalid claims: %s', async (_, claims) => {
    const resolveUser = resolveTo({ kind: 'accepted', claims });
    await expect(record(resolveUser)).rejects.toMatchObject({
      reason: 'resolve-user.invalid-claims',
      code: 'server_error',
    });
  });

  it('can throw, and the sign-in fails with the same error', async () => {
    await expect(record(() => Promise.reject(new Error('their database is down')))).rejects.toThrow(
      'their database is down',
    );
  });

  it.each([
    // {"a":"…"} is 8 bytes around the text.
    ['512 bytes', 'x'.repeat(504), true],
    ['513 bytes', 'x'.repeat(505), false],
    ['514 bytes in 258 characters', 'é'.repeat(253), false],
  ])('can return claims of at most 512 bytes of JSON: %s', async (_, text, isValid) => {
    const recorded = record(async () => ({ kind: 'accepted', claims: { a: text } }));
    if (isValid) await expect(recorded).resolves.toMatchObject({ grant: { claims: { a: text } } });
    else
      await expect(recorded).rejects.toMatchObject({
        reason: 'resolve-user.invalid-claims',
        code: 'server_error',
      });
  });
});

describe('the provider’s refresh token', () => {
  const refreshToken = 'provider-secret-1';
  const toBytes = (text: string) => Uint8Array.from(new TextEncoder().encode(text));

  it('is stored sealed, and opens only for its own row', async () => {
    const { identity: stored } = await record(acceptEveryIdentity, gpt, {}, { refreshToken });
    const sealed = stored.sealedRefreshToken ?? '';
    expect(JSON.stringify(stored)).not.toContain(refreshToken);
    const opened = await sealers.upstreamToken.open(sealed, toBytes('google\0subject-1'));
    expect(opened.kind === 'opened' && new TextDecoder().decode(opened.value)).toBe(refreshToken);
    for (const other of ['google\0subject-2', 'other\0subject-1', 'googlesubject-1', ''])
      expect(await sealers.upstreamToken.open(sealed, toBytes(other))).toEqual({
        kind: 'failed',
        reason: 'forged',
      });
  });

  it('opens as no other sealed type', async () => {
    const { identity: stored } = await record(acceptEveryIdentity, gpt, {}, { refreshToken });
    const sealed = stored.sealedRefreshToken ?? '';
    for (const sealedType of [sealers.refresh, sealers.code, sealers.consent, sealers.transaction])
      expect(await sealedType.open(sealed)).toEqual({ kind: 'failed', reason: 'forged' });
  });

  it('is omitted if the provider returned none, so that a stored one stays', async () => {
    expect(Object.keys((await record(acceptEveryIdentity)).identity)).not.toContain('sealedRefreshToken');
  });
});
