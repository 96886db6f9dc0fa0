/**
 * Tests the values that are inserted into pages when the site is built: they are escaped, in the right place,
 * and nothing else is changed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type SiteLanguage, siteLanguages } from '../../apps/words/src/site-routes.ts';
import { publicFolder } from '../../scripts/app/paths.ts';
import { renderPage } from '../../scripts/app/site.ts';

type Values = Readonly<Record<string, string>>;

const readPage = (language: SiteLanguage, name: string): Promise<string> =>
  readFile(join(publicFolder, language, `${name}.html`), 'utf8');

const render = async (language: SiteLanguage, name: string, variables: Values): Promise<string> =>
  renderPage(await readPage(language, name), language, variables);

const publisher = { PUBLISHER_NAME: 'Example Games', CONTACT_EMAIL: 'help+words@words.example' };
const deployment = { ORIGIN: 'https://words.example', ...publisher };
const gptUrl = 'https://chatgpt.com/g/g-68f0c2a1b4d8-words';

describe.each([
  ['en', 'Play in our GPT', '(ORIGIN is not set)'],
  ['de', 'In unserem GPT spielen', '(ORIGIN ist nicht gesetzt)'],
] as const)('the landing page of a deployment in the language %s', (language, gptLabel, originNotSet) => {
  it('links to the GPT', async () => {
    const page = await render(language, 'index', { ...deployment, GPT_URL: gptUrl });
    expect(page).toContain(`<a class="button secondary" href="${gptUrl}">${gptLabel}</a>`);
    expect(page).not.toContain('GPT_URL');
  });

  it('contains no trace of a link if there is no GPT', async () => {
    const page = await render(language, 'index', deployment);
    expect(page).not.toMatch(/GPT_URL|chatgpt\.com\/g\//);
    expect(page).not.toContain(gptLabel);
  });

  it('shows the URL of the MCP server, for players and for developers', async () => {
    const page = await render(language, 'index', deployment);
    expect(page.split('<code>https://words.example/mcp</code>')).toHaveLength(3);
    const withoutOrigin = await render(language, 'index', {});
    expect(withoutOrigin.split(`<code>${originNotSet}</code>`)).toHaveLength(3);
  });

  it('changes nothing else', async () => {
    const omitInsertedLines = (text: string) =>
      text
        .split('\n')
        .filter((line) => !/og:(url|image"|image" )|canonical|hreflang|GPT_URL|\/mcp|MCP_URL/.test(line));
    const source = await readPage(language, 'index');
    expect(omitInsertedLines(await render(language, 'index', deployment))).toEqual(omitInsertedLines(source));
  });

  it('drops the query and the fragment of the link', async () => {
    const page = await render(language, 'index', { GPT_URL: `${gptUrl}?ref="><script>alert(1)</script>#x` });
    expect(page).toContain(`href="${gptUrl}"`);
    expect(page).not.toContain('alert');
  });

  it.each([
    'javascript:alert(1)',
    'http://chatgpt.com/g/g-68f0c2a1b4d8-words',
    'https://chatgpt.com.evil.example/g/g-68f0c2a1b4d8-words',
    'https://chatgpt.com@evil.example/g/g-68f0c2a1b4d8-words',
    'https://me@chatgpt.com/g/g-68f0c2a1b4d8-words',
    'https://chatgpt.com:8443/g/g-68f0c2a1b4d8-words',
    'https://chatgpt.com/g/g-1"><script>alert(1)</script>',
    'https://chatgpt.com/',
    'g-68f0c2a1b4d8',
  ])('rejects %s as a link to the GPT', async (GPT_URL) => {
    await expect(render(language, 'index', { GPT_URL })).rejects.toThrow(
      /^GPT_URL must be the URL of the GPT/,
    );
  });
});

const socialCards = { en: 'social-card.png', de: 'social-card-de.png' };

describe.each(siteLanguages)('the metadata of each page in the language %s', (language) => {
  it.each([
    ['index', ''],
    ['play', 'play'],
    ['privacy', 'privacy'],
    ['terms', 'terms'],
  ])('has absolute URLs for other sites: %s', async (name, path) => {
    const page = await render(language, name, deployment);
    for (const line of [
      `<meta property="og:url" content="https://words.example/${language}/${path}">`,
      `<meta property="og:image" content="https://words.example/${socialCards[language]}">`,
      `<link rel="canonical" href="https://words.example/${language}/${path}">`,
      `<link rel="alternate" hreflang="en" href="https://words.example/en/${path}">`,
      `<link rel="alternate" hreflang="de" href="https://words.example/de/${path}">`,
      `<link rel="alternate" hreflang="x-default" href="https://words.example/${path}">`,
    ])
      expect(page).toContain(`\n${line}\n`);
  });

  it('has relative URLs without an origin', async () => {
    expect(await render(language, 'index', {})).toContain(`<link rel="canonical" href="/${language}/">`);
  });

  it('says that the page for unknown paths has no URL of its own', async () => {
    const page = await render(language, '404', deployment);
    expect(page).toContain('<meta name="robots" content="noindex">');
    expect(page).toContain(`content="https://words.example/${socialCards[language]}"`);
    expect(page).not.toMatch(/og:url|canonical|rel="alternate"/);
  });

  it.each(['https://words.example"><script>alert(1)</script>', 'words.example', 'https://words.example/'])(
    'rejects %s as an origin',
    async (ORIGIN) => {
      await expect(render(language, 'index', { ...publisher, ORIGIN })).rejects.toThrow(
        /^ORIGIN must be an https origin/,
      );
    },
  );
});

describe('a page', () => {
  it.each(['<!-- PUBLISHR_NAME -->x<!-- /PUBLISHR_NAME -->', '<!-- MCP_URL -->x', '<!-- a comment -->'])(
    'that contains %s is not built',
    (markup) => {
      expect(() => renderPage(`<p>${markup}</p>`, 'en', {})).toThrow(
        'The page has a comment that marks no known value.',
      );
    },
  );

  it.each(['constructor', '__PROTO__', 'PUBLISHER_NAME'])('inserts no value for %s', (text) => {
    expect(renderPage(`<p>${text}</p>`, 'en', deployment)).toBe(`<p>${text}</p>`);
  });
});

describe('the privacy policy of a deployment', () => {
  it.each([
    ['en', {}, '90 days, or until you delete your account.'],
    ['en', { AUDIT_DAYS: '400' }, '400 days, or until you delete your account.'],
    ['en', { AUDIT_DAYS: '1' }, '1 day, or until you delete your account.'],
    ['de', {}, '90 Tage oder bis du dein Konto löschst.'],
    ['de', { AUDIT_DAYS: '400' }, '400 Tage oder bis du dein Konto löschst.'],
    ['de', { AUDIT_DAYS: '1' }, '1 Tag oder bis du dein Konto löschst.'],
  ] as const)(
    'says in the language %s for AUDIT_DAYS=%j how long the audit log is kept: %s',
    async (language, variables, retention) => {
      const page = await render(language, 'privacy', variables);
      expect(page).toContain(`<dd class="until">${retention}</dd>`);
      const rendered = await render(language, 'privacy', {});
      const [before, after] = rendered.split(/90 (?:days|Tage)/);
      expect(page.startsWith(before ?? '')).toBe(true);
      expect(page.endsWith(after ?? '')).toBe(true);
    },
  );

  it('states the default of the app', async () => {
    for (const [language, text] of [
      ['en', '90 days'],
      ['de', '90 Tage'],
    ] as const)
      expect(await readPage(language, 'privacy')).toContain(`<!-- AUDIT_DAYS -->${text}<!-- /AUDIT_DAYS -->`);
  });

  it('is not built with a value that the Worker would reject', async () => {
    await expect(render('de', 'privacy', { AUDIT_DAYS: '401' })).rejects.toThrow(/^AUDIT_DAYS must be /);
  });
});

describe.each([
  ['en', 'privacy'],
  ['en', 'terms'],
  ['de', 'privacy'],
  ['de', 'terms'],
] as const)('who runs a deployment, in %s/%s', (language, name) => {
  const sentences = {
    en: (publisherName: string, contact: string) =>
      `<p>Words With Chat is run by <strong>${publisherName}</strong>. Contact: ${contact}.</p>`,
    de: (publisherName: string, contact: string) =>
      `<p>Words With Chat wird von <strong>${publisherName}</strong> betrieben. Kontakt: ${contact}.</p>`,
  };
  const notSet = {
    en: sentences.en('(PUBLISHER_NAME is not set)', '(CONTACT_EMAIL is not set)'),
    de: sentences.de('(PUBLISHER_NAME ist nicht gesetzt)', '(CONTACT_EMAIL ist nicht gesetzt)'),
  };

  it('is in its own section, with a link to the address, and nothing else changes', async () => {
    const link = '<a href="mailto:help+words@words.example">help+words@words.example</a>';
    const sentence = sentences[language]('Example Games', link);
    const page = await render(language, name, publisher);
    expect(page.split('<h2 id="contact">')[1]).toContain(`</h2>\n  ${sentence}\n`);
    expect(page).not.toMatch(/PUBLISHER|CONTACT_EMAIL|<!--/);
    expect(page.replace(sentence, notSet[language])).toBe(await render(language, name, {}));
  });

  it('is escaped', async () => {
    const PUBLISHER_NAME = '<script>alert(1)</script> & "$&" <!-- CONTACT_EMAIL -->x<!-- /CONTACT_EMAIL -->';
    expect(await render(language, name, { ...deployment, PUBLISHER_NAME })).toContain(
      '<strong>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;$&amp;&quot; &lt;!-- CONTACT_EMAIL --&gt;x&lt;!-- /CONTACT_EMAIL --&gt;</strong>',
    );
  });

  it('is missing without an origin or on loopback, and the page says so', async () => {
    for (const variables of [{}, { ORIGIN: 'http://localhost:8787' }])
      expect(await render(language, name, variables)).toContain(notSet[language]);
    expect(await render(language, name, { ...publisher, ORIGIN: 'http://localhost:8787' })).toContain(
      '<strong>Example Games</strong>',
    );
  });

  it('is required for a deployment', async () => {
    await expect(render(language, name, { ...deployment, PUBLISHER_NAME: ' ' })).rejects.toThrow(
      /^PUBLISHER_NAME is missing: /,
    );
    const { CONTACT_EMAIL: _, ...withoutContact } = deployment;
    await expect(render(language, name, withoutContact)).rejects.toThrow(/^CONTACT_EMAIL is missing: /);
    const CONTACT_EMAIL = 'help@words.example?bcc=eve@evil.example';
    await expect(render(language, name, { ...deployment, CONTACT_EMAIL })).rejects.toThrow(
      /^CONTACT_EMAIL must be one email address/,
    );
  });
});
