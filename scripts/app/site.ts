/**
 * Builds the static site of a deployment from the files in the repository, and the OpenAPI document of the API. The
 * pages contain values of the deployment: comments mark the place of each value, and the text between them is shown if the value is not set.
 */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Html, html, renderHtml } from 'assistant-auth';
import { buildMcpUrl } from '../../apps/words/src/api/mcp-endpoint.ts';
import { documentPaths, renderOpenApiDocument } from '../../apps/words/src/api/openapi-document.ts';
import { readAuditRetention } from '../../apps/words/src/config/audit.ts';
import { readPublisher } from '../../apps/words/src/config/publisher.ts';
import { readOrigin } from '../../apps/words/src/config/urls.ts';
import { VariableError } from '../../apps/words/src/config/variables.ts';
import { type SiteLanguage, siteLanguages } from '../../apps/words/src/site-routes.ts';
import { publicFolder } from './paths.ts';
import type { Variables } from './variables.ts';

/**
 * Builds the site in a folder and replaces its content.
 * @param variables `ORIGIN`, `GPT_URL`, `AUDIT_DAYS`, `PUBLISHER_NAME` and `CONTACT_EMAIL` are used. None of them
 *   is secret. The last two are required with an `ORIGIN` that is not on loopback; the others are optional
 * @throws VariableError if one of them is missing or not valid
 */
export const buildSite = async (folder: string, variables: Variables): Promise<void> => {
  const pages = await Promise.all(siteLanguages.map((language) => renderPages(language, variables)));
  await rm(folder, { recursive: true, force: true });
  await cp(publicFolder, folder, { recursive: true });
  for (const { path, page } of pages.flat()) await writeFile(join(folder, path), page);
  // The document names its server, so without an origin there is none.
  const { ORIGIN } = variables;
  if (ORIGIN === undefined) return;
  const document = renderOpenApiDocument(readOrigin(variables));
  for (const path of documentPaths) await writeFile(join(folder, path), document);
};

const renderPages = async (language: SiteLanguage, variables: Variables) => {
  const names = await readdir(join(publicFolder, language));
  return Promise.all(
    names.map(async (name) => {
      const path = join(language, name);
      return {
        path,
        page: renderPage(await readFile(join(publicFolder, path), 'utf8'), language, variables),
      };
    }),
  );
};

/**
 * Inserts the values of the deployment into a page, wherever the page marks a place for one, and makes the URLs in
 * its metadata absolute, because search engines and sites that show link previews do not resolve relative ones.
 * @throws VariableError if a variable that is listed at `buildSite` is missing or not valid
 * @throws Error for a comment that marks no known value
 */
export const renderPage = (page: string, language: SiteLanguage, variables: Variables): string => {
  const { ORIGIN } = variables;
  const origin = ORIGIN === undefined ? undefined : readOrigin(variables);
  const { name, contactEmail } = readPublisher(variables, origin);
  const values: Readonly<Record<string, Html | string | undefined>> = {
    MCP_URL: origin && buildMcpUrl(origin),
    PUBLISHER_NAME: name,
    CONTACT_EMAIL: contactEmail && html`<a href="mailto:${contactEmail}">${contactEmail}</a>`,
    AUDIT_DAYS: formatRetention(language, variables),
  };
  const rendered = insertGptUrl(page, readGptUrl(variables))
    .replace(
      metadataUrlPattern,
      (_, before: string, path: string) => `${before}="${renderHtml(html`${origin ?? ''}${path}`)}`,
    )
    .replace(valuePattern, (match, variable: string, whenNotSet: string) => {
      if (!Object.hasOwn(values, variable)) return match;
      const value = values[variable];
      return value === undefined ? whenNotSet : renderHtml(html`${value}`);
    });
  if (rendered.includes('<!--')) throw new Error('The page has a comment that marks no known value.');
  return rendered;
};

/** Matches the whole line, so that a page without the link contains no trace of it. */
const gptLinkPattern = / *<!-- with GPT_URL: (.*?) -->\n/g;

const insertGptUrl = (page: string, gptUrl: string | undefined): string =>
  page.replace(gptLinkPattern, (_, markup: string) =>
    gptUrl === undefined ? '' : markup.replace('{GPT_URL}', () => renderHtml(html`${gptUrl}`)),
  );

/** Matches a value, with the text that the page shows if the value is not set. */
const valuePattern = /<!-- ([A-Z_]+) -->(.*?)<!-- \/\1 -->/g;

const metadataUrlPattern =
  /(<(?:meta property="og:(?:url|image)" content|link rel="(?:canonical|alternate)"[^>]*? href))="(\/[^"]*)/g;

/** Formats how long the audit log is kept, for example `90 days`. */
const formatRetention = (language: SiteLanguage, variables: Variables): string | undefined => {
  const { auditRetention } = readAuditRetention(variables);
  if (auditRetention === undefined) return undefined;
  const options = { style: 'unit', unit: 'day', unitDisplay: 'long' } as const;
  return new Intl.NumberFormat(language, options).format(auditRetention / 86_400);
};

/**
 * Reads the URL of the GPT.
 * @throws VariableError if `GPT_URL` is not the URL of a GPT
 */
export const readGptUrl = ({ GPT_URL }: Variables): string | undefined => {
  if (GPT_URL === undefined) return undefined;
  const url = URL.parse(GPT_URL);
  if (url !== null && gptOrigins.includes(url.origin) && gptPath.test(url.pathname) && url.username === '')
    return url.origin + url.pathname;
  throw new VariableError(
    'GPT_URL',
    'must be the URL of the GPT, such as https://chatgpt.com/g/g-68f0c2a1b4d8-words.',
  );
};

const gptOrigins = ['https://chatgpt.com', 'https://chat.openai.com'];

const gptPath = /^\/g\/g-[\w-]+$/;
