/**
 * Tests the values that are inserted into pages when the site is built: they are escaped, in the right place,
 * and nothing else is changed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { publicFolder } from '../../scripts/app/paths.ts';
import { renderLandingPage, renderPrivacyPage, renderTermsPage } from '../../scripts/app/site.ts';

let landingPage: string;
let privacyPage: string;
let termsPage: string;
beforeAll(async () => {
  landingPage = await readFile(join(publicFolder, 'index.html'), 'utf8');
  privacyPage = await readFile(join(publicFolder, 'privacy.html'), 'utf8');
  termsPage = await readFile(join(publicFolder, 'terms.html'), 'utf8');
});

const gptUrl = 'https://chatgpt.com/g/g-68f0c2a1b4d8-words';

describe('the landing page of a deployment', () => {
  it('links to the GPT', () => {
    const renderedPage = renderLandingPage(landingPage, { ORIGIN: 'https://words.example', GPT_URL: gptUrl });
    expect(renderedPage).toContain(`<a class="button" href="${gptUrl}">Play in ChatGPT</a>`);
    expect(renderedPage).not.toContain('GPT_URL');
  });

  it('contains no trace of a link if there is no GPT yet', () => {
    const renderedPage = renderLandingPage(landingPage, { ORIGIN: 'https://words.example' });
    expect(renderedPage).not.toMatch(/GPT_URL|chatgpt\.com\/g\//);
  });

  it('has absolute URLs for other sites', () => {
    const renderedPage = renderLandingPage(landingPage, { ORIGIN: 'https://words.example' });
    expect(renderedPage).toContain('<meta property="og:url" content="https://words.example/">');
    expect(renderedPage).toContain(
      '<meta property="og:image" content="https://words.example/social-card.png">',
    );
  });

  it('changes nothing else', () => {
    const omitInsertedLines = (text: string) =>
      text.split('\n').filter((line) => !/og:(url|image"|)|GPT_URL/.test(line));
    const renderedPage = renderLandingPage(landingPage, { ORIGIN: 'https://words.example' });
    expect(omitInsertedLines(renderedPage)).toEqual(omitInsertedLines(landingPage));
  });

  it('drops the query and the fragment of the link', () => {
    const renderedPage = renderLandingPage(landingPage, {
      GPT_URL: `${gptUrl}?ref="><script>alert(1)</script>#x`,
    });
    expect(renderedPage).toContain(`href="${gptUrl}"`);
    expect(renderedPage).not.toContain('alert');
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
  ])('rejects %s as a link to the GPT', (GPT_URL) => {
    expect(() => renderLandingPage(landingPage, { GPT_URL })).toThrow(/^GPT_URL must be the URL of the GPT/);
  });

  it.each(['https://words.example"><script>alert(1)</script>', 'words.example', 'https://words.example/'])(
    'rejects %s as an origin',
    (ORIGIN) => {
      expect(() => renderLandingPage(landingPage, { ORIGIN })).toThrow(/^ORIGIN must be an https origin/);
    },
  );

  it('fails if the source page has no placeholders', () => {
    expect(() => renderLandingPage('<!doctype html>', {})).toThrow('nothing that matches');
  });
});

describe('the privacy policy of a deployment', () => {
  const retentionPattern = /class="until">(.*), or until you delete your account\./;

  it.each([
    [{}, '90 days'],
    [{ AUDIT_DAYS: '400' }, '400 days'],
    [{ AUDIT_DAYS: '1' }, '1 day'],
  ])('says for AUDIT_DAYS=%j how long the audit log is kept: %s', (variables, retention) => {
    const renderedPage = renderPrivacyPage(privacyPage, variables);
    expect(retentionPattern.exec(renderedPage)?.[1]).toBe(retention);
    expect(
      renderedPage
        .replace(retention, '<!-- AUDIT_DAYS -->90 days')
        .replace('<p>Words With Chat is run by', '<p><!-- PUBLISHER -->Words With Chat is run by'),
    ).toBe(privacyPage);
  });

  it('fails with a value that the Worker would reject', () => {
    expect(() => renderPrivacyPage(privacyPage, { AUDIT_DAYS: '401' })).toThrow(/^AUDIT_DAYS must be /);
  });
});

describe('who runs a deployment', () => {
  const origin = { ORIGIN: 'https://words.example' };
  const publisher = { PUBLISHER_NAME: 'Example Games', CONTACT_EMAIL: 'help+words@words.example' };
  const pages = [
    [
      'privacy policy',
      (variables: Readonly<Record<string, string>>) => renderPrivacyPage(privacyPage, variables),
    ],
    ['terms', (variables: Readonly<Record<string, string>>) => renderTermsPage(termsPage, variables)],
  ] as const;

  it.each(pages)('is in the %s, with a link to the address, and nothing else changes', (_, render) => {
    const sentence =
      '<p>Words With Chat is run by <strong>Example Games</strong>. ' +
      'Contact: <a href="mailto:help+words@words.example">help+words@words.example</a>.</p>';
    const page = render({ ...origin, ...publisher });
    expect(page.split('<h2 id="contact">Who runs this service</h2>\n  ')[1]).toMatch(
      new RegExp(`^${escapeRegExp(sentence)}`),
    );
    expect(page).not.toMatch(/PUBLISHER|CONTACT_EMAIL/);
    expect(page.replace(sentence, '')).toBe(render({}).replace(/<p>Words With Chat is run by .*<\/p>/, ''));
  });

  it.each(pages)('is escaped in the %s', (_, render) => {
    const PUBLISHER_NAME = '<script>alert(1)</script> & "$&" {CONTACT_EMAIL}';
    expect(render({ ...origin, ...publisher, PUBLISHER_NAME })).toContain(
      '<strong>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;$&amp;&quot; {CONTACT_EMAIL}</strong>',
    );
  });

  it.each(pages)('is not in the %s without an origin or on loopback, which says so', (_, render) => {
    for (const variables of [{}, { ORIGIN: 'http://localhost:8787' }])
      expect(render(variables)).toContain(
        '<p>Words With Chat is run by <strong>(PUBLISHER_NAME is not set)</strong>. Contact: (CONTACT_EMAIL is not set).</p>',
      );
    expect(render({ ...publisher, ORIGIN: 'http://localhost:8787' })).toContain(
      '<strong>Example Games</strong>',
    );
  });

  it.each(pages)('is required in the %s of a deployment', (_, render) => {
    expect(() => render({ ...origin, ...publisher, PUBLISHER_NAME: ' ' })).toThrow(
      /^PUBLISHER_NAME is missing: /,
    );
    expect(() => render({ ...origin, PUBLISHER_NAME: 'Example Games' })).toThrow(
      /^CONTACT_EMAIL is missing: /,
    );
    expect(() =>
      render({ ...origin, ...publisher, CONTACT_EMAIL: 'help@words.example?bcc=eve@evil.example' }),
    ).toThrow(/^CONTACT_EMAIL must be one email address/);
  });

  it.each([
    ['privacy policy', () => renderPrivacyPage('<!doctype html>', {})],
    ['terms', () => renderTermsPage('<!doctype html>', {})],
  ])('fails if the source of the %s has no placeholder', (_, render) => {
    expect(render).toThrow('nothing that matches');
  });
});

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
