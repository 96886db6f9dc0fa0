/** The same tool without `assistant-operations/mcp`: the MCP SDK as documented, and the SDK tuned by hand. */
import {
  createMcpHandler,
  isLegacyRequest,
  Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { listWords } from './list-words.ts';

/** Serves the tool as the documentation of the SDK says. It neither limits nor validates messages or results. */
export const serveWithSdk = async (request: Request): Promise<Response> => documented.fetch(request);

/**
 * Serves the tool with the fewest steps that the SDK allows: the body is parsed once, and the revisions up to
 * 2025-11-25 get JSON instead of a stream of events.
 */
export const serveWithTunedSdk = async (request: Request): Promise<Response> => {
  const parsedBody: unknown = await request.json();
  if (!(await isLegacyRequest(request, parsedBody))) return modern.fetch(request, { parsedBody });
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await createServer().connect(transport);
  return transport.handleRequest(request, { parsedBody });
};

const createServer = (): Server => {
  const server = new Server({ name: 'bench', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools: [tool] }));
  server.setRequestHandler('tools/call', async ({ params }) => {
    if (params.name !== tool.name) throw new Error('There is no such tool.');
    const result = await listWords.run(params.arguments, undefined);
    if (!result.ok) throw new Error('The input is invalid.');
    return {
      content: [{ type: 'text', text: JSON.stringify(result.output) }],
      structuredContent: result.output,
    };
  });
  return server;
};

const tool = {
  name: 'list_words',
  title: 'List the words',
  description: 'Returns every word in a category.',
  inputSchema: {
    type: 'object' as const,
    properties: { category: { type: 'string' } },
    required: ['category'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object' as const,
    properties: { words: { type: 'array', items: { type: 'string' } } },
    required: ['words'],
    additionalProperties: false,
  },
};

const documented = createMcpHandler(createServer);
const modern = createMcpHandler(createServer, { legacy: 'reject' });
