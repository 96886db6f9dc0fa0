/** Attacks on sealed tokens and on the guard of an API. */
import { describe, expect, it, vi } from 'vitest';
import {
  type BrokerOptions,
  type BrokerStorage,
  ConfigurationError,
  deriveResourceKeys,
  gptAction,
  type RevocationTarget,
  StorageUnavailable,
  staticClient,
} from '../../src/index.ts';
import { mcpClients } from '../../src/mcp-clients/index.ts';
import { decodeBase64url, encodeBase64url, systemRandom, timingSafeEqual } from '../../src/oauth/secrets.ts';
import { decode, optional, record, text } from '../../src/seal/codec.ts';
import { createSealer, generateKey, type Purpose, parseKeyRing } from '../../src/seal/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { maxRevocationAge, maxRevocationAgeInOutage } from '../../src/storage/revocation-cache.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { callApi, challenge, expectTokens, readRedirect, type TokenBody } from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import {
  clients,
  type Deployment,
  deploy,
  gptSecret,
  issuer,
  keys,
  metadataParameter,
  serverSecret,
} from '../deployment.ts';
import { expectInvalidToken, expectTokenError } from '../expect-error.ts';
import { continueToProvider, listBindingCookies, startAuthorization } from '../flows.ts';
import { createSpyStorage } from '../spy-storage.ts';
import {
  collectSealedTexts,
  deployWithFormPost,
  expectedErrors,
  presentText,
  type SealedType,
  sealedTypes,
} from './sealed-texts.ts';

const testClients: readonly (readonly [string, TestClient])[] = [
  ['ChatGPT', gpt],
  ['a public client', app],
  ['a confidential client', server],
];

describe('sealed text that was changed', () => {
  const bytesOf = (sealed: string): Uint8Array<ArrayBuffer> => {
    const bytes = decodeBase64url(sealed);
    if (bytes === undefined) throw new Error('the text is not base64url');
    return bytes;
  };

  const flipBit = (sealed: string, index: number, bit: number): string =>
    encodeBase64url(
      bytesOf(sealed).map((byte, byteIndex) => (byteIndex === index ? byte ^ (1 << bit) : byte)),
    );

  /** Presents every text where its type is expected, and expects a refusal without a storage call. */
  const expectRefused = async (kind: SealedType, buildVariants: (sealed: string) => readonly string[]) => {
    const { deployment, storage } = deployWithFormPost();
    const sealed = await collectSealedTexts(deployment);
    const before = storage.calls.length;
    const texts = buildVariants(sealed.texts[kind]);
    expect(texts.length).toBeGreaterThan(0);
    for (const text of texts)
      expect(await presentText(deployment, sealed, kind, text)).toMatchObject(expectedErrors[kind]);
    expect(storage.calls).toHaveLength(before);
    // The unchanged text still opens.
    const { reason = '' } = await presentText(deployment, sealed, kind, sealed.texts[kind]);
    expect(reason).not.toContain('unreadable');
  };

  it.each(sealedTypes)('T1.1 every byte flipped: %s does not open with any byte changed', async (kind) => {
    await expectRefused(kind, (sealed) =>
      Array.from(bytesOf(sealed), (_, index) => flipBit(sealed, index, index % 8)),
    );
  });

  it('T1.1 every bit flipped: the API refuses a token with any bit changed, always with the same response', async () => {
    const { deployment } = deployWithFormPost();
    const { texts } = await collectSealedTexts(deployment);
    const { length } = bytesOf(texts.access);
    for (let index = 0; index < length; index++)
      for (let bit = 0; bit < 8; bit++)
        await expectInvalidToken(deployment, flipBit(texts.access, index, bit));
    expect(length).toBeGreaterThan(100);
  });

  const nonAccessTypes = sealedTypes.filter((kind) => kind !== 'access');

  it.each(sealedTypes)('T3.1 truncated: %s does not open without its end or its beginning', async (kind) => {
    await expectRefused(kind, (sealed) => [
      ...Array.from({ length: sealed.length - 1 }, (_, index) => sealed.slice(0, index + 1)),
      ...[1, 2, 3, 4].map((index) => sealed.slice(index)),
    ]);
  });

  it.each(sealedTypes)('T3.2 extended: %s does not open with anything before or after it', async (kind) => {
    await expectRefused(kind, (sealed) => [
      ...['A', 'AA', 'AAA', 'AAAA', sealed].map((more) => sealed + more),
      `AAAA${sealed}`,
      encodeBase64url(Uint8Array.from([...bytesOf(sealed), 0])),
    ]);
  });

  it.each([
    ['refresh', 'refresh.missing'],
    ['code', 'code.missing'],
    ['consent', 'consent.unreadable'],
    ['transaction', 'transaction.unreadable'],
    ['formPost', 'form-post.missing'],
  ] as const)('T3.3 empty: refuses an empty %s', async (kind, reason) => {
    const { deployment } = deployWithFormPost();
    const sealed = await collectSealedTexts(deployment);
    expect(await presentText(deployment, sealed, kind, '')).toMatchObject({ status: 400, reason });
  });

  it.each(nonAccessTypes)('T3.4 huge: refuses 15,000 characters as %s', async (kind) => {
    await expectRefused(kind, (sealed) => ['A'.repeat(15_000), sealed.padEnd(15_000, 'A')]);
  });

  it.each([
    ['refresh', 413, 'request.too-large'],
    ['code', 413, 'request.too-large'],
    ['consent', 413, 'request.too-large'],
    ['transaction', 400, 'transaction.unreadable'],
    ['formPost', 400, 'form-post.unreadable'],
  ] as const)('T3.4 huge: refuses 100,000 characters as %s with %i', async (kind, status, reason) => {
    const { deployment, storage } = deployWithFormPost();
    const sealed = await collectSealedTexts(deployment);
    const before = storage.calls.length;
    const huge = sealed.texts[kind].padEnd(100_000, 'A');
    expect(await presentText(deployment, sealed, kind, huge)).toMatchObject({ status, reason });
    expect(storage.calls).toHaveLength(before);
  });

  it.each(nonAccessTypes)('T3.5 not base64url: %s has only one valid encoding', async (kind) => {
    await expectRefused(kind, (sealed) => [
      ...['=', '==', '%3D', '.', '~', '%', '+', '/'].map((odd) => sealed + odd),
      ...['+', '/', '=', '.', '%'].map((odd) => sealed.slice(0, 40) + odd + sealed.slice(41)),
    ]);
  });

  it.each([
    ['T3.3 empty', '', 'token.malformed'],
    ['T3.4 huge: 6,000 characters', 'A'.repeat(6000), 'token.malformed'],
    ['T3.4 huge: a million characters', 'A'.repeat(1_000_000), 'token.malformed'],
    ['T3.5 not base64url: padding', 'AAAA=', 'token.malformed'],
    ['T3.5 not base64url: base64', 'AA+/', 'token.malformed'],
    ['T3.5 not base64url: letters outside ASCII', 'AA\u00e4A', 'token.malformed'],
    ['T3.5 not base64url: a JWT', 'e30.e30.AAAA', 'token.malformed'],
    ['T3.5 not base64url: an impossible length', 'AAAAA', 'token.unreadable'],
    ['T3.6 Bearer %', '%', 'token.malformed'],
    ['T3.6 Bearer %: an incomplete escape', '%4', 'token.malformed'],
    ['T3.6 Bearer %: a NUL', '%00', 'token.malformed'],
    ['T3.6 Bearer %: an escaped letter', '%41AAA', 'token.malformed'],
  ])('refuses as a token: %s', async (_, token, reason) => {
    const { deployment, storage } = deployWithFormPost();
    await expectInvalidToken(deployment, token);
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', endpoint: 'protect', reason });
    expect(storage.calls).toEqual([]);
  });
});

