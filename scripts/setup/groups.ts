/**
 * Groups the sections: first the URL of the MCP server, then the clients by what they need to reach it, and last
 * the values for the GPT editor.
 */
import { buildMcpUrl } from '../../apps/words/src/api/mcp-endpoint.ts';
import { isOnLoopback } from '../../apps/words/src/config/urls.ts';
import { buildGptEditorSections } from './gpt-editor.ts';
import { buildHostedClientSections, buildLocalClientSections } from './mcp-clients.ts';
import type { SetupGroup, SetupSettings } from './section.ts';

/** Returns all groups with the values of one deployment. */
export const buildSetupGroups = (settings: SetupSettings): readonly SetupGroup[] => {
  const url = buildMcpUrl(settings.origin);
  const location = isOnLoopback(settings.origin) ? 'loopback' : 'public';
  return [
    {
      title: 'MCP server',
      introduction: [
        'A client needs only this URL, unless MCP_CLIENTS is set: it identifies itself with its metadata document, or registers itself.',
      ],
      fields: [{ name: 'URL', value: url }],
      sections: [],
    },
    {
      title: 'Clients on your machine',
      ...localClientTexts[location],
      sections: buildLocalClientSections(url),
    },
    {
      title: 'Clients that connect from the internet',
      ...hostedClientTexts[location],
      sections: buildHostedClientSections(url),
    },
    {
      title: 'Custom GPT',
      status: 'ends on 2026-12-11',
      introduction: [
        'Custom GPTs end on 2026-12-11, according to OpenAI’s FAQ as read in October 2026. Until then, enter these values in the GPT editor.',
      ],
      sections: buildGptEditorSections(settings),
      isCollapsed: true,
    },
  ];
};

const localClientTexts = {
  loopback: {
    status: 'work with this server',
    introduction: [
      'Without internet access, metadata documents cannot be read. Start the app with MCP_CLIENTS=registration, so that Claude Code, Codex and others register themselves instead.',
    ],
  },
  public: {
    introduction: ['These clients can also connect to a server that you start with npm start.'],
  },
};

const hostedClientTexts = {
  loopback: {
    status: 'need a domain or a tunnel',
    introduction: [
      'These clients cannot reach this server, so the values below are only a preview. To print them for your domain or tunnel, run npm run setup -- --origin https://words.example.',
    ],
  },
  public: {
    introduction: ['The URL must be reachable from the internet.'],
  },
};
