import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAuthorizationRequest, validateClientAndRedirect } from '../../src/authorization/authorize.ts';
import { createClientRegistry } from '../../src/clients/client.ts';
import { ProtocolError } from '../../src/oauth/protocol-error.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { appRequest, challenge, gptRequest } from '../browser.ts';
import { clients, gptRedirect, issuer } from '../deployment.ts';

const registry = createClientRegistry(clients, parseIssuer(issuer));
const resources = [`${issuer}/api`, `${issuer}/other`];
const declared = new Set(['words', 'score', 'offline_access']);

type Changes = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A query with some parameters set, repeated or (`undefined`) left out. */
const queryOf = (base: Readonly<Record<string, string>>, changes: Changes = {}): URLSearchParams => {
  const query = new URLSearchParams(base);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const one of [value ?? []].flat()) query.append(name, one);
  }
  return query;
};

const parse = (query: URLSearchParams) =>
  parseAuthorizationRequest(query, validateClientAndRedirect(query, registry), resources, declared);

const handleCallback = (changes: Changes) => () =>
  validateClientAndRedirect(queryOf(gptRequest, changes), registry);

describe('who asks', () => {
  test('is a registered client with one of its redirects', () => {
    const { client, redirect, state } = validateClientAndRedirect(queryOf(gptRequest), registry);
    expect([client.id, redirect, state]).toEqual(['gpt', gptRedirect, gptRequest.state]);
  });

  test.each<[string, Changes, string]>([
    ['no client', { client_id: undefined }, 'client.missing'],
    ['an empty client', { client_id: '' }, 'client.missing'],
    ['an unknown client', { client_id: 'nobody' }, 'client.unknown'],
    ['a client named like a property of objects', { client_id: '__proto__' }, 'client.unknown'],
    ['another case', { client_id: 'GPT' }, 'client.unknown'],
    ['no redirect where there are several', { redirect_uri: undefined }, 'redirect.missing'],
    ['a foreign redirect', { redirect_uri: 'https://evil.example/' }, 'redirect.unregistered'],
    ['a state of 2,049 characters', { state: 'x'.repeat(2049) }, 'state.too-long'],
    ['a state with a line break', { state: 'a\r\nb' }, 'state.characters'],
    ['a state with NUL', { state: 'a\0' }, 'state.characters'],
    ['a state with DEL', { state: 'a\x7F' }, 'state.characters'],
    ['a state beyond ASCII', { state: 'é' }, 'state.characters'],
  ])('is refused: %s', (_, changes, reason) => {
    expect(handleCallback(changes)).toThrow(expect.objectContaining({ reason }));
  });

  test.each([
    ...['client_id', 'redirect_uri', 'state', 'response_type', 'response_mode', 'scope'],
    ...['code_challenge', 'code_challenge_method'],
  ])('is refused when %s is repeated, with the same value or another', (name) => {
    const value = name === 'client_id' ? 'gpt' : 'x';
    for (const repeated of [
      [value, value],
      [value, 'y'],
      ['', value],
    ])
      expect(handleCallback({ [name]: repeated })).toThrow(
        expect.objectContaining({ reason: 'parameter.repeated' }),
      );
  });

  test('may send a state of 2,048 characters, blanks included, or an empty one, which is none', () => {
    const longest = ' ~'.repeat(1024);
    expect(handleCallback({ state: longest })().state).toBe(longest);
    expect(handleCallback({ state: '' })().state).toBeUndefined();
  });
});

describe('what they ask for', () => {
  test('is the client, its redirect and state, the scopes, the resource and the challenge', () => {
    expect(parse(queryOf(appRequest, { scope: 'score words', resource: `${issuer}/other` }))).toEqual({
      clientId: 'app',
      redirectUri: 'https://app.example/callback',
      state: 'app-state',
      scopes: ['score', 'words'],
      resource: `${issuer}/other`,
      codeChallenge: challenge,
    });
  });

  test('is completed by defaults, and by nothing that was not sent', () => {
    const request = queryOf(appRequest, { redirect_uri: undefined, state: undefined });
    expect(parse(request)).toEqual({
      clientId: 'app',
      redirectUri: 'https://app.example/callback',
      state: undefined,
      scopes: ['words'],
      resource: `${issuer}/api`,
      codeChallenge: challenge,
    });
  });

  test('may come with parameters that nobody knows, even repeated', () => {
    const changes = { ui_locales: ['de', 'en'], prompt: 'none', nonce: ['1', '2'], __proto__x: '1' };
    expect(parse(queryOf(gptRequest, changes))).toEqual(parse(queryOf(gptRequest)));
  });

  test.each<[string, Changes, string]>([
    ['no response type', { response_type: undefined }, 'response-type.missing'],
    ['the implicit grant', { response_type: 'token' }, 'response-type.unsupported'],
    ['a hybrid', { response_type: 'code token' }, 'response-type.unsupported'],
    ['another case', { response_type: 'CODE' }, 'response-type.unsupported'],
    ['an answer in the fragment', { response_mode: 'fragment' }, 'response-mode.unsupported'],
    ['an answer by form', { response_mode: 'form_post' }, 'response-mode.unsupported'],
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'pkce.missing'],
    ['the method plain', { code_challenge_method: 'plain' }, 'pkce.method'],
    ['an empty challenge', { code_challenge: '' }, 'pkce.challenge'],
    ['an unknown scope', { scope: 'words admin' }, 'scope.unknown'],
    ['a malformed scope', { scope: 'words "x"' }, 'scope.malformed'],
    ['a foreign resource', { resource: 'https://evil.example/api' }, 'resource.unknown'],
    ['a resource below ours', { resource: `${issuer}/api/` }, 'resource.unknown'],
    ['a resource beside ours', { resource: `${issuer}/api-other` }, 'resource.unknown'],
    ['two resources', { resource: resources }, 'resource.multiple'],
  ])('is refused: %s', (_, changes, reason) => {
    expect(() => parse(queryOf(appRequest, changes))).toThrow(expect.objectContaining({ reason }));
  });

  test('may name one resource twice, or an empty one', () => {
    const api = `${issuer}/api`;
    expect(parse(queryOf(appRequest, { resource: [api, api] })).resource).toBe(api);
    expect(parse(queryOf(appRequest, { resource: '' })).resource).toBe(api);
  });
});

test('any query at all is either a request or refused for a named reason', () => {
  const name = fc.oneof(fc.constantFrom(...Object.keys(appRequest), 'scope', 'resource'), fc.string());
  const value = fc.oneof(fc.constantFrom(...Object.values(appRequest)), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
      const query = new URLSearchParams([...Object.entries(appRequest), ...pairs]);
      try {
        expect(parse(query).clientId).toBe('app');
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
  );
});
