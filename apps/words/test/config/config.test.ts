import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { client, clients, deployed, issuer, key, secret } from './environment.ts';

describe('the configuration', () => {
  it('of a deployment has the GPT and Google', () => {
    const { clients: given, providers, ...rest } = readConfig(deployed);
    expect(rest).toEqual({ origin: 'https://words.example', sealingKeys: key });
    expect(given).toMatchObject([
      {
        id: 'words-gpt',
        kind: 'gpt-action',
        secrets: [secret],
        scopes: ['words', 'score'],
        defaultScopes: ['words', 'score'],
      },
    ]);
    expect(providers).toMatchObject([
      { id: 'google', label: 'Google', configuredUrls: ['https://accounts.google.com'] },
    ]);
  });

  it('takes two secrets and pinned GPTs', () => {
    const [gpt] = readConfig({
      ...deployed,
      GPT_CLIENT_SECRET: `${secret} ${'t'.repeat(32)}`,
      GPT_IDS: ' g-11111111  g-22222222 ',
    }).clients;
    expect(gpt).toMatchObject({
      secrets: [secret, 't'.repeat(32)],
      redirects: [
        { kind: 'gpt', gptIds: ['g-11111111', 'g-22222222'] },
        { kind: 'gpt-development', gptIds: ['g-11111111', 'g-22222222'] },
      ],
    });
  });

  it('takes any issuer beside Google, or in its place', () => {
    const ids = (environment: object) =>
      readConfig({ ...environment }).providers.map(({ id, label }) => [id, label]);
    expect(ids({ ...deployed, ...issuer })).toEqual([
      ['google', 'Google'],
      ['oidc', 'Example'],
    ]);
    expect(ids({ ...deployed, GOOGLE_CLIENT_ID: '', GOOGLE_CLIENT_SECRET: undefined, ...issuer })).toEqual([
      ['oidc', 'Example'],
    ]);
  });

  it('takes stand-ins where only this machine can reach the app', () => {
    const { providers } = readConfig({
      ...deployed,
      ORIGIN: 'http://localhost:8787',
      GOOGLE_ISSUER: 'http://127.0.0.1:8788',
      ...issuer,
      OIDC_ISSUER: 'http://127.0.0.1:8789/realm',
    });
    expect(providers.map(({ configuredUrls }) => configuredUrls)).toEqual([
      ['http://127.0.0.1:8788'],
      ['http://127.0.0.1:8789/realm'],
    ]);
  });

  it('takes further clients, public and confidential', () => {
    const list = clients(client, {
      ...client,
      id: 'web',
      secrets: [secret],
      offlineAccess: 'always',
      scopes: ['words'],
    });
    expect(readConfig({ ...deployed, ...list }).clients.slice(1)).toMatchObject([
      { id: 'app', authentication: 'none', offlineAccess: 'on-request', defaultScopes: ['words', 'score'] },
      { id: 'web', authentication: 'client_secret', offlineAccess: 'always', scopes: ['words'] },
    ]);
  });
});
