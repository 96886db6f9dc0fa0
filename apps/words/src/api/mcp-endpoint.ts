/**
 * The MCP endpoint of the game: the operations of the API as tools, a prompt that starts a round, and the user
 * interface of a round.
 */
import type { AuthorizedCall } from 'assistant-auth';
import { type McpGuard, type McpGuardAcceptance, mcpHandler, type OnRefusal } from 'assistant-operations/mcp';
import type { Bindings } from '../bindings.ts';
import { categories } from '../game/categories.ts';
import { createPlayPrompt, mcpInstructions } from '../game/instructions.ts';
import { createErrorMapper, gameApi } from './game-api.ts';
import type { OperationContext } from './player.ts';
import { createRoundView } from './round-view.ts';

/** The path of the endpoint. */
export const mcpPath = '/mcp';

/** Returns the URL of the endpoint, which is also its resource identifier. */
export const buildMcpUrl = (origin: string): string => origin + mcpPath;

/** What the endpoint needs from a call that the guard accepted. */
type McpCall = McpGuardAcceptance & Pick<AuthorizedCall, 'client'>;

/** What the endpoint needs from the app. */
export interface McpEndpointOptions<Auth extends McpCall> {
  readonly origin: string;
  readonly assets: Bindings['assets'];
  readonly guard: McpGuard<Auth>;
  readonly context: (auth: Auth) => OperationContext;
  readonly logError: (error: unknown, referenceId: string) => void;
  readonly onRefusal: OnRefusal;
}

/** Creates the handler of the endpoint. */
export const createMcpEndpoint = <Auth extends McpCall>({
  origin,
  assets,
  ...options
}: McpEndpointOptions<Auth>): ((request: Request) => Promise<Response>) =>
  mcpHandler(gameApi, {
    ...options,
    url: buildMcpUrl(origin),
    reportsMissingScopeInResult: ({ client }) => client.isChatGptMcpClient,
    serverInfo: { name: 'words-with-chat', title: 'Words With Chat', version: '1.0.0' },
    instructions: mcpInstructions,
    prompts: [playPrompt],
    resources: [createRoundView(origin, assets)],
    mapError: createErrorMapper(origin, mcpPath),
  });

const playPrompt = {
  name: 'play',
  title: 'Play a round',
  description: 'Starts a round of Words With Chat.',
  arguments: [
    {
      name: 'category',
      description: `One of ${categories.join(', ')}, or daily for the daily word. If you leave it empty, you are asked.`,
    },
  ],
  text: ({ category }: Readonly<Record<string, string>>) => createPlayPrompt(category),
};
