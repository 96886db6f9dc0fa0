/** The operations: the endpoints of the API, and the tools of the MCP server. */
import { defineApi, defineOperation, noInput } from 'assistant-operations';
import * as v from 'valibot';

/** What the handlers know about the caller. */
interface Context {
  readonly userId: string;
}

const whoAmI = defineOperation({
  id: 'who_am_i',
  method: 'get',
  path: '/api/me',
  summary: 'Who am I?',
  description: 'Returns the ID of the signed-in user.',
  scopes: ['account'],
  isConsequential: false,
  input: noInput,
  output: v.strictObject({ userId: v.string() }),
  handle: async (_input, { userId }: Context) => ({ userId }),
});

const rollDie = defineOperation({
  id: 'roll_die',
  method: 'post',
  path: '/api/rolls',
  summary: 'Roll a die',
  description: 'Rolls one die and returns the number. Call this instead of choosing a number yourself.',
  scopes: ['dice'],
  isConsequential: false,
  input: v.strictObject({
    sides: v.pipe(
      v.number(),
      v.integer(),
      v.minValue(2),
      v.maxValue(100),
      v.description('The number of sides, usually 6.'),
    ),
  }),
  output: v.strictObject({ result: v.number() }),
  handle: async ({ sides }, _context: Context) => ({ result: 1 + Math.floor(Math.random() * sides) }),
});

export const api = defineApi([whoAmI, rollDie]);
