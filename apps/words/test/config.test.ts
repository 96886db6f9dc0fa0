/** Tests the configuration of the app: what it reads from the variables, and the errors for wrong ones. */
import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import { readBindings } from '../src/bindings.ts';
import { VariableError } from '../src/config/variables.ts';
import { readConfig } from '../src/config.ts';
import {
  apple,
  applePrivateKey,
  client,
  clients,
  dailySecret,
  gitHub,
  issuer,
  issuers,
  microsoft,
  otherSecret,
  sealingKey,
  secret,
  validVariables,
} from './environment.ts';

describe('the configuration', () => {
  it('of a deployment contains the GPT, the source of other MCP clients, and Google', () => {
    const { clients: configuredClients, providers, ...rest } = readConfig(validVariables);
    expect(rest).toEqual({
      origin: 'https://words.example',
      publisher: { name: 'Example Games', contactEmail: 'help@words.example' },
      sealingKeys: sealingKey,
      dailySecret: base64url.decode(dailySecret),
    });
    expect(configuredClients).toMatchObject([
      {
        id: 'words-gpt',
        kind: 'gpt-action',
        secrets: [secret],
        scopes: ['words', 'score', 'offline_access'],
        defaultScopes: ['words', 'score'],
      },
      { kind: 'mcp-clients' },
    ]);
    expect(providers).toMatchObject([
      { id: 'google', displayName: 'Google', configuredUrls: ['https://accounts.google.com'] },
    ]);
  });

  it.each([
    ['1', 86_400],
    [' 400 ', 34_560_000],
  ])('keeps the audit for %j days', (AUDIT_DAYS, auditRetention) => {
    expect(readConfig({ ...validVariables, AUDIT_DAYS })).toMatchObject({ auditRetention });
  });

  it.each([
    ['Ada & Söhne <GmbH>', 'ADA+words@mail.words-games.example'],
    ['x'.repeat(100), `${'x'.repeat(240)}@words.example`],
    [' Example Games ', ' help@words.example '],
  ])('names the publisher: %s', (PUBLISHER_NAME, CONTACT_EMAIL) => {
    expect(readConfig({ ...validVariables, PUBLISHER_NAME, CONTACT_EMAIL }).publisher).toEqual({
      name: PUBLISHER_NAME.trim(),
      contactEmail: CONTACT_EMAIL.trim(),
    });
  });

  it.each(['http://localhost:8787', 'http://127.0.0.1:8787', 'http://[::1]:8787'])(
    'needs no publisher on loopback: %s',
    (ORIGIN) => {
      const local = { ...validVariables, ORIGIN };
      expect(readConfig({ ...local, PUBLISHER_NAME: '', CONTACT_EMAIL: ' ' }).publisher).toEqual({});
      expect(readConfig({ ...local, CONTACT_EMAIL: undefined }).publisher).toEqual({ name: 'Example Games' });
      expect(() => readConfig({ ...local, CONTACT_EMAIL: 'x' })).toThrow(/^CONTACT_EMAIL must be /);
    },
  );

  it('accepts two secrets and pinned GPTs', () => {
    const [gpt] = readConfig({
      ...validVariables,
      GPT_CLIENT_SECRET: `${secret} ${otherSecret}`,
      GPT_IDS: ' g-11111111  g-22222222 ',
    }).clients;
    expect(gpt).toMatchObject({
      secrets: [secret, otherSecret],
      redirects: [
        { kind: 'gpt', gptIds: ['g-11111111', 'g-22222222'] },
        { kind: 'gpt-development', gptIds: ['g-11111111', 'g-22222222'] },
      ],
    });
  });

  it('has every provider whose credentials are set, in this order', () => {
    const allVariables = { ...issuers(issuer), ...apple, ...microsoft, ...gitHub, ...validVariables };
    expect(readConfig(allVariables).providers).toMatchObject([
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
    const withoutGoogle = { GOOGLE_CLIENT_ID: '', GOOGLE_CLIENT_SECRET: undefined };
    expect(readConfig({ ...validVariables, ...withoutGoogle, ...environment }).providers).toMatchObject([
      { id },
    ]);
  });

  it('accepts several issuers, each with its scopes and parameters', async () => {
    const other = { ...issuer, id: 'other', displayName: 'Other', issuer: 'https://other.example/realm' };
    const scopes = ['openid', 'email'];
    const authorizationParameters = { prompt: 'consent' };
    const icon = '<svg xmlns="http://www.w3.org/2000/svg"/>';
    const otherOptions = {
      ...{ accountSelection: { max_age: '60' }, authTime: 'optional', logoutEndsGrants: true },
      ...{ offlineAccess: 'never', userInfo: 'never', icon },
    };
    const list = issuers(issuer, { ...other, scopes, authorizationParameters, ...otherOptions });
    const { providers } = readConfig({ ...validVariables, ...list });
    expect(providers.slice(1)).toMatchObject([
      { id: 'login', displayName: 'Example', configuredUrls: ['https://login.example'] },
      { id: 'other', displayName: 'Other', icon, configuredUrls: ['https://other.example/realm'] },
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
      { ...upstreamRequest, codeVerifier: 'v'.repeat(43), selectAccount: true },
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
      max_age: '60',
    });
  });

  it('accepts issuers without nonce or PKCE, with another authentication method, or with metadata elsewhere', async () => {
    const discoveryUrl = 'https://config.example/login/openid-configuration';
    const list = issuers(
      { ...issuer, id: 'one', nonce: false, discoveryUrl, tokenAuthMethod: 'client_secret_basic_unencoded' },
      { ...issuer, id: 'two', pkce: false, nonce: true, tokenAuthMethod: 'client_secret_post' },
    );
    const { providers } = readConfig({ ...validVariables, ...list });
    const metadata = {
      issuer: issuer.issuer,
      authorization_endpoint: 'https://login.example/authorize',
      token_endpoint: 'https://login.example/token',
      jwks_uri: 'https://login.example/keys',
    };
    const requests: string[] = [];
    const queries = await Promise.all(
      providers.slice(1).map(async (provider) => {
        const upstreamRequest = { redirectUri: 'https://words.example/callback/x', state: 's', nonce: 'n' };
        const url = await provider.authorizationUrl(
          { ...upstreamRequest, codeVerifier: 'v'.repeat(43) },
          {
            fetch: async (input) => {
              requests.push(String(input));
              return Response.json(metadata);
            },
            now: () => 0,
            allowLoopbackHttp: false,
            timeoutMs: 10_000,
          },
        );
        return [url.searchParams.has('nonce'), url.searchParams.has('code_challenge')];
      }),
    );
    expect(queries).toEqual([
      [false, true],
      [true, false],
    ]);
    expect(requests).toEqual([discoveryUrl, 'https://login.example/.well-known/openid-configuration']);
    expect(providers[1]?.configuredUrls).toEqual(['https://login.example', discoveryUrl]);
  });

  it('accepts Microsoft users of one tenant only', () => {
    const tenant = '8f3d3c1e-0f5a-4f0e-9d3b-5a1f0a2b7c11';
    const { providers } = readConfig({ ...validVariables, ...microsoft, MICROSOFT_TENANT: tenant });
    expect(providers[1]?.configuredUrls).toEqual([`https://login.microsoftonline.com/${tenant}/v2.0`]);
  });

  it('accepts fake providers if only this machine can reach the app', () => {
    const createLoopbackUrl = (port: number) => `http://127.0.0.1:${port}`;
    const { providers } = readConfig({
      ...{ ...validVariables, ...gitHub, ...microsoft, ...apple },
      ORIGIN: 'http://localhost:8787',
      GOOGLE_BASE_URL: createLoopbackUrl(1),
      GITHUB_BASE_URL: createLoopbackUrl(2),
      MICROSOFT_BASE_URL: createLoopbackUrl(3),
      APPLE_BASE_URL: createLoopbackUrl(4),
      ...issuers({ ...issuer, issuer: `${createLoopbackUrl(5)}/realm` }),
    });
    expect(providers.map(({ configuredUrls }) => configuredUrls)).toEqual([
      [createLoopbackUrl(1)],
      [
        `${createLoopbackUrl(2)}/login/oauth/authorize`,
        `${createLoopbackUrl(2)}/login/oauth/access_token`,
        `${createLoopbackUrl(2)}/user`,
      ],
      [`${createLoopbackUrl(3)}/common/v2.0`],
      [createLoopbackUrl(4)],
      [`${createLoopbackUrl(5)}/realm`],
    ]);
  });

  it('accepts additional clients, public and confidential', () => {
    const list = clients(client, {
      ...client,
      id: 'web',
      secrets: [secret],
      offlineAccess: 'always',
      scopes: ['words'],
      pkce: 'optional',
    });
    expect(readConfig({ ...validVariables, ...list }).clients.slice(1, -1)).toMatchObject([
      { id: 'app', authentication: 'none', offlineAccess: 'on-request', defaultScopes: ['words', 'score'] },
      {
        id: 'web',
        authentication: 'client_secret',
        offlineAccess: 'always',
        scopes: ['words', 'offline_access'],
        defaultScopes: ['words'],
        pkce: 'optional',
      },
    ]);
  });

  it('accepts optional PKCE with a redirect URI on loopback if the origin is on loopback', () => {
    const local = { secrets: [secret], pkce: 'optional', redirectUris: ['http://localhost:3080/callback'] };
    const variables = {
      ...validVariables,
      ORIGIN: 'http://localhost:8787',
      ...clients({ ...client, ...local }),
    };
    expect(readConfig(variables).clients[1]).toMatchObject({ id: 'app', pkce: 'optional' });
  });
});

/** The variable that the error names, a description, the changes to a valid configuration, and the error. */
type Case = readonly [variable: string, description: string, changes: object, message: RegExp];

const hiddenTexts = [
  dailySecret,
  secret,
  sealingKey,
  applePrivateKey,
  'google-secret',
  'github-secret',
  'microsoft-secret',
  'oidc-secret',
];

/** Expects one sentence that begins with the variable. Neither it nor its cause contains a secret. */
const expectConfigurationError = (variable: string, changes: object, message: RegExp): void => {
  const error = captureError(() => readConfig({ ...validVariables, ...changes }));
  expect(error).toBeInstanceOf(VariableError);
  expect(error).toHaveProperty('variable', variable);
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(new RegExp(`^${variable} [^\\n]+$`));
  const cause = error.cause instanceof Error ? error.cause.message : '';
  for (const hidden of hiddenTexts) expect(error.message + cause).not.toContain(hidden);
};

const captureError = (read: () => unknown): Error => {
  try {
    read();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was accepted');
};

const invalidOrigin = /^ORIGIN must be an https origin /;
const missingName = /^PUBLISHER_NAME is missing: /;
const invalidName = /^PUBLISHER_NAME must be a name on one line, with at most 100 characters/;
const missingEmail = /^CONTACT_EMAIL is missing: /;
const invalidEmail = /^CONTACT_EMAIL must be one email address, such as help@words\.example/;
const placeholderEmail = /^CONTACT_EMAIL must be an address that receives email: /;
const invalidDailySecret =
  /^DAILY_SECRET must be 43 characters of base64url, which are 32 random bytes: npm run setup generates them if the value is empty\.$/;
const invalidSecrets =
  /^GPT_CLIENT_SECRET must be one or two secrets of at least 32 printable ASCII characters/;
const invalidClient = /^STATIC_CLIENTS is invalid for app: /;

const wrongConfigurations: readonly Case[] = [
  ['ORIGIN', 'missing', { ORIGIN: undefined }, /^ORIGIN is missing: /],
  ['ORIGIN', 'blank', { ORIGIN: ' ' }, /^ORIGIN is missing: /],
  ['ORIGIN', 'not a string', { ORIGIN: 7 }, /^ORIGIN must be text\.$/],
  ['ORIGIN', 'not a URL', { ORIGIN: 'words.example' }, invalidOrigin],
  ['ORIGIN', 'http, not on loopback', { ORIGIN: 'http://words.example' }, invalidOrigin],
  [
    'ORIGIN',
    'http, with a host that begins with localhost',
    { ORIGIN: 'http://localhost.example' },
    invalidOrigin,
  ],
  ['ORIGIN', 'a trailing slash', { ORIGIN: 'https://words.example/' }, invalidOrigin],
  ['ORIGIN', 'a path', { ORIGIN: 'https://words.example/app' }, invalidOrigin],
  ...['https://localhost:8787', 'https://127.0.0.1'].flatMap((ORIGIN): readonly Case[] => [
    ['PUBLISHER_NAME', `missing at ${ORIGIN}`, { ORIGIN, PUBLISHER_NAME: undefined }, missingName],
    ['CONTACT_EMAIL', `missing at ${ORIGIN}`, { ORIGIN, CONTACT_EMAIL: undefined }, missingEmail],
  ]),
  ['PUBLISHER_NAME', 'missing', { PUBLISHER_NAME: undefined }, missingName],
  ['PUBLISHER_NAME', 'empty', { PUBLISHER_NAME: '' }, missingName],
  ['PUBLISHER_NAME', 'blank', { PUBLISHER_NAME: ' \t\n' }, missingName],
  ['PUBLISHER_NAME', 'not a string', { PUBLISHER_NAME: {} }, /^PUBLISHER_NAME must be text\.$/],
  ...[
    'Ada\r\nSet-Cookie: a=b',
    'Ada\nGames',
    'Ada\0',
    'Ada\u2028Games',
    'Ada \u202esemaG',
    'Ada\u2069',
    'Ada\ud800',
  ]
    .concat('x'.repeat(101))
    .map((name): Case => ['PUBLISHER_NAME', JSON.stringify(name), { PUBLISHER_NAME: name }, invalidName]),
  ['CONTACT_EMAIL', 'missing', { CONTACT_EMAIL: undefined }, missingEmail],
  ['CONTACT_EMAIL', 'empty', { CONTACT_EMAIL: '' }, missingEmail],
  ['CONTACT_EMAIL', 'blank', { CONTACT_EMAIL: '  ' }, missingEmail],
  ['CONTACT_EMAIL', 'not a string', { CONTACT_EMAIL: 7 }, /^CONTACT_EMAIL must be text\.$/],
  ...[
    'words.example',
    'help@',
    '@words.example',
    'help@localhost',
    'help@words..example',
    'help@-words.example',
    'help@words.example.',
    'help@127.0.0.1',
    'help@words@words.example',
    'help..me@words.example',
    '.help@words.example',
    'Help <help@words.example>',
    'help@words.example,eve@evil.example',
    'help@words.example eve@evil.example',
    'help@words.example?bcc=eve@evil.example',
    'help%0d%0abcc:eve@words.example',
    'help@words.example\r\nbcc:eve@evil.example',
    'help@words.example\nX',
    'mailto:help@words.example',
    '"help"@words.example',
    'help"><script>@words.example',
    '{product}@words.example',
    'h\u00e9lp@words.example',
    `${'x'.repeat(241)}@words.example`,
  ].map((email): Case => ['CONTACT_EMAIL', JSON.stringify(email), { CONTACT_EMAIL: email }, invalidEmail]),
  ...['you@example.com', 'you@Example.ORG', 'you@mail.example.net'].map(
    (email): Case => ['CONTACT_EMAIL', email, { CONTACT_EMAIL: email }, placeholderEmail],
  ),
  ['ORIGIN', 'a username', { ORIGIN: 'https://u@words.example' }, invalidOrigin],
  [
    'SEALING_KEYS',
    'missing',
    { SEALING_KEYS: '' },
    /^SEALING_KEYS is missing: npm run keys generates one\.$/,
  ],
  ['SEALING_KEYS', 'in another format', { SEALING_KEYS: 'secret' }, /^SEALING_KEYS must be keys written /],
  [
    'SEALING_KEYS',
    'too short',
    { SEALING_KEYS: sealingKey.slice(0, -8) },
    /^SEALING_KEYS must be keys written /,
  ],
  ['SEALING_KEYS', 'all zero', { SEALING_KEYS: `k1.${'A'.repeat(43)}` }, /^SEALING_KEYS must be random/],
  [
    'SEALING_KEYS',
    'the same key twice',
    { SEALING_KEYS: `${sealingKey} ${sealingKey}` },
    /^SEALING_KEYS must not contain the same key or key ID twice\.$/,
  ],
  [
    'DAILY_SECRET',
    'missing',
    { DAILY_SECRET: undefined },
    /^DAILY_SECRET is missing: npm run setup generates one\.$/,
  ],
  ['DAILY_SECRET', 'blank', { DAILY_SECRET: ' ' }, /^DAILY_SECRET is missing: /],
  ['DAILY_SECRET', 'not a string', { DAILY_SECRET: 7 }, /^DAILY_SECRET must be text\.$/],
  ...(
    [
      ['too short', dailySecret.slice(0, -1)],
      ['too long', `${dailySecret}A`],
      ['in base64', `${dailySecret}=`],
      ['with a character outside the alphabet', `${dailySecret.slice(0, -1)}+`],
      ['with bits that are not part of a byte', `${dailySecret.slice(0, -1)}p`],
      ['all zero', 'A'.repeat(43)],
      ['a repeated pattern', 'abcd'.repeat(11).slice(0, 43)],
      ['a key of a key ring', `daily.${dailySecret}`],
      ['with a dot', `${dailySecret}.`],
      ['with a second part', `${dailySecret}.${secret}`],
      ['two secrets', `${dailySecret} ${secret}`],
      ['a key ring without its first ID', `${dailySecret} ${sealingKey}`],
      ['a key ring without its first ID, with a tab', `${dailySecret}\t${sealingKey}`],
    ] as const
  ).map(([problem, DAILY_SECRET]): Case => ['DAILY_SECRET', problem, { DAILY_SECRET }, invalidDailySecret]),
  ...['0', '401', '1.5', '-1', '1e2', '030', 'ninety', '90 days', '٣'].map(
    (AUDIT_DAYS): Case => [
      'AUDIT_DAYS',
      AUDIT_DAYS,
      { AUDIT_DAYS },
      /^AUDIT_DAYS must be a whole number of days from 1 to 400\.$/,
    ],
  ),
  ['AUDIT_DAYS', 'not a string', { AUDIT_DAYS: 90 }, /^AUDIT_DAYS must be text\.$/],
  ['GPT_CLIENT_ID', 'missing', { GPT_CLIENT_ID: '' }, /^GPT_CLIENT_ID is missing: /],
  [
    'GPT_CLIENT_ID',
    'with a colon',
    { GPT_CLIENT_ID: 'a:b' },
    /^GPT_CLIENT_ID must be 1 to 200 printable ASCII /,
  ],
  [
    'GPT_CLIENT_ID',
    'the ID of the account page',
    { GPT_CLIENT_ID: 'account' },
    /^GPT_CLIENT_ID must not be account, which is reserved for the account page\.$/,
  ],
  ['GPT_CLIENT_SECRET', 'missing', { GPT_CLIENT_SECRET: '' }, /^GPT_CLIENT_SECRET is missing: /],
  ['GPT_CLIENT_SECRET', 'with 31 characters', { GPT_CLIENT_SECRET: 's'.repeat(31) }, invalidSecrets],
  ['GPT_CLIENT_SECRET', 'with a pattern', { GPT_CLIENT_SECRET: 'change-me-'.repeat(4) }, invalidSecrets],
  ['GPT_CLIENT_SECRET', 'with a short second one', { GPT_CLIENT_SECRET: `${secret} short` }, invalidSecrets],
  [
    'GPT_CLIENT_SECRET',
    'three secrets',
    { GPT_CLIENT_SECRET: `${secret} ${otherSecret} nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g` },
    invalidSecrets,
  ],
  ['GPT_IDS', 'with a comma', { GPT_IDS: 'g-11111111, g-22222222' }, /^GPT_IDS must be GPT IDs/],
  ...['yes', 'All', 'metadata-documents registration'].map(
    (MCP_CLIENTS): Case => [
      'MCP_CLIENTS',
      `set to ${MCP_CLIENTS}`,
      { MCP_CLIENTS },
      /^MCP_CLIENTS must be all, metadata-documents, registration or none\.$/,
    ],
  ),
  ['STATIC_CLIENTS', 'not JSON', { STATIC_CLIENTS: '[' }, /^STATIC_CLIENTS must be valid JSON\.$/],
  [
    'STATIC_CLIENTS',
    'not an array',
    { STATIC_CLIENTS: '{}' },
    / must be a list of clients: check the top level\.$/,
  ],
  [
    'STATIC_CLIENTS',
    'a string instead of an array',
    clients({ ...client, redirectUris: 'x' }),
    /: check 0\.redirectUris\.$/,
  ],
  ['STATIC_CLIENTS', 'an unknown member', clients(client, { ...client, secret }), /: check 1\.secret\.$/],
  [
    'STATIC_CLIENTS',
    'an unknown choice',
    clients({ ...client, offlineAccess: true }),
    /: check 0\.offlineAccess\.$/,
  ],
  [
    'STATIC_CLIENTS',
    'an unknown scope',
    clients({ ...client, scopes: ['words', 'fly'] }),
    /: check 0\.scopes\.1\.$/,
  ],
  ['STATIC_CLIENTS', 'an empty name', clients({ ...client, name: '' }), invalidClient],
  [
    'STATIC_CLIENTS',
    'an http redirect',
    clients({ ...client, redirectUris: ['http://app.example/'] }),
    invalidClient,
  ],
  [
    'STATIC_CLIENTS',
    'optional PKCE without secrets',
    clients({ ...client, pkce: 'optional' }),
    invalidClient,
  ],
  [
    'STATIC_CLIENTS',
    'optional PKCE with a loopback redirect',
    clients({ ...client, secrets: [secret], pkce: 'optional', redirectUris: ['http://localhost/callback'] }),
    /^STATIC_CLIENTS is invalid for app: redirectUris must use https if pkce is optional\.$/,
  ],
  ['STATIC_CLIENTS', 'an unknown value of pkce', clients({ ...client, pkce: 'none' }), /: check 0\.pkce\.$/],
  ['STATIC_CLIENTS', 'no redirect', clients({ ...client, redirectUris: [] }), invalidClient],
  [
    'STATIC_CLIENTS',
    'a secret with a pattern',
    clients({ ...client, secrets: ['s'.repeat(43)] }),
    invalidClient,
  ],
  ['STATIC_CLIENTS', 'a short secret', clients({ ...client, secrets: ['short'] }), invalidClient],
  [
    'STATIC_CLIENTS',
    'the same ID twice',
    clients(client, client),
    /^STATIC_CLIENTS must have unique IDs: another client has the ID app\.$/,
  ],
  [
    'STATIC_CLIENTS',
    'the ID of the account page, as another client',
    clients({ ...client, id: 'account' }),
    /^STATIC_CLIENTS is invalid for account: clients\.account\.id must not be account/,
  ],
  [
    'STATIC_CLIENTS',
    'the ID of the GPT',
    clients({ ...client, id: 'words-gpt' }),
    / must have unique IDs: another client has the ID words-gpt\.$/,
  ],
];

describe('an invalid configuration', () => {
  it.each(wrongConfigurations)(
    'names %s in one sentence without a secret: %s',
    (variable, _, changes, message) => {
      expectConfigurationError(variable, changes, message);
    },
  );

  it.each([
    ['DB', { ASSETS: { fetch: () => undefined } }, 'must be bound to a D1 database.'],
    ['ASSETS', { DB: { prepare: 1, batch: 1 } }, 'must be bound to the static assets.'],
  ])('names the binding %s', (variable, environment, problem) => {
    expect(captureError(() => readBindings(environment))).toEqual(new VariableError(variable, problem));
  });
});

const incompleteVariables = /^\w+ is missing: .* must be set together\.$/;
const fakeProviderNotAllowed =
  /^\w+ is for a fake provider, which is allowed only if ORIGIN is on loopback\.$/;
const notLoopbackOrigin = /^\w+ must be an http origin on loopback without a path\.$/;
const invalidIssuerUrl =
  /^OIDC_PROVIDERS is invalid for login: issuer must be an https URL; http is allowed only if it and ORIGIN are on loopback\.$/;
const invalidIssuer = /^OIDC_PROVIDERS is invalid for \S*: providers\./;
const loopbackOrigin = { ORIGIN: 'http://localhost:8787' };
const withoutGoogle = { GOOGLE_CLIENT_ID: '', GOOGLE_CLIENT_SECRET: undefined };
const fakeProviderUrl = 'http://127.0.0.1:8788';

const incompleteProviders: readonly Case[] = [
  ...Object.keys({ ...gitHub, ...microsoft, ...apple }),
  ...['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'],
].map((name) => [
  name,
  'missing although related variables are set',
  { ...gitHub, ...microsoft, ...apple, [name]: '' },
  incompleteVariables,
]);

const fakeProviders: readonly Case[] = ['GOOGLE', 'GITHUB', 'MICROSOFT', 'APPLE'].flatMap((provider) => {
  const name = `${provider}_BASE_URL`;
  const allVariables = { ...gitHub, ...microsoft, ...apple };
  return [
    [
      name,
      'W13.2 on loopback, although ORIGIN is not',
      { ...allVariables, [name]: fakeProviderUrl },
      fakeProviderNotAllowed,
    ],
    [
      name,
      'W13.2 with https, although ORIGIN is not on loopback',
      { ...allVariables, [name]: 'https://id.example' },
      fakeProviderNotAllowed,
    ],
    [
      name,
      'not on loopback',
      { ...allVariables, ...loopbackOrigin, [name]: 'http://id.example' },
      notLoopbackOrigin,
    ],
    [
      name,
      'with https',
      { ...allVariables, ...loopbackOrigin, [name]: 'https://id.example' },
      notLoopbackOrigin,
    ],
    [
      name,
      'with a path',
      { ...allVariables, ...loopbackOrigin, [name]: `${fakeProviderUrl}/` },
      notLoopbackOrigin,
    ],
    [name, 'not a URL', { ...allVariables, ...loopbackOrigin, [name]: '127.0.0.1:8788' }, notLoopbackOrigin],
  ] satisfies readonly Case[];
});

const badAppleKey =
  /^APPLE_PRIVATE_KEY must be the complete contents of the \.p8 file from Apple: a P-256 private key that is not encrypted\.$/;

const wrongProviders: readonly Case[] = [
  ...incompleteProviders,
  ...fakeProviders,
  [
    'GOOGLE_CLIENT_ID',
    'missing although a fake provider is configured',
    { ...loopbackOrigin, ...withoutGoogle, ...gitHub, GOOGLE_BASE_URL: fakeProviderUrl },
    incompleteVariables,
  ],
  [
    'GOOGLE_CLIENT_ID',
    'missing, as are all other providers',
    withoutGoogle,
    /^GOOGLE_CLIENT_ID is missing, and no other provider is configured/,
  ],
  [
    'GITHUB_CLIENT_SECRET',
    'with a space',
    { ...gitHub, GITHUB_CLIENT_SECRET: 'git hub' },
    /^GITHUB_CLIENT_SECRET must be printable ASCII without spaces, and not empty\.$/,
  ],
  [
    'MICROSOFT_TENANT',
    'a domain',
    { ...microsoft, MICROSOFT_TENANT: 'contoso.onmicrosoft.com' },
    /^MICROSOFT_TENANT must be common, organizations, consumers or a tenant ID\.$/,
  ],
  ['MICROSOFT_CLIENT_ID', 'missing, with a tenant', { MICROSOFT_TENANT: 'common' }, incompleteVariables],
  [
    'APPLE_TEAM_ID',
    'too short',
    { ...apple, APPLE_TEAM_ID: 'ABC' },
    /^APPLE_TEAM_ID must be the ten letters /,
  ],
  [
    'APPLE_KEY_ID',
    'in lower case',
    { ...apple, APPLE_KEY_ID: 'abcde12345' },
    /^APPLE_KEY_ID must be the ten /,
  ],
  ['APPLE_PRIVATE_KEY', 'not a key', { ...apple, APPLE_PRIVATE_KEY: 'AuthKey_ABCDE12345.p8' }, badAppleKey],
  [
    'APPLE_PRIVATE_KEY',
    'cut off',
    { ...apple, APPLE_PRIVATE_KEY: applePrivateKey.slice(0, 120) },
    badAppleKey,
  ],
  [
    'APPLE_PRIVATE_KEY',
    'without its middle part',
    { ...apple, APPLE_PRIVATE_KEY: applePrivateKey.slice(0, 100) + applePrivateKey.slice(132) },
    badAppleKey,
  ],
  [
    'APPLE_PRIVATE_KEY',
    'only the first line',
    { ...apple, APPLE_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----' },
    badAppleKey,
  ],
  ['OIDC_PROVIDERS', 'not JSON', { OIDC_PROVIDERS: '[oidc-secret' }, /^OIDC_PROVIDERS must be valid JSON\.$/],
  [
    'OIDC_PROVIDERS',
    'not an array',
    { OIDC_PROVIDERS: JSON.stringify(issuer) },
    / must be a list of providers: check the top level\.$/,
  ],
  [
    'OIDC_PROVIDERS',
    'without a secret',
    issuers(issuer, { ...issuer, clientSecret: undefined }),
    /: check 1\.clientSecret\.$/,
  ],
  ['OIDC_PROVIDERS', 'an unknown member', issuers({ ...issuer, secret: 's' }), /: check 0\.secret\.$/],
  [
    'OIDC_PROVIDERS',
    'a string instead of a boolean',
    issuers({ ...issuer, logoutEndsGrants: 'true' }),
    /: check 0\.logoutEndsGrants\.$/,
  ],
  [
    'OIDC_PROVIDERS',
    'an unknown value of authTime',
    issuers({ ...issuer, authTime: 'never' }),
    /: check 0\.authTime\.$/,
  ],
  [
    'OIDC_PROVIDERS',
    'an unknown value of offlineAccess',
    issuers({ ...issuer, offlineAccess: 'sometimes' }),
    /: check 0\.offlineAccess\.$/,
  ],
  [
    'OIDC_PROVIDERS',
    'an unknown value of userInfo',
    issuers({ ...issuer, userInfo: 'always' }),
    /: check 0\.userInfo\.$/,
  ],
  [
    'OIDC_PROVIDERS',
    'an unknown tokenAuthMethod',
    issuers({ ...issuer, tokenAuthMethod: 'private_key_jwt' }),
    /: check 0\.tokenAuthMethod\.$/,
  ],
  ['OIDC_PROVIDERS', 'a nonce as a string', issuers({ ...issuer, nonce: 'false' }), /: check 0\.nonce\.$/],
  ['OIDC_PROVIDERS', 'null for pkce', issuers({ ...issuer, pkce: null }), /: check 0\.pkce\.$/],
  [
    'OIDC_PROVIDERS',
    'neither nonce nor PKCE',
    issuers({ ...issuer, nonce: false, pkce: false }),
    /^OIDC_PROVIDERS is invalid for login: providers\.login\.nonce must not be false if pkce is false\.$/,
  ],
  [
    'OIDC_PROVIDERS',
    'a discoveryUrl over http',
    issuers({ ...issuer, discoveryUrl: 'http://config.example' }),
    /^OIDC_PROVIDERS is invalid for login: discoveryUrl must be an https URL; http is allowed only /,
  ],
  [
    'OIDC_PROVIDERS',
    'W13.2 a discoveryUrl on loopback, although ORIGIN is not',
    issuers({ ...issuer, discoveryUrl: 'http://127.0.0.1:1' }),
    /^OIDC_PROVIDERS is invalid for login: discoveryUrl must be an https URL; http is allowed only /,
  ],
  [
    'OIDC_PROVIDERS',
    'a discoveryUrl with a fragment',
    issuers({ ...issuer, discoveryUrl: 'https://config.example/#x' }),
    /^OIDC_PROVIDERS is invalid for login: providers\.login\.discoveryUrl must be an https URL /,
  ],
  ['OIDC_PROVIDERS', 'scopes as a string', issuers({ ...issuer, scopes: 'openid' }), /: check 0\.scopes\.$/],
  [
    'OIDC_PROVIDERS',
    'an invalid ID',
    issuers({ ...issuer, id: 'My Login' }),
    /^OIDC_PROVIDERS is invalid for My Login: /,
  ],
  [
    'OIDC_PROVIDERS',
    'a reserved ID',
    issuers({ ...issuer, id: 'continue' }),
    /^OIDC_PROVIDERS is invalid for continue: providers\.continue\.id must not be continue/,
  ],
  ['OIDC_PROVIDERS', 'no display name', issuers({ ...issuer, displayName: ' ' }), invalidIssuer],
  ['OIDC_PROVIDERS', 'an icon that is a URL', issuers({ ...issuer, icon: '/acme.svg' }), invalidIssuer],
  ['OIDC_PROVIDERS', 'without openid', issuers({ ...issuer, scopes: ['email'] }), invalidIssuer],
  [
    'OIDC_PROVIDERS',
    'a parameter that the broker sets itself',
    issuers({ ...issuer, authorizationParameters: { state: 'x' } }),
    invalidIssuer,
  ],
  [
    'OIDC_PROVIDERS',
    'with a query',
    issuers({ ...issuer, issuer: 'https://login.example?x' }),
    invalidIssuer,
  ],
  ['OIDC_PROVIDERS', 'not a URL', issuers({ ...issuer, issuer: 'login.example' }), invalidIssuerUrl],
  [
    'OIDC_PROVIDERS',
    'http, not on loopback',
    { ...loopbackOrigin, ...issuers({ ...issuer, issuer: 'http://login.example' }) },
    invalidIssuerUrl,
  ],
  [
    'OIDC_PROVIDERS',
    'W13.2 on loopback, although ORIGIN is not',
    issuers({ ...issuer, issuer: 'http://127.0.0.1:1' }),
    invalidIssuerUrl,
  ],
  [
    'OIDC_PROVIDERS',
    'the same ID twice',
    issuers(issuer, issuer),
    /^OIDC_PROVIDERS must have unique IDs: another provider has the ID login\.$/,
  ],
  [
    'OIDC_PROVIDERS',
    'the ID of Google',
    issuers({ ...issuer, id: 'google' }),
    / must have unique IDs: another provider has the ID google\.$/,
  ],
];

describe('invalid providers', () => {
  it.each(wrongProviders)('name %s in one sentence without a secret: %s', (variable, _, changes, message) => {
    expectConfigurationError(variable, changes, message);
  });
});
