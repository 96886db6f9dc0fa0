import { expect, test } from 'vitest';
import { readAttributes, readLines } from '../../ui/read-markup.ts';
import { renderAccountSignIn } from './models.ts';
import { accountSignInNotices } from './notices.ts';

test('says what signing in is good for', async () => {
  expect(await readLines(renderAccountSignIn())).toEqual([
    'Your account at Words With Chat',
    'Your account at Words With Chat',
    'Sign in to see which apps use Words With Chat on your behalf, and to manage your account.',
    'Continue with Google',
    'Continue with GitHub',
    'You sign in on the provider’s own page, so Words With Chat never sees your password.',
    'Words With Chat Privacy policy',
  ]);
});

test('posts the sealed form and the provider', async () => {
  const page = renderAccountSignIn();
  expect(await readAttributes(page, 'form')).toEqual([
    { method: 'post', action: '/account/sign-in', autocomplete: 'off' },
  ]);
  expect(await readAttributes(page, 'input')).toEqual([
    { type: 'hidden', name: 'form', value: 'sealed-form' },
  ]);
  expect(await readAttributes(page, 'button')).toEqual([
    { name: 'choice', value: 'google' },
    { name: 'choice', value: 'github' },
  ]);
});

test.each(accountSignInNotices)('says why nobody is signed in: %s', async (notice, sentence) => {
  expect((await readLines(renderAccountSignIn({ model: { notice } })))[2]).toBe(sentence);
});
