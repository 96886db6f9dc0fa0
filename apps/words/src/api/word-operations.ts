/** The operations that return a list of words, for GPTs whose instructions let the model choose a word. */
import { defineOperation, noInput } from 'assistant-operations';
import * as v from 'valibot';
import type { Category } from '../game/categories.ts';
import type { OperationContext } from './player.ts';
import type { Scope } from './scopes.ts';

const defineListOperation = (category: Category) =>
  defineOperation({
    id: `get_all${category}`,
    method: 'get',
    path: `/api/words/${category}`,
    summary: `Get all ${category}`,
    description: `Returns every word in the category ${category}. To play a round, call start_round instead, which chooses a word.`,
    scopes: ['words'] satisfies Scope[],
    isConsequential: false,
    input: noInput,
    output: v.pipe(v.array(v.string()), v.description(`The words in the category ${category}.`)),
    handle: async (_: object, { game }: OperationContext) =>
      (await game.readWordList({ category, language: 'en' })).map(({ word }) => word),
  });

/** The categories with such an operation. */
export const listedCategories = ['animals', 'places', 'colors'] as const satisfies readonly Category[];

/** One operation per category. */
export const wordOperations = listedCategories.map(defineListOperation);
