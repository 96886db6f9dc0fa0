import { corsHeaders } from 'assistant-auth';
import { beforeAll, describe, expect, it } from 'vitest';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { listedCategories } from '../../src/api/word-operations.ts';
import { deploy } from '../deployment.ts';
import { getWordList } from '../word-list-files.ts';

const deployment = deploy();
let token = '';

beforeAll(async () => {
  await emptyD1();
  token = await deployment.signIn('ada');
});

describe('the words', () => {
  it.each(listedCategories)('of %s are a JSON array of 30 lowercase words', async (category) => {
    const response = await deployment.call(`/api/words/${category}`, { token });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      ...corsHeaders,
    });
    const words = await response.json<readonly string[]>();
    expect(words).toEqual(getWordList({ category, language: 'en' }).map(({ word }) => word));
    expect(words).toHaveLength(30);
    for (const word of words) expect(word).toMatch(/^[a-z]{3,12}$/);
  });

  it.each([['rivers'], ['Animals'], ['animals/'], ['animals/cat'], ['%61nimals%2f'], ['']])(
    'of "%s" do not exist, and the response lists the categories',
    async (category) => {
      const response = await deployment.call(`/api/words/${category}`, { token });
      expect(response.status).toBe(404);
      expect(Object.fromEntries(response.headers)).toEqual({
        'cache-control': 'no-store',
        'content-type': 'application/problem+json',
        'x-content-type-options': 'nosniff',
        ...corsHeaders,
      });
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: 'There is no such list of words. The lists are animals, places, colors.',
        categories: ['animals', 'places', 'colors'],
      });
    },
  );

  it('require their scope', async () => {
    const scoreToken = await deployment.signIn('bob', 'score');
    const response = await deployment.call('/api/words/animals', { token: scoreToken });
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="https:\/\/words\.example", error="insufficient_scope", .*scope="words", resource_metadata="https:\/\/words\.example\/\.well-known\/oauth-protected-resource"$/,
    );
    expect(await response.json()).toMatchObject({ title: 'Forbidden', status: 403 });
  });
});
