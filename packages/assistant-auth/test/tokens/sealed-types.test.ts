/** What is sealed, with which key, and for how long. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/index.ts';
import { encode, list, record, text, uint } from '../../src/seal/codec.ts';
import { parseKeyRing } from '../../src/seal/index.ts';
import { createSealer } from '../../src/seal/sealer.ts';
import { grantRetention } from '../../src/storage/broker-storage.ts';
import { type Lifetimes, parseLifetimes } from '../../src/tokens/lifetimes.ts';
import {
  createSealedType,
  createSealers,
  openUpstreamToken,
  sealUpstreamToken,
} from '../../src/tokens/sealers.ts';
import { issuer, keys } from '../deployment.ts';

describe('sealed types', () => {
  const sealer = createSealer(parseKeyRing(keys), { name: 'ticket', issuer });
  const ticket = createSealedType(sealer, record({ holder: text, seats: list(uint) }));

  it('opens with the value that was sealed', async () => {
    const tickets = fc.record({ holder: fc.string(), seats: fc.array(fc.maxSafeNat()) });
    await fc.assert(
      fc.asyncProperty(tickets, async (value) => {
        expect(await ticket.open(await ticket.seal(value))).toEqual({ kind: 'opened', value });
      }),
    );
  });

  it('fails with the reason of its sealer', async () => {
    const sealed = await ticket.seal({ holder: 'ada', seats: [1] });
    const otherSealer = createSealer(parseKeyRing(keys), { name: 'other', issuer });
    const unknownKeySealer = createSealer(parseKeyRing(keys.replace('test-1', 'test-2')), {
      name: 'ticket',
      issuer,
    });
    const failed = (reason: string) => ({ kind: 'failed', reason });
    expect(await ticket.open(`${sealed}A`)).toEqual(failed('malformed'));
    expect(await ticket.open(await otherSealer.seal(new Uint8Array(9)))).toEqual(failed('forged'));
    expect(await ticket.open(await unknownKeySealer.seal(new Uint8Array(9)))).toEqual(failed('unknown-key'));
  });

  it.each([
    ['no bytes', new Uint8Array()],
    ['one field too few', encode(record({ holder: text }), { holder: 'ada' })],
    [
      'one field too many',
      encode(record({ holder: text, seats: list(uint), row: uint }), { holder: 'ada', seats: [1], row: 2 }),
    ],
    [
      'other fields',
      encode(record({ seats: list(uint), holder: text }), { holder: 'ada', seats: [200, 300] }),
    ],
    ['invalid UTF-8', Uint8Array.of(1, 0xff, 0)],
  ])('fails with the reason unknown-format if it contains %s', async (_, payload) => {
    expect(await ticket.open(await sealer.seal(payload))).toEqual({
      kind: 'failed',
      reason: 'unknown-format',
    });
  });
});

describe('sealers', () => {
  const resources = [`${issuer}/api`, `${issuer}/other`];
  const ring = parseKeyRing(keys);
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const sealers = createSealers(ring, issuer, resources, random);

  const access = {
    userId: 'u-1',
    grantId: 'g-1',
    clientId: 'gpt',
    scopes: ['words'],
    claims: {},
    issuedAt: 1_800_000_000,
    expiresAt: 1_800_001_800,
    isChatGptMcpClient: false,
  };
  const code = {
    grantId: 'g-1',
    clientId: 'gpt',
    redirectUri: 'https://app.example/callback',
    resource: `${issuer}/api`,
    codeChallenge: undefined,
    expiresAt: 1_800_000_060,
  };

  /** Creates a sealer for the purpose with this name, independently of `createSealers`. */
  const createNamedSealer = (name: string, audience?: string) =>
    createSealer(ring, { name, issuer, ...(audience === undefined ? {} : { audience }) });

  it('have an access token type for each resource, and for no other', () => {
    expect([...sealers.access.keys()]).toEqual(resources);
  });

  it('seal for the purposes in docs/explanation/sealed-tokens.md', async () => {
    const sealedCode = await sealers.code.seal(code);
    expect(await createNamedSealer('code').open(sealedCode)).toHaveProperty('kind', 'opened');
    const sealedToken = await sealers.upstreamToken.seal(new Uint8Array(3), new Uint8Array(2));
    expect(await createNamedSealer('upstream-token').open(sealedToken, new Uint8Array(2))).toHaveProperty(
      'kind',
      'opened',
    );
    for (const [resource, sealedType] of sealers.access)
      expect(await createNamedSealer('access', resource).open(await sealedType.seal(access))).toHaveProperty(
        'kind',
        'opened',
      );
    const sealedTypesByName = {
      refresh: sealers.refresh,
      consent: sealers.consent,
      transaction: sealers.transaction,
    };
    // The key is right, but the content does not have the expected format.
    for (const [name, sealedType] of Object.entries({ ...sealedTypesByName, 'form-post': sealers.formPost }))
      expect(await sealedType.open(await createNamedSealer(name).seal(new Uint8Array()))).toEqual({
        kind: 'failed',
        reason: 'unknown-format',
      });
  });

  it('open an access token only for its own resource', async () => {
    const sealed = (await sealers.access.get(resources[0] ?? '')?.seal(access)) ?? '';
    expect(await sealers.access.get(resources[0] ?? '')?.open(sealed)).toEqual({
      kind: 'opened',
      value: access,
    });
    const forged = { kind: 'failed', reason: 'forged' };
    expect(await sealers.access.get(resources[1] ?? '')?.open(sealed)).toEqual(forged);
    expect(await sealers.refresh.open(sealed)).toEqual(forged);
  });

  it('take every IV from the given source of randomness', async () => {
    const requestedLengths: number[] = [];
    const countingSealers = createSealers(ring, issuer, resources, (length) => {
      requestedLengths.push(length);
      return random(length);
    });
    await countingSealers.code.seal(code);
    await countingSealers.access.get(resources[0] ?? '')?.seal(access);
    await countingSealers.upstreamToken.seal(new Uint8Array());
    expect(requestedLengths).toEqual([12, 12, 12]);
  });
});

