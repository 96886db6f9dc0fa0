import { describe, expect, test } from 'vitest';
import { readAttributes, readLines } from '../../ui/read-markup.ts';
import { renderLink, renderLinkConflict } from './models.ts';

describe('the question', () => {
  test('shows both identities and what adding one means', async () => {
    expect((await readLines(renderLink())).slice(1)).toEqual([
      'Add this way to sign in?',
      'You are signed in with',
      'Google (ada@words.example)',
      'You are about to add',
      'GitHub (ada)',
      'From then on, GitHub (ada) opens this account at Words With Chat, too. Go on only if both are yours.',
      'Add GitHub',
      'Cancel',
      'Words With Chat Privacy policy',
    ]);
  });

  test('posts what is sealed, with a yes or a no', async () => {
    const page = renderLink();
    expect(await readAttributes(page, 'form')).toEqual([
      { method: 'post', action: '/account/link/confirm', autocomplete: 'off' },
    ]);
    expect(await readAttributes(page, 'input')).toEqual([
      { type: 'hidden', name: 'form', value: 'sealed-form' },
      { type: 'hidden', name: 'link', value: 'sealed-link' },
    ]);
    expect(await readAttributes(page, 'button')).toEqual([
      { class: 'main', name: 'confirm', value: '1' },
      { class: 'cancel', name: 'cancel', value: '1' },
    ]);
  });
});

describe('an identity of another account', () => {
  test('is named, and nothing of that account', async () => {
    expect((await readLines(renderLinkConflict())).slice(1)).toEqual([
      'Already in use by another account',
      'GitHub (ada) already belongs to another account at Words With Chat, so it was not added. Nothing has changed.',
      'Back to your account',
      'Words With Chat Privacy policy',
    ]);
  });

  test('leaves nothing to press but the way back', async () => {
    const page = renderLinkConflict();
    expect(await readAttributes(page, 'form')).toEqual([]);
    expect(await readAttributes(page, 'button')).toEqual([]);
    expect((await readAttributes(page, 'a'))[0]).toEqual({ href: '/account' });
  });
});
