/** How claims become an identity. */
import { describe, expect, test } from 'vitest';
import type { Identity } from '../../src/oauth/identifiers.ts';
import { callback, createIssuer, createOidcProvider, upstreamRequest } from './hostile-issuer.ts';
import type { Claims } from './signing.ts';

const handleCallback = async (claims: Claims): Promise<Identity> => {
  const issuer = createIssuer();
  issuer.override({ claims });
  return createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
};

describe('an e-mail address', () => {
  test.each([
    ['true', true],
    ['the text "true", as Apple writes it', 'true'],
  ])('is verified by %s', async (_, email_verified) => {
    expect(await handleCallback({ email_verified })).toMatchObject({
      email: 'ada@example.com',
      emailVerified: true,
    });
  });

  test.each([
    ['B10.1 absent', undefined],
    ['B10.1 false', false],
    ['B10.1 the text "false"', 'false'],
    ['B10.1 the text "TRUE"', 'TRUE'],
    ['B10.1 one', 1],
    ['B10.1 null', null],
    ['B10.1 a list', [true]],
    ['B10.1 an object', { value: true }],
  ])('is not verified by email_verified: %s', async (_, email_verified) => {
    expect(await handleCallback({ email_verified })).toMatchObject({
      subject: 'person-1',
      email: 'ada@example.com',
      emailVerified: false,
    });
  });

  test('that is missing is never verified', async () => {
    const identity = await handleCallback({ email: undefined, email_verified: true });
    expect(identity.emailVerified).toBe(false);
    expect(identity).not.toHaveProperty('email');
  });

  test('never becomes the subject', async () => {
    const first = await handleCallback({ sub: 'person-1' });
    const second = await handleCallback({ sub: 'person-2' });
    expect([first.email, second.email]).toEqual(['ada@example.com', 'ada@example.com']);
    expect([first.subject, second.subject]).toEqual(['person-1', 'person-2']);
  });
});

describe('the label', () => {
  test('is the name when there is no address', async () => {
    expect((await handleCallback({ email: undefined })).label).toBe('Ada Marlow');
  });

  test('is left out when there is neither', async () => {
    const identity = await handleCallback({ email: undefined, name: undefined });
    expect(identity).not.toHaveProperty('label');
  });

  test.each([
    ['empty', ''],
    ['longer than 320 characters', `${'x'.repeat(310)}@example.com`],
    ['no text', { toString: 'ada@example.com' }],
    ['cut within a character', 'ada\ud83d@example.com'],
  ])('passes over an address that is %s', async (_, email) => {
    const identity = await handleCallback({ email });
    expect(identity.label).toBe('Ada Marlow');
    expect(identity).not.toHaveProperty('email');
    expect(identity.emailVerified).toBe(false);
  });
});

describe('the session at the provider', () => {
  test.each(['session-1', 'x'.repeat(255)])('is named as the token names it: %s', async (sid) => {
    expect((await handleCallback({ sid })).sid).toBe(sid);
  });

  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['is longer than 255 characters', 'x'.repeat(256)],
    ['is no text', 7],
    ['is half a character', '\ud83d'],
  ])('has no name when it %s', async (_, sid) => {
    expect(await handleCallback({ sid })).not.toHaveProperty('sid');
  });
});

test('all verified claims are handed on as they came', async () => {
  const { claims } = await handleCallback({ hd: 'example.com', groups: ['a', 'b'], picture: null });
  expect(claims).toMatchObject({ hd: 'example.com', groups: ['a', 'b'], picture: null });
});
