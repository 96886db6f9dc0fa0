/**
 * How to connect each MCP client to the game: the steps, and the command or configuration.
 * docs/guides/chatgpt.md, claude.md and mcp-clients.md have the sources.
 */
import type { SetupSection } from './section.ts';

/** Returns a section for each client that runs on the user's machine, and can connect to loopback. */
export const buildLocalClientSections = (url: string): readonly SetupSection[] => [
  describeClaudeCode(url),
  describeCodex(url),
  describeVsCode(url),
  describeCursor(url),
  describeGeminiCli(url),
  describeStaticClient(),
];

/** Returns a section for each client whose vendor's servers connect from the internet. */
export const buildHostedClientSections = (url: string): readonly SetupSection[] => [
  describeChatGpt(url),
  describeClaude(url),
  describeCopilotStudio(url),
];

const describeChatGpt = (url: string): SetupSection => ({
  title: 'ChatGPT',
  steps: [
    'In ChatGPT, open Settings, Apps, Advanced settings, and turn on Developer mode.',
    'Choose Create app, enter the URL, and choose OAuth. Leave the other settings as they are.',
    'Create the app, and sign in.',
  ],
  fields: [{ name: 'MCP Server URL', value: url }],
  note: describeNotTested('OpenAI'),
});

const describeClaude = (url: string): SetupSection => ({
  title: 'Claude on the web, desktop and mobile',
  steps: [
    'In Claude, open Settings, Connectors, and choose Add custom connector. In an organization, an owner does this.',
    'Enter the URL, and leave the advanced settings empty. Then choose Connect.',
  ],
  fields: [{ name: 'Remote MCP server URL', value: url }],
  note: describeNotTested('Anthropic'),
});

const describeClaudeCode = (url: string): SetupSection => ({
  title: 'Claude Code',
  steps: ['Run the command, then sign in.'],
  fields: [
    { name: 'Command', value: `claude mcp add --transport http words ${url}` },
    { name: 'Sign in', value: 'claude mcp login words' },
  ],
  note: 'Tested with Claude Code 2.1.332 and npm start: sign-in and connection. Not tested with Anthropic’s models.',
});

const describeCodex = (url: string): SetupSection => ({
  title: 'Codex',
  steps: ['Run the command, which also signs in.'],
  fields: [
    { name: 'Command', value: `codex mcp add words --url ${url}` },
    { name: 'Sign in again', value: 'codex mcp login words' },
  ],
  note: 'Tested with Codex 0.171.0 and npm start: sign-in. Not tested with OpenAI’s models.',
});

const describeVsCode = (url: string): SetupSection => ({
  title: 'VS Code',
  steps: ['Add the server to .vscode/mcp.json, and choose Start above it in the editor.'],
  fields: [{ name: 'mcp.json', value: formatJson({ servers: { words: { type: 'http', url } } }) }],
  note: describeNotTested('Microsoft'),
});

const describeCursor = (url: string): SetupSection => ({
  title: 'Cursor',
  steps: ['Add the server to ~/.cursor/mcp.json. Then sign in, in the settings of Cursor.'],
  fields: [{ name: 'mcp.json', value: formatJson({ mcpServers: { words: { url } } }) }],
  note: describeNotTested('Cursor'),
});

const describeGeminiCli = (url: string): SetupSection => ({
  title: 'Gemini CLI',
  steps: ['Run the command, then sign in inside Gemini CLI.'],
  fields: [
    { name: 'Command', value: `gemini mcp add --transport http words ${url}` },
    { name: 'Sign in', value: '/mcp auth words' },
  ],
  note: describeNotTested('Google'),
});

const describeCopilotStudio = (url: string): SetupSection => ({
  title: 'Microsoft Copilot Studio',
  steps: [
    'On the Tools page of an agent, choose Add a tool, New tool, Model Context Protocol.',
    'Enter a name, a description and the URL. For authentication, choose OAuth 2.0, Dynamic discovery.',
  ],
  fields: [{ name: 'Server URL', value: url }],
  note: describeNotTested('Microsoft'),
});

/** Not every client requests `offline_access`, and without a refresh token, users sign in every 30 minutes. */
const describeStaticClient = (): SetupSection => ({
  title: 'A client that asks for a client ID',
  steps: [
    'Add the client to STATIC_CLIENTS, a JSON array on one line, with its redirect URIs. The one below is public: it has no secret.',
    'Enter the ID, my-client, in the client.',
  ],
  fields: [
    {
      name: 'In STATIC_CLIENTS',
      value: JSON.stringify({
        id: 'my-client',
        name: 'My client',
        redirectUris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
        offlineAccess: 'always',
      }),
    },
  ],
});

const describeNotTested = (vendor: string): string => `Not tested with ${vendor}.`;

const formatJson = (value: unknown): string => JSON.stringify(value, null, 2);
