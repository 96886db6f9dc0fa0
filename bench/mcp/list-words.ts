/** The operation that every scenario calls: it returns 50 words. */
import { defineApi, defineOperation } from 'assistant-operations';
import * as v from 'valibot';

const words = Array.from({ length: 50 }, (_, index) => `animal-${index}`);

/** The operation, which needs no context. */
export const listWords = defineOperation({
  id: 'list_words',
  method: 'get',
  path: '/api/words/{category}',
  summary: 'List the words',
  description: 'Returns every word in a category.',
  scopes: ['words'],
  isConsequential: false,
  input: v.strictObject({ category: v.string() }),
  output: v.strictObject({ words: v.array(v.string()) }),
  handle: async (_: { readonly category: string }, __: unknown) => ({ words }),
});

/** An API with only this operation. */
export const api = defineApi([listWords]);
