/**
 * Builds the static site of a deployment from the files in the repository. Three pages contain values of the
 * deployment.
 */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { html, renderHtml } from 'assistant-auth';
import { readAuditRetention } from '../../apps/words/src/config/audit.ts';
import { readPublisher } from '../../apps/words/src/config/publisher.ts';
import { readOrigin } from '../../apps/words/src/config/urls.ts';
import { VariableError } from '../../apps/words/src/config/variables.ts';
import { publicFolder } from './paths.ts';
import type { Variables } from './variables.ts';

/**
 * Builds the site in a folder and replaces its content.
 * @param variables `ORIGIN`, `GPT_URL`, `AUDIT_DAYS`, `PUBLISHER_NAME` and `CONTACT_EMAIL` are used. None of them
 *   is secret. The last two are required with an `ORIGIN` that is not on loopback; the others are optional
 * @throws VariableError if one of them is missing or not valid
 */
export const buildSite = async (folder: string, variables: Variables): Promise<void> => {
  const landingPage = renderLandingPage(await readPage('index.html'), variables);
  const privacyPage = renderPrivacyPage(await readPage('privacy.html'), variables);
  const termsPage = renderTermsPage(await readPage('terms.html'), variables);
  await rm(folder, { recursive: true, force: true });
  await cp(publicFolder, folder, { recursive: true });
  await writeFile(join(folder, 'index.html'), landingPage);
  await writeFile(join(folder, 'privacy.html'), privacyPage);
  await writeFile(join(folder, 'terms.html'), termsPage);
};

const readPage = (name: string): Promise<string> => readFile(join(publicFolder, name), 'utf8');

/**
 * Inserts the link to the GPT, and makes the Open Graph URLs absolute, because sites that show link previews
 * do not resolve relative URLs.
 * @throws VariableError if `ORIGIN` or `GPT_URL` is not valid
 */
export const renderLandingPage = (page: string, variables: Variables): string => {
  const origin = readOptionalOrigin(variables) ?? '';
  const gptUrl = readGptUrl(variables);
  const pageWithLink = replaceRequired(page, gptLinkPattern, (_, markup = '') =>
    gptUrl === undefined ? '' : markup.replace('{GPT_URL}', () => renderHtml(html`${gptUrl}`)),
  );
  return replaceRequired(
    pageWithLink,
    openGraphUrlPattern,
    (_, before = '', path = '') => `${before}${renderHtml(html`${origin}${path}`)}`,
  );
};

/**
 * Inserts who runs this deployment, and how long it keeps the audit log.
 * @throws VariableError if `AUDIT_DAYS`, `PUBLISHER_NAME` or `CONTACT_EMAIL` is not valid, or one of the last two
 *   is missing
 */
export const renderPrivacyPage = (page: string, variables: Variables): string => {
  const { auditRetention } = readAuditRetention(variables);
  const days = auditRetention && auditRetention / 86_400;
  return replaceRequired(
    insertPublisher(page, variables),
    retentionPattern,
    (_, defaultDays = '') => `${days ?? defaultDays} ${days === 1 ? 'day' : 'days'}`,
  );
};

/**
 * Inserts who runs this deployment.
 * @throws VariableError if `PUBLISHER_NAME` or `CONTACT_EMAIL` is missing or not valid
 */
export const renderTermsPage = (page: string, variables: Variables): string =>
  insertPublisher(page, variables);

const insertPublisher = (page: string, variables: Variables): string => {
  const { name, contactEmail } = readPublisher(variables, readOptionalOrigin(variables));
  const publisher = html`${name ?? '(PUBLISHER_NAME is not set)'}`;
  const contact =
    contactEmail === undefined
      ? html`(CONTACT_EMAIL is not set)`
      : html`<a href="mailto:${contactEmail}">${contactEmail}</a>`;
  return replaceRequired(page, publisherPattern, () =>
    renderHtml(html`Words With Chat is run by <strong>${publisher}</strong>. Contact: ${contact}.`),
  );
};

/** Matches the whole sentence, up to the end of the paragraph. */
const publisherPattern = /<!-- PUBLISHER -->.*?(?=<\/p>)/;

const retentionPattern = /<!-- AUDIT_DAYS -->(\d+) days/;

/** Matches the whole line, so that a page without the link contains no trace of it. */
const gptLinkPattern = / *<!-- with GPT_URL: (.*?) -->\n/g;

const openGraphUrlPattern = /(<meta property="og:(?:url|image)" content=")(\/[^"]*)/g;

const readOptionalOrigin = (variables: Variables): string | undefined => {
  const { ORIGIN } = variables;
  return ORIGIN === undefined ? undefined : readOrigin(variables);
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

/** Replaces all matches. Throws an error if there is none. */
const replaceRequired = (
  text: string,
  pattern: RegExp,
  replacement: (match: string, ...groups: readonly (string | undefined)[]) => string,
): string => {
  if (text.search(pattern) === -1) throw new Error(`The page contains nothing that matches ${pattern}.`);
  return text.replace(pattern, replacement);
};