describe('stored upstream tokens', async () => {
  const sealers = createSealers(parseKeyRing(keys), issuer, [], (length) =>
    crypto.getRandomValues(new Uint8Array(length)),
  );
  const ada = { provider: 'google', subject: 'ada' };
  const sealed = await sealUpstreamToken(sealers, ada, 'their-token ✓');

  it('open for the identity that they were sealed for', async () => {
    expect(await openUpstreamToken(sealers, { ...ada, sealedRefreshToken: sealed })).toEqual({
      kind: 'opened',
      value: 'their-token ✓',
    });
  });

  it.each([
    ['another user', { ...ada, subject: 'eve' }],
    ['another provider', { ...ada, provider: 'github' }],
    ['a provider and subject that are split differently', { provider: 'goog', subject: 'lesada' }],
  ])('B14.2 sealed at rest per row: do not open in the row of %s', async (_, identity) => {
    expect(await openUpstreamToken(sealers, { ...identity, sealedRefreshToken: sealed })).toEqual({
      kind: 'failed',
      reason: 'forged',
    });
  });
});

describe('lifetimes', () => {
  const day = 86_400;

  const defaults: Lifetimes = {
    access: 1800,
    code: 60,
    consent: 1800,
    transaction: 600,
    stableRefreshIdle: 60 * day,
    stableRefreshAbsolute: 365 * day,
    rotatingRefreshIdle: 30 * day,
    rotatingRefreshAbsolute: 180 * day,
    sessionIdle: 7 * day,
    sessionAbsolute: 30 * day,
    inconclusiveRecheck: 30 * day,
    refreshGrace: 120,
  };

  /** The minimum and maximum of each lifetime. */
  const bounds: readonly (readonly [keyof Lifetimes, number, number])[] = [
    ['access', 600, day],
    ['code', 10, 600],
    ['consent', 60, day],
    ['transaction', 60, grantRetention],
    ['stableRefreshIdle', day, 400 * day],
    ['stableRefreshAbsolute', day, 400 * day],
    ['rotatingRefreshIdle', 3600, 400 * day],
    ['rotatingRefreshAbsolute', 3600, 400 * day],
    ['sessionIdle', 300, 30 * day],
    ['sessionAbsolute', 300, 90 * day],
    ['inconclusiveRecheck', 3600, 400 * day],
    ['refreshGrace', 0, 600],
  ];

  describe('parseLifetimes', () => {
    it('fills in defaults', () => {
      expect(parseLifetimes()).toMatchObject(defaults);
      expect(parseLifetimes({})).toEqual(parseLifetimes());
      expect(parseLifetimes({ access: 900 })).toEqual({ ...parseLifetimes(), access: 900 });
    });

    it('has a range for each lifetime', () => {
      expect(bounds.map(([name]) => name)).toEqual(Object.keys(defaults));
    });

    it.each(bounds)('accepts %s from %i to %i seconds', (name, min, max) => {
      for (const seconds of [min, max]) expect(parseLifetimes({ [name]: seconds })[name]).toBe(seconds);
    });

    it.each(bounds)(
      'refuses a %s below %i or above %i, and anything that is not a number',
      (name, min, max) => {
        const message = `lifetimes.${name} must be a whole number of seconds from ${min} to ${max}.`;
        for (const seconds of [min - 1, max + 1, min + 0.5, -1, -max, Number.NaN, Number.POSITIVE_INFINITY]) {
          const parse = () => parseLifetimes({ [name]: seconds });
          expect(parse).toThrow(ConfigurationError);
          expect(parse).toThrow(message);
        }
      },
    );

    it('limits a login transaction to the time for which its grant can be found', () => {
      expect(() => parseLifetimes({ transaction: grantRetention + 1 })).toThrow('lifetimes.transaction');
    });
  });

  describe('the lifetimes of refresh tokens', () => {
    it('depend on the kind of refresh token', () => {
      expect(parseLifetimes().refresh).toEqual({
        stable: { idle: 60 * day, absolute: 365 * day },
        rotating: { idle: 30 * day, absolute: 180 * day },
      });
    });

    it('end at the absolute lifetime at the latest', () => {
      const shortLifetimes = parseLifetimes({
        stableRefreshAbsolute: 2 * day,
        rotatingRefreshAbsolute: 3600,
      });
      expect(shortLifetimes.refresh).toEqual({
        stable: { idle: 2 * day, absolute: 2 * day },
        rotating: { idle: 3600, absolute: 3600 },
      });
    });
  });
});
