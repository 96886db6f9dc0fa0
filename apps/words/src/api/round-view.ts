/**
 * The user interface of a round inside ChatGPT and Claude (MCP Apps 2026-01-26). The document is a static file, so
 * that the Worker stays small. Only clients receive it, as a resource: the app does not serve it as a page.
 */
import type { ResourceDefinition } from 'assistant-operations/mcp';
import type { Bindings } from '../bindings.ts';

/** The URI of the resource. */
export const roundViewUri = 'ui://words-with-chat/round.html';

/** Creates the resource. The document loads nothing, and connects to nothing. */
export const createRoundView = (origin: string, assets: Bindings['assets']): ResourceDefinition => ({
  uri: roundViewUri,
  name: 'round',
  title: 'A round',
  mimeType: 'text/html;profile=mcp-app',
  text: async () => {
    // Without the extension, as the static files of Workers and Pages are.
    const response = await assets.fetch(`${origin}/views/round`);
    if (!response.ok) throw new Error(`the view of a round could not be read: ${response.status}`);
    return response.text();
  },
  meta: {
    ui: { csp: { connectDomains: [], resourceDomains: [] }, prefersBorder: true },
    // Apps in ChatGPT need a domain of their own. In `ui.domain`, Claude would reject it: decision 0065.
    'openai/widgetDomain': origin,
  },
});
