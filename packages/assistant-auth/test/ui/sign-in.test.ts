import { describe, expect, test } from 'vitest';
import { renderSignIn } from './models.ts';
import { readAttributes, readLines, readMarkup } from './read-markup.ts';

describe('what the page says', () => {
  test('says who asks, for what, where the answer goes and what stays private', async () => {
    expect(await readLines(renderSignIn())).toEqual([
      'Sign in to Words With Chat',
      'Sign in to Words With Chat',
      'ChatGPT asks to use Words With Chat on your behalf.',
      'ChatGPT will be able to:',
      'Read your score',
      'Add to your score',
      'Afterwards you return to chatgpt.com. If that is not where you came from, cancel.',
      'Allow this and sign in',
      'Continue with Google',
      'Continue with GitHub',
      'Cancel',
      'You sign in on the provider’s own page, so Words With Chat never sees your password. ' +
        'ChatGPT gets neither your name nor your e-mail address, only what you allow here.',
      'Words With Chat Privacy policy',
    ]);
  });

  test('L7.1 shows the host of the redirect whatever the client calls itself', async () => {
    const lines = await readLines(
      renderSignIn({ model: { clientName: 'ChatGPT (chatgpt.com)', redirectHost: 'evil.example' } }),
    );
    expect(lines).toContain(
      'Afterwards you return to evil.example. If that is not where you came from, cancel.',
    );
  });

  test('L7.1 keeps a name that reverses its text apart from the text around it', async () => {
    const clientName = '\u202egro.elgoog';
    const pieces = await readMarkup(renderSignIn({ model: { clientName } }));
    const shown = pieces.flatMap((piece, index) =>
      'text' in piece && piece.text.includes(clientName) ? [{ piece, before: pieces[index - 1] }] : [],
    );
    expect(shown).toHaveLength(3);
    for (const { piece, before } of shown) {
      expect(piece).toEqual({ text: clientName });
      expect(before).toEqual({ tag: 'bdi', attributes: { translate: 'no' } });
    }
  });

  test('L7.2 shows markup in a name as it was typed', async () => {
    const lines = await readLines(renderSignIn({ model: { clientName: '<b>Chat</b>&amp;' } }));
    expect(lines).toContain('<b>Chat</b>&amp; asks to use Words With Chat on your behalf.');
  });

  test('does not fill places inside a name', async () => {
    const lines = await readLines(renderSignIn({ model: { clientName: '{product}{host}' } }));
    expect(lines).toContain('{product}{host} asks to use Words With Chat on your behalf.');
  });

  test('says so when nothing is asked for', async () => {
    const lines = await readLines(renderSignIn({ model: { scopes: [] } }));
    expect(lines).toContain(
      'ChatGPT will only be able to recognize you when you come back to Words With Chat.',
    );
    expect(lines).not.toContain('ChatGPT will be able to:');
  });

  test('uses the texts of the publisher', async () => {
    const branding = { texts: { cancel: 'Abbrechen', continueWith: 'Weiter mit {provider}' } };
    const lines = await readLines(renderSignIn({ branding }));
    expect(lines.slice(8, 11)).toEqual(['Weiter mit Google', 'Weiter mit GitHub', 'Abbrechen']);
  });
});

describe('whoever signed in before', () => {
  const session = { provider: 'Google', label: 'ada@words.example' };

  test('may go on at the first button, or sign in another way', async () => {
    const page = renderSignIn({ model: { session } });
    expect((await readLines(page)).slice(7, 13)).toEqual([
      'Allow this and sign in',
      'Continue as ada@words.example (Google)',
      'or sign in another way',
      'Continue with Google',
      'Continue with GitHub',
      'Cancel',
    ]);
    expect(await readAttributes(page, 'button')).toEqual([
      { class: 'main', name: 'choice', value: 'continue' },
      { name: 'choice', value: 'google' },
      { name: 'choice', value: 'github' },
      { class: 'cancel', name: 'cancel', value: '1' },
    ]);
  });

  test('is known by the provider alone when it gave no name', async () => {
    const lines = await readLines(renderSignIn({ model: { session: { provider: 'Google' } } }));
    expect(lines).toContain('Continue with your Google account');
  });

  test('consents to the same', async () => {
    const consentIn = async (page: string) =>
      (await readLines(page)).filter((line) => !/^(Continue|or sign in)/.test(line));
    expect(await consentIn(renderSignIn({ model: { session } }))).toEqual(await consentIn(renderSignIn()));
  });

  test.each([
    ['session-ended', 'Your session has ended. Please sign in again.'],
    [
      'provider-not-confirmed',
      'Your earlier sign-in could not be confirmed with the provider. Please sign in again.',
    ],
  ] as const)('is told why not: %s', async (notice, sentence) => {
    expect((await readLines(renderSignIn({ model: { notice } })))[2]).toBe(sentence);
  });
});

describe('what the form sends', () => {
  test('posts the sealed request and nothing else that is hidden', async () => {
    const page = renderSignIn();
    expect(await readAttributes(page, 'form')).toEqual([
      { method: 'post', action: '/authorize', autocomplete: 'off' },
    ]);
    expect(await readAttributes(page, 'input')).toEqual([
      { type: 'hidden', name: 'consent', value: 'sealed-request' },
    ]);
  });

  test('offers one button per provider in the given order, then a way out', async () => {
    expect(await readAttributes(renderSignIn(), 'button')).toEqual([
      { name: 'choice', value: 'google' },
      { name: 'choice', value: 'github' },
      { class: 'cancel', name: 'cancel', value: '1' },
    ]);
  });

  test('asks also when there is one provider', async () => {
    const page = renderSignIn({ model: { providers: [{ id: 'google', displayName: 'Google' }] } });
    expect(await readAttributes(page, 'button')).toEqual([
      { name: 'choice', value: 'google' },
      { class: 'cancel', name: 'cancel', value: '1' },
    ]);
  });

  test('tells a provider called cancel from the way out', async () => {
    const page = renderSignIn({ model: { providers: [{ id: 'cancel', displayName: 'Cancel' }] } });
    expect(await readAttributes(page, 'button')).toEqual([
      { name: 'choice', value: 'cancel' },
      { class: 'cancel', name: 'cancel', value: '1' },
    ]);
  });
});
