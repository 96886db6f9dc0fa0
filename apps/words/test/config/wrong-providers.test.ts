/** Providers that must not start: half configured, malformed, or fake providers where others can reach the app. */
import { describe, it } from 'vitest';
import { apple, gitHub, issuer, issuers, microsoft } from './environment.ts';
import { type Case, expectConfigurationError } from './expect-error.ts';

const belongTogether = /^\w+ is missing: .* must be set together\.$/;
const noStandIn = /^\w+ is for a fake provider, which is allowed only if ORIGIN is on loopback\.$/;
const noStandInOrigin = /^\w+ must be an http origin on loopback without a path\.$/;
const noIssuer =
  /^OIDC_PROVIDERS is invalid for login: issuer must be an https URL; http is allowed only if it and ORIGIN are on loopback\.$/;
const wrongIssuer = /^OIDC_PROVIDERS is invalid for \S*: providers\./;
const onLoopback = { ORIGIN: 'http://localhost:8787' };
const noGoogle = { GOOGLE_CLIENT_ID: '', GOOGLE_CLIENT_SECRET: undefined };
const loopback = 'http://127.0.0.1:8788';

const halves: readonly Case[] = [
  ...Object.keys({ ...gitHub, ...microsoft, ...apple }),
  ...['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'],
].map((name) => [
  name,
  'missing beside what belongs to it',
  { ...gitHub, ...microsoft, ...apple, [name]: '' },
  belongTogether,
]);

const fakeProviders: readonly Case[] = ['GOOGLE', 'GITHUB', 'MICROSOFT', 'APPLE'].flatMap((vendor) => {
  const name = `${vendor}_BASE_URL`;
  const all = { ...gitHub, ...microsoft, ...apple };
  return [
    [name, 'W13.2 on loopback, of an app that is not', { ...all, [name]: loopback }, noStandIn],
    [name, 'W13.2 on https, of an app that is not', { ...all, [name]: 'https://id.example' }, noStandIn],
    [name, 'others can reach', { ...all, ...onLoopback, [name]: 'http://id.example' }, noStandInOrigin],
    [name, 'on https', { ...all, ...onLoopback, [name]: 'https://id.example' }, noStandInOrigin],
    [name, 'with a path', { ...all, ...onLoopback, [name]: `${loopback}/` }, noStandInOrigin],
    [name, 'no URL', { ...all, ...onLoopback, [name]: '127.0.0.1:8788' }, noStandInOrigin],
  ] satisfies readonly Case[];
});

const wrong: readonly Case[] = [
  ...halves,
  ...fakeProviders,
  [
    'GOOGLE_CLIENT_ID',
    'missing beside a fake provider',
    { ...onLoopback, ...noGoogle, ...gitHub, GOOGLE_BASE_URL: loopback },
    belongTogether,
  ],
  [
    'GOOGLE_CLIENT_ID',
    'missing like every provider',
    noGoogle,
    /^GOOGLE_CLIENT_ID is missing, and no other provider is configured/,
  ],
  [
    'GITHUB_CLIENT_SECRET',
    'with a blank in it',
    { ...gitHub, GITHUB_CLIENT_SECRET: 'git hub' },
    /^GITHUB_CLIENT_SECRET must be printable ASCII without spaces, and not empty\.$/,
  ],
  [
    'MICROSOFT_TENANT',
    'a domain',
    { ...microsoft, MICROSOFT_TENANT: 'contoso.onmicrosoft.com' },
    /^MICROSOFT_TENANT must be common, organizations, consumers or a tenant ID\.$/,
  ],
  ['MICROSOFT_CLIENT_ID', 'missing beside a tenant', { MICROSOFT_TENANT: 'common' }, belongTogether],
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
  [
    'APPLE_PRIVATE_KEY',
    'no key',
    { ...apple, APPLE_PRIVATE_KEY: 'AuthKey_ABCDE12345.p8' },
    /^APPLE_PRIVATE_KEY must be the contents of the \.p8 file from Apple\.$/,
  ],
  ['OIDC_PROVIDERS', 'no JSON', { OIDC_PROVIDERS: '[oidc-secret' }, /^OIDC_PROVIDERS must be valid JSON\.$/],
  [
    'OIDC_PROVIDERS',
    'no list',
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
    'yes as text',
    issuers({ ...issuer, logoutEndsGrants: 'true' }),
    /: check 0\.logoutEndsGrants\.$/,
  ],
  ['OIDC_PROVIDERS', 'another word', issuers({ ...issuer, authTime: 'never' }), /: check 0\.authTime\.$/],
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
  ['OIDC_PROVIDERS', 'one scope as text', issuers({ ...issuer, scopes: 'openid' }), /: check 0\.scopes\.$/],
  [
    'OIDC_PROVIDERS',
    'a bad id',
    issuers({ ...issuer, id: 'My Login' }),
    /^OIDC_PROVIDERS is invalid for My Login: /,
  ],
  [
    'OIDC_PROVIDERS',
    'an id that stands for something else',
    issuers({ ...issuer, id: 'continue' }),
    /^OIDC_PROVIDERS is invalid for continue: providers\.continue\.id must not be continue/,
  ],
  ['OIDC_PROVIDERS', 'no display name', issuers({ ...issuer, displayName: ' ' }), wrongIssuer],
  ['OIDC_PROVIDERS', 'without openid', issuers({ ...issuer, scopes: ['email'] }), wrongIssuer],
  [
    'OIDC_PROVIDERS',
    'a parameter of ours',
    issuers({ ...issuer, authorizationParameters: { state: 'x' } }),
    wrongIssuer,
  ],
  ['OIDC_PROVIDERS', 'with a query', issuers({ ...issuer, issuer: 'https://login.example?x' }), wrongIssuer],
  ['OIDC_PROVIDERS', 'no URL', issuers({ ...issuer, issuer: 'login.example' }), noIssuer],
  [
    'OIDC_PROVIDERS',
    'http that others can reach',
    { ...onLoopback, ...issuers({ ...issuer, issuer: 'http://login.example' }) },
    noIssuer,
  ],
  [
    'OIDC_PROVIDERS',
    'W13.2 on loopback, of an app that is not',
    issuers({ ...issuer, issuer: 'http://127.0.0.1:1' }),
    noIssuer,
  ],
  [
    'OIDC_PROVIDERS',
    'an id twice',
    issuers(issuer, issuer),
    /^OIDC_PROVIDERS must not contain the ID login twice\.$/,
  ],
  [
    'OIDC_PROVIDERS',
    'the id of Google',
    issuers({ ...issuer, id: 'google' }),
    / must not contain the ID google twice\.$/,
  ],
];

describe('invalid providers', () => {
  it.each(wrong)('name %s in one sentence without a secret: %s', (variable, _, changes, sentence) => {
    expectConfigurationError(variable, changes, sentence);
  });
});
