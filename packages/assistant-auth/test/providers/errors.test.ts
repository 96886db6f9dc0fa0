/** Nothing but a ProviderError leaves a request to a provider, and none tells what it should not. */

import { expect, test } from 'vitest';
import { createTokenEndpointError, withProviderError } from '../../src/providers/oauth-client.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { captureProviderError } from './hostile-issuer.ts';

test('hands on what worked', async () => {
  expect(await withProviderError(async () => 'an identity')).toBe('an identity');
});

test('leaves a ProviderError as it is', async () => {
  const error = new ProviderError('denied', 'no');
  await expect(withProviderError(() => Promise.reject(error))).rejects.toBe(error);
});

test.each([
  ['an error of the library’s callers', new TypeError('their-secret is no string')],
  ['an error with a cause', new Error('their-token', { cause: new Response('their-body') })],
  ['a text', 'their-text'],
  ['nothing', undefined],
])('keeps what %s said to itself', async (_, thrown) => {
  expect(await captureProviderError(withProviderError(() => Promise.reject(thrown)))).toEqual({
    kind: 'invalid',
    reason: 'the response could not be read',
  });
});

test.each(['', 'code-of-this-transaction', 'invalid_grant ', 'INVALID_GRANT', '__proto__', 'toString'])(
  'does not repeat %j, which no documentation knows',
  (code) => {
    expect(createTokenEndpointError(code)).toMatchObject({
      kind: 'invalid',
      message: 'the token endpoint answered an error of its own',
    });
  },
);