describe('sealed text that belongs elsewhere', () => {
  const newKey = 'test-2.kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ';
  const withKeyName = (id: string, ring: string) => `${id}.${ring.split('.')[1]}`;

  /** The same deployment with another configuration, but the same clock and storage. */
  const redeploy = ({ storage, now }: Deployment, changes: Partial<BrokerOptions>): Deployment =>
    deployWithFormPost({ storage, now, ...changes }).deployment;

  const headerOf = (sealed: string): string => {
    const [, length = 0, ...rest] = decodeBase64url(sealed) ?? [];
    return String.fromCharCode(...rest.slice(0, length));
  };

  /** The same bytes with another key ID of the same length. */
  const withKeyId = (sealed: string, id: string): string => {
    const bytes = decodeBase64url(sealed) ?? new Uint8Array();
    bytes.set(new TextEncoder().encode(id), 2);
    return encodeBase64url(bytes);
  };

  it.each(sealedTypes)('T4.1 unknown: %s does not open with an unknown key', async (kind) => {
    const { deployment } = deployWithFormPost();
    const sealed = await collectSealedTexts(deployment);
    const newKeyDeployment = redeploy(deployment, { sealingKeys: newKey });
    const expectedRefusal = { ...expectedErrors[kind], cause: 'unknown-key' };
    expect(await presentText(newKeyDeployment, sealed, kind, sealed.texts[kind])).toEqual(expectedRefusal);
    expect(await presentText(deployment, sealed, kind, withKeyId(sealed.texts[kind], 'test-9'))).toEqual(
      expectedRefusal,
    );
  });

  it.each(sealedTypes)(
    'T4.2 old: %s still opens with an older key, but not with the ID of a newer one',
    async (kind) => {
      const { deployment } = deployWithFormPost();
      const sealed = await collectSealedTexts(deployment);
      const rotated = redeploy(deployment, { sealingKeys: `${newKey} ${keys}` });
      const { reason = '' } = await presentText(rotated, sealed, kind, sealed.texts[kind]);
      expect(reason).not.toContain('unreadable');
      expect(headerOf((await collectSealedTexts(rotated)).texts[kind])).toBe('test-2');
      expect(await presentText(rotated, sealed, kind, withKeyId(sealed.texts[kind], 'test-2'))).toEqual({
        ...expectedErrors[kind],
        cause: 'forged',
      });
    },
  );

  it.each(sealedTypes)(
    'T4.3 retired: %s does not open after its key was removed, even if the key ID is used again',
    async (kind) => {
      const { deployment } = deployWithFormPost();
      const sealed = await collectSealedTexts(deployment);
      const newKeyDeployment = redeploy(deployment, { sealingKeys: newKey });
      expect(await presentText(newKeyDeployment, sealed, kind, sealed.texts[kind])).toEqual({
        ...expectedErrors[kind],
        cause: 'unknown-key',
      });
      const reused = redeploy(deployment, { sealingKeys: withKeyName('test-1', newKey) });
      expect(await presentText(reused, sealed, kind, sealed.texts[kind])).toEqual({
        ...expectedErrors[kind],
        cause: 'forged',
      });
    },
  );

  const swaps = sealedTypes.flatMap((kind) =>
    sealedTypes.flatMap((expectedKind) => (kind === expectedKind ? [] : [[kind, expectedKind] as const])),
  );
  const isCookie = ([kind]: readonly [SealedType, SealedType]) => kind === 'transaction';

  const expectSwapRefused = async (kind: SealedType, expectedKind: SealedType) => {
    const { deployment, storage } = deployWithFormPost();
    const sealed = await collectSealedTexts(deployment);
    const before = storage.calls.length;
    expect(await presentText(deployment, sealed, expectedKind, sealed.texts[kind])).toEqual({
      ...expectedErrors[expectedKind],
      cause: 'forged',
    });
    expect(storage.calls).toHaveLength(before);
  };

  it.each(swaps.filter((swap) => !isCookie(swap)))(
    'T5.1 code as token: %s does not open as %s',
    expectSwapRefused,
  );
  it.each(swaps.filter(isCookie))('T5.2 cookie as token: %s does not open as %s', expectSwapRefused);

  const otherIssuer = 'https://words.example.org';
  const resources = [issuer, `${issuer}/mcp`, `${issuer}/mcp-other`, `${issuer}/mcp/`] as const;

  const callWithResource = ({ broker, issuer: host }: Deployment, token: string, resource: string) =>
    broker.protect(new Request(`${host}/x`, { headers: { authorization: `Bearer ${token}` } }), { resource });

  const obtainTokensFor = async (deployment: Deployment, resource: string): Promise<TokenBody> =>
    expectTokens(await redeem(deployment, server, await obtainCode(deployment, server, { resource })));

  it('T6.1 issuer: refuses a token of another issuer with the same key, API, client and storage', async () => {
    const storage = memoryStorage();
    const sharedResources: readonly [string] = ['https://api.example/'];
    const firstDeployment = deploy({ storage, resources: sharedResources });
    const { access_token, refresh_token } = await obtainTokens(firstDeployment, gpt);
    for (const other of [otherIssuer, `${issuer}:8443`, 'https://www.words.example']) {
      const secondDeployment = deploy({ storage, resources: sharedResources, issuer: other });
      expect(await callWithResource(secondDeployment, access_token, sharedResources[0])).toMatchObject({
        response: { status: 401 },
      });
      expect((await refresh(secondDeployment, gpt, refresh_token)).status).toBe(401);
    }
    expect(await callApi(firstDeployment, access_token)).toMatchObject({ ok: true });
  });

  it('T6.2 audience: a token opens only at its own API', async () => {
    const deployment = deploy({ resources });
    for (const audience of resources) {
      const { access_token } = await obtainTokensFor(deployment, audience);
      for (const resource of resources)
        expect(await callWithResource(deployment, access_token, resource)).toMatchObject(
          resource === audience ? { ok: true } : { ok: false, response: { status: 401 } },
        );
    }
  });

  it('T6.5 after a call: a token that its own API just accepted is refused at every other', async () => {
    const deployment = deploy({ resources });
    for (const audience of resources) {
      const { access_token } = await obtainTokensFor(deployment, audience);
      for (const other of resources.filter((resource) => resource !== audience)) {
        expect(await callWithResource(deployment, access_token, audience)).toHaveProperty('ok', true);
        expect(await callWithResource(deployment, access_token, other)).toMatchObject({
          ok: false,
          response: { status: 401 },
        });
        expect(deployment.log.at(-1)).toMatchObject({ reason: 'token.unreadable', cause: 'forged' });
      }
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
    expect(await callWithResource(deployment, access_token, other)).toMatchObject({ ok: false });
  });

  it.each([
    ['/mcp', '/mcp-other'],
    ['/mcp-other', '/mcp'],
    ['/mcp', '/mcp/'],
    ['/mcp/', '/mcp'],
  ])('T6.4 path boundary: a token for %s is refused at %s', async (path, alike) => {
    const deployment = deploy({ resources });
    const { access_token } = await obtainTokensFor(deployment, issuer + path);
    expect(await callWithResource(deployment, access_token, issuer + path)).toHaveProperty('ok', true);
    expect(await callWithResource(deployment, access_token, issuer + alike)).toMatchObject({
      ok: false,
      response: { status: 401 },
    });
  });

  it.each(sealedTypes)(
    'T8.1 another deployment: %s of one does not open at the other, with the same keys',
    async (kind) => {
      const firstDeployment = deployWithFormPost().deployment;
      const secondDeployment = deployWithFormPost({
        issuer: otherIssuer,
        storage: firstDeployment.storage,
        now: firstDeployment.now,
      }).deployment;
      const sealed = await collectSealedTexts(firstDeployment);
      expect(await presentText(secondDeployment, sealed, kind, sealed.texts[kind])).toEqual({
        ...expectedErrors[kind],
        cause: 'forged',
      });
      const { reason = '' } = await presentText(firstDeployment, sealed, kind, sealed.texts[kind]);
      expect(reason).not.toContain('unreadable');
    },
  );

  it('T8.1 another deployment: a token is refused at another deployment', async () => {
    const [firstDeployment, secondDeployment] = [
      deploy(),
      deploy({ issuer: otherIssuer, resources: [`${issuer}/api`] }),
    ];
    const { access_token } = await obtainTokens(firstDeployment, gpt);
    const { access_token: otherIssuerToken } = await obtainTokens(secondDeployment, gpt);
    await expectInvalidToken(firstDeployment, otherIssuerToken);
    expect(await callApi(secondDeployment, access_token)).toMatchObject({
      ok: false,
      response: { status: 401 },
    });
  });
});

describe('a text of the publisher', () => {
  const ring = parseKeyRing(keys);
  const resources = [issuer, `${issuer}/api`];
  const info = record({ format: text, name: text, issuer: text, audience: optional(text) });

  /** Returns the purpose of each key that is derived while `work` runs. */
  const recordPurposes = async (work: () => Promise<unknown>): Promise<readonly Purpose[]> => {
    const spies = [vi.spyOn(crypto.subtle, 'deriveKey'), vi.spyOn(crypto.subtle, 'deriveBits')];
    await work();
    const algorithms = spies.flatMap((spy) => spy.mock.calls.map(([algorithm]) => Object(algorithm)));
    for (const spy of spies) spy.mockRestore();
    return algorithms.map((algorithm) => {
      const { name, issuer: origin, audience } = decode(info, algorithm.info);
      return { name, issuer: origin, ...(audience !== undefined && { audience }) };
    });
  };

  /** Returns the purposes of every sealer of the broker, of registrations and of exported resource keys. */
  const listBrokerPurposes = async () => {
    const sealed = await createSealer(ring, { name: 'x', issuer }).seal(new Uint8Array());
    const { access, ...others } = createSealers(ring, issuer, resources, systemRandom);
    const sealers = [...access.values(), ...Object.values(others)];
    const deployment = deploy({ clients: [mcpClients({ fetch })], resources: [issuer] });
    const purposes = await recordPurposes(async () => {
      for (const sealer of sealers) await sealer.open(sealed);
      await deployment.fetch(new Request(`${issuer}/authorize?client_id=${sealed}`));
      await deriveResourceKeys({ sealingKeys: keys, issuer, resource: issuer });
    });
    expect(purposes).toHaveLength(sealers.length + 2);
    return purposes;
  };

  it('W23.1 a purpose of the broker: has another key for a publisher, also if the name is a variant of it', async () => {
    const brokerPurposes = await listBrokerPurposes();
    const used = new Set(brokerPurposes.map((purpose) => JSON.stringify(purpose)));
    expect(brokerPurposes.filter(({ name }) => name.startsWith('app:'))).toEqual([]);
    for (const purpose of brokerPurposes) {
      const { name } = purpose;
      const names = [name, `app:${name}`, name.toUpperCase(), `\0${name}`, `${name}\0`, ` ${name}`, ''];
      for (const variant of [
        ...names.map((one) => ({ ...purpose, name: one })),
        { name, issuer, audience: issuer },
      ]) {
        const derived = await recordPurposes(() => createSealer(ring, variant).seal(new Uint8Array()));
        expect(derived).toEqual([{ ...variant, name: `app:${variant.name}` }]);
        expect(used.has(JSON.stringify(derived[0]))).toBe(false);
      }
    }
  });

  it.each(sealedTypes)(
    'W23.2 a token or cookie: is not accepted as %s, whatever its purpose',
    async (kind) => {
      const { deployment } = deployWithFormPost();
      const sealed = await collectSealedTexts(deployment);
      for (const purpose of await listBrokerPurposes()) {
        const sealer = createSealer(ring, purpose);
        expect(await presentText(deployment, sealed, kind, await sealer.seal(new Uint8Array(100)))).toEqual({
          ...expectedErrors[kind],
          cause: 'forged',
        });
        expect(await sealer.open(sealed.texts[kind])).toEqual({ kind: 'failed', reason: 'forged' });
      }
    },
  );
});

describe('what sealed text reveals', () => {
  const userId = 'user-4711-of-the-publisher';
  const subject = 'ada.lovelace';
  const claims = { nick: 'countess', mail: 'ada@analytical.example' };
  const upstreamToken = 'refresh-token-of-the-provider';
  const userData = [userId, subject, `${subject}@example.com`, ...Object.values(claims), upstreamToken];

  /** The text itself, the text unescaped, and every part that could be base64 decoded, from any position. */
  const decodeAll = (text: string): readonly string[] => {
    const runs = [text, unescaped(text)].join(' ').match(/[\w+/-]{8,}/g) ?? [];
    const decoded = runs.flatMap((run) => [0, 1, 2, 3].map((skipped) => fromBase64(run.slice(skipped))));
    return [text, unescaped(text), ...decoded];
  };

  const unescaped = (text: string): string =>
    decodeURIComponent(text.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'));

  const fromBase64 = (run: string): string => {
    // A single remaining character encodes no byte.
    const completeGroups = run.length % 4 === 1 ? run.slice(0, -1) : run;
    return atob(completeGroups.replaceAll('-', '+').replaceAll('_', '/'));
  };

  const findRevealed = (texts: readonly string[], secrets: readonly string[]): readonly string[] =>
    secrets.filter((secret) => texts.flatMap(decodeAll).some((decodedText) => decodedText.includes(secret)));

  const deployForAda = () => deploy({ resolveUser: async () => ({ kind: 'accepted', userId, claims }) });

  /** Signs in, and returns every URL, cookie, form value and token response. */
  const collectTexts = async (deployment: Deployment, testClient: TestClient) => {
    const { browser, consent } = await startAuthorization(deployment, testClient.request);
    const consentResponse = await browser.submitConsent(consent, { choice: 'google' });
    const cookies = [...browser.cookies.values()];
    const state = readRedirect(consentResponse).searchParams.get('state') ?? '';
    const callbackQuery = new URLSearchParams({ state, code: subject, refresh: upstreamToken });
    const callback = await browser.visit(`${deployment.issuer}/callback/google?${callbackQuery}`);
    const code = readRedirect(callback).searchParams.get('code') ?? '';
    const tokens = await expectTokens(await redeem(deployment, testClient, code));
    const next = await expectTokens(await refresh(deployment, testClient, tokens.refresh_token));
    const texts = [
      ...[consent, ...cookies, readRedirect(consentResponse).href, readRedirect(callback).href],
      ...[JSON.stringify(tokens), JSON.stringify(next), ...callback.headers.getSetCookie()],
    ];
    return { texts, tokens };
  };

  it.each(testClients)(
    'T10.1 readable: nothing that is sent to %s or a browser reveals the user',
    async (_, testClient) => {
      const deployment = deployForAda();
      const { texts, tokens } = await collectTexts(deployment, testClient);
      expect(findRevealed(texts, userData)).toEqual([]);
      // The access token does contain the data.
      expect(await callApi(deployment, tokens.access_token)).toMatchObject({ user: { id: userId }, claims });
    },
  );

  it.each(testClients)(
    'T10.1 readable: the tokens of %s do not reveal client, grant, scope or API',
    async (_, testClient) => {
      const deployment = deployForAda();
      const { tokens } = await collectTexts(deployment, testClient);
      const protection = await callApi(deployment, tokens.access_token);
      if (!protection.ok) throw new Error('the API refused');
      const { client, grant } = protection;
      const sealedClientId = String.fromCharCode(client.id.length) + client.id;
      const grantDetails = [sealedClientId, grant.id, 'words', 'score', 'google', 'example', '/api'];
      expect(
        findRevealed([tokens.access_token, tokens.refresh_token], [...userData, ...grantDetails]),
      ).toEqual([]);
    },
  );

  it.each(sealedTypes)(
    'T10.1 readable: two sealed texts of type %s have only the key ID in common',
    async (kind) => {
      const { deployment } = deployWithFormPost();
      const [firstText, secondText] = [
        (await collectSealedTexts(deployment)).texts[kind],
        (await collectSealedTexts(deployment)).texts[kind],
      ];
      const header = fromBase64(firstText).slice(0, 8);
      expect(header).toBe('\x01\x06test-1');
      expect(fromBase64(secondText).slice(0, 8)).toBe(header);
      const equalBytes = [...fromBase64(firstText).slice(8)].filter(
        (byte, index) => byte === fromBase64(secondText)[index + 8],
      );
      expect(equalBytes.length).toBeLessThan(firstText.length / 16);
    },
  );

  it('T10.1 readable: these tests decode base64 at any offset, and escapes', () => {
    const encodedUserId = btoa(`xy${userId}`).replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_');
    for (const text of [
      userId,
      encodedUserId,
      `?code=A${encodedUserId}`,
      `AA${encodedUserId}`,
      encodeURIComponent(`"${encodedUserId}"`),
    ])
      expect(findRevealed([text], userData)).toEqual([userId]);
    const mail = `${subject}@example.com`;
    expect(findRevealed([encodeURIComponent(mail)], [mail])).toEqual([mail]);
  });
});

describe('IVs', () => {
  const million = 1_000_000;
  const batchSize = 1000;

  /** After a 3-byte header, the IV is in characters 4 to 19. Its first 8 of 12 bytes must already differ. */
  const ivOf = (sealed: string): bigint => {
    const iv = decodeBase64url(sealed.slice(4, 20));
    if (iv?.length !== 12) throw new Error('no IV');
    return new DataView(iv.buffer).getBigUint64(0);
  };

  it('T2.1 unique: a million messages of one sealer have a million IVs', async () => {
    const ring = parseKeyRing(generateKey('k', systemRandom));
    const sealer = createSealer(ring, { name: 'test', issuer: 'https://words.example' });
    const emptyMessage = new Uint8Array();
    const ivs = new BigUint64Array(million);
    for (let index = 0; index < million; index += batchSize) {
      const sealed = await Promise.all(Array.from({ length: batchSize }, () => sealer.seal(emptyMessage)));
      ivs.set(sealed.map(ivOf), index);
    }
    ivs.sort();
    expect(ivs.findIndex((iv, index) => iv === ivs[index - 1])).toBe(-1);
  });
});

describe('expiry, revocation and outages', () => {
  const readAccess = async (deployment: Deployment, token: string) => {
    const protection = await callApi(deployment, token);
    if (!protection.ok) throw new Error(`the API refused: ${protection.response.status}`);
    return protection;
  };

  it.each(testClients)(
    'T7.1 expired: the API accepts a token of %s for 30 min, not a second longer',
    async (_, testClient) => {
      const deployment = deploy();
      const { access_token, expires_in } = await obtainTokens(deployment, testClient);
      expect(expires_in).toBe(1800);
      deployment.advance(1799);
      await readAccess(deployment, access_token);
      deployment.advance(1);
      await expectInvalidToken(deployment, access_token);
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'protect', reason: 'token.expired' });
      deployment.advance(365 * 86_400);
      await expectInvalidToken(deployment, access_token);
    },
  );

  it('T7.1 expired: a configured lifetime is exact, too', async () => {
    const deployment = deploy({ lifetimes: { access: 600 } });
    const { access_token } = await obtainTokens(deployment, gpt);
    deployment.advance(599);
    await readAccess(deployment, access_token);
    deployment.advance(1);
    await expectInvalidToken(deployment, access_token);
  });

  const targets = ['grant', 'user', 'client'] as const;

  it.each(targets)(
    'T9.1 stops working within ten seconds: a token of a revoked %s, on every isolate, however busy',
    async (kind) => {
      const firstIsolate = deploy();
      const isolates = [
        firstIsolate,
        ...[1, 2, 3].map(() => deploy({ storage: firstIsolate.storage, now: firstIsolate.now })),
      ];
      const { access_token } = await obtainTokens(firstIsolate, gpt);
      const { grant, user, client } = await readAccess(firstIsolate, access_token);
      const target: RevocationTarget = { kind, id: { grant, user, client }[kind].id };
      // Every isolate has just read the revocations, so the next read is as late as possible.
      for (const isolate of isolates) await readAccess(isolate, access_token);
      await firstIsolate.storage.revoke(target, 'a test', firstIsolate.now());
      for (let second = 1; second < 10; second++) {
        firstIsolate.advance(1);
        for (const isolate of isolates) await callApi(isolate, access_token);
      }
      firstIsolate.advance(1);
      for (const isolate of isolates) {
        await expectInvalidToken(isolate, access_token);
        expect(isolate.log.at(-1)).toMatchObject({ endpoint: 'protect', reason: 'token.revoked' });
      }
    },
  );

  it('T9.1 stops working within ten seconds: a revoked token stays refused until it expires', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const { grant } = await readAccess(deployment, access_token);
    await deployment.storage.revoke({ kind: 'grant', id: grant.id }, 'a test', deployment.now());
    for (let age = 10; age < 2400; age += 10) {
      deployment.advance(10);
      await deployment.broker.cleanup();
      await expectInvalidToken(deployment, access_token);
    }
  });

  it('T9.1 stops working within ten seconds: other tokens stay valid', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const { access_token: other } = await obtainTokens(deployment, app);
    const { grant } = await readAccess(deployment, access_token);
    await deployment.storage.revoke({ kind: 'grant', id: grant.id }, 'a test', deployment.now());
    deployment.advance(maxRevocationAge);
    await expectInvalidToken(deployment, access_token);
    await readAccess(deployment, other);
  });

  const unreachable = () => Promise.reject(new StorageUnavailable('no route'));
  const broken = () => Promise.reject(new TypeError('no such table'));

  /** Presents a valid token to an isolate that has just started, with other storage. */
  const callNewIsolate = async (changes: Partial<BrokerStorage>) => {
    const firstIsolate = deploy();
    const { access_token } = await obtainTokens(firstIsolate, gpt);
    const isolate = deploy({ storage: { ...memoryStorage(), ...changes }, now: firstIsolate.now });
    const protection = await callApi(isolate, access_token);
    return { protection, log: isolate.log };
  };

  it.each([
    ['T12.1 storage: without any revocations read, it is a 503', { readRevocations: unreachable }, 503],
    [
      'T12.1 storage: with too many revocations to cache, a failed lookup of the token is a 503',
      { readRevocations: async () => ({ kind: 'too-many' }), isRevoked: unreachable },
      503,
    ],
    ['T12.1 storage: any other failure of storage is a 500', { readRevocations: broken }, 500],
    [
      'T12.1 storage: any other failure of the lookup of the token is a 500',
      { readRevocations: async () => ({ kind: 'too-many' }), isRevoked: broken },
      500,
    ],
  ] satisfies readonly (readonly [string, Partial<BrokerStorage>, number])[])(
    '%s',
    async (_, changes, status) => {
      const { protection, log } = await callNewIsolate(changes);
      expect(protection).toMatchObject({ ok: false, response: { status } });
      expect(log.at(-1)).toMatchObject({
        endpoint: 'protect',
        reason: status === 503 ? 'storage.unavailable' : 'unexpected',
      });
    },
  );

  it('T12.1 storage: known revocations are used for a minute of an outage, and then calls are refused', async () => {
    const storage = memoryStorage();
    const connection = { isUp: true };
    const readRevocations: BrokerStorage['readRevocations'] = (...args) =>
      connection.isUp ? storage.readRevocations(...args) : unreachable();
    const deployment = deploy({ storage: { ...storage, readRevocations } });
    const { access_token } = await obtainTokens(deployment, gpt);
    await readAccess(deployment, access_token);
    connection.isUp = false;
    deployment.advance(maxRevocationAgeInOutage);
    await readAccess(deployment, access_token);
    deployment.advance(1);
    expect(await callApi(deployment, access_token)).toMatchObject({ response: { status: 503 } });
  });

  const createGptClients = (secret: string) => [
    gptAction({ id: 'gpt', name: 'GPT', secrets: [secret], scopes: ['words'] }),
  ];
  const invalidOptions: readonly (readonly [string, () => Partial<BrokerOptions>])[] = [
    ['sealingKeys', () => ({ sealingKeys: '' })],
    ['sealingKeys', () => ({ sealingKeys: keys.slice(0, -4) })],
    ['sealingKeys', () => ({ sealingKeys: `zero.${'A'.repeat(43)}` })],
    ['issuer', () => ({ issuer: 'http://words.example' })],
    ['issuer', () => ({ issuer: '' })],
    ['clients.gpt.secrets', () => ({ clients: createGptClients('') })],
    ['clients.gpt.secrets', () => ({ clients: createGptClients(gptSecret.slice(0, 31)) })],
    ['sealingKeys', () => ({ sealingKeys: `${keys} k2.${'QUJD'.repeat(10)}QUI` })],
    ['clients.gpt.secrets', () => ({ clients: createGptClients('x'.repeat(32)) })],
    ['clients.gpt.secrets', () => ({ clients: createGptClients('0123456789abcdef'.repeat(4)) })],
    ['clients', () => ({ clients: [clients[0], clients[0]] })],
    ['providers', () => ({ providers: [] })],
    ['resources', () => ({ resources: ['words.example/api'] })],
    ['lifetimes.access', () => ({ lifetimes: { access: 10 * 86_400 } })],
    ['lifetimes.access', () => ({ lifetimes: { access: Number.NaN } })],
  ];

  it.each(invalidOptions)(
    'T12.2 configuration: a wrong %s fails at startup with its name',
    (option, changes) => {
      const create = () => deploy(changes());
      expect(create).toThrow(ConfigurationError);
      expect(create).toThrow(expect.objectContaining({ option }));
    },
  );

  it('T12.2 configuration: the guard of an API that is not configured refuses every call', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const request = new Request(issuer, { headers: { authorization: `Bearer ${access_token}` } });
    const protection = deployment.broker.protect(request, { resource: `${issuer}/typo` });
    expect(await protection).toMatchObject({ ok: false, response: { status: 500 } });
  });
});

