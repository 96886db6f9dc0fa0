/** The pages in several languages: how the language is selected, and what is in it. */
import { describe, expect, it, vi } from 'vitest';
import { accountPages } from '../../src/account/index.ts';
import { defaultAccountTexts } from '../../src/account/ui/texts.ts';
import { defaultPages } from '../../src/context.ts';
import { createErrorPageResponder } from '../../src/endpoint/error-page.ts';
import { gptAction, type ResolveUser } from '../../src/index.ts';
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
  parameterErrors,
  requestError,
  requestErrors,
  userErrors,
} from '../../src/oauth/protocol-error.ts';
import { type PageOptions, parseLocalizedBranding } from '../../src/ui/branding.ts';
import { defaultTexts, listErrorTexts, type Texts } from '../../src/ui/texts.ts';
import { type AccountBrowser, createAccountBrowser } from '../account-browser.ts';
import { createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { clients, type Deployment, deploy, gptSecret, issuer } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';
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
const englishLines = new Set<string>(Object.values(english));
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
    return parseLocalizedBranding(options, { ...defaultAccountTexts, ...defaultMcpClientTexts });
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
      'must be a canonical language tag, such as de or pt-BR.',
    ],
    [
      'markup in its tag',
      [replaceTexts({}, 'de"><b>')],
      'languages.de"><b>',
      'must be a canonical language tag, such as de or pt-BR.',
    ],
    [
      'a tag in other case',
      [replaceTexts({}, 'DE')],
      'languages.DE',
      'must be a canonical language tag, such as de or pt-BR.',
    ],
    [
      'the tag of another',
      [german, german],
      'languages.de',
      'must be listed only once. English is always included.',
    ],
    [
      'the tag en',
      [replaceTexts({}, 'en')],
      'languages.en',
      'must be listed only once. English is always included.',
    ],
  ])('W24.1 with %s is refused at startup', (_, languages, option, problem) => {
    expect(rejection({ languages: pageLanguages(languages) })).toEqual(
      new ConfigurationError(option, problem),
    );
  });

  it('must have the texts of the opt-in parts only if the broker uses them', () => {
    const withoutAccount = replaceTexts({ deleteAccount: '' });
    expect(() => parseLocalizedBranding({ languages: pageLanguages([withoutAccount]) })).not.toThrow();
    expect(rejection({ languages: pageLanguages([withoutAccount]) })).toEqual(
      new ConfigurationError('languages.de.texts.deleteAccount', 'must be a non-empty string.'),
    );
  });

  it.each(['fr', 'DE', ''])('that is fixed must be one of those given, unlike %j', (fixed) => {
    expect(rejection({ languages: pageLanguages([german], { fixed }) })).toEqual(
      new ConfigurationError('languages.fixed', 'must be en or the tag of a given language.'),
    );
  });

  it.each<[unknown, string, string]>([
    [[german], 'languages', 'must be created by pageLanguages.'],
    [german, 'languages', 'must be created by pageLanguages.'],
    [null, 'languages', 'must be created by pageLanguages.'],
    [
      pageLanguages(JSON.parse('[{ "tag": "de" }]')),
      'languages.de.texts.request.prefetch',
      'must be a non-empty string.',
    ],
    [pageLanguages([{ ...german, ...{ name: 'Deutsch' } }]), 'languages.de.name', 'is not an option.'],
  ])('is refused at startup if it is not one: %j', (languages, option, problem) => {
    expect(rejection(Object({ languages }))).toEqual(new ConfigurationError(option, problem));
  });

  it('keeps none of the texts that the broker does not use', () => {
    const { select } = parseLocalizedBranding({ languages: pageLanguages([german], { fixed: 'de' }) });
    const { texts } = select(new Request(issuer));
    expect(texts).toMatchObject({ cancel: 'Abbrechen' });
    expect(texts).not.toHaveProperty('signOut');
  });

  it('has no other options', () => {
    expect(rejection({ languages: pageLanguages([german], JSON.parse('{"default":"de"}')) })).toEqual(
      new ConfigurationError('languages.default', 'is not an option.'),
    );
  });

  it('can omit the product where the publisher’s English text has it', () => {
    const texts = { request: '{client}, please:' };
    expect(() => parseLocalizedBranding({ languages: pageLanguages([german]), texts })).not.toThrow();
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
    const { select } = parseLocalizedBranding({
      languages: pageLanguages([replaceTexts({}, tag)], { fixed: tag }),
    });
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
    ).toThrow(new ConfigurationError('scopes', 'must have descriptions by language (en, de): words'));
  });

  it('is that of everything on the sign-in page', async () => {
    const { response } = await createTestBrowser(deploy(bothLanguages), inGerman).openSignInPage(gptRequest);
    expect(await readLines(await response.text())).toEqual([
      'Anmelden und weiter zu Words GPT',
      'w→W',
      'Anmelden und weiter zu Words GPT',
      'Words GPT möchte auf dein Konto bei words.example zugreifen. Die App kann dann:',
      'die Wortlisten lesen',
      'deinen Punktestand sehen und erhöhen',
      'bis zu 12 Monate lang zugreifen – beenden kannst du das in deinem Konto',
      'Danach geht es zurück zu chat.openai.com. Wenn du nicht von dort kommst, brich ab.',
      'Anmelden und Zugriff erlauben',
      'Mit Google anmelden',
      'Mit Other anmelden',
      'Abbrechen',
      'Wir sehen dein Passwort nie, und Words GPT erfährt weder deinen Namen noch deine E-Mail-Adresse.',
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
    expect(lines).toEqual(
      expect.arrayContaining(['Dein Konto bei words.example', 'Angemeldete Geräte', 'de 7']),
    );
    expect(lines.filter((line) => englishLines.has(line.trim()))).toEqual([]);
  });

  /** Signs in and redeems the code, so that the account page lists the app. */
  const connectApp = async (deployment: Deployment): Promise<void> => {
    const redirect = await createTestBrowser(deployment).signIn(gptRequest, 'ada');
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: redirect.searchParams.get('code') ?? '',
      redirect_uri: gptRequest.redirect_uri,
      client_id: 'gpt',
      client_secret: gptSecret,
    });
    const token = await deployment.fetch(new Request(`${issuer}/token`, { method: 'POST', body }));
    expect(token.status).toBe(200);
  };

  const readAccountPage = async (deployment: Deployment): Promise<readonly string[]> => {
    const browser = createAccountBrowser(deployment, inGerman);
    await browser.signInToAccount();
    return readLines((await browser.openAccountPage()).html);
  };

  it('is that of the scopes of a connected app', async () => {
    const deployment = deploy(bothLanguages);
    await connectApp(deployment);
    expect(await readAccountPage(deployment)).toEqual(
      expect.arrayContaining(['die Wortlisten lesen', 'deinen Punktestand sehen und erhöhen']),
    );
  });

  it('W24.3 does not apply to a removed scope, which is shown by its name', async () => {
    const deployment = deploy(bothLanguages);
    await connectApp(deployment);
    const client = gptAction({ id: 'gpt', name: 'Words GPT', secrets: [gptSecret], scopes: ['words'] });
    const later = deploy({
      ...{ storage: deployment.storage, languages: pageLanguages([german]), clients: [client] },
      scopes: { words: scopes.words },
    });
    expect(await readAccountPage(later)).toEqual(expect.arrayContaining(['die Wortlisten lesen', 'score']));
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
    expect(lines).toContain('Hast du das gerade selbst gestartet?');
  });

  it('is that of the message from resolveUser, at every sign-in', async () => {
    const resolveUser = vi.fn<ResolveUser>(async () => ({ kind: 'accepted', userId: 'ada-1' }));
    const deployment = deploy({ ...bothLanguages, resolveUser });
    const readLanguages = () => resolveUser.mock.calls.splice(0).map(([, , language]) => language);
    const browser = createAccountBrowser(deployment, inGerman);
    await browser.signIn(gptRequest);
    expect(readLanguages()).toEqual(['de']);
    await browser.signInToAccount('ada', 'google', { refresh: 'r-1' });
    expect(readLanguages()).toEqual(['de']);
    const { consent } = await browser.openSignInPage(gptRequest);
    const redirect = readRedirect(await browser.submitConsent(consent, { choice: 'continue' }));
    expect(redirect.searchParams.has('code')).toBe(true);
    expect(readLanguages()).toEqual(['de']);
    await browser.reauthenticate();
    readLanguages();
    const page = await browser.submitThroughProvider('/link', { choice: 'other' }, { code: 'cat' });
    expect(page.status).toBe(200);
    expect(readLanguages()).toEqual(['de', 'de']);
    resolveUser.mockImplementation(async (_identity, _client, language) => ({
      kind: 'refused',
      reason: 'full',
      message: `language ${language}`,
    }));
    const other = createAccountBrowser(deployment, inGerman);
    const lines = await readLines(await (await other.signInToAccount()).text());
    expect(lines).toEqual(
      expect.arrayContaining([
        'Mit diesem Konto kannst du dich nicht anmelden',
        'language de',
        'Zu deinem Konto',
      ]),
    );
  });

  const signInTwice = async (browser: AccountBrowser): Promise<Response> => {
    const { consent } = await browser.openSignInPage(gptRequest);
    const { searchParams } = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
    const callback = `${issuer}/callback/google?code=ada&state=${searchParams.get('state')}`;
    await browser.visit(callback);
    return browser.visit(callback);
  };

  const linkIdentity = async (browser: AccountBrowser, subject: string): Promise<Response> => {
    await browser.signInToAccount();
    return browser.submitThroughProvider('/link', { choice: 'other' }, { code: subject });
  };

  it.each<[string, (browser: AccountBrowser, deployment: Deployment) => Promise<Response>, string]>([
    [
      'the sign-in page of the account',
      async (browser) => (await browser.openAccountPage()).response,
      'Dein Konto bei words.example',
    ],
    [
      'the page that asks whether to link an identity',
      (browser) => linkIdentity(browser, 'cat'),
      'Diese Anmeldemethode hinzufügen?',
    ],
    [
      'the page for an identity of another account',
      async (browser, deployment) => {
        await createAccountBrowser(deployment).signInToAccount('cat', 'other');
        return linkIdentity(browser, 'cat');
      },
      'Bereits in einem anderen Konto verwendet',
    ],
    ['the page for a repeated callback', signInTwice, 'Du bist bereits angemeldet'],
    [
      'the page after admin consent',
      (browser) => browser.visit(`${issuer}/callback/admin?admin_consent=True&tenant=acme`),
      'Deine Organisation hat zugestimmt',
    ],
    [
      'the error page of the account’s forms',
      (browser) => browser.visit(`${issuer}/account/delete`),
      'Es wurde nichts geändert',
    ],
    [
      'the error page of a lost callback',
      (browser) => browser.visit(`${issuer}/callback/google?code=ada&state=unknown`),
      'Cookies sind erforderlich',
    ],
    [
      'the error page of a client without a readable metadata document',
      (browser) =>
        browser.visit(`${issuer}/authorize?client_id=https%3A%2F%2Fapp.example%2Fclient&response_type=code`),
      'Das Metadatendokument der App konnte nicht gelesen werden. Versuche es gleich noch einmal.',
    ],
    [
      'the error page of an item that is gone',
      async (browser) => {
        await browser.signInToAccount();
        return browser.post('/apps/disconnect', { app: 'gone' });
      },
      'Dieser Eintrag ist nicht mehr in deinem Konto.',
    ],
  ])('is that of %s', async (_, open, expected) => {
    const admin = { ...createProvider('admin', 'Admin'), readAdminConsent: () => 'given' as const };
    const deployment = deploy({
      ...bothLanguages,
      providers: [createProvider('google', 'Google'), createProvider('other', 'Other'), admin],
      clients: [...clients, mcpClients({ fetch: () => Promise.reject(new TypeError('no network')) })],
    });
    const html = await (await open(createAccountBrowser(deployment, inGerman), deployment)).text();
    expect(await readAttributes(html, 'html')).toEqual([{ lang: 'de', dir: 'ltr' }]);
    const lines = await readLines(html);
    expect(lines).toContain(expected);
    expect(lines.filter((line) => englishLines.has(line.trim()))).toEqual([]);
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
      branding: parseLocalizedBranding({ languages: pageLanguages([german]) }, english),
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
    expect(html).toContain(`<p class="note" lang="en" dir="ltr">${detail}</p>`);
    expect(await readLines(html)).toContain(german.texts.invalidRequest);
    expect(await respond(error).text()).toContain(`<p class="note" lang="en" dir="ltr">${detail}</p>`);
  });

  it('has the details only for these reasons', () => {
    expect(Object.keys({ ...requestErrors, ...parameterErrors })).toEqual([
      ...['request.host', 'request.path', 'request.method', 'request.content-type', 'request.too-large'],
      ...['request.unreadable', 'parameter.repeated', 'client.missing', 'redirect.missing'],
      ...['redirect.unregistered', 'state.too-long', 'state.characters', 'response-type.missing'],
      ...['response-type.unsupported', 'response-mode.unsupported', 'pkce.missing', 'pkce.method'],
      ...['pkce.challenge', 'scope.malformed', 'scope.unknown', 'scope.unavailable', 'resource.multiple'],
      ...['resource.unknown', 'prompt.login-required', 'prompt.consent-required'],
      'request.sign-in-too-large',
    ]);
  });

  it('has no details if the user can understand the error', async () => {
    expect(await respond(requestError('unexpected'), inGerman).text()).not.toContain('lang="en"');
  });
});
