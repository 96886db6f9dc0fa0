import { describe, expect, it } from 'vitest';
import { gptAction, staticClient } from '../../src/index.ts';
import { memoryLedger } from '../../src/storage/memory.ts';
import { clients, deploy, gptSecret, issuer, keys, serverSecret } from '../deployment.ts';
import { callApi, tokensOf } from '../person.ts';
import { app, gpt, type Player, refresh, server, tokensFor } from '../players.ts';
import { badRefresh, expectTokenError } from '../refusals.ts';
import { watchLedger } from '../watched-ledger.ts';

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
const kinds: readonly (readonly [string, Player, typeof gptWith | typeof serverWith, 400 | 401])[] = [
  ['ChatGPT', gpt, gptWith, 401],
  ['a confidential client', server, serverWith, 400],
];

describe.each(kinds)('a refresh token of %s', (_, player, clientWith, status) => {
  it('loses the scopes that the publisher has withdrawn from the client', async () => {
    const ledger = memoryLedger();
    const before = deploy({ ledger });
    const { refresh_token } = await tokensFor(before, player);
    const after = deploy({ ledger, clients: [clientWith(['words'])] });
    const answer = await tokensOf(await refresh(after, player, refresh_token));
    expect(answer.scope).toBe('words');
    expect(await callApi(after, answer.access_token)).toMatchObject({ access: { scopes: ['words'] } });
    // A client that repeats the granted scopes gets the same response.
    const repeated = await refresh(after, player, answer.refresh_token, { scope: 'words score' });
    expect((await tokensOf(repeated)).scope).toBe('words');
    const asked = await refresh(after, player, answer.refresh_token, { scope: 'score' });
    expect([asked.status, await asked.json()]).toEqual([
      400,
      { error: 'invalid_scope', error_description: 'The scope exceeds what was granted.' },
    ]);
  });

  it('is dead when none of its scopes is left, and not spent', async () => {
    const ledger = watchLedger();
    const { refresh_token } = await tokensFor(deploy({ ledger }), player);
    const after = deploy({
      ledger,
      scopes: { words: 'a', score: 'b', new: 'c' },
      clients: [clientWith(['new'])],
    });
    await expectTokenError(await refresh(after, player, refresh_token), { ...badRefresh, status });
    expect(after.log.at(-1)).toMatchObject({ reason: 'refresh.scopes-gone' });
    expect(ledger.calls).not.toContain('refresh');
  });

  it('is dead when its resource has gone, and not spent', async () => {
    const ledger = watchLedger();
    const { refresh_token } = await tokensFor(deploy({ ledger }), player);
    const after = deploy({ ledger, resources: [`${issuer}/other`] });
    await expectTokenError(await refresh(after, player, refresh_token), { ...badRefresh, status });
    expect(after.log.at(-1)).toMatchObject({ reason: 'refresh.resource-gone' });
    expect(ledger.calls).not.toContain('refresh');
  });

  it('survives a new key, and dies with the key that sealed it', async () => {
    const ledger = memoryLedger();
    const { refresh_token } = await tokensFor(deploy({ ledger }), player);
    const rotated = deploy({ ledger, sealingKeys: newKeys });
    const answer = await tokensOf(await refresh(rotated, player, refresh_token));
    expect(await callApi(rotated, answer.access_token)).toMatchObject({ kind: 'granted' });
    const burned = deploy({ ledger, sealingKeys: newKeys.split(' ')[0] ?? '' });
    await expectTokenError(await refresh(burned, player, refresh_token), { ...badRefresh, status });
    expect(burned.log.at(-1)).toMatchObject({ reason: 'refresh.unreadable', cause: 'unknown-key' });
  });

  it('is refused once its client is no longer registered', async () => {
    const ledger = watchLedger();
    const { refresh_token } = await tokensFor(deploy({ ledger }), player);
    const after = deploy({ ledger, clients: [clients[1]] });
    expect((await refresh(after, player, refresh_token)).status).toBe(401);
    expect(after.log.at(-1)).toMatchObject({ reason: 'authentication.unknown-client' });
    expect(ledger.calls).not.toContain('refresh');
  });
});

it('returns a stable token letter for letter, and a rotating one anew', async () => {
  const deployment = deploy();
  const [stable, rotating] = [await tokensFor(deployment, gpt), await tokensFor(deployment, app)];
  const again = await tokensOf(await refresh(deployment, gpt, stable.refresh_token));
  const next = await tokensOf(await refresh(deployment, app, rotating.refresh_token));
  expect(again.refresh_token).toBe(stable.refresh_token);
  expect(next.refresh_token).not.toBe(rotating.refresh_token);
});

it('keeps a grant’s policy though the client’s registration changes', async () => {
  const ledger = memoryLedger();
  const { refresh_token } = await tokensFor(deploy({ ledger }), server);
  const onRequest = staticClient({
    id: 'server',
    name: 'Server',
    secrets: [serverSecret],
    redirectUris: ['https://server.example/cb'],
    scopes: ['words', 'score'],
  });
  const after = deploy({ ledger, clients: [onRequest] });
  const next = await tokensOf(await refresh(after, server, refresh_token));
  await tokensOf(await refresh(after, server, next.refresh_token));
});
