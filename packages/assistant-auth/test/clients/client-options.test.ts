import { describe, expect, it } from 'vitest';
import { type GptActionOptions, gptAction, staticClient } from '../../src/index.ts';

const secret = 's'.repeat(43);
const options: GptActionOptions = { id: 'gpt', name: 'GPT', secrets: [secret], scopes: ['words', 'score'] };

/** Both kinds read these settings alike. */
const register = (changes: Partial<GptActionOptions>) => [
  () => gptAction({ ...options, ...changes }),
  () => staticClient({ redirectUris: ['https://app.example/cb'], ...options, ...changes }),
];

describe('a client', () => {
  it.each<[string, Partial<GptActionOptions>, string]>([
    ['an empty id', { id: '' }, 'clients..id'],
    ['a blank in its id', { id: 'a b' }, 'clients.a b.id'],
    ['a colon in its id', { id: 'a:b' }, 'clients.a:b.id'],
    ['a line break in its id', { id: 'a\n' }, 'clients.a\n.id'],
    ['an id beyond ASCII', { id: 'ä' }, 'clients.ä.id'],
    ['an endless id', { id: 'a'.repeat(201) }, `clients.${'a'.repeat(201)}.id`],
    ['no name', { name: ' ' }, 'clients.gpt.name'],
    ['no secrets', { secrets: [] }, 'clients.gpt.secrets'],
    ['three secrets', { secrets: [secret, `${secret}2`, `${secret}3`] }, 'clients.gpt.secrets'],
    ['a short secret', { secrets: ['s'.repeat(31)] }, 'clients.gpt.secrets'],
    ['one short secret of two', { secrets: [secret, ''] }, 'clients.gpt.secrets'],
    [
      'a secret with the line break of the file that it came from',
      { secrets: [`${secret}\n`] },
      'clients.gpt.secrets',
    ],
    ['a secret with a blank', { secrets: [`${secret} `] }, 'clients.gpt.secrets'],
    ['a secret beyond ASCII', { secrets: [`${secret}é`] }, 'clients.gpt.secrets'],
    ['no scope', { scopes: [] }, 'clients.gpt.scopes'],
    ['no scope of the API', { scopes: ['offline_access'] }, 'clients.gpt.scopes'],
    ['a malformed scope', { scopes: ['words score'] }, 'clients.gpt.scopes'],
    ['a scope with a comma', { scopes: ['words,score'] }, 'clients.gpt.scopes'],
    ['an empty scope', { scopes: [''] }, 'clients.gpt.scopes'],
    ['more scopes than a token holds', { scopes: ['x'.repeat(750), 'y'.repeat(750)] }, 'clients.gpt.scopes'],
    ['no default scope', { defaultScopes: [] }, 'clients.gpt.defaultScopes'],
    ['no default scope of the API', { defaultScopes: ['offline_access'] }, 'clients.gpt.defaultScopes'],
    ['a default scope that it may not have', { defaultScopes: ['words', 'x'] }, 'clients.gpt.defaultScopes'],
  ])('is refused with %s', (_, changes, option) => {
    for (const make of register(changes))
      expect(make).toThrow(expect.objectContaining({ name: 'ConfigurationError', option }));
  });

  it('may have offline_access, whether or not it is listed', () => {
    const all = ['words', 'score', 'offline_access'];
    for (const scopes of [options.scopes, all, ['offline_access', ...options.scopes]])
      for (const make of register({ scopes })) expect([...make().scopes].sort()).toEqual([...all].sort());
    for (const make of register({ scopes: ['words', 'offline_access'] }))
      expect(make().defaultScopes).toEqual(['words']);
    for (const make of register({ defaultScopes: ['words', 'offline_access'] }))
      expect(make().defaultScopes).toEqual(['words', 'offline_access']);
  });

  it('never shows a secret in what it complains about', () => {
    for (const make of register({ secrets: [`${secret}\n`] })) expect(make).not.toThrow(new RegExp(secret));
  });

  it('may have any printable id but for the colon', () => {
    const id = '!"#$%&\'()*+,-./0123456789;<=>?@AZ[\\]^_`az{|}~';
    for (const make of register({ id })) expect(make().id).toBe(id);
  });
});
