import { describe, expect, it } from 'vitest';
import { readBindings } from '../../src/bindings.ts';
import { VariableError } from '../../src/config/variables.ts';
import { client, clients, key, secret } from './environment.ts';
import { type Case, captureError, expectConfigurationError } from './expect-error.ts';

const noOrigin = /^ORIGIN must be an https origin /;
const badSecrets = /^GPT_CLIENT_SECRET must be one or two secrets of at least 32 printable ASCII characters/;
const wrongClient = /^STATIC_CLIENTS is invalid for app: /;

const wrong: readonly Case[] = [
  ['ORIGIN', 'missing', { ORIGIN: undefined }, /^ORIGIN is missing: /],
  ['ORIGIN', 'blank', { ORIGIN: ' ' }, /^ORIGIN is missing: /],
  ['ORIGIN', 'no text', { ORIGIN: 7 }, /^ORIGIN must be text\.$/],
  ['ORIGIN', 'no URL', { ORIGIN: 'words.example' }, noOrigin],
  ['ORIGIN', 'http that others can reach', { ORIGIN: 'http://words.example' }, noOrigin],
  ['ORIGIN', 'http on a name that begins like loopback', { ORIGIN: 'http://localhost.example' }, noOrigin],
  ['ORIGIN', 'a slash at its end', { ORIGIN: 'https://words.example/' }, noOrigin],
  ['ORIGIN', 'a path', { ORIGIN: 'https://words.example/app' }, noOrigin],
  ['ORIGIN', 'a user', { ORIGIN: 'https://u@words.example' }, noOrigin],
  [
    'SEALING_KEYS',
    'missing',
    { SEALING_KEYS: '' },
    /^SEALING_KEYS is missing: npm run keys generates one\.$/,
  ],
  ['SEALING_KEYS', 'of another shape', { SEALING_KEYS: 'secret' }, /^SEALING_KEYS must be keys written /],
  ['SEALING_KEYS', 'too short', { SEALING_KEYS: key.slice(0, -8) }, /^SEALING_KEYS must be keys written /],
  ['SEALING_KEYS', 'all zero', { SEALING_KEYS: `k1.${'A'.repeat(43)}` }, /^SEALING_KEYS must be random/],
  [
    'SEALING_KEYS',
    'twice the same',
    { SEALING_KEYS: `${key} ${key}` },
    /^SEALING_KEYS must not contain the same key or key ID twice\.$/,
  ],
  ...['0', '401', '1.5', '-1', '1e2', '030', 'ninety', '90 days', '٣'].map(
    (AUDIT_DAYS): Case => [
      'AUDIT_DAYS',
      AUDIT_DAYS,
      { AUDIT_DAYS },
      /^AUDIT_DAYS must be a whole number of days from 1 to 400\.$/,
    ],
  ),
  ['AUDIT_DAYS', 'no text', { AUDIT_DAYS: 90 }, /^AUDIT_DAYS must be text\.$/],
  ['GPT_CLIENT_ID', 'missing', { GPT_CLIENT_ID: '' }, /^GPT_CLIENT_ID is missing: /],
  ['GPT_CLIENT_ID', 'with a colon', { GPT_CLIENT_ID: 'a:b' }, /^GPT_CLIENT_ID must be printable ASCII /],
  [
    'GPT_CLIENT_ID',
    'the account page’s',
    { GPT_CLIENT_ID: 'account' },
    /^GPT_CLIENT_ID must not be account, which is reserved for the account page\.$/,
  ],
  ['GPT_CLIENT_SECRET', 'missing', { GPT_CLIENT_SECRET: '' }, /^GPT_CLIENT_SECRET is missing: /],
  ['GPT_CLIENT_SECRET', 'of 31 characters', { GPT_CLIENT_SECRET: 's'.repeat(31) }, badSecrets],
  ['GPT_CLIENT_SECRET', 'whose second is short', { GPT_CLIENT_SECRET: `${secret} short` }, badSecrets],
  [
    'GPT_CLIENT_SECRET',
    'of three',
    { GPT_CLIENT_SECRET: `${secret} ${'t'.repeat(32)} ${'u'.repeat(32)}` },
    badSecrets,
  ],
  ['GPT_IDS', 'with a comma', { GPT_IDS: 'g-11111111, g-22222222' }, /^GPT_IDS must be GPT IDs/],
  ['STATIC_CLIENTS', 'no JSON', { STATIC_CLIENTS: '[' }, /^STATIC_CLIENTS must be valid JSON\.$/],
  [
    'STATIC_CLIENTS',
    'no list',
    { STATIC_CLIENTS: '{}' },
    / must be a list of clients: check the top level\.$/,
  ],
  [
    'STATIC_CLIENTS',
    'a text for a list',
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
  ['STATIC_CLIENTS', 'an empty name', clients({ ...client, name: '' }), wrongClient],
  [
    'STATIC_CLIENTS',
    'an http redirect',
    clients({ ...client, redirectUris: ['http://app.example/'] }),
    wrongClient,
  ],
  ['STATIC_CLIENTS', 'no redirect', clients({ ...client, redirectUris: [] }), wrongClient],
  ['STATIC_CLIENTS', 'a short secret', clients({ ...client, secrets: ['short'] }), wrongClient],
  [
    'STATIC_CLIENTS',
    'an id twice',
    clients(client, client),
    /^STATIC_CLIENTS must not contain the ID app twice\.$/,
  ],
  [
    'STATIC_CLIENTS',
    'the account page’s id',
    clients({ ...client, id: 'account' }),
    /^STATIC_CLIENTS is invalid for account: clients\.account\.id must not be account/,
  ],
  [
    'STATIC_CLIENTS',
    'the id of the GPT',
    clients({ ...client, id: 'words-gpt' }),
    / must not contain the ID words-gpt twice\.$/,
  ],
];

describe('an invalid configuration', () => {
  it.each(wrong)('names %s in one sentence without a secret: %s', (variable, _, changes, sentence) => {
    expectConfigurationError(variable, changes, sentence);
  });

  it.each([
    ['DB', { ASSETS: { fetch: () => undefined } }, 'must be bound to a D1 database.'],
    ['ASSETS', { DB: { prepare: 1, batch: 1 } }, 'must be bound to the static assets.'],
  ])('names the binding %s', (variable, environment, problem) => {
    expect(captureError(() => readBindings(environment))).toEqual(new VariableError(variable, problem));
  });
});
