/** What `npm run setup` prints and the setup page shows: how to connect MCP clients, then the GPT's values. */
import { buildGptEditorSections } from './gpt-editor.ts';
import { buildMcpClientSections } from './mcp-clients.ts';
import type { SetupGroup, SetupSettings } from './section.ts';

/** Returns both groups with the values of one deployment. */
export const buildSetupGroups = (settings: SetupSettings): readonly SetupGroup[] => [
  {
    title: 'MCP clients',
    introduction: [
      'Each client needs a client ID that is registered in STATIC_CLIENTS: a JSON array on one line, to which you add the objects of the clients that you use. They are public clients, without a secret.',
      ...(settings.mcpClientId === undefined
        ? []
        : [
            `This app has already registered ${settings.mcpClientId}, for clients whose redirect URI is /callback on localhost or 127.0.0.1, at any port.`,
          ]),
    ],
    sections: buildMcpClientSections(settings),
  },
  {
    title: 'Custom GPT',
    introduction: [
      'Custom GPTs end on 2026-12-11, according to OpenAI’s FAQ as read in October 2026. Until then, enter these values in the GPT editor.',
    ],
    sections: buildGptEditorSections(settings),
  },
];
