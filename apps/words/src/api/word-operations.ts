/** The operations that return the words of a category. */
import { defineOperation, noInput } from 'assistant-operations';
import * as v from 'valibot';
import { type Category, wordsByCategory } from '../game/categories.ts';
import type { OperationContext } from './player.ts';
import type { Scope } from './scopes.ts';

const defineListOperation = (category: Category) =>
  defineOperation({
    id: `get_all${category}`,
    method: 'get',
    path: `/api/words/${category}`,
    summary: `Get all ${category}`,
    description: `Returns every word in the category ${category}, from which one is chosen for a round.`,
    scopes: ['words'] satisfies Scope[],
    isConsequential: false,
    input: noInput,
    output: v.pipe(v.array(v.string()), v.description(`The words in the category ${category}.`)),
    handle: async (_: object, __: OperationContext) => [...wordsByCategory[category]],
  });

/** One operation per category. */
export const wordOperations = [
  defineListOperation('animals'),
  defineListOperation('places'),
  defineListOperation('colors'),
];
