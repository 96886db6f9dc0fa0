/** Serves an API over MCP in this process, calls it with the SDK's client in both eras, and prints the results. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { defineApi, defineOperation } from 'assistant-operations';
import { mcpHandler } from 'assistant-operations/mcp';
import * as v from 'valibot';

const url = 'http://127.0.0.1/mcp';

const addNumbers = defineOperation({
  id: 'add_numbers',
  method: 'post',
  path: '/api/sums',
  summary: 'Add numbers',
  description: 'Returns the sum of the numbers.',
  scopes: ['math'],
  isConsequential: false,
  input: v.strictObject({ numbers: v.array(v.number()) }),
  output: v.strictObject({ sum: v.number(), user: v.string() }),
  handle: async ({ numbers }, { user }: { readonly user: string }) => ({
    sum: numbers.reduce((sum, number) => sum + number, 0),
    user,
  }),
});

const handle = mcpHandler(defineApi([addNumbers]), {
  url,
  serverInfo: { name: 'math', version: '1.0.0' },
  guard: async (request, scopes) =>
    request.headers.get('authorization') === 'Bearer ada'
      ? { ok: true as const, scopes: ['math'], user: 'ada' }
      : { ok: false as const, response: new Response(scopes.join(), { status: 401 }) },
  context: ({ user }) => ({ user }),
  instructions: 'Adds numbers.',
  logError: console.error,
});

const callTool = async (mode: 'legacy' | 'auto') => {
  const client = new Client({ name: 'program', version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      fetch: (input, init) => handle(new Request(input, init)),
      requestInit: { headers: { authorization: 'Bearer ada' } },
    }),
  );
  const { structuredContent } = await client.callTool({
    name: 'add_numbers',
    arguments: { numbers: [1, 2, 3] },
  });
  return [client.getNegotiatedProtocolVersion(), structuredContent];
};

const { status } = await handle(new Request(url, { method: 'POST' }));
console.log(JSON.stringify([status, await callTool('legacy'), await callTool('auto')]));