describe('the Authorization header', () => {
  type Header = readonly [name: string, value: string];

  /** Calls the API with a genuine token, which `buildRequest` puts into a request. */
  const call = async (buildRequest: (token: string) => Request) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const { access_token } = await obtainTokens(deployment, gpt);
    const before = storage.calls.length;
    const protection = await deployment.broker.protect(buildRequest(access_token));
    return { protection, reads: storage.calls.length - before, log: deployment.log };
  };

  const withHeaders = (...headers: readonly Header[]): Request => {
    const request = new Request(`${issuer}/api/scoring`);
    for (const [name, value] of headers) request.headers.append(name, value);
    return request;
  };

  const signInChallenge = { status: 401, challenge: `Bearer realm="${issuer}", ${metadataParameter}` };
  const invalid = {
    status: 401,
    challenge: `Bearer realm="${issuer}", error="invalid_token", error_description="The access token is not valid.", ${metadataParameter}`,
  };

  const expectRefused = async (
    buildRequest: (token: string) => Request,
    { status, challenge }: typeof invalid,
  ) => {
    const { protection, reads } = await call(buildRequest);
    if (protection.ok) throw new Error('the API granted access');
    expect(protection.response.status).toBe(status);
    expect(protection.response.headers.get('www-authenticate')).toBe(challenge);
    expect(reads).toBe(0);
  };

  it('accepts a token in one Authorization header', async () => {
    const { protection } = await call((token) => withHeaders(['authorization', `Bearer ${token}`]));
    expect(protection.ok).toBe(true);
  });

  it.each(['access_token', 'token', 'authorization', 'bearer_token'])(
    'T13.1 query string: %s in the query is ignored, and not logged',
    async (name) => {
      const buildQueryRequest = (token: string) => new Request(`${issuer}/api/scoring?${name}=${token}`);
      await expectRefused(buildQueryRequest, signInChallenge);
      const { log } = await call(buildQueryRequest);
      // Nothing of the query.
      expect(log.filter(({ endpoint }) => endpoint === 'protect')).toEqual([
        {
          event: 'refused',
          endpoint: 'protect',
          requestId: expect.stringMatching(/^[\w-]{22}$/),
          reason: 'token.missing',
        },
      ]);
    },
  );

  it('T13.1 query string: a token in a body, a cookie, a fragment or the path is ignored, too', async () => {
    const url = `${issuer}/api/scoring`;
    await expectRefused(
      (access_token) => new Request(url, { method: 'POST', body: new URLSearchParams({ access_token }) }),
      signInChallenge,
    );
    await expectRefused((token) => withHeaders(['cookie', `access_token=${token}`]), signInChallenge);
    await expectRefused((token) => new Request(`${url}#access_token=${token}`), signInChallenge);
    await expectRefused((token) => new Request(`${url}/${token}`), signInChallenge);
  });

  it('T14.1 repeated: refuses two headers, even with the same token', async () => {
    await expectRefused((token) => {
      const header: Header = ['authorization', `Bearer ${token}`];
      return withHeaders(header, header);
    }, invalid);
  });

  it.each<readonly [string, (token: string) => readonly Header[]]>([
    [
      'a wrong one before it',
      (token) => [
        ['authorization', 'Bearer x'],
        ['authorization', `Bearer ${token}`],
      ],
    ],
    [
      'a wrong one after it',
      (token) => [
        ['authorization', `Bearer ${token}`],
        ['authorization', 'Bearer x'],
      ],
    ],
    [
      'Basic before it',
      (token) => [
        ['authorization', 'Basic eDp5'],
        ['authorization', `Bearer ${token}`],
      ],
    ],
    [
      'Basic after it',
      (token) => [
        ['authorization', `Bearer ${token}`],
        ['authorization', 'Basic eDp5'],
      ],
    ],
    [
      'an empty one before it',
      (token) => [
        ['authorization', ''],
        ['authorization', `Bearer ${token}`],
      ],
    ],
  ])('T14.1 repeated: refused with %s', async (_, headers) => {
    await expectRefused((token) => withHeaders(...headers(token)), invalid);
  });

  it.each<readonly [string, (token: string) => string]>([
    ['twice', (token) => `Bearer ${token}, Bearer ${token}`],
    ['twice under one scheme', (token) => `Bearer ${token},${token}`],
    ['then a parameter', (token) => `Bearer ${token}, realm="x"`],
    ['then a comma', (token) => `Bearer ${token},`],
    ['after a comma', (token) => `, Bearer ${token}`],
    ['after another scheme', (token) => `Basic eDp5, Bearer ${token}`],
    ['after a wrong token', (token) => `Bearer x, Bearer ${token}`],
    ['then a space and another token', (token) => `Bearer ${token} ${token}`],
  ])('T14.2 joined by commas: refused %s', async (_, value) => {
    await expectRefused((token) => withHeaders(['authorization', value(token)]), invalid);
  });

  it.each<readonly [string, (token: string) => string]>([
    ['Basic', (token) => `Basic ${token}`],
    ['Basic with the token as password', (token) => `Basic ${btoa(`gpt:${token}`)}`],
    ['DPoP', (token) => `DPoP ${token}`],
    ['Token', (token) => `Token ${token}`],
    ['none', (token) => token],
    ['a longer scheme', (token) => `BearerX ${token}`],
    ['a word before the scheme', (token) => `X Bearer ${token}`],
    ['a colon', (token) => `Bearer: ${token}`],
    ['a tab instead of a space', (token) => `Bearer\t${token}`],
    ['no space', (token) => `Bearer${token}`],
    ['quotes', (token) => `Bearer "${token}"`],
    ['a parameter’s name', (token) => `Bearer token=${token}`],
  ])('T14.3 other schemes: refused with %s', async (_, value) => {
    await expectRefused((token) => withHeaders(['authorization', value(token)]), invalid);
  });

  it('T14.3 other schemes: refuses a token in another header', async () => {
    const names = ['x-authorization', 'proxy-authorization', 'x-access-token', 'x-forwarded-authorization'];
    for (const name of names)
      await expectRefused((token) => withHeaders([name, `Bearer ${token}`]), signInChallenge);
  });
});

