import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCodeChallenge, verifyCodeVerifier } from '../../src/oauth/pkce.ts';
import { encodeBase64url } from '../../src/oauth/secrets.ts';
import { challenge, verifier } from '../browser.ts';

const challengeOf = async (text: string): Promise<string> =>
  encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));

const rejection = (reason: string) => expect.objectContaining({ reason });

describe('parseCodeChallenge', () => {
  const parse = (query: string, requirement: 'required' | 'optional' = 'optional') =>
    parseCodeChallenge(new URLSearchParams(query), requirement);

  it('gives the challenge, and none only where none is demanded', () => {
    expect(parse(`code_challenge=${challenge}&code_challenge_method=S256`)).toBe(challenge);
    expect(parse('')).toBeUndefined();
    expect(() => parse('', 'required')).toThrow(rejection('pkce.missing'));
  });

  it.each(['required', 'optional'] as const)('refuses half of it, or another method (%s)', (requirement) => {
    for (const query of [
      `code_challenge=${challenge}`,
      `code_challenge=${challenge}&code_challenge_method=`,
      `code_challenge=${challenge}&code_challenge_method=plain`,
      'code_challenge_method=',
    ])
      expect(() => parse(query, requirement)).toThrow(rejection('pkce.method'));
    for (const bad of [
      '',
      challenge.slice(1),
      `${challenge}A`,
      `${challenge.slice(1)}%2B`,
      `${challenge}%0A`,
    ])
      expect(() => parse(`code_challenge=${bad}&code_challenge_method=S256`, requirement)).toThrow(
        rejection('pkce.challenge'),
      );
    expect(() => parse('code_challenge_method=S256', requirement)).toThrow(rejection('pkce.challenge'));
  });
});

describe('verifyCodeVerifier', () => {
  const shaped = fc.stringMatching(/^[A-Za-z0-9._~-]{43,128}$/);

  it('agrees with RFC 7636 appendix B', async () => {
    await expect(verifyCodeVerifier(challenge, verifier)).resolves.toBeUndefined();
  });

  it('asks for nothing where neither was sent', async () => {
    await expect(verifyCodeVerifier(undefined, undefined)).resolves.toBeUndefined();
  });

  it('takes the verifier of a challenge, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(shaped, shaped, async (right, wrong) => {
        const made = await challengeOf(right);
        await verifyCodeVerifier(made, right);
        if (wrong !== right)
          await expect(verifyCodeVerifier(made, wrong)).rejects.toThrow(rejection('code.pkce'));
        await expect(verifyCodeVerifier(made, made)).rejects.toThrow(rejection('code.pkce'));
      }),
    );
  });

  it.each([
    ['a verifier without a challenge', undefined, verifier],
    ['a challenge without a verifier', challenge, undefined],
  ])('refuses %s', async (_, one, other) => {
    await expect(verifyCodeVerifier(one, other)).rejects.toThrow(rejection('code.pkce'));
  });

  it.each([
    'v'.repeat(42),
    'v'.repeat(129),
    `${'v'.repeat(43)}+`,
    `${'v'.repeat(43)}é`,
    `${'v'.repeat(43)}\n`,
  ])('refuses a verifier of another shape though it fits: %j', async (bad) => {
    await expect(verifyCodeVerifier(await challengeOf(bad), bad)).rejects.toThrow(rejection('code.pkce'));
  });
});
