/** The operations: the paths of the API, and the tools of the MCP server. */
import { defineApi, defineOperation, noInput } from 'assistant-operations';
import * as v from 'valibot';

/** What a handler needs to know about the caller. */
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

export const api = defineApi([whoAmI]);