/**
 * Timing is not measured, because the result would depend on the machine. These tests check what is digested
 * and compared instead.
 */
describe('comparison of secrets', () => {
  /** Returns every text that is digested with WebCrypto during `work`. */
  const recordDigests = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const digest = crypto.subtle.digest.bind(crypto.subtle);
    const texts: string[] = [];
    vi.spyOn(crypto.subtle, 'digest').mockImplementation((algorithm, bytes) => {
      texts.push(new TextDecoder().decode(bytes));
      return digest(algorithm, bytes);
    });
    await work();
    vi.restoreAllMocks();
    return texts;
  };

  /** The secret with a wrong first or last character, case or length, and a single letter. */
  const similarSecrets = (secret: string): readonly string[] => [
    `X${secret.slice(1)}`,
    `${secret.slice(0, -1)}X`,
    secret.toUpperCase(),
    secret.slice(0, -1),
    `${secret}X`,
    'X',
  ];

  const redeemWithSecret = (deployment: Deployment, client_secret: string, client_id = 'gpt') =>
    redeem(deployment, gpt, 'no-code', { client_id, client_secret });

  it.each(similarSecrets(gptSecret))(
    'T11.1 comparison: digests all of the secret %j and all of the right one',
    async (wrong) => {
      const client = gptAction({ id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes: ['words'] });
      const deployment = deploy({ clients: [client] });
      expect(await recordDigests(() => redeemWithSecret(deployment, wrong))).toEqual([gptSecret, wrong]);
      // The digest of the right secret is computed once.
      for (const presented of [gptSecret, wrong])
        expect(await recordDigests(() => redeemWithSecret(deployment, presented))).toEqual([presented]);
    },
  );

  it('T11.1 comparison: digests both of two valid secrets, whichever matches', async () => {
    const options = { id: 'gpt', name: 'GPT', scopes: ['words'] };
    for (const client of [
      gptAction({ ...options, secrets: [gptSecret, serverSecret] }),
      staticClient({
        ...options,
        secrets: [gptSecret, serverSecret],
        redirectUris: ['https://app.example/'],
      }),
    ]) {
      const deployment = deploy({ clients: [client] });
      expect(await recordDigests(() => redeemWithSecret(deployment, 'neither'))).toEqual([
        ...[gptSecret, serverSecret],
        'neither',
      ]);
      for (const presented of [gptSecret, serverSecret, 'neither'])
        expect(await recordDigests(() => redeemWithSecret(deployment, presented))).toEqual([presented]);
    }
  });

  it('T11.1 comparison: an unknown client takes the same work as a wrong secret', async () => {
    const deployment = deploy({ clients });
    for (const id of ['nobody', 'gpt']) {
      await redeemWithSecret(deployment, 'wrong', id);
      expect(await recordDigests(() => redeemWithSecret(deployment, 'wrong', id))).toEqual(['wrong']);
    }
  });

  it.each(similarSecrets('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk').filter(({ length }) => length >= 43))(
    'T11.1 comparison: compares the challenge of the verifier %j in constant time',
    async (code_verifier) => {
      const deployment = deploy();
      const code = await obtainCode(deployment, app);
      const [presented, derived, right, ...rest] = await recordDigests(() =>
        redeem(deployment, app, code, { code_verifier }),
      );
      expect([presented, right, rest]).toEqual([code_verifier, challenge, []]);
      expect(derived).toMatch(/^[\w-]{43}$/);
    },
  );

  it('T11.1 comparison: compares the binding cookie with the form in constant time', async () => {
    const { browser, consent } = await startAuthorization();
    const [name = ''] = listBindingCookies(browser.cookies);
    const right = browser.cookies.get(name) ?? '';
    const wrong = `${right.slice(0, -1)}${right.endsWith('A') ? 'B' : 'A'}`;
    browser.cookies.set(name, wrong);
    // Once for the cookie's name, then both sides.
    const digestedTexts = await recordDigests(() => browser.submitConsent(consent, { choice: 'google' }));
    expect(digestedTexts).toEqual([right, wrong, right]);
  });

  it('T11.1 comparison: compares the state of a login transaction in constant time', async () => {
    const { state, returnFromProvider } = await continueToProvider();
    // Once for the cookie's name, then both sides, and then two cookie names when the transaction completes.
    const digestedTexts = await recordDigests(() => returnFromProvider({ code: 'ada' }));
    expect(digestedTexts).toEqual([state, state, state, state, state]);
  });

  it('T11.1 comparison: finds a difference at every position of the digests', async () => {
    for (let position = 0; position < 32; position++) {
      const digests = [new Uint8Array(32), new Uint8Array(32).fill(1, position, position + 1)];
      const spy = vi.spyOn(crypto.subtle, 'digest');
      for (const { buffer } of digests) spy.mockResolvedValueOnce(buffer);
      expect(await timingSafeEqual('one', 'other')).toBe(false);
    }
  });

  it.each([
    ['the same text', 'one'],
    ['another text', 'other'],
  ])('T11.1 comparison: reads every byte of both digests of a text and %s', async (_, other) => {
    const reads: string[] = [];
    const observe = (bytes: Uint8Array) =>
      new Proxy(bytes, {
        get(target, name) {
          if (/^\d+$/.test(String(name))) reads.push(String(name));
          return Reflect.get(target, name, target);
        },
      });
    vi.stubGlobal(
      'Uint8Array',
      new Proxy(Uint8Array, { construct: (target, [buffer]) => observe(new target(buffer)) }),
    );
    const isSame = await timingSafeEqual('one', other);
    vi.unstubAllGlobals();
    expect(isSame).toBe(other === 'one');
    expect(reads).toEqual(Array.from({ length: 64 }, (_, index) => String(Math.floor(index / 2))));
  });
});
