/** Settings that stop the start, each with one sentence that names it. */
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { google } from '../../src/providers/google.ts';
import { type OidcSettings, oidc } from '../../src/providers/oidc.ts';

const good: OidcSettings = {
  id: 'acme',
  displayName: 'Acme',
  issuer: 'https://id.example',
  clientId: 'our-client-id',
  clientSecret: 'our-client-secret',
};

const credentials = 'must be given, as printable ASCII without spaces.';
const badIssuer = 'must be an https URL without user, query and fragment, or http on loopback.';
const badParameter = 'must not set what every sign-in sets itself, nor request or request_uri.';

/** Also what the compiler would have caught: settings come from environments and from JavaScript. */
const stop = (changes: Readonly<Record<string, unknown>>): unknown => {
  try {
    return oidc(JSON.parse(JSON.stringify({ ...good, ...changes })));
  } catch (error) {
    return error;
  }
};

describe('settings', () => {
  test.each([
    ['clientId', '', credentials],
    ['clientId', undefined, credentials],
    ['clientId', 'our client', credentials],
    ['clientSecret', '', credentials],
    ['clientSecret', undefined, credentials],
    ['clientSecret', 'secret\n', credentials],
    ['clientSecret', ' secret', credentials],
    ['clientSecret', 'sécret', credentials],
    ['displayName', ' ', 'must not be empty.'],
    ['displayName', undefined, 'must not be empty.'],
    ['scopes', [], 'must hold openid.'],
    ['scopes', ['email'], 'must hold openid.'],
    ['scopes', ['openid', 'two words'], 'must be names without space, quote or backslash.'],
    ['scopes', ['openid', ''], 'must be names without space, quote or backslash.'],
    ['issuer', undefined, badIssuer],
    ['issuer', 'id.example', badIssuer],
    ['issuer', 'http://id.example', badIssuer],
    ['issuer', 'http://127.0.0.1.id.example', badIssuer],
    ['issuer', 'ftp://id.example', badIssuer],
    ['issuer', 'https://id.example?tenant=1', badIssuer],
    ['issuer', 'https://id.example?', badIssuer],
    ['issuer', 'https://id.example#', badIssuer],
    ['issuer', 'https://user@id.example', badIssuer],
    ['issuer', 'https://:password@id.example', badIssuer],
    ['issuer', ' https://id.example', badIssuer],
    ['authTime', 'Required', 'must be required or optional.'],
    ['authTime', true, 'must be required or optional.'],
    ['authorizationParameters', { state: 'x' }, badParameter],
    ['authorizationParameters', { client_id: 'x' }, badParameter],
    ['authorizationParameters', { redirect_uri: 'https://evil.example' }, badParameter],
    ['authorizationParameters', { response_type: 'token' }, badParameter],
    ['authorizationParameters', { scope: 'openid' }, badParameter],
    ['authorizationParameters', { nonce: 'x' }, badParameter],
    ['authorizationParameters', { code_challenge: 'x' }, badParameter],
    ['authorizationParameters', { code_challenge_method: 'plain' }, badParameter],
    ['authorizationParameters', { request: 'e30.e30.' }, badParameter],
    ['authorizationParameters', { request_uri: 'https://evil.example' }, badParameter],
  ])('with %s = %j stop the start', (option, value, problem) => {
    expect(stop({ [option]: value })).toEqual(new ConfigurationError(`providers.acme.${option}`, problem));
  });

  test.each(['', 'Acme', 'a/b', 'a b', 'ä', 'x'.repeat(33)])('with the id %j stop the start', (id) => {
    expect(stop({ id })).toEqual(
      new ConfigurationError(`providers.${id}.id`, 'must be 1 to 32 characters a-z, 0-9 and hyphen.'),
    );
  });

  test('with the id that stands for a session stop the start', () => {
    expect(stop({ id: 'continue' })).toEqual(
      new ConfigurationError('providers.continue.id', 'must not be continue, which stands for a session.'),
    );
  });

  test.each([
    'https://id.example/',
    'https://id.example/realms/words',
    'https://id.example:8443',
    'http://127.0.0.1:4001',
    'http://localhost:4001',
    'http://[::1]:4001',
  ])('with the issuer %s are good', (issuer) => {
    expect(oidc({ ...good, issuer }).configuredUrls).toEqual([issuer]);
  });

  test('of Google are named as Google’s', () => {
    expect(() => google({ clientId: '', clientSecret: 'x' })).toThrow(
      new ConfigurationError('providers.google.clientId', credentials),
    );
  });
});
