/** Groups the sections: first how to connect MCP clients, then the values for the GPT editor. */
import { buildGptEditorSections } from './gpt-editor.ts';
import { buildMcpClientSections } from './mcp-clients.ts';
import type { SetupGroup, SetupSettings } from './section.ts';

/** Returns both groups with the values of one deployment. */
export const buildSetupGroups = (settings: SetupSettings): readonly SetupGroup[] => [
  {
    title: 'MCP clients',
    introduction: [
      'Each client needs a client ID that is registered in STATIC_CLIENTS, a JSON array on one line. Add the objects below of the clients that you use. They are public clients, without a secret.',
      ...(settings.mcpClientId === undefined
        ? []
        : [
            `${settings.mcpClientId} is already registered here, for clients whose redirect URI is /callback on localhost or 127.0.0.1, at any port.`,
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
