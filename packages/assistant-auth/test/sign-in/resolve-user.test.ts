/** Which user a sign-in belongs to, and what it stores. */
import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/clients/client.ts';
import type { ResolveUser } from '../../src/context.ts';
import { createLimits } from '../../src/limits/rate-limits.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
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
    { resolveUser, issuer: parseIssuer(issuer), providers, sealers, limits, now: () => 1_000, randomBytes },
    { ...requestedGrant, ...changes },
    client,
    {
      ...identity,
      ...identityChanges,
    },
    'en',
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

/** The user is refused all the same, but without a page. */
const invalidRefusal = (cause: string) => ({
  reason: 'resolve-user.invalid-refusal',
  code: 'access_denied',
  description: 'This account is not allowed to sign in here.',
  refusal: undefined,
  cause,
});

describe('resolveUser', () => {
  it('gets the verified identity, all its claims, the client, and the language', async () => {
    const resolveUserArguments: unknown[] = [];
    await record(async (...args) => {
      resolveUserArguments.push(...args);
      return { kind: 'accepted' };
    });
    expect(resolveUserArguments).toEqual([identity, gpt, 'en']);
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

  it('can refuse with a message and a link for the user', async () => {
    const message = 'Ask your <b>administrator</b> & try again.';
    const link = { text: 'Email them', href: 'mailto:admin@example.org' };
    await expect(
      record(async () => ({ kind: 'refused', reason: 'not of example.org', message, link })),
    ).rejects.toMatchObject({
      reason: 'resolve-user.refused',
      code: 'access_denied',
      status: 403,
      description: 'This account is not allowed to sign in here.',
      cause: 'not of example.org',
      refusal: { message, link, identity: { provider: 'Google', label: 'ada@example.com' } },
    });
  });

  it.each([
    ['of 1,000 bytes', 'é'.repeat(500), true],
    ['of 1,001 bytes', `${'é'.repeat(500)}x`, false],
    ['of 10 kB', 'x'.repeat(10_000), false],
    ['empty', '', false],
    ['null', null, false],
    ['a number', 7, false],
    ['an object', { toString: () => 'text' }, false],
    ['a list', ['text'], false],
    ['a lone surrogate', 'a\ud800', false],
    ['a null character', 'a\0', false],
    ['a line break', 'one\ntwo', false],
    ['an escape character', '\x1b[31m', false],
    ['a character that reverses text', 'a\u202eb', false],
    ['the end of an isolate', 'a\u2069b', false],
    ['a paragraph separator', 'a\u2029b', false],
  ])('B30.1 must return a message that is plain text: %s', async (_, message, isValid) => {
    const refused = record(resolveTo({ kind: 'refused', reason: 'banned', message }));
    await expect(refused).rejects.toMatchObject(
      isValid
        ? { reason: 'resolve-user.refused', refusal: { message } }
        : invalidRefusal('message must be plain text on one line, of at most 1000 bytes'),
    );
  });

  it.each([
    ['of 200 bytes', 'x'.repeat(200), true],
    ['of 201 bytes', 'x'.repeat(201), false],
    ['absent', undefined, false],
    ['empty', '', false],
    ['a number', 7, false],
    ['a line break', 'one\ntwo', false],
    ['a character that reverses text', 'a\u202eb', false],
  ])('B30.1 must return a link with a text that is plain text: %s', async (_, text, isValid) => {
    const link = { text, href: 'https://words.example/join' };
    const refused = record(resolveTo({ kind: 'refused', reason: 'banned', message: 'Join first.', link }));
    await expect(refused).rejects.toMatchObject(
      isValid
        ? { reason: 'resolve-user.refused', refusal: { link } }
        : invalidRefusal('link.text must be plain text on one line, of at most 200 bytes'),
    );
  });

  const tooLong = `https://words.example/${'x'.repeat(491)}`;

  it.each([
    ['https://words.example/join?from=sign-in#form', 'https://words.example/join?from=sign-in#form'],
    ['https://words.example', 'https://words.example/'],
    ['https://words.example:8443/a b', 'https://words.example:8443/a%20b'],
    ['HTTPS://WORDS.EXAMPLE/@ada', 'https://words.example/@ada'],
    ['https://w\u00f6rter.example/', 'https://xn--wrter-jua.example/'],
    ['https:words.example\\join', 'https://words.example/join'],
    ['https://words.example/"><script>', 'https://words.example/%22%3E%3Cscript%3E'],
    ['mailto:admin+words@mail.example', 'mailto:admin+words@mail.example'],
    [tooLong.slice(0, -1), tooLong.slice(0, -1)],
  ])('B30.2 can return a link to a website or an email address: %s', async (href, parsed) => {
    const link = { text: 'Join', href };
    const refused = record(resolveTo({ kind: 'refused', reason: 'banned', message: 'Join first.', link }));
    await expect(refused).rejects.toMatchObject({
      reason: 'resolve-user.refused',
      refusal: { link: { text: 'Join', href: parsed } },
    });
  });

  it.each([
    undefined,
    null,
    7,
    '',
    '/join',
    '//words.example/join',
    'words.example/join',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'java\nscript:alert(1)',
    ' javascript://words.example/%0aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'blob:https://words.example/1',
    'vbscript:x',
    'file:///etc/passwd',
    'intent://words.example#Intent;end',
    'com.example.app:/callback',
    'http://words.example/join',
    'http://localhost:3000/join',
    'https://ada@words.example/',
    'https://:secret@words.example/',
    'https://ada:secret@words.example/join',
    'https://words.example@evil.example/',
    'https://',
    'mailto:',
    'mailto:admin',
    'mailto:admin@words.example?bcc=eve@evil.example',
    'mailto:admin@words.example,eve@evil.example',
    'mailto:admin@words.example%0d%0abcc:eve@evil.example',
    tooLong,
  ])('B30.2 must not return a link to anything else: %j', async (href) => {
    const link = { text: 'Join', href };
    const refused = record(resolveTo({ kind: 'refused', reason: 'banned', message: 'Join first.', link }));
    await expect(refused).rejects.toMatchObject(
      invalidRefusal('link.href must be an https or mailto URL of at most 512 bytes'),
    );
  });

  it.each([
    ['http://localhost:8787', 'http://localhost:3000/join', true],
    ['http://localhost:8787', 'http://127.0.0.1:3000/join', true],
    ['http://localhost:8787', 'http://words.example/join', false],
    ['https://words.example', 'http://localhost:3000/join', false],
  ])('B30.2 can return a link to plain http only on loopback: from %s to %s', async (from, href, isValid) => {
    const link = { text: 'Join', href };
    const refused = buildSignIn(
      {
        resolveUser: async () => ({ kind: 'refused', reason: 'banned', message: 'Join first.', link }),
        issuer: parseIssuer(from),
        ...{ providers, sealers, limits, now: () => 1_000, randomBytes },
      },
      requestedGrant,
      gpt,
      identity,
      'en',
    );
    await expect(refused).rejects.toMatchObject({
      reason: isValid ? 'resolve-user.refused' : 'resolve-user.invalid-refusal',
    });
  });

  it.each([
    ['null', null],
    ['a text', 'https://words.example/'],
    ['empty', {}],
    ['a list', []],
  ])('B30.2 must not return a link that has no text and target: %s', async (_, link) => {
    const refused = record(resolveTo({ kind: 'refused', reason: 'banned', message: 'Join first.', link }));
    await expect(refused).rejects.toMatchObject(
      invalidRefusal('link.text must be plain text on one line, of at most 200 bytes'),
    );
  });

  it('must not return a link without a message', async () => {
    const link = { text: 'Join', href: 'https://words.example/join' };
    await expect(record(async () => ({ kind: 'refused', reason: 'banned', link }))).rejects.toMatchObject(
      invalidRefusal('message must be plain text on one line, of at most 1000 bytes'),
    );
  });

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
