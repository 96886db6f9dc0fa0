import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import {
  apple,
  client,
  clients,
  deployed,
  gitHub,
  issuer,
  issuers,
  key,
  microsoft,
  secret,
} from './environment.ts';

describe('the configuration', () => {
  it('of a deployment has the GPT and Google', () => {
    const { clients: given, providers, ...rest } = readConfig(deployed);
    expect(rest).toEqual({ origin: 'https://words.example', sealingKeys: key });
    expect(given).toMatchObject([
      {
        id: 'words-gpt',
        kind: 'gpt-action',
        secrets: [secret],
        scopes: ['words', 'score', 'offline_access'],
        defaultScopes: ['words', 'score'],
      },
    ]);
    expect(providers).toMatchObject([
      { id: 'google', displayName: 'Google', configuredUrls: ['https://accounts.google.com'] },
    ]);
  });

  it.each([
    ['1', 86_400],
    [' 400 ', 34_560_000],
  ])('keeps the audit for %j days', (AUDIT_DAYS, auditRetention) => {
    expect(readConfig({ ...deployed, AUDIT_DAYS })).toMatchObject({ auditRetention });
  });

  it('accepts two secrets and pinned GPTs', () => {
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

  it('has every provider whose credentials are set, in this order', () => {
    const all = { ...issuers(issuer), ...apple, ...microsoft, ...gitHub, ...deployed };
    expect(readConfig(all).providers).toMatchObject([
      { id: 'google', displayName: 'Google', configuredUrls: ['https://accounts.google.com'] },
      { id: 'github', displayName: 'GitHub' },
      {
        id: 'microsoft',
        displayName: 'Microsoft',
        configuredUrls: ['https://login.microsoftonline.com/common/v2.0'],
      },
      {
        id: 'apple',
        displayName: 'Apple',
        configuredUrls: ['https://appleid.apple.com'],
        responseMode: 'form_post',
      },
      { id: 'login', displayName: 'Example', configuredUrls: ['https://login.example'] },
    ]);
  });

  it.each<[string, object]>([
    ['github', gitHub],
    ['microsoft', microsoft],
    ['apple', apple],
    ['login', issuers(issuer)],
  ])('needs only %s', (id, environment) => {
    const noGoogle = { GOOGLE_CLIENT_ID: '', GOOGLE_CLIENT_SECRET: undefined };
    expect(readConfig({ ...deployed, ...noGoogle, ...environment }).providers).toMatchObject([{ id }]);
  });

  it('accepts several issuers, each with its scopes and parameters', async () => {
    const other = { ...issuer, id: 'other', displayName: 'Other', issuer: 'https://other.example/realm' };
    const scopes = ['openid', 'email'];
    const authorizationParameters = { prompt: 'consent' };
    const more = {
      ...{ authTime: 'optional', logoutEndsGrants: true },
      ...{ offlineAccess: 'never', userInfo: 'never' },
    };
    const list = issuers(issuer, { ...other, scopes, authorizationParameters, ...more });
    const { providers } = readConfig({ ...deployed, ...list });
    expect(providers.slice(1)).toMatchObject([
      { id: 'login', displayName: 'Example', configuredUrls: ['https://login.example'] },
      { id: 'other', displayName: 'Other', configuredUrls: ['https://other.example/realm'] },
    ]);
    const metadata = {
      issuer: other.issuer,
      authorization_endpoint: 'https://other.example/authorize',
      token_endpoint: 'https://other.example/token',
      jwks_uri: 'https://other.example/keys',
      scopes_supported: ['openid', 'offline_access'],
    };
    const upstreamRequest = { redirectUri: 'https://words.example/callback/other', state: 's', nonce: 'n' };
    const url = await providers[2]?.authorizationUrl(
      { ...upstreamRequest, codeVerifier: 'v'.repeat(43) },
      {
        fetch: async () => Response.json(metadata),
        now: () => 0,
        allowLoopbackHttp: false,
        timeoutMs: 10_000,
      },
    );
    expect(Object.fromEntries(url?.searchParams ?? [])).toMatchObject({
      client_id: 'oidc-id',
      scope: 'openid email',
      prompt: 'consent',
    });
  });

  it('accepts Microsoft users of one tenant only', () => {
    const tenant = '8f3d3c1e-0f5a-4f0e-9d3b-5a1f0a2b7c11';
    const { providers } = readConfig({ ...deployed, ...microsoft, MICROSOFT_TENANT: tenant });
    expect(providers[1]?.configuredUrls).toEqual([`https://login.microsoftonline.com/${tenant}/v2.0`]);
  });

  it('accepts fake providers if only this machine can reach the app', () => {
    const at = (port: number) => `http://127.0.0.1:${port}`;
    const { providers } = readConfig({
      ...{ ...deployed, ...gitHub, ...microsoft, ...apple },
      ORIGIN: 'http://localhost:8787',
      GOOGLE_BASE_URL: at(1),
      GITHUB_BASE_URL: at(2),
      MICROSOFT_BASE_URL: at(3),
      APPLE_BASE_URL: at(4),
      ...issuers({ ...issuer, issuer: `${at(5)}/realm` }),
    });
    expect(providers.map(({ configuredUrls }) => configuredUrls)).toEqual([
      [at(1)],
      [`${at(2)}/login/oauth/authorize`, `${at(2)}/login/oauth/access_token`, `${at(2)}/user`],
      [`${at(3)}/common/v2.0`],
      [at(4)],
      [`${at(5)}/realm`],
    ]);
  });

  it('accepts additional clients, public and confidential', () => {
    const list = clients(client, {
      ...client,
      id: 'web',
      secrets: [secret],
      offlineAccess: 'always',
      scopes: ['words'],
    });
    expect(readConfig({ ...deployed, ...list }).clients.slice(1)).toMatchObject([
      { id: 'app', authentication: 'none', offlineAccess: 'on-request', defaultScopes: ['words', 'score'] },
      {
        id: 'web',
        authentication: 'client_secret',
        offlineAccess: 'always',
        scopes: ['words', 'offline_access'],
        defaultScopes: ['words'],
      },
    ]);
  });
});
