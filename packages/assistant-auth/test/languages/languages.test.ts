/** The pages in several languages: how the language is selected, and what is in it. */
import { describe, expect, it, vi } from 'vitest';
import { accountPages } from '../../src/account/index.ts';
import { defaultAccountTexts } from '../../src/account/ui/texts.ts';
import { defaultPages } from '../../src/context.ts';
import { createErrorPageResponder } from '../../src/endpoint/error-page.ts';
import { gptAction } from '../../src/index.ts';
import { german, type Language, pageLanguages } from '../../src/languages/index.ts';
import { mcpClients } from '../../src/mcp-clients/index.ts';
import { defaultMcpClientTexts } from '../../src/mcp-clients/texts.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import {
  accountErrors,
  authorizationError,
  authorizationErrors,
  callbackErrors,
  mcpClientError,
  mcpClientErrors,
  ProtocolError,
  requestError,
  userErrors,
} from '../../src/oauth/protocol-error.ts';
import { type PageOptions, parseBrandings } from '../../src/ui/branding.ts';
import { defaultTexts, listErrorTexts, type Texts } from '../../src/ui/texts.ts';
import { createAccountBrowser, createSignedInBrowser } from '../account-browser.ts';
import { createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { deploy, gptSecret, issuer } from '../deployment.ts';
import { readAttributes, readLines } from '../ui/read-markup.ts';

/** The errors that pages have a text for. */
const pageErrors = {
  ...userErrors,
  ...authorizationErrors,
  ...callbackErrors,
  ...accountErrors,
  'client-metadata.unavailable': mcpClientErrors['client-metadata.unavailable'],
};
const english = {
  ...defaultTexts,
  ...defaultAccountTexts,
  ...defaultMcpClientTexts,
  ...listErrorTexts(pageErrors),
};
const englishTexts = new Map<string, string>(Object.entries(english));
const germanTexts = new Map<string, string>(Object.entries(german.texts));

const inGerman = { 'accept-language': 'de-DE,de;q=0.9,en;q=0.8' };
const scopes = {
  words: { en: 'read the word lists', de: 'die Wortlisten lesen' },
  score: { en: 'see and increase your score', de: 'deinen Punktestand sehen und erhöhen' },
};
const bothLanguages = { languages: pageLanguages([german]), scopes };

const replaceTexts = (texts: Partial<Texts>, tag = 'de'): Language => ({
  tag,
  texts: { ...german.texts, ...texts },
});

const rejection = (options: PageOptions): unknown => {
  try {
    return parseBrandings(options, { ...defaultAccountTexts, ...defaultMcpClientTexts });
  } catch (error) {
    return error;
  }
};

describe('a language', () => {
  it.each([
    [
      'a missing text',
      [replaceTexts(JSON.parse('{"cancel":null}'))],
      'languages.de.texts.cancel',
      'must be a non-empty string.',
    ],
    [
      'an empty text',
      [replaceTexts({ cancel: ' ' })],
      'languages.de.texts.cancel',
      'must be a non-empty string.',
    ],
    [
      'an empty message',
      [replaceTexts({ 'user.canceled': '' })],
      'languages.de.texts.user.canceled',
      'must be a non-empty string.',
    ],
    [
      'a missing host',
      [replaceTexts({ destination: 'Zurück.' })],
      'languages.de.texts.destination',
      'must contain {host}.',
    ],
    [
      'another placeholder',
      [replaceTexts({ cancel: '{host}' })],
      'languages.de.texts.cancel',
      'must not contain {host}.',
    ],
    [
      'no tag',
      [replaceTexts({}, 'not a tag')],
      'languages.not a tag',
      'must be a language tag, such as de or pt-BR.',
    ],
    [
      'markup in its tag',
      [replaceTexts({}, 'de"><b>')],
      'languages.de"><b>',
      'must be a language tag, such as de or pt-BR.',
    ],
    [
      'a tag in other case',
      [replaceTexts({}, 'DE')],
      'languages.DE',
      'must be a language tag, such as de or pt-BR.',
    ],
    [
      'the tag of another',
      [german, german],
      'languages.de',
      'must be given once. English is always included.',
    ],
    [
      'the tag en',
      [replaceTexts({}, 'en')],
      'languages.en',
      'must be given once. English is always included.',
    ],
  ])('with %s is refused at startup', (_, languages, option, problem) => {
    expect(rejection({ languages: pageLanguages(languages) })).toEqual(
      new ConfigurationError(option, problem),
    );
  });

  it('must have the texts of the opt-in parts only if the broker uses them', () => {
    const withoutAccount = replaceTexts({ deleteAccount: '' });
    expect(() => parseBrandings({ languages: pageLanguages([withoutAccount]) })).not.toThrow();
    expect(rejection({ languages: pageLanguages([withoutAccount]) })).toEqual(
      new ConfigurationError('languages.de.texts.deleteAccount', 'must be a non-empty string.'),
    );
  });

  it.each(['fr', 'DE', ''])('that is fixed must be one of those given, unlike %j', (fixed) => {
    expect(rejection({ languages: pageLanguages([german], { fixed }) })).toEqual(
      new ConfigurationError('languages.fixed', 'must be en or the tag of a given language.'),
    );
  });

  it('has no other options', () => {
    expect(rejection({ languages: pageLanguages([german], JSON.parse('{"default":"de"}')) })).toEqual(
      new ConfigurationError('languages.default', 'is not an option.'),
    );
  });

  it('can omit the product where the publisher’s English text has it', () => {
    const texts = { request: '{client}, please:' };
    expect(() => parseBrandings({ languages: pageLanguages([german]), texts })).not.toThrow();
  });

  it.each([
    ['ar', 'rtl'],
    ['he-IL', 'rtl'],
    ['fa', 'rtl'],
    ['ur', 'rtl'],
    ['yi', 'rtl'],
    ['dv', 'rtl'],
    ['ckb', 'rtl'],
    ['az', 'ltr'],
    ['az-Arab', 'rtl'],
    ['ar-Latn', 'ltr'],
    ['ja', 'ltr'],
    ['de', 'ltr'],
  ])('has the writing direction of its script: %s is %s', (tag, direction) => {
    const { select } = parseBrandings({ languages: pageLanguages([replaceTexts({}, tag)], { fixed: tag }) });
    expect(select(new Request(issuer))).toMatchObject({ language: tag, direction });
  });
});

describe('German', () => {
  it('has the same texts as English', () => {
    expect([...germanTexts.keys()].toSorted()).toEqual(Object.keys(english).toSorted());
  });

  it.each(Object.entries(english))('has its own text for %s', (name, text) => {
    const translated = germanTexts.get(name) ?? '';
    expect(translated).not.toBe(text);
    expect(translated).not.toMatch(/['"]|\s\s|\s$|^\s/);
  });

  it('has the placeholders of English, even those that could be left out', () => {
    const list = (text = '') => [...new Set(text.match(/\{\w+\}/g))].toSorted();
    for (const [name, text] of Object.entries(english))
      expect(list(germanTexts.get(name))).toEqual(list(text));
  });
});

describe('the language of a page', () => {
  const readLanguage = async (response: Response): Promise<string | undefined> => {
    const [attributes = {}] = await readAttributes(await response.text(), 'html');
    const { lang } = attributes;
    return lang;
  };

  it.each([
    [{}, 'en'],
    [inGerman, 'de'],
    [{ 'accept-language': 'fr' }, 'en'],
    [{ 'accept-language': '\\"><script>' }, 'en'],
    [{ 'accept-language': `de${',x'.repeat(9)}` }, 'de'],
  ])('with the headers %j is %s', async (headers, expected) => {
    const browser = createTestBrowser(deploy(bothLanguages), headers);
    const { response } = await browser.openSignInPage(gptRequest);
    expect(response.status).toBe(200);
    expect(await readLanguage(response)).toBe(expected);
  });

  it('is English without other languages, whatever the browser prefers', async () => {
    const { response } = await createTestBrowser(deploy(), inGerman).openSignInPage(gptRequest);
    expect(await readLanguage(response)).toBe('en');
  });

  it.each([
    ['de', 'Abbrechen'],
    ['en', 'Cancel'],
  ])('can be fixed: %s', async (fixed, cancel) => {
    const deployment = deploy({ ...bothLanguages, languages: pageLanguages([german], { fixed }) });
    for (const headers of [{}, inGerman, { 'accept-language': 'en' }]) {
      const { response } = await createTestBrowser(deployment, headers).openSignInPage(gptRequest);
      const lines = await readLines(await response.clone().text());
      expect(lines).toContain(cancel);
      expect(await readLanguage(response)).toBe(fixed);
    }
  });

  it('needs scope descriptions only in the language that is fixed', () => {
    const languages = pageLanguages([german], { fixed: 'de' });
    expect(() => deploy({ languages, scopes: { words: 'Wörter', score: 'Punkte' } })).not.toThrow();
    expect(() =>
      deploy({ languages: pageLanguages([german]), scopes: { words: 'Wörter', score: 'Punkte' } }),
    ).toThrow(new ConfigurationError('scopes', 'must have a description in en: words'));
  });

  it('is that of everything on the sign-in page', async () => {
    const { response } = await createTestBrowser(deploy(bothLanguages), inGerman).openSignInPage(gptRequest);
    expect(await readLines(await response.text())).toEqual([
      'Anmelden und weiter zu Words GPT',
      'w→W',
      'Anmelden und weiter zu Words GPT',
      'Words GPT möchte auf dein words.example-Konto zugreifen. Die App kann dann:',
      'die Wortlisten lesen',
      'deinen Punktestand sehen und erhöhen',
      'bis zu ein Jahr lang zugreifen, oder bis du sie in deinem Konto trennst',
      'Danach geht es zurück zu chat.openai.com. Wenn du nicht von dort kommst, brich ab.',
      'Melde dich an, um das zu erlauben',
      'Mit Google anmelden',
      'Mit Other anmelden',
      'Abbrechen',
      'Wir sehen nie dein Passwort, und Words GPT erfährt weder deinen Namen noch deine E-Mail-Adresse.',
    ]);
  });

  it('is that of everything on the account page, which has the dates in its format', async () => {
    const summarizeUser = vi.fn(async (_: string, language: string) => [{ label: language, value: '7' }]);
    const deployment = deploy({ ...bothLanguages, account: accountPages({ summarizeUser }) });
    const browser = createAccountBrowser(deployment, inGerman);
    await browser.signIn(gptRequest);
    await browser.signInToAccount();
    const { html } = await browser.openAccountPage();
    expect(summarizeUser.mock.calls).toEqual([[expect.any(String), 'de']]);
    const lines = await readLines(html);
    expect(lines).toEqual(expect.arrayContaining(['Dein words.example-Konto', 'Angemeldete Geräte', 'de 7']));
    expect(lines.filter((line) => /^[A-Z].* the |You|your/.test(line))).toEqual([]);
  });

  it('is that of the scopes of a connected app', async () => {
    const { deployment } = await createSignedInBrowser(deploy(bothLanguages));
    const browser = createAccountBrowser(deployment, inGerman);
    const code = (await browser.signIn(gptRequest, 'ada')).searchParams.get('code') ?? '';
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: gptRequest.redirect_uri,
      client_id: 'gpt',
      client_secret: gptSecret,
    });
    const token = await deployment.fetch(new Request(`${issuer}/token`, { method: 'POST', body }));
    expect(token.status).toBe(200);
    await browser.signInToAccount();
    const lines = await readLines((await browser.openAccountPage()).html);
    expect(lines).toEqual(
      expect.arrayContaining(['die Wortlisten lesen', 'deinen Punktestand sehen und erhöhen']),
    );
  });

  it('describes offline_access', async () => {
    const client = gptAction({ id: 'gpt', name: 'Words GPT', secrets: [gptSecret], scopes: ['words'] });
    const deployment = deploy({ ...bothLanguages, clients: [client, mcpClients({ fetch })] });
    const registration = await deployment.fetch(
      new Request(`${issuer}/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: ['http://127.0.0.1/callback'], client_name: 'Ein Client' }),
      }),
    );
    const { client_id } = await registration.json<{ client_id: string }>();
    const { response } = await createTestBrowser(deployment, inGerman).openSignInPage({
      client_id,
      redirect_uri: 'http://127.0.0.1:5000/callback',
      response_type: 'code',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      scope: 'words offline_access',
    });
    const lines = await readLines(await response.text());
    expect(lines).toContain('verbunden bleiben, ohne dich erneut zu fragen');
    expect(lines).toContain('Hast du diese Anmeldung gerade selbst begonnen?');
  });

  it('is that of the message from resolveUser', async () => {
    const resolveUser = vi.fn(
      async (_identity: unknown, _client: unknown, language: string) =>
        ({ kind: 'refused', reason: 'full', message: `language ${language}` }) as const,
    );
    const browser = createAccountBrowser(deploy({ ...bothLanguages, resolveUser }), inGerman);
    const lines = await readLines(await (await browser.signInToAccount()).text());
    expect(lines).toEqual(
      expect.arrayContaining([
        'Mit diesem Konto kannst du dich nicht anmelden',
        'language de',
        'Zu deinem Konto',
      ]),
    );
  });

  it('is not that of the error that the client gets', async () => {
    const browser = createTestBrowser(deploy(bothLanguages), inGerman);
    const { consent } = await browser.openSignInPage(gptRequest);
    const redirect = readRedirect(await browser.submitConsent(consent, { cancel: '1' }));
    expect(redirect.searchParams.get('error')).toBe('access_denied');
    expect(redirect.searchParams.get('error_description')).toBe('The sign-in was canceled.');
  });
});

describe('an error page', () => {
  const respond = (error: ProtocolError, headers = {}) =>
    createErrorPageResponder({
      pages: defaultPages,
      brandings: parseBrandings({ languages: pageLanguages([german]) }, english),
    })(error, {
      request: new Request(issuer, { headers }),
      requestId: 'request-1',
      log: () => {},
      waitUntil: () => {},
      findAddressBlock: () => undefined,
    });

  const isReason = (name: string): name is keyof typeof pageErrors => Object.hasOwn(pageErrors, name);

  it.each(Object.keys(pageErrors).filter(isReason))(
    'for %s is in the language of the browser',
    async (reason) => {
      const error = new ProtocolError(reason, pageErrors[reason]);
      const [, , heading, message] = await readLines(await respond(error, inGerman).text());
      expect([
        ...['Die Anmeldung hat nicht geklappt', 'Etwas ist schiefgelaufen', 'Öffne diese Seite noch einmal'],
        ...['Zu viele Anmeldungen', 'Diese Anmeldemethode ist nicht verfügbar', 'Cookies sind erforderlich'],
      ]).toContain(heading);
      expect(message).toBe(german.texts[reason]);
      expect((await readLines(await respond(error).text()))[3]).toBe(englishTexts.get(reason));
    },
  );

  it.each([
    [authorizationError('pkce.missing'), 'The parameter code_challenge is missing.'],
    [requestError('parameter.repeated'), 'A parameter was sent more than once.'],
    [
      mcpClientError('client-metadata.invalid', { detail: 'Reason: <no name>.' }),
      'The metadata document of the app is not valid. Reason: &lt;no name&gt;.',
    ],
  ])('for a mistake of an app has its details in English: %s', async (error, detail) => {
    const html = await respond(error, inGerman).text();
    expect(html).toContain(`<p class="note" lang="en">${detail}</p>`);
    expect(await readLines(html)).toContain(german.texts.invalidRequest);
    expect(await respond(error).text()).toContain(`<p class="note" lang="en">${detail}</p>`);
  });

  it('has no details if the user can understand the error', async () => {
    expect(await respond(requestError('unexpected'), inGerman).text()).not.toContain('lang="en"');
  });
});
