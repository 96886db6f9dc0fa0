/** Which subjects are somebody. */

import { describe, expect, test } from 'vitest';
import { createIdentity } from '../../src/providers/provider.ts';
import { captureProviderError } from './hostile-issuer.ts';

/** What a provider said, whatever its type: JSON has no more than that. */
const from = async (subject: unknown) =>
  createIdentity('acme', Object.assign(JSON.parse('{"labels":[]}'), { subject }), {}, undefined);

describe('a subject', () => {
  test.each(['7', 'person-1', 'x'.repeat(255), '名前'])(
    'is the person’s key as it came: %s',
    async (subject) => {
      expect(await from(subject)).toEqual({ provider: 'acme', subject, emailVerified: false, claims: {} });
    },
  );

  test.each([
    ['empty', ''],
    ['of 256 characters', 'x'.repeat(256)],
    ['a number, which may have been rounded', Number.MAX_SAFE_INTEGER],
    ['true', true],
    ['null', null],
    ['a list of one', ['person-1']],
    ['half a surrogate pair', 'person-\ud800'],
  ])('is rejected if the subject is %s', async (_, subject) => {
    expect(await captureProviderError(from(subject))).toEqual({
      kind: 'invalid',
      reason: 'the subject is not a string, empty or too long',
    });
  });
});
