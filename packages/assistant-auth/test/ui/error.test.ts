import { expect, test } from 'vitest';
import { renderError } from './models.ts';
import { readAttributes, readLines } from './read-markup.ts';

test('names the problem, what to do and what to quote', async () => {
  expect(await readLines(renderError())).toEqual([
    'This sign-in cannot go on',
    'This sign-in cannot go on',
    'ChatGPT asked to send you to an address that is not registered for it.',
    'Close this page and try again from where you came. ' +
      'If it happens again, tell whoever runs Words With Chat this reference:',
    'Reference q3T9bX0aLkE',
    'Words With Chat Privacy policy',
  ]);
});

test('has nothing to press and no link but the privacy policy', async () => {
  const page = renderError();
  expect(await readAttributes(page, 'form')).toEqual([]);
  expect(await readAttributes(page, 'button')).toEqual([]);
  expect(await readAttributes(page, 'a')).toEqual([{ href: '/privacy', rel: 'noreferrer' }]);
});

test('uses the texts of the publisher', async () => {
  const texts = { advice: 'Write to help@words.example:', reference: 'Ticket' };
  expect((await readLines(renderError({ branding: { texts } }))).slice(3, 5)).toEqual([
    'Write to help@words.example:',
    'Ticket q3T9bX0aLkE',
  ]);
});
