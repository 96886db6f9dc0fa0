/** Genuine seals that belong elsewhere: under another key, of another kind, for another API, from another deployment. */

import { describe, expect, it } from 'vitest';
import type { BrokerOptions } from '../../../src/index.ts';
import { decodeBase64url, encodeBase64url } from '../../../src/oauth/secrets.ts';
import { memoryStorage } from '../../../src/storage/memory.ts';
import { callApi, expectTokens, type TokenBody } from '../../browser.ts';
import { gpt, obtainCode, obtainTokens, redeem, refresh } from '../../clients.ts';
import { type Deployment, deploy, issuer, keys } from '../../deployment.ts';
import { expectInvalidToken, expectTokenError } from '../../expect-error.ts';
import {
  collect,
  deployWithFormPost,
  expectedErrors,
  present,
  type SealedType,
  sealedTypes,
} from './sealed.ts';

const newKey = 'test-2.ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8';
const keyUnder = (id: string, ring: string) => `${id}.${ring.split('.')[1]}`;

/** The same deployment, configured anew: its clock and its storage go on. */
const redeployed = ({ storage, now }: Deployment, changes: Partial<BrokerOptions>): Deployment =>
  deployWithFormPost({ storage, now, ...changes }).deployment;

const headerOf = (sealed: string): string => {
  const [, length = 0, ...rest] = decodeBase64url(sealed) ?? [];
  return String.fromCharCode(...rest.slice(0, length));
};

/** The same bytes, but naming another key of as many letters. */
const naming = (sealed: string, id: string): string => {
  const bytes = decodeBase64url(sealed) ?? new Uint8Array();
  bytes.set(new TextEncoder().encode(id), 2);
  return encodeBase64url(bytes);
};

describe('T4', () => {
  it.each(sealedTypes)('T4.1 unknown: %s does not open under a key that nobody has', async (kind) => {
    const { deployment } = deployWithFormPost();
    const sealed = await collect(deployment);
    const foreign = redeployed(deployment, { sealingKeys: newKey });
    const refused = { ...expectedErrors[kind], cause: 'unknown-key' };
    expect(await present(foreign, sealed, kind, sealed.texts[kind])).toEqual(refused);
    expect(await present(deployment, sealed, kind, naming(sealed.texts[kind], 'test-9'))).toEqual(refused);
  });

  it.each(sealedTypes)(
    'T4.2 old: %s goes on opening under an older key, but not as if a newer had sealed it',
    async (kind) => {
      const { deployment } = deployWithFormPost();
      const sealed = await collect(deployment);
      const rotated = redeployed(deployment, { sealingKeys: `${newKey} ${keys}` });
      const { reason = '' } = await present(rotated, sealed, kind, sealed.texts[kind]);
      expect(reason).not.toContain('unreadable');
      expect(headerOf((await collect(rotated)).texts[kind])).toBe('test-2');
      expect(await present(rotated, sealed, kind, naming(sealed.texts[kind], 'test-2'))).toEqual({
        ...expectedErrors[kind],
        cause: 'forged',
      });
    },
  );

  it.each(sealedTypes)(
    'T4.3 retired: %s is dead when its key leaves the ring, also when its id comes back',
    async (kind) => {
      const { deployment } = deployWithFormPost();
      const sealed = await collect(deployment);
      const retired = redeployed(deployment, { sealingKeys: newKey });
      expect(await present(retired, sealed, kind, sealed.texts[kind])).toEqual({
        ...expectedErrors[kind],
        cause: 'unknown-key',
      });
      const reused = redeployed(deployment, { sealingKeys: keyUnder('test-1', newKey) });
      expect(await present(reused, sealed, kind, sealed.texts[kind])).toEqual({
        ...expectedErrors[kind],
        cause: 'forged',
      });
    },
  );
});

describe('T5', () => {
  const swaps = sealedTypes.flatMap((kind) =>
    sealedTypes.flatMap((place) => (kind === place ? [] : [[kind, place] as const])),
  );
  const isCookie = ([kind]: readonly [SealedType, SealedType]) => kind === 'transaction';

  const expectSwapRefused = async (kind: SealedType, place: SealedType) => {
    const { deployment, storage } = deployWithFormPost();
    const sealed = await collect(deployment);
    const before = storage.calls.length;
    expect(await present(deployment, sealed, place, sealed.texts[kind])).toEqual({
      ...expectedErrors[place],
      cause: 'forged',
    });
    expect(storage.calls).toHaveLength(before);
  };

  it.each(swaps.filter((swap) => !isCookie(swap)))(
    'T5.1 code as token: %s does not open as %s',
    expectSwapRefused,
  );
  it.each(swaps.filter(isCookie))('T5.2 cookie as token: %s does not open as %s', expectSwapRefused);
});

