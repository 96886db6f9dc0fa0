/** Renders `llms.txt` (https://llmstxt.org), a list of all pages for language models, from the index of the pages. */
import { readIndex } from './index-page.ts';

const summary =
  '> assistant-auth is an OAuth 2.1 authorization server as a TypeScript library, for publishers of MCP servers\n' +
  '> and APIs that ChatGPT, Claude and other AI assistants call. Users sign in with Google, GitHub, Microsoft,\n' +
  '> Apple or any OpenID Connect provider. assistant-operations serves one definition of an operation as an MCP\n' +
  '> tool and over HTTP. Words With Chat is a game that uses both.\n';

/**
 * Renders the list.
 * @param toUrl returns the URL of a page, given its path from the root of the repository
 */
export const renderLlms = (toUrl: (page: string) => string): string => {
  const sections = readIndex().map(({ title, groups }) => {
    const pages = groups.flatMap((group) => group.pages);
    const items = pages.map((page) => `- [${page.title}](${toUrl(page.path)}): ${page.description}`);
    return `## ${title}\n\n${items.join('\n')}\n`;
  });
  return `# assistant-auth\n\n${summary}\n${sections.join('\n')}`;
};
