/** What makes Apple Apple: answers by form, a secret that we sign, and a name that comes once and unsigned. */
import { exportPKCS8, exportSPKI, generateKeyPair, importSPKI, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { type AppleSettings, apple } from '../../src/providers/apple.ts';
import {
  callback,
  captureProviderError,
  challenge,
  createIssuer,
  upstreamRequest,
} from './hostile-issuer.ts';
import type { Claims } from './signing.ts';

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const pem = await exportPKCS8(privateKey);
const spki = await exportSPKI(publicKey);

const p384 = await exportPKCS8((await generateKeyPair('ES384', { extractable: true })).privateKey);
const rsa = await exportPKCS8((await generateKeyPair('RS256', { extractable: true })).privateKey);

const settings: AppleSettings = {
  clientId: 'our-client-id',
  teamId: 'ABCDE12345',
  keyId: 'FGHIJ67890',
  privateKey: pem,
};

const setUp = (claims: Claims = {}, changes: Partial<AppleSettings> = {}) => {
  const issuer = createIssuer('https://appleid.apple.com');
  issuer.override({ claims: { name: undefined, email_verified: 'true', ...claims } });
  const provider = apple({ ...settings, ...changes });
  return {
    issuer,
    provider,
    handleCallback: (answer = callback()) => provider.handleCallback(answer, upstreamRequest, issuer.io),
  };
};

const userOf = (user: unknown): URL => callback({ user: JSON.stringify(user) });
const named = { name: { firstName: 'Ada', lastName: 'Marlow' }, email: 'forged@example.com' };

describe('the way to Apple', () => {
  test('asks for name and address, and for the answer as a form', async () => {
    const { issuer, provider } = setUp();
    const url = await provider.authorizationUrl(upstreamRequest, issuer.io);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'our-client-id',
      response_type: 'code',
      redirect_uri: upstreamRequest.redirectUri,
      scope: 'openid email name',
      state: upstreamRequest.state,
      nonce: upstreamRequest.nonce,
      response_mode: 'form_post',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
  });

  test('is called apple, answers by form, and lists the errors that mean revoked', () => {
    expect(setUp().provider).toMatchObject({
      id: 'apple',
      displayName: 'Apple',
      responseMode: 'form_post',
      revokedErrors: ['invalid_grant'],
      configuredUrls: ['https://appleid.apple.com'],
    });
  });
});

describe('a person at Apple', () => {
  test('has a verified address where Apple writes "true"', async () => {
    expect(await setUp().handleCallback()).toMatchObject({
      provider: 'apple',
      subject: 'person-1',
      label: 'ada@example.com',
      email: 'ada@example.com',
      emailVerified: true,
    });
  });

  test.each(['false', 'TRUE', undefined, 1])('B10.1 has none where it is %s', async (email_verified) => {
    expect(await setUp({ email_verified }).handleCallback()).toMatchObject({ emailVerified: false });
  });

  test('who hides the address is shown by the name that comes the first time', async () => {
    const { handleCallback } = setUp({ email: undefined });
    expect(await handleCallback(userOf(named))).toMatchObject({ subject: 'person-1', label: 'Ada Marlow' });
    expect(await handleCallback()).not.toHaveProperty('label');
  });

  test('gets from the unsigned name neither address nor key, nor a label beside the signed address', async () => {
    const { handleCallback } = setUp();
    const forged = { ...named, sub: 'person-2', email_verified: true };
    const identity = await handleCallback(userOf(forged));
    expect(identity).toEqual(await handleCallback());
    const hidden = await setUp({ email: undefined }).handleCallback(userOf(forged));
    expect(hidden).toMatchObject({ subject: 'person-1', emailVerified: false });
    expect(hidden).not.toHaveProperty('email');
  });

  test.each([
    ['no JSON', callback({ user: '{' })],
    ['empty', callback({ user: '' })],
    ['null', userOf(null)],
    ['a text', userOf('Ada')],
    ['without a name', userOf({ email: 'ada@example.com' })],
    ['a name of no text', userOf({ name: { firstName: 7, lastName: { toString: 'x' } } })],
    ['blank', userOf({ name: { firstName: ' ', lastName: '' } })],
    ['endless', userOf({ name: { firstName: 'x'.repeat(321) } })],
  ])('has no label when the name is %s, and is signed in all the same', async (_, answer) => {
    const identity = await setUp({ email: undefined }).handleCallback(answer);
    expect(identity.subject).toBe('person-1');
    expect(identity).not.toHaveProperty('label');
  });

  test('B12.1 who cancels is believed', async () => {
    const { handleCallback } = setUp();
    expect(
      await captureProviderError(handleCallback(callback({ code: null, error: 'user_cancelled_authorize' }))),
    ).toEqual({
      kind: 'denied',
      reason: 'the provider answered user_cancelled_authorize',
    });
  });
});

describe('the client secret', () => {
  const secretSent = async (changes: Partial<AppleSettings> = {}): Promise<string> => {
    const { issuer, handleCallback } = setUp({}, changes);
    await handleCallback();
    const request = issuer.requests.find(({ endpoint }) => endpoint === 'token');
    return new URLSearchParams(request?.body).get('client_secret') ?? '';
  };

  test('is a JWT that our key signed, says who asks, and lives five minutes', async () => {
    const now = 1_800_000_000;
    const { payload, protectedHeader } = await jwtVerify(
      await secretSent(),
      await importSPKI(spki, 'ES256'),
      {
        currentDate: new Date(now * 1000),
      },
    );
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'FGHIJ67890' });
    expect(payload).toEqual({
      iss: 'ABCDE12345',
      iat: now,
      exp: now + 300,
      aud: 'https://appleid.apple.com',
      sub: 'our-client-id',
    });
  });

  test.each([
    ['with its line breaks', pem],
    ['with them written out', pem.replaceAll('\n', '\\n')],
    ['with those of Windows', pem.replaceAll('\n', '\r\n')],
    ['without its frame', pem.replaceAll(/-----.*-----\n?/g, '')],
  ])('is signed with the text of the file %s', async (_, text) => {
    const secret = await secretSent({ privateKey: text });
    const verified = jwtVerify(secret, await importSPKI(spki, 'ES256'), { currentDate: new Date(1.8e12) });
    await expect(verified).resolves.toBeDefined();
  });

  const noKey = 'must be the text of the .p8 file that Apple gave you.';
  const noId = 'must be ten letters and digits, as Apple shows it.';
  test.each<[string, string, Partial<AppleSettings>, string]>([
    ['teamId', 'too short', { teamId: 'ABCDE1234' }, noId],
    ['teamId', 'empty', { teamId: '' }, noId],
    ['keyId', 'in lower case', { keyId: 'fghij67890' }, noId],
    ['clientId', 'empty', { clientId: '' }, 'must be given, as printable ASCII without spaces.'],
    ['privateKey', 'empty', { privateKey: '' }, noKey],
    ['privateKey', 'the name of the file', { privateKey: 'AuthKey_FGHIJ67890.p8' }, noKey],
    ['privateKey', 'an RSA key', { privateKey: rsa }, noKey],
    ['privateKey', 'a key of another curve', { privateKey: p384 }, noKey],
  ])('stops the start with a wrong %s: %s', (option, _, changes, problem) => {
    expect(() => apple({ ...settings, ...changes })).toThrow(
      new ConfigurationError(`providers.apple.${option}`, problem),
    );
  });

  test('cannot be made with half a key, and says so without it', async () => {
    const { handleCallback } = setUp(
      {},
      { privateKey: `${pem.replaceAll(/-----.*-----|\s/g, '').slice(0, 60)}` },
    );
    expect(await captureProviderError(handleCallback())).toEqual({
      kind: 'invalid',
      reason: 'the private key for Apple cannot be used',
    });
  });
});
