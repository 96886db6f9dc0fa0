/** The built-in providers: Apple, GitHub, Google and Microsoft. */
import fc from 'fast-check';
import { exportPKCS8, exportSPKI, generateKeyPair, importSPKI, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { type AppleOptions, apple } from '../../src/providers/apple.ts';
import { github } from '../../src/providers/github.ts';
import { google } from '../../src/providers/google.ts';
import { type MicrosoftOptions, microsoft } from '../../src/providers/microsoft.ts';
import { oidc } from '../../src/providers/oidc.ts';
import {
  callback,
  captureProviderError,
  challenge,
  clientId,
  clientSecret,
  createFakeIssuer,
  invisibleTexts,
  upstreamRequest,
} from './fake-issuer.ts';
import { createFakeServer } from './fake-oauth-server.ts';
import { type Claims, generateKey, sign } from './signing.ts';

describe('the icons', async () => {
  const credentials = { clientId, clientSecret };
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const appleOptions = { clientId, teamId: 'ABCDE12345', keyId: 'FGHIJ67890' };
  const icons = {
    google: google(credentials).icon,
    github: github(credentials).icon,
    microsoft: microsoft(credentials).icon,
    apple: apple({ ...appleOptions, privateKey: await exportPKCS8(privateKey) }).icon,
  };

  // A grammar of well-formed XML without anything that runs, loads or applies a style.
  it.each(Object.entries(icons))('the icon of %s has only paths, the namespace and a viewBox', (_, icon) => {
    expect(icon).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+">(<path fill="(#[0-9a-f]{6}|currentColor)" d="[MLHVCSQTAZmlhvcsqtaz0-9 .-]+"\/>)+<\/svg>$/,
    );
  });

  it.each([
    ['google', ['#4285f4', '#34a853', '#fbbc05', '#ea4335']],
    ['microsoft', ['#f25022', '#7fba00', '#00a4ef', '#ffb900']],
    ['github', ['currentColor']],
    ['apple', ['currentColor']],
  ] as const)('the icon of %s has the colors of its brand', (name, colors) => {
    const fills = [...(icons[name] ?? '').matchAll(/fill="([^"]+)"/g)].map(([, fill]) => fill);
    expect(fills).toEqual(colors);
  });

  it.each(Object.entries(icons))('the icon of %s is valid as the option of another provider', (_, icon) => {
    const options = { id: 'acme', displayName: 'Acme', issuer: 'https://id.example', ...credentials };
    expect(oidc({ ...options, ...(icon !== undefined && { icon }) }).icon).toBe(icon);
  });
});

describe('Apple', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const pem = await exportPKCS8(privateKey);
  const spki = await exportSPKI(publicKey);

  const readDer = (text: string) =>
    Uint8Array.from(atob(text.replaceAll(/-----.*-----|\s/g, '')), (character) => character.charCodeAt(0));
  const encodePem = (bytes: Uint8Array) =>
    `-----BEGIN PRIVATE KEY-----\n${btoa(String.fromCharCode(...bytes))}\n-----END PRIVATE KEY-----\n`;
  const der = readDer(pem);
  const otherKey = await generateKeyPair('ES256', { extractable: true });
  const otherDer = readDer(await exportPKCS8(otherKey.privateKey));

  const p384 = await exportPKCS8((await generateKeyPair('ES384', { extractable: true })).privateKey);
  const rsa = await exportPKCS8((await generateKeyPair('RS256', { extractable: true })).privateKey);

  const settings: AppleOptions = {
    clientId: 'our-client-id',
    teamId: 'ABCDE12345',
    keyId: 'FGHIJ67890',
    privateKey: pem,
  };

  const setUp = (claims: Claims = {}, changes: Partial<AppleOptions> = {}) => {
    const issuer = createFakeIssuer('https://appleid.apple.com');
    issuer.override({ claims: { name: undefined, email_verified: 'true', ...claims } });
    const provider = apple({ ...settings, ...changes });
    return {
      issuer,
      provider,
      handleCallback: (callbackUrl = callback()) =>
        provider.handleCallback(callbackUrl, upstreamRequest, issuer.io),
    };
  };

  const callbackWithUser = (user: unknown): URL => callback({ user: JSON.stringify(user) });
  const userWithName = { name: { firstName: 'Ada', lastName: 'Marlow' }, email: 'forged@example.com' };

  describe('the authorization request', () => {
    it('requests name and email address, and the response mode form_post', async () => {
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

    it('has the ID apple, responds by form post, and lists the errors that mean revoked', () => {
      expect(setUp().provider).toMatchObject({
        id: 'apple',
        displayName: 'Apple',
        responseMode: 'form_post',
        revokedErrors: ['invalid_grant'],
        configuredUrls: ['https://appleid.apple.com'],
      });
    });
  });

  describe('the identity', () => {
    it('has a verified email address if Apple returns "true"', async () => {
      expect(await setUp().handleCallback()).toMatchObject({
        provider: 'apple',
        subject: 'person-1',
        label: 'ada@example.com',
        email: 'ada@example.com',
        emailVerified: true,
      });
    });

    it.each(['false', 'TRUE', undefined, 1])(
      'B10.1 has no verified email address if it is %s',
      async (email_verified) => {
        expect(await setUp({ email_verified }).handleCallback()).toMatchObject({ emailVerified: false });
      },
    );

    it('has the name from the first sign-in as its label if the email address is hidden', async () => {
      const { handleCallback } = setUp({ email: undefined });
      expect(await handleCallback(callbackWithUser(userWithName))).toMatchObject({
        subject: 'person-1',
        label: 'Ada Marlow',
      });
      expect(await handleCallback()).not.toHaveProperty('label');
    });

    it('takes no email address or subject from the unsigned user parameter, and no label if there is a signed email', async () => {
      const { handleCallback } = setUp();
      const forged = { ...userWithName, sub: 'person-2', email_verified: true };
      const identity = await handleCallback(callbackWithUser(forged));
      expect(identity).toEqual(await handleCallback());
      const identityWithoutEmail = await setUp({ email: undefined }).handleCallback(callbackWithUser(forged));
      expect(identityWithoutEmail).toMatchObject({ subject: 'person-1', emailVerified: false });
      expect(identityWithoutEmail).not.toHaveProperty('email');
    });

    it.each<readonly [string, URL]>([
      ['not JSON', callback({ user: '{' })],
      ['empty', callback({ user: '' })],
      ['null', callbackWithUser(null)],
      ['a string', callbackWithUser('Ada')],
      ['missing', callbackWithUser({ email: 'ada@example.com' })],
      ['not made of strings', callbackWithUser({ name: { firstName: 7, lastName: { toString: 'x' } } })],
      ['blank', callbackWithUser({ name: { firstName: ' ', lastName: '' } })],
      ['a list', callbackWithUser({ name: [' ', ' '] })],
      ...invisibleTexts.map(
        ([name, text]) => [name, callbackWithUser({ name: { firstName: text, lastName: text } })] as const,
      ),
      ['too long', callbackWithUser({ name: { firstName: 'x'.repeat(321) } })],
    ])('has no label if the name is %s, and the sign-in succeeds', async (_, callbackUrl) => {
      const identity = await setUp({ email: undefined }).handleCallback(callbackUrl);
      expect(identity.subject).toBe('person-1');
      expect(identity).not.toHaveProperty('label');
    });

    it('has the other part of the name as its label if one is invisible', async () => {
      for (const [, text] of invisibleTexts)
        for (const name of [
          { firstName: text, lastName: 'Marlow' },
          { firstName: 'Marlow', lastName: text },
        ])
          expect((await setUp({ email: undefined }).handleCallback(callbackWithUser({ name }))).label).toBe(
            'Marlow',
          );
    });

    it('has the name as its label if the email address is invisible', async () => {
      for (const [, email] of invisibleTexts) {
        const identity = await setUp({ email }).handleCallback(callbackWithUser(userWithName));
        expect(identity).toMatchObject({ label: 'Ada Marlow', emailVerified: false });
        expect(identity).not.toHaveProperty('email');
      }
    });

    it('B12.1 is denied if the user cancels', async () => {
      const { handleCallback } = setUp();
      expect(
        await captureProviderError(
          handleCallback(callback({ code: null, error: 'user_cancelled_authorize' })),
        ),
      ).toEqual({
        kind: 'denied',
        reason: 'the provider responded with user_cancelled_authorize',
      });
    });
  });

  describe('the client secret', () => {
    const readSentSecret = async (changes: Partial<AppleOptions> = {}): Promise<string> => {
      const { issuer, handleCallback } = setUp({}, changes);
      await handleCallback();
      const request = issuer.requests.find(({ endpoint }) => endpoint === 'token');
      return new URLSearchParams(request?.body).get('client_secret') ?? '';
    };

    it('is a JWT that is signed with our key and valid for five minutes', async () => {
      const now = 1_800_000_000;
      const { payload, protectedHeader } = await jwtVerify(
        await readSentSecret(),
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

    it.each([
      ['with its line breaks', pem],
      ['with escaped line breaks', pem.replaceAll('\n', '\\n')],
      ['with Windows line breaks', pem.replaceAll('\n', '\r\n')],
      ['with escaped Windows line breaks', pem.replaceAll('\n', '\\r\\n')],
      ['on one line with spaces', pem.replaceAll('\n', ' ')],
      ['without a line break at the end', pem.trimEnd()],
      ['without header and footer', pem.replaceAll(/-----.*-----\n?/g, '')],
    ])('accepts the text of the key file %s', async (_, text) => {
      const secret = await readSentSecret({ privateKey: text });
      const { payload } = await jwtVerify(secret, await importSPKI(spki, 'ES256'), {
        currentDate: new Date(1.8e12),
      });
      expect(payload).toMatchObject({ iss: 'ABCDE12345', sub: 'our-client-id' });
    });

    const noKey =
      'must be the complete contents of the .p8 file from Apple: a P-256 private key that is not encrypted.';
    const noId = 'must be the ten letters and digits that Apple shows.';
    it.each<[string, string, Partial<AppleOptions>, string]>([
      ['teamId', 'too short', { teamId: 'ABCDE1234' }, noId],
      ['teamId', 'empty', { teamId: '' }, noId],
      ['keyId', 'in lower case', { keyId: 'fghij67890' }, noId],
      ['clientId', 'empty', { clientId: '' }, 'must be printable ASCII without spaces, and not empty.'],
      ['privateKey', 'empty', { privateKey: '' }, noKey],
      ['privateKey', 'the name of the file', { privateKey: 'AuthKey_FGHIJ67890.p8' }, noKey],
      ['privateKey', 'an RSA key', { privateKey: rsa }, noKey],
      ['privateKey', 'a key of another curve', { privateKey: p384 }, noKey],
      ['privateKey', 'a public key', { privateKey: spki }, noKey],
      [
        'privateKey',
        'a public key with another header',
        { privateKey: spki.replaceAll('PUBLIC', 'PRIVATE') },
        noKey,
      ],
      [
        'privateKey',
        'an encrypted key',
        { privateKey: pem.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE') },
        noKey,
      ],
      ['privateKey', 'a certificate', { privateKey: pem.replaceAll('PRIVATE KEY', 'CERTIFICATE') }, noKey],
      ['privateKey', 'an EC key without PKCS #8', { privateKey: encodePem(der.slice(29)) }, noKey],
      ['privateKey', 'only zeros', { privateKey: encodePem(der.slice().fill(0, 36, 68)) }, noKey],
      ['privateKey', 'a byte too many', { privateKey: encodePem(Uint8Array.of(...der, 0)) }, noKey],
      ['privateKey', 'two keys', { privateKey: pem + pem }, noKey],
      ['privateKey', 'no footer', { privateKey: pem.replace(/-----END.*/, '') }, noKey],
      ['privateKey', 'no header', { privateKey: pem.replace(/.*BEGIN.*-----/, '') }, noKey],
      ['privateKey', 'quotation marks', { privateKey: `"${pem}"` }, noKey],
    ])('fails at startup for an invalid %s: %s', (option, _, changes, problem) => {
      expect(() => apple({ ...settings, ...changes })).toThrow(
        new ConfigurationError(`providers.apple.${option}`, problem),
      );
    });

    it('fails at startup for every key that is cut off, or whose middle part is missing', () => {
      const withoutWhitespace = (text: string) => text.replaceAll(/\\n|\s/g, '');
      const expectRefused = (privateKey: string) => {
        expect(() => apple({ ...settings, privateKey })).toThrow(
          new ConfigurationError('providers.apple.privateKey', noKey),
        );
      };
      const base64 = withoutWhitespace(pem.replaceAll(/-----.*-----/g, ''));
      for (const text of [pem, pem.replaceAll('\n', '\\n'), base64]) {
        const end = text.trimEnd().length;
        for (let length = 0; length < end; length++) {
          const start = text.slice(0, length);
          // An escaped line break that is cut off is not part of the key.
          if (withoutWhitespace(start) !== withoutWhitespace(text)) expectRefused(start);
        }
      }
      fc.assert(
        fc.property(
          fc.constantFrom(pem, base64),
          fc.nat(pem.length),
          fc.integer({ min: 1, max: pem.length }),
          (text, from, length) => {
            const privateKey = text.slice(0, from) + text.slice(from + length);
            fc.pre(withoutWhitespace(privateKey) !== withoutWhitespace(text) && privateKey !== base64);
            expectRefused(privateKey);
          },
        ),
        { numRuns: 2000 },
      );
    });

    it('fails at startup for every key with bytes that are missing from its middle, even with correct base64', () => {
      for (let from = 0; from < der.length; from++)
        for (let to = from + 1; to <= der.length; to++) {
          const privateKey = encodePem(Uint8Array.of(...der.slice(0, from), ...der.slice(to)));
          expect(() => apple({ ...settings, privateKey })).toThrow(ConfigurationError);
        }
    });

    it('accepts a key that names its curve or has no public key, but only in base64 with padding', async () => {
      const [head, scalar, publicPart] = [der.slice(0, 36), der.slice(36, 68), der.slice(68)];
      const curve = Uint8Array.from([0xa0, 0x0a, ...der.slice(17, 27)]);
      const build = (...parts: readonly Uint8Array[]) => {
        const fields = parts.flatMap((part) => [...part]);
        const ecKey = [0x30, 5 + fields.length, 2, 1, 1, 4, 32, ...fields];
        const content = [...der.slice(3, 27), 4, ecKey.length, ...ecKey];
        const length = content.length < 128 ? [content.length] : [0x81, content.length];
        return encodePem(Uint8Array.from([0x30, ...length, ...content]));
      };
      expect([...head.slice(27)]).toEqual([4, 0x6d, 0x30, 0x6b, 2, 1, 1, 4, 32]);
      const padded = build(scalar);
      expect(padded).toContain('==');
      for (const privateKey of [
        padded.replace('==', ''),
        padded.replace('==', '='),
        padded.replace(/.==/, '1=='),
      ])
        expect(() => apple({ ...settings, privateKey })).toThrow(ConfigurationError);
      for (const privateKey of [build(scalar), build(scalar, curve), build(scalar, curve, publicPart)]) {
        const secret = await readSentSecret({ privateKey });
        await jwtVerify(secret, await importSPKI(spki, 'ES256'), { currentDate: new Date(1.8e12) });
      }
    });

    it('fails at the first sign-in for a public key of another private key, with a message that does not contain it', async () => {
      const privateKey = encodePem(Uint8Array.of(...der.slice(0, 68), ...otherDer.slice(68)));
      expect(await captureProviderError(setUp({}, { privateKey }).handleCallback())).toEqual({
        kind: 'invalid',
        reason: 'the private key for Apple cannot be used',
      });
    });
  });
});

describe('GitHub', () => {
  const addresses = {
    token: 'https://github.com/login/oauth/access_token',
    profile: 'https://api.github.com/user',
  };
  const ada = { id: 583_231, login: 'ada', name: 'Ada Marlow', email: 'ada@example.com' };

  const setUp = () => {
    const server = createFakeServer(addresses, ada);
    const provider = github({ clientId, clientSecret });
    return {
      server,
      provider,
      handleCallback: (callbackUrl = callback()) =>
        provider.handleCallback(callbackUrl, upstreamRequest, server.io),
    };
  };

  const noUserId = { kind: 'invalid', reason: 'the profile response has no user ID' };

  describe('the authorization request', () => {
    it('requests no scope, lets the user choose an account, and has PKCE', async () => {
      const { provider, server } = setUp();
      const url = await provider.authorizationUrl(upstreamRequest, server.io);
      expect(url.origin + url.pathname).toBe('https://github.com/login/oauth/authorize');
      expect(Object.fromEntries(url.searchParams)).toEqual({
        prompt: 'select_account',
        client_id: clientId,
        response_type: 'code',
        redirect_uri: upstreamRequest.redirectUri,
        state: upstreamRequest.state,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      });
    });

    it('has the ID github, and lists the errors that mean revoked', () => {
      expect(setUp().provider).toMatchObject({
        id: 'github',
        displayName: 'GitHub',
        responseMode: 'query',
        revokedErrors: ['bad_refresh_token'],
        configuredUrls: ['https://github.com/login/oauth/authorize', addresses.token, addresses.profile],
      });
    });

    it('goes to a fake provider on loopback if configured', async () => {
      const baseUrl = 'http://127.0.0.1:4001';
      const provider = github({ clientId, clientSecret, baseUrl });
      expect(provider.configuredUrls).toEqual([
        `${baseUrl}/login/oauth/authorize`,
        `${baseUrl}/login/oauth/access_token`,
        `${baseUrl}/user`,
      ]);
    });
  });

  describe('the identity', () => {
    it('B11.1 numeric id: is the subject, as text', async () => {
      const { handleCallback } = setUp();
      expect(await handleCallback()).toEqual({
        provider: 'github',
        subject: '583231',
        label: 'ada',
        email: 'ada@example.com',
        emailVerified: false,
        claims: ada,
      });
    });

    it('B11.1 numeric id: stays the same with another login, name and email address', async () => {
      const { server, handleCallback } = setUp();
      server.overrideProfile({ login: 'ada-marlow', name: null, email: 'marlow@example.com' });
      expect(await handleCallback()).toMatchObject({ subject: '583231', label: 'ada-marlow' });
    });

    it('B11.1 numeric id: differs if someone else takes over a login', async () => {
      const { server, handleCallback } = setUp();
      server.overrideProfile({ id: 999_999 });
      expect(await handleCallback()).toMatchObject({ subject: '999999', label: 'ada' });
    });

    it.each([
      ['missing', undefined],
      ['null', null],
      ['a string', '583231'],
      ['a login', 'ada'],
      ['a fraction', 1.5],
      ['too large to be exact', 2 ** 53],
      ['a list', [583_231]],
    ])('B11.1 numeric id: rejects a profile with the ID %s', async (_, id) => {
      const { server, handleCallback } = setUp();
      server.overrideProfile({ id });
      expect(await captureProviderError(handleCallback())).toEqual(noUserId);
    });

    it('B10.1 has no verified email address, whatever the profile contains', async () => {
      const { server, handleCallback } = setUp();
      server.overrideProfile({ email: 'ceo@fabrikam.example', verified: true, email_verified: true });
      expect(await handleCallback()).toMatchObject({ email: 'ceo@fabrikam.example', emailVerified: false });
    });

    it.each(invisibleTexts)('has no email address that is only %s', async (_, text) => {
      const { server, handleCallback } = setUp();
      server.overrideProfile({ login: text, email: text });
      const identity = await handleCallback();
      expect(identity.label).toBe('Ada Marlow');
      expect(identity).not.toHaveProperty('email');
    });

    it('can have neither a public email address nor a name', async () => {
      const { server, handleCallback } = setUp();
      server.overrideProfile({ name: null, email: null });
      const identity = await handleCallback();
      expect(identity).toMatchObject({ subject: '583231', label: 'ada' });
      expect(identity).not.toHaveProperty('email');
    });

    it('has a refresh token if the app’s tokens expire', async () => {
      const { server, handleCallback } = setUp();
      server.overrideTokens({ refresh_token: 'their-refresh-token', expires_in: 28_800, scope: '' });
      expect(await handleCallback()).toMatchObject({ refreshToken: 'their-refresh-token' });
    });
  });

  describe('GitHub’s errors', () => {
    it.each([
      ['bad_verification_code', 'invalid'],
      ['incorrect_client_credentials', 'invalid'],
      ['redirect_uri_mismatch', 'invalid'],
      // The user must first verify their email address at GitHub.
      ['unverified_user_email', 'denied'],
    ])('B12.1 %s with status 200 ends the sign-in as %s', async (error, kind) => {
      const { server, handleCallback } = setUp();
      server.overrideEndpoints({ token: () => Response.json({ error, error_description: 'their-text' }) });
      expect(await captureProviderError(handleCallback())).toEqual({
        kind,
        reason: `the token endpoint responded with ${error}`,
      });
      expect(server.listRequestedEndpoints()).toEqual(['token']);
    });

    it.each([
      [{ 'x-ratelimit-remaining': '0' }, 'unavailable', 'api.github.com responded with status 403'],
      [{ 'retry-after': '60' }, 'unavailable', 'api.github.com responded with status 403'],
      [{ 'x-ratelimit-remaining': '59' }, 'invalid', 'the profile endpoint responded with status 403'],
    ])('B24.1 a 403 from the API with %j means that it is %s', async (headers, kind, reason) => {
      const { server, handleCallback } = setUp();
      const message = { message: 'their-message' };
      server.overrideEndpoints({ profile: () => Response.json(message, { status: 403, headers }) });
      expect(await captureProviderError(handleCallback())).toEqual({ kind, reason });
    });

    it('B5.1 a response from another issuer is refused', async () => {
      const { server, handleCallback } = setUp();
      expect(
        await captureProviderError(handleCallback(callback({ iss: 'https://github.com' }))),
      ).toMatchObject({
        kind: 'invalid',
      });
      expect(server.listRequestedEndpoints()).toEqual([]);
      expect(await handleCallback(callback({ iss: 'https://github.com/login/oauth' }))).toMatchObject({
        subject: '583231',
      });
    });
  });
});

describe('Google', () => {
  it('requests a refresh token and lets the user choose an account', async () => {
    const issuer = createFakeIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    const url = await provider.authorizationUrl(upstreamRequest, issuer.io);
    expect(issuer.requests.map((request) => request.url)).toEqual([
      'https://accounts.google.com/.well-known/openid-configuration',
    ]);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      access_type: 'offline',
      prompt: 'select_account',
      client_id: clientId,
      response_type: 'code',
      redirect_uri: upstreamRequest.redirectUri,
      scope: 'openid email profile',
      state: upstreamRequest.state,
      nonce: upstreamRequest.nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
  });

  it('has the ID google and accepts only tokens of Google', async () => {
    const issuer = createFakeIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    expect(provider).toMatchObject({
      id: 'google',
      displayName: 'Google',
      configuredUrls: ['https://accounts.google.com'],
    });
    expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).toMatchObject({
      provider: 'google',
      subject: 'person-1',
    });
  });

  const signInWithIssuer = async (
    iss: unknown,
    callbackUrl = callback(),
    createProvider = () => google({ clientId, clientSecret }),
  ) => {
    const issuer = createFakeIssuer('https://accounts.google.com');
    issuer.override({ claims: { iss } });
    return createProvider().handleCallback(callbackUrl, upstreamRequest, issuer.io);
  };

  it.each(['https://accounts.google.com', 'accounts.google.com'])(
    'B25.1 both names: an ID token and a response from %s are accepted',
    async (iss) => {
      const expected = { provider: 'google', subject: 'person-1', claims: { iss } };
      expect(await signInWithIssuer(iss)).toMatchObject(expected);
      expect(await signInWithIssuer(iss, callback({ iss }))).toMatchObject(expected);
    },
  );

  const similarNames = [
    ...[
      'http://accounts.google.com',
      'https://accounts.google.com/',
      'accounts.google.com/',
      '//accounts.google.com',
    ],
    ...[
      'accounts.google.com.evil.example',
      'https://accounts.google.com.evil.example',
      'evil.accounts.google.com',
    ],
    ...[
      'Accounts.Google.com',
      'accounts.google.com:443',
      'https://accounts.google.com:443',
      ' accounts.google.com',
    ],
    ...['google.com', 'https://google.com', 'accounts.google', 'https://securetoken.google.com/words', ''],
  ];

  it.each([...similarNames, undefined, null, ['accounts.google.com'], { iss: 'accounts.google.com' }])(
    'B25.2 similar names: an ID token from %j is refused',
    async (iss) => {
      expect(await captureProviderError(signInWithIssuer(iss))).toEqual({
        kind: 'invalid',
        reason: 'the ID token is from another issuer',
      });
    },
  );

  it.each(similarNames.filter((name) => name !== ''))(
    'B25.2 similar names: a response from %j is refused',
    async (iss) => {
      expect(await captureProviderError(signInWithIssuer('accounts.google.com', callback({ iss })))).toEqual({
        kind: 'invalid',
        reason: 'the authorization response is from another issuer',
      });
    },
  );

  it('B25.2 similar names: metadata with the name without https:// is refused', async () => {
    const issuer = createFakeIssuer('https://accounts.google.com');
    issuer.override({ metadata: { issuer: 'accounts.google.com' } });
    const provider = google({ clientId, clientSecret });
    expect(
      await captureProviderError(provider.handleCallback(callback(), upstreamRequest, issuer.io)),
    ).toEqual({ kind: 'invalid', reason: 'the metadata of accounts.google.com names another issuer' });
  });

  it('B25.2 similar names: an issuer of oidc() has no second name', async () => {
    const createProvider = () =>
      oidc({
        ...{ id: 'google', displayName: 'Google', clientId, clientSecret },
        issuer: 'https://accounts.google.com',
      });
    expect(
      await captureProviderError(signInWithIssuer('accounts.google.com', callback(), createProvider)),
    ).toEqual({ kind: 'invalid', reason: 'the ID token is from another issuer' });
  });

  it('B25.1 both names: those of a fake provider are its URL with and without http://', async () => {
    const issuer = createFakeIssuer('http://127.0.0.1:4001');
    const provider = google({ clientId, clientSecret, baseUrl: issuer.issuer });
    const io = { ...issuer.io, allowLoopbackHttp: true };
    const signIn = (iss: string) => {
      issuer.override({ claims: { iss } });
      return provider.handleCallback(callback(), upstreamRequest, io);
    };
    expect(await signIn('127.0.0.1:4001')).toMatchObject({ subject: 'person-1' });
    for (const iss of ['127.0.0.1', 'accounts.google.com', 'https://accounts.google.com'])
      expect(await captureProviderError(signIn(iss))).toMatchObject({ kind: 'invalid' });
  });

  it('accepts a sign-in without a refresh token', async () => {
    const issuer = createFakeIssuer('https://accounts.google.com');
    issuer.override({ tokens: { refresh_token: undefined } });
    const identity = await google({ clientId, clientSecret }).handleCallback(
      callback(),
      upstreamRequest,
      issuer.io,
    );
    expect(identity).not.toHaveProperty('refreshToken');
  });

  it('requests consent without account selection in the second request for a refresh token', async () => {
    const issuer = createFakeIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    const [first, reconsentUrl] = [
      await provider.authorizationUrl(upstreamRequest, issuer.io),
      await provider.reconsentUrl?.('person-1', upstreamRequest, issuer.io),
    ];
    expect(Object.fromEntries(reconsentUrl?.searchParams ?? [])).toEqual({
      ...Object.fromEntries(first.searchParams),
      prompt: 'consent',
      login_hint: 'person-1',
    });
  });

  it('goes to a fake provider on loopback if configured', async () => {
    const issuer = createFakeIssuer('http://127.0.0.1:4001');
    const provider = google({ clientId, clientSecret, baseUrl: issuer.issuer });
    const url = await provider.authorizationUrl(upstreamRequest, { ...issuer.io, allowLoopbackHttp: true });
    expect(url.origin).toBe('http://127.0.0.1:4001');
    expect(provider.configuredUrls).toEqual(['http://127.0.0.1:4001']);
  });
});

describe('Microsoft', () => {
  const baseUrl = 'https://login.microsoftonline.com';
  const contoso = '8f3d3c1e-0f5a-4f0e-9d3b-5a1f0a2b7c11';
  const fabrikam = '0c6d1a52-7a3e-4a3c-8d0e-1f2e3d4c5b6a';
  const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad';
  const oid = '00000000-0000-0000-66f3-3332eca7ea81';
  const issuerOf = (tenant: string) => `${baseUrl}/${tenant}/v2.0`;

  /** Microsoft with the option `tenant`, where a user of the tenant `tid` signs in. */
  const setUp = (
    tenant: string | undefined,
    tid: string,
    claims: Claims = {},
    metadataTenant = '{tenantid}',
  ) => {
    const issuer = createFakeIssuer(issuerOf(tenant ?? 'common'));
    issuer.override({
      metadata: { issuer: issuerOf(metadataTenant) },
      claims: { iss: issuerOf(tid), tid, oid, sub: 'pairwise-subject', ...claims },
    });
    const settings: MicrosoftOptions = {
      clientId,
      clientSecret,
      ...(tenant === undefined ? {} : { tenant }),
    };
    const provider = microsoft(settings);
    return {
      issuer,
      provider,
      handleCallback: (callbackUrl = callback()) =>
        provider.handleCallback(callbackUrl, upstreamRequest, issuer.io),
    };
  };

  const invalid = (reason: string) => ({ kind: 'invalid', reason });
  const wrongIssuer = invalid('the ID token is from another issuer');
  const otherTenant = invalid('the issuer does not match the tenant');
  const forbiddenTenant = invalid('the tenant is not allowed');
  const noOid = invalid('the ID token has no valid oid');

  describe('the authorization request', () => {
    it('requests a refresh token, lets the user choose an account, and contains nothing from the client’s request', async () => {
      const { issuer, provider } = setUp(undefined, contoso);
      const url = await provider.authorizationUrl(upstreamRequest, issuer.io);
      expect(issuer.requests.map((request) => request.url)).toEqual([
        'https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration',
      ]);
      expect(Object.fromEntries(url.searchParams)).toEqual({
        prompt: 'select_account',
        client_id: clientId,
        response_type: 'code',
        redirect_uri: upstreamRequest.redirectUri,
        scope: 'openid email profile offline_access',
        state: upstreamRequest.state,
        nonce: upstreamRequest.nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      });
    });

    it('has the ID microsoft, responds in the query, and lists the errors that mean revoked', () => {
      expect(microsoft({ clientId, clientSecret, tenant: contoso.toUpperCase() })).toMatchObject({
        id: 'microsoft',
        displayName: 'Microsoft',
        responseMode: 'query',
        configuredUrls: [issuerOf(contoso)],
        revokedErrors: ['invalid_grant', 'interaction_required', 'consent_required'],
      });
    });

    it('goes to a fake provider on loopback if configured', () => {
      const provider = microsoft({ clientId, clientSecret, baseUrl: 'http://127.0.0.1:4001' });
      expect(provider.configuredUrls).toEqual(['http://127.0.0.1:4001/common/v2.0']);
    });

    it.each(['', 'everybody', 'contoso.onmicrosoft.com', `${contoso}0`, `${contoso}/..`, 'common/v2.0'])(
      'refuses the tenant %j',
      (tenant) => {
        expect(() => microsoft({ clientId, clientSecret, tenant })).toThrow(
          new ConfigurationError(
            'providers.microsoft.tenant',
            'must be common, organizations, consumers or a tenant ID.',
          ),
        );
      },
    );
  });

  describe('the identity', () => {
    it.each([
      ['common', contoso, '{tenantid}'],
      ['common', consumers, '{tenantid}'],
      ['organizations', contoso, '{tenantid}'],
      ['consumers', consumers, consumers],
      [contoso, contoso, contoso],
    ])(
      'with the tenant option %s has tenant and object ID as subject: %s',
      async (tenant, tid, metadataTenant) => {
        const { handleCallback } = setUp(tenant, tid, {}, metadataTenant);
        expect(await handleCallback()).toMatchObject({
          provider: 'microsoft',
          subject: `${tid}.${oid}`,
          label: 'ada@example.com',
          refreshToken: 'their-refresh-token',
          claims: { iss: issuerOf(tid), tid, oid },
        });
      },
    );

    it('differs in another tenant', async () => {
      const one = await setUp('common', contoso).handleCallback();
      const other = await setUp('common', fabrikam).handleCallback();
      expect(one.subject).not.toBe(other.subject);
    });

    it.each([true, 'true', undefined])(
      'B9.2 e-mail as a key: is neither verified nor the subject, whatever the token contains (%s)',
      async (email_verified) => {
        const { handleCallback } = setUp('common', contoso, {
          email: 'ceo@fabrikam.example',
          email_verified,
        });
        expect(await handleCallback()).toMatchObject({
          subject: `${contoso}.${oid}`,
          email: 'ceo@fabrikam.example',
          emailVerified: false,
        });
      },
    );

    it('B9.2 e-mail as a key: stays the same with another email address', async () => {
      const before = await setUp('common', contoso, { email: 'ada@contoso.example' }).handleCallback();
      const after = await setUp('common', contoso, { email: 'ada.marlow@contoso.example' }).handleCallback();
      expect(after.subject).toBe(before.subject);
    });
  });

  describe('an ID token', () => {
    it.each([
      ['whose tid and issuer are different tenants', { tid: fabrikam }, otherTenant],
      ['without a tid', { tid: undefined }, otherTenant],
      ['whose issuer is the template', { iss: issuerOf('{tenantid}') }, wrongIssuer],
      [
        'whose issuer and tid are the template',
        { iss: issuerOf('{tenantid}'), tid: '{tenantid}' },
        wrongIssuer,
      ],
      ['whose issuer does not name a tenant', { iss: issuerOf('common') }, wrongIssuer],
      ['of another host', { iss: `https://login.evil.example/${contoso}/v2.0` }, wrongIssuer],
      ['of another version', { iss: `https://sts.windows.net/${contoso}/` }, wrongIssuer],
      ['whose issuer has a trailing slash', { iss: `${issuerOf(contoso)}/` }, wrongIssuer],
      ['whose issuer has the same prefix', { iss: `${baseUrl}.evil.example/${contoso}/v2.0` }, wrongIssuer],
      ['whose issuer contains two tenants', { iss: `${baseUrl}/${contoso}/${fabrikam}/v2.0` }, wrongIssuer],
      ['whose issuer is a list', { iss: [issuerOf(contoso)] }, wrongIssuer],
      ['without an issuer', { iss: undefined }, wrongIssuer],
      ['without an object ID', { oid: undefined }, noOid],
      ['whose object ID is not an ID', { oid: 'ada@example.com' }, noOid],
      ['whose object ID is a list', { oid: [`${oid}x`] }, noOid],
    ])('B9.1 templated issuer: %s is refused', async (_, claims, reason) => {
      expect(await captureProviderError(setUp('common', contoso, claims).handleCallback())).toEqual(reason);
    });

    it.each([
      ['of a personal account if the option is organizations', 'organizations', consumers, '{tenantid}'],
      ['of an organization if the option is consumers', 'consumers', contoso, consumers],
      ['of a tenant other than the configured one', contoso, fabrikam, contoso],
    ])('B9.1 templated issuer: %s is refused', async (_, tenant, tid, metadataTenant) => {
      expect(await captureProviderError(setUp(tenant, tid, {}, metadataTenant).handleCallback())).toEqual(
        forbiddenTenant,
      );
    });

    it('B9.1 templated issuer: a matching token without Microsoft’s signature is refused', async () => {
      const { issuer, handleCallback } = setUp('common', contoso);
      const forger = await generateKey('key-1');
      const iss = issuerOf(contoso);
      issuer.override({
        metadata: { issuer: issuerOf('{tenantid}') },
        claims: { iss, tid: contoso, oid },
        makeIdToken: (claims) => sign(claims, forger),
      });
      expect(await captureProviderError(handleCallback())).toEqual(
        invalid('the signature of the ID token could not be verified: ERR_JWS_SIGNATURE_VERIFICATION_FAILED'),
      );
    });

    it.each([
      ['another tenant', issuerOf(fabrikam), false],
      ['the tenant of personal accounts', issuerOf(consumers), false],
      ['another host', 'https://login.evil.example/{tenantid}/v2.0', false],
      ['not a string', 7, false],
      ['the tenant of the token', issuerOf(contoso), true],
      ['the template', issuerOf('{tenantid}'), true],
    ])('B9.1 templated issuer: checks the issuer of the signing key: %s', async (_, keyIssuer, accepted) => {
      const { issuer, handleCallback } = setUp('common', contoso);
      const key = await generateKey('key-1');
      issuer.override({
        metadata: { issuer: issuerOf('{tenantid}') },
        claims: { iss: issuerOf(contoso), tid: contoso, oid },
        makeIdToken: (claims) => sign(claims, key),
        keys: { keys: [{ ...key.published, issuer: keyIssuer }] },
      });
      if (accepted) expect(await handleCallback()).toMatchObject({ subject: `${contoso}.${oid}` });
      else
        expect(await captureProviderError(handleCallback())).toEqual(
          invalid('the signature of the ID token could not be verified: ERR_JWKS_NO_MATCHING_KEY'),
        );
    });

    it.each(['no JSON', '{}', '{"id_token":7}', '{"id_token":"e30"}', '{"id_token":"e30.e30."}'])(
      'B9.1 templated issuer: a response without a readable ID token is refused: %s',
      async (body) => {
        const { issuer, handleCallback } = setUp('common', contoso);
        const headers = { 'content-type': 'application/json' };
        issuer.override({
          metadata: { issuer: issuerOf('{tenantid}') },
          endpointOverrides: { token: () => new Response(body, { headers }) },
        });
        expect(await captureProviderError(handleCallback())).toMatchObject({ kind: 'invalid' });
      },
    );
  });

  describe('metadata', () => {
    it.each([
      ['common', contoso],
      ['organizations', 'organizations'],
      ['consumers', '{tenantid}'],
      [contoso, fabrikam],
      [contoso, '{tenantid}'],
    ])('for the tenant option %s with the issuer of %s is refused', async (tenant, metadataTenant) => {
      const { handleCallback } = setUp(tenant, contoso, {}, metadataTenant);
      expect(await captureProviderError(handleCallback())).toEqual(
        invalid('the metadata of login.microsoftonline.com names another issuer'),
      );
    });
  });

  describe('a response with iss', () => {
    it('is accepted with the issuer of a tenant', async () => {
      const { handleCallback } = setUp('common', contoso);
      expect(await handleCallback(callback({ iss: issuerOf(contoso) }))).toMatchObject({
        subject: `${contoso}.${oid}`,
      });
    });

    it.each(['https://evil.example', issuerOf('common'), `https://evil.example/${contoso}/v2.0`])(
      'is refused with the issuer %s, before its code is sent anywhere',
      async (iss) => {
        const { issuer, handleCallback } = setUp('common', contoso);
        expect(await captureProviderError(handleCallback(callback({ iss })))).toEqual(
          invalid('the authorization response is from another issuer'),
        );
        expect(issuer.takeRequestedEndpoints()).toEqual(['discovery']);
      },
    );
  });
});
