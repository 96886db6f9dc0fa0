/**
 * How to connect the game to each MCP client: the steps, the command or configuration, and the client to
 * register. docs/mcp.md has the sources.
 */
import { buildMcpUrl } from '../../apps/words/src/api/mcp-endpoint.ts';
import type { SetupField, SetupSection, SetupSettings } from './section.ts';

type McpSettings = Pick<SetupSettings, 'origin' | 'mcpClientId'>;

/** Returns the URL of the MCP server and a section for each client. */
export const buildMcpClientSections = ({ origin, mcpClientId }: McpSettings): readonly SetupSection[] => {
  const url = buildMcpUrl(origin);
  return [
    { title: 'MCP server', fields: [{ name: 'URL', value: url }] },
    describeChatGpt(url),
    describeClaude(url),
    describeClaudeCode(url, mcpClientId),
    describeCodex(url, mcpClientId),
    describeVsCode(url),
    describeCursor(url),
  ];
};

const describeChatGpt = (url: string): SetupSection => ({
  title: 'ChatGPT',
  steps: [
    'In ChatGPT, open Settings, Apps, Advanced settings, and turn on Developer mode.',
    'Choose Create app, enter the URL, and choose OAuth. In its advanced settings, choose a user-defined OAuth client.',
    'Register the client with the callback URL that ChatGPT shows there, then create the app.',
  ],
  fields: [
    { name: 'MCP Server URL', value: url },
    { name: 'OAuth Client ID', value: 'chatgpt' },
    { name: 'OAuth Client Secret', value: '(leave it empty)' },
    buildClientField('chatgpt', 'ChatGPT', ['https://chatgpt.com/connector/oauth/<ID in the callback URL>']),
  ],
  note: describeNotTested('OpenAI'),
});

const describeClaude = (url: string): SetupSection => ({
  title: 'Claude on the web, desktop and mobile',
  steps: [
    'In Claude, open Settings, Connectors, and choose Add custom connector. In an organization, an owner does this.',
    'Enter the URL, and the client ID in the advanced settings. Then choose Connect.',
  ],
  fields: [
    { name: 'Remote MCP server URL', value: url },
    { name: 'OAuth Client ID', value: 'claude' },
    { name: 'OAuth Client Secret', value: '(leave it empty)' },
    buildClientField('claude', 'Claude', ['https://claude.ai/api/mcp/auth_callback']),
  ],
  note: describeNotTested('Anthropic'),
});

const describeClaudeCode = (url: string, registeredId: string | undefined): SetupSection => ({
  title: 'Claude Code',
  steps: ['Run the command, then sign in.'],
  fields: [
    {
      name: 'Command',
      value: `claude mcp add --transport http --client-id ${registeredId ?? 'claude-code'} words ${url}`,
    },
    { name: 'Sign in', value: 'claude mcp login words' },
    ...buildLoopbackClientFields('claude-code', 'Claude Code', registeredId),
  ],
  note: 'Tested with Claude Code 2.1.332 and npm start: sign-in and connection. Not tested with Anthropic’s models.',
});

const describeCodex = (url: string, registeredId: string | undefined): SetupSection => ({
  title: 'Codex',
  steps: ['Run the command, which also signs in.'],
  fields: [
    {
      name: 'Command',
      value: `codex mcp add words --url ${url} --oauth-client-id ${registeredId ?? 'codex'}`,
    },
    { name: 'Sign in again', value: 'codex mcp login words' },
    ...buildLoopbackClientFields('codex', 'Codex', registeredId),
  ],
  note: 'Tested with Codex 0.171.0 and npm start: sign-in. Not tested with OpenAI’s models.',
});

const describeVsCode = (url: string): SetupSection => ({
  title: 'VS Code',
  steps: ['Add the server to .vscode/mcp.json, and choose Start above it in the editor.'],
  fields: [
    {
      name: 'mcp.json',
      value: formatJson({ servers: { words: { type: 'http', url, oauth: { clientId: 'vscode' } } } }),
    },
    buildClientField('vscode', 'VS Code', [
      'https://vscode.dev/redirect',
      'https://insiders.vscode.dev/redirect',
      'http://127.0.0.1/',
    ]),
  ],
  note: describeNotTested('Microsoft'),
});

const describeCursor = (url: string): SetupSection => ({
  title: 'Cursor',
  steps: ['Add the server to ~/.cursor/mcp.json.'],
  fields: [
    {
      name: 'mcp.json',
      value: formatJson({ mcpServers: { words: { url, auth: { CLIENT_ID: 'cursor' } } } }),
    },
    buildClientField('cursor', 'Cursor', ['https://www.cursor.com/agents/mcp/oauth/callback']),
  ],
  note: `${describeNotTested('Cursor')} Only its web agents can sign in: the redirect URI of the desktop app, cursor://anysphere.cursor-mcp/oauth/callback, has a scheme without a dot, which cannot be registered (RFC 8252 §8.4).`,
});

const describeNotTested = (vendor: string): string => `Not tested with ${vendor}.`;

const buildLoopbackClientFields = (
  id: string,
  name: string,
  registeredId: string | undefined,
): readonly SetupField[] =>
  registeredId === undefined
    ? [buildClientField(id, name, ['http://localhost/callback', 'http://127.0.0.1/callback'])]
    : [];

/** Not every client requests `offline_access`, and without a refresh token, users sign in every 30 minutes. */
const buildClientField = (id: string, name: string, redirectUris: readonly string[]): SetupField => ({
  name: 'In STATIC_CLIENTS',
  value: JSON.stringify({ id, name, redirectUris, offlineAccess: 'always' }),
});

const formatJson = (value: unknown): string => JSON.stringify(value, null, 2);
