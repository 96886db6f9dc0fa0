import { describe, expect, it } from 'vitest';
import { gptAction, staticClient } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { callApi, expectTokens } from '../browser.ts';
import { app, gpt, obtainTokens, refresh, server, type TestClient } from '../clients.ts';
import { clients, deploy, gptSecret, issuer, keys, serverSecret } from '../deployment.ts';
import { expectTokenError, invalidRefreshTokenError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

const newKeys = `test-2.ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8 ${keys}`;

const gptWith = (scopes: readonly string[]) =>
  gptAction({ id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes });
const serverWith = (scopes: readonly string[]) =>
  staticClient({
    id: 'server',
    name: 'Server',
    secrets: [serverSecret],
    redirectUris: ['https://server.example/cb'],
    offlineAccess: 'always',
    scopes,
  });
const kinds: readonly (readonly [string, TestClient, typeof gptWith | typeof serverWith, 400 | 401])[] = [
  ['ChatGPT', gpt, gptWith, 401],
  ['a confidential client', server, serverWith, 400],
];

describe.each(kinds)('a refresh token of %s', (_, testClient, clientWith, status) => {
  it('loses the scopes that the publisher has withdrawn from the client', async () => {
    const storage = memoryStorage();
    const before = deploy({ storage });
    const { refresh_token } = await obtainTokens(before, testClient);
    const after = deploy({ storage, clients: [clientWith(['words'])] });
    const answer = await expectTokens(await refresh(after, testClient, refresh_token));
    expect(answer.scope).toBe('words');
    expect(await callApi(after, answer.access_token)).toMatchObject({ access: { scopes: ['words'] } });
    // A client that repeats the granted scopes gets the same response.
    const repeated = await refresh(after, testClient, answer.refresh_token, { scope: 'words score' });
    expect((await expectTokens(repeated)).scope).toBe('words');
    const asked = await refresh(after, testClient, answer.refresh_token, { scope: 'score' });
    expect([asked.status, await asked.json()]).toEqual([
      400,
      { error: 'invalid_scope', error_description: 'The scope exceeds what was granted.' },
    ]);
  });

  it('is dead when none of its scopes is left, and not spent', async () => {
    const storage = createSpyStorage();
    const { refresh_token } = await obtainTokens(deploy({ storage }), testClient);
    const after = deploy({
      storage,
      scopes: { words: 'a', score: 'b', new: 'c' },
      clients: [clientWith(['new'])],
    });
    await expectTokenError(await refresh(after, testClient, refresh_token), {
      ...invalidRefreshTokenError,
      status,
    });
    expect(after.log.at(-1)).toMatchObject({ reason: 'refresh.scopes-removed' });
    expect(storage.calls).not.toContain('refresh');
  });

  it('is dead when its resource has gone, and not spent', async () => {
    const storage = createSpyStorage();
    const { refresh_token } = await obtainTokens(deploy({ storage }), testClient);
    const after = deploy({ storage, resources: [`${issuer}/other`] });
    await expectTokenError(await refresh(after, testClient, refresh_token), {
      ...invalidRefreshTokenError,
      status,
    });
    expect(after.log.at(-1)).toMatchObject({ reason: 'refresh.resource-removed' });
    expect(storage.calls).not.toContain('refresh');
  });

  it('survives a new key, and dies with the key that sealed it', async () => {
    const storage = memoryStorage();
    const { refresh_token } = await obtainTokens(deploy({ storage }), testClient);
    const rotated = deploy({ storage, sealingKeys: newKeys });
    const answer = await expectTokens(await refresh(rotated, testClient, refresh_token));
    expect(await callApi(rotated, answer.access_token)).toMatchObject({ kind: 'granted' });
    const burned = deploy({ storage, sealingKeys: newKeys.split(' ')[0] ?? '' });
    await expectTokenError(await refresh(burned, testClient, refresh_token), {
      ...invalidRefreshTokenError,
      status,
    });
    expect(burned.log.at(-1)).toMatchObject({ reason: 'refresh.unreadable', cause: 'unknown-key' });
  });

  it('is refused once its client is no longer registered', async () => {
    const storage = createSpyStorage();
    const { refresh_token } = await obtainTokens(deploy({ storage }), testClient);
    const after = deploy({ storage, clients: [clients[1]] });
    expect((await refresh(after, testClient, refresh_token)).status).toBe(401);
    expect(after.log.at(-1)).toMatchObject({ reason: 'authentication.unknown-client' });
    expect(storage.calls).not.toContain('refresh');
  });
});

it('returns a stable token letter for letter, and a rotating one anew', async () => {
  const deployment = deploy();
  const [stable, rotating] = [await obtainTokens(deployment, gpt), await obtainTokens(deployment, app)];
  const again = await expectTokens(await refresh(deployment, gpt, stable.refresh_token));
  const next = await expectTokens(await refresh(deployment, app, rotating.refresh_token));
  expect(again.refresh_token).toBe(stable.refresh_token);
  expect(next.refresh_token).not.toBe(rotating.refresh_token);
});

it('keeps a grant’s policy though the client’s registration changes', async () => {
  const storage = memoryStorage();
  const { refresh_token } = await obtainTokens(deploy({ storage }), server);
  const onRequest = staticClient({
    id: 'server',
    name: 'Server',
    secrets: [serverSecret],
    redirectUris: ['https://server.example/cb'],
    scopes: ['words', 'score'],
  });
  const after = deploy({ storage, clients: [onRequest] });
  const next = await expectTokens(await refresh(after, server, refresh_token));
  await expectTokens(await refresh(after, server, next.refresh_token));
});
