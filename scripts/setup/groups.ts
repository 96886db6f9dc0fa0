/** Groups the sections: first how to connect MCP clients, then the values for the GPT editor. */
import { isOnLoopback } from '../../apps/words/src/config/urls.ts';
import { buildGptEditorSections } from './gpt-editor.ts';
import { buildMcpClientSections } from './mcp-clients.ts';
import type { SetupGroup, SetupSettings } from './section.ts';

/** Returns both groups with the values of one deployment. */
export const buildSetupGroups = (settings: SetupSettings): readonly SetupGroup[] => [
  {
    title: 'MCP clients',
    introduction: [
      'A client needs only the URL, unless MCP_CLIENTS is set: it identifies itself with its metadata document, or registers itself.',
      ...(isOnLoopback(settings.origin)
        ? [
            'Without internet access, metadata documents cannot be read. Start the app with MCP_CLIENTS=registration, so that Claude Code, Codex and others register themselves instead.',
          ]
        : []),
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
