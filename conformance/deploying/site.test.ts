/**
 * Tests the values that are inserted into pages when the site is built: they are escaped, in the right place,
 * and nothing else is changed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { publicFolder } from '../../scripts/app/paths.ts';
import { renderLandingPage, renderPrivacyPage } from '../../scripts/app/site.ts';

let landingPage: string;
let privacyPage: string;
beforeAll(async () => {
  landingPage = await readFile(join(publicFolder, 'index.html'), 'utf8');
  privacyPage = await readFile(join(publicFolder, 'privacy.html'), 'utf8');
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
    expect(renderedPage.replace(retention, '<!-- AUDIT_DAYS -->90 days')).toBe(privacyPage);
  });

  it('fails with a value that the Worker would reject', () => {
    expect(() => renderPrivacyPage(privacyPage, { AUDIT_DAYS: '401' })).toThrow(/^AUDIT_DAYS must be /);
  });
});