const otherIssuer = 'https://words.example.org';
const resources = [`${issuer}/mcp`, `${issuer}/mcp-other`, `${issuer}/mcp/`] as const;

const askAbout = ({ broker, issuer: host }: Deployment, token: string, resource: string) =>
  broker.protect(new Request(`${host}/x`, { headers: { authorization: `Bearer ${token}` } }), { resource });

const tokensAbout = async (deployment: Deployment, resource: string): Promise<TokenBody> =>
  expectTokens(await redeem(deployment, gpt, await obtainCode(deployment, gpt, { resource })));

describe('T6', () => {
  it('T6.1 issuer: a token of another issuer is dead, though key, API, client and storage are the same', async () => {
    const storage = memoryStorage();
    const shared: readonly [string] = ['https://api.example/'];
    const one = deploy({ storage, resources: shared });
    const { access_token, refresh_token } = await obtainTokens(one, gpt);
    for (const other of [otherIssuer, `${issuer}:8443`, 'https://www.words.example']) {
      const two = deploy({ storage, resources: shared, issuer: other });
      expect(await askAbout(two, access_token, shared[0])).toMatchObject({ response: { status: 401 } });
      expect((await refresh(two, gpt, refresh_token)).status).toBe(401);
    }
    expect(await callApi(one, access_token)).toMatchObject({ kind: 'granted' });
  });

  it('T6.2 audience: a token opens at the API that it is for, and at no other', async () => {
    const deployment = deploy({ resources });
    for (const audience of resources) {
      const { access_token } = await tokensAbout(deployment, audience);
      for (const resource of resources)
        expect(await askAbout(deployment, access_token, resource)).toMatchObject(
          resource === audience ? { kind: 'granted' } : { kind: 'refused', response: { status: 401 } },
        );
    }
  });

  it('T6.3 resource: a code or a refresh token for one API yields no token for another', async () => {
    const deployment = deploy({ resources });
    const [resource, other] = resources;
    const code = await obtainCode(deployment, gpt, { resource });
    const target = { status: 400, error: 'invalid_target' } as const;
    await expectTokenError(await redeem(deployment, gpt, code, { resource: other }), {
      ...target,
      error_description: 'The code was issued for another resource.',
    });
    const { refresh_token } = await expectTokens(await redeem(deployment, gpt, code, { resource }));
    await expectTokenError(await refresh(deployment, gpt, refresh_token, { resource: other }), {
      ...target,
      error_description: 'The refresh token was issued for another resource.',
    });
    const { access_token } = await expectTokens(await refresh(deployment, gpt, refresh_token));
    expect(await askAbout(deployment, access_token, other)).toMatchObject({ kind: 'refused' });
  });

  it.each([
    ['/mcp', '/mcp-other'],
    ['/mcp-other', '/mcp'],
    ['/mcp', '/mcp/'],
    ['/mcp/', '/mcp'],
  ])('T6.4 path boundary: a token for %s is none for %s', async (path, alike) => {
    const deployment = deploy({ resources });
    const { access_token } = await tokensAbout(deployment, issuer + path);
    expect(await askAbout(deployment, access_token, issuer + path)).toHaveProperty('kind', 'granted');
    expect(await askAbout(deployment, access_token, issuer + alike)).toMatchObject({
      kind: 'refused',
      response: { status: 401 },
    });
  });
});

describe('T8', () => {
  it.each(sealedTypes)(
    'T8.1 another deployment: %s of one does not open at the other, with the same keys',
    async (kind) => {
      const one = deployWithFormPost().deployment;
      const two = deployWithFormPost({ issuer: otherIssuer, storage: one.storage, now: one.now }).deployment;
      const sealed = await collect(one);
      expect(await present(two, sealed, kind, sealed.texts[kind])).toEqual({
        ...expectedErrors[kind],
        cause: 'forged',
      });
      const { reason = '' } = await present(one, sealed, kind, sealed.texts[kind]);
      expect(reason).not.toContain('unreadable');
    },
  );

  it('T8.1 another deployment: a token names neither, and is dead at the other', async () => {
    const [one, two] = [deploy(), deploy({ issuer: otherIssuer, resources: [`${issuer}/api`] })];
    const { access_token } = await obtainTokens(one, gpt);
    const { access_token: theirs } = await obtainTokens(two, gpt);
    await expectInvalidToken(one, theirs);
    expect(await callApi(two, access_token)).toMatchObject({ kind: 'refused', response: { status: 401 } });
  });
});
