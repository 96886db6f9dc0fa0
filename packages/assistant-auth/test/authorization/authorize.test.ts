/** GET /authorize: the authorization request and the sign-in page (RFC 6749 §4.1.1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAuthorizationRequest, validateClientAndRedirect } from '../../src/authorization/authorize.ts';
import { createClientRegistry, indexClients } from '../../src/clients/registry.ts';
import { type BrokerOptions, type SignInModel, staticClient } from '../../src/index.ts';
import { ProtocolError } from '../../src/oauth/protocol-error.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { createAccountBrowser } from '../account-browser.ts';
import { appRequest, challenge, createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { clients, type Deployment, deploy, gptRedirect, issuer, keys } from '../deployment.ts';
import { expectErrorPage, expectErrorRedirect } from '../expect-error.ts';
import { listBindingCookies } from '../flows.ts';
import { buildDocument, createWeb, deployWith, documentRequest, register } from '../mcp-clients/web.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { readAttributes, readLines } from '../ui/read-markup.ts';

describe('the authorization request', () => {
  const registry = createClientRegistry(indexClients(clients, parseIssuer(issuer)), undefined);
  const resources = [`${issuer}/api`, `${issuer}/other`];
  const declared = new Set(['words', 'score', 'offline_access']);

  type Changes = Readonly<Record<string, string | readonly string[] | undefined>>;

  /** Builds a query with some parameters changed, repeated or (with `undefined`) omitted. */
  const queryOf = (base: Readonly<Record<string, string>>, changes: Changes = {}): URLSearchParams => {
    const query = new URLSearchParams(base);
    for (const [name, value] of Object.entries(changes)) {
      query.delete(name);
      for (const one of [value ?? []].flat()) query.append(name, one);
    }
    return query;
  };

  const parse = async (query: URLSearchParams) =>
    parseAuthorizationRequest(query, await validateClientAndRedirect(query, registry), resources, declared);

  const validateRequest = (changes: Changes) =>
    validateClientAndRedirect(queryOf(gptRequest, changes), registry);

  describe('client and redirect URI', () => {
    it('are a registered client and one of its redirect URIs', async () => {
      const { client, redirect, state } = await validateClientAndRedirect(queryOf(gptRequest), registry);
      expect([client.id, redirect, state]).toEqual(['gpt', gptRedirect, gptRequest.state]);
    });

    it.each<[string, Changes, string]>([
      ['no client', { client_id: undefined }, 'client.missing'],
      ['an empty client', { client_id: '' }, 'client.missing'],
      ['an unknown client', { client_id: 'nobody' }, 'client.unknown'],
      ['a client ID that is the name of an object property', { client_id: '__proto__' }, 'client.unknown'],
      ['another case', { client_id: 'GPT' }, 'client.unknown'],
      ['no redirect URI although the client has several', { redirect_uri: undefined }, 'redirect.missing'],
      ['an unregistered redirect URI', { redirect_uri: 'https://evil.example/' }, 'redirect.unregistered'],
      ['a state of 2,049 characters', { state: 'x'.repeat(2049) }, 'state.too-long'],
      ['a state with a line break', { state: 'a\r\nb' }, 'state.characters'],
      ['a state with NUL', { state: 'a\0' }, 'state.characters'],
      ['a state with DEL', { state: 'a\x7F' }, 'state.characters'],
      ['a state with a non-ASCII character', { state: 'é' }, 'state.characters'],
    ])('is refused: %s', async (_, changes, reason) => {
      await expect(validateRequest(changes)).rejects.toThrow(expect.objectContaining({ reason }));
    });

    it.each([
      ...['client_id', 'redirect_uri', 'state', 'response_type', 'response_mode', 'scope'],
      ...['code_challenge', 'code_challenge_method'],
    ])('are refused if %s is repeated, with the same value or another', async (name) => {
      const value = name === 'client_id' ? 'gpt' : 'x';
      for (const repeated of [
        [value, value],
        [value, 'y'],
        ['', value],
      ])
        await expect(validateRequest({ [name]: repeated })).rejects.toThrow(
          expect.objectContaining({ reason: 'parameter.repeated' }),
        );
    });

    it('can come with a state of 2,048 characters, including spaces, or an empty one, which counts as absent', async () => {
      const longest = ' ~'.repeat(1024);
      expect((await validateRequest({ state: longest })).state).toBe(longest);
      expect((await validateRequest({ state: '' })).state).toBeUndefined();
    });
  });

  describe('the other parameters', () => {
    it('become the request: client, redirect URI, state, scopes, resource and challenge', async () => {
      expect(await parse(queryOf(appRequest, { scope: 'score words', resource: `${issuer}/other` }))).toEqual(
        {
          clientId: 'app',
          redirectUri: 'https://app.example/callback',
          state: 'app-state',
          scopes: ['score', 'words'],
          resource: `${issuer}/other`,
          codeChallenge: challenge,
          maxAge: undefined,
          selectAccount: false,
        },
      );
    });

    it('have defaults, and nothing else that was not sent is added', async () => {
      const request = queryOf(appRequest, { redirect_uri: undefined, state: undefined });
      expect(await parse(request)).toEqual({
        clientId: 'app',
        redirectUri: 'https://app.example/callback',
        state: undefined,
        scopes: ['words'],
        resource: `${issuer}/api`,
        codeChallenge: challenge,
        maxAge: undefined,
        selectAccount: false,
      });
    });

    it('can include unknown parameters, even repeated ones', async () => {
      const changes = { ui_locales: ['de', 'en'], login_hint: 'ada', nonce: ['1', '2'], __proto__x: '1' };
      expect(await parse(queryOf(gptRequest, changes))).toEqual(await parse(queryOf(gptRequest)));
    });

    it.each<[string, Changes, { readonly maxAge?: number; readonly selectAccount?: boolean }]>([
      ['consent', { prompt: 'consent' }, {}],
      ['none', { prompt: 'none' }, {}],
      ['unknown', { prompt: 'create Login none,login' }, {}],
      ['empty', { prompt: '', max_age: '' }, {}],
      ['login', { prompt: 'login' }, { maxAge: 0 }],
      ['login, with an age', { prompt: 'login', max_age: '3600' }, { maxAge: 0 }],
      ['select_account', { prompt: 'select_account' }, { selectAccount: true }],
      ['several', { prompt: ' consent  select_account login' }, { maxAge: 0, selectAccount: true }],
      ['repeated', { prompt: ['select_account', '', 'login'] }, { maxAge: 0, selectAccount: true }],
      ['an age', { max_age: '3600' }, { maxAge: 3600 }],
      ['an age with zeros', { max_age: '0060' }, { maxAge: 60 }],
      ['the age 0', { max_age: '0' }, { maxAge: 0 }],
      ['several ages', { max_age: ['60', '', '9', '600'] }, { maxAge: 9 }],
      ['one malformed age', { max_age: ['60', 'x'] }, { maxAge: 0 }],
      ['a large age', { max_age: '2147483648' }, { maxAge: 2_147_483_647 }],
      ['an infinite age', { max_age: '9'.repeat(400) }, { maxAge: 2_147_483_647 }],
    ])('can include prompt and max_age: %s', async (_, changes, expected) => {
      const unchanged = await parse(queryOf(gptRequest));
      expect(await parse(queryOf(gptRequest, changes))).toEqual({ ...unchanged, ...expected });
    });

    it.each(['-1', '1.5', '1e3', '0x10', ' 60', '60 ', '+60', '６０', 'NaN', 'Infinity', 'null', 'a'])(
      'can include a malformed max_age, which counts as 0: %j',
      async (max_age) => {
        expect((await parse(queryOf(gptRequest, { max_age }))).maxAge).toBe(0);
      },
    );

    it.each<[string, Changes, string]>([
      ['no response type', { response_type: undefined }, 'response-type.missing'],
      ['the implicit grant', { response_type: 'token' }, 'response-type.unsupported'],
      ['the hybrid flow', { response_type: 'code token' }, 'response-type.unsupported'],
      ['another case', { response_type: 'CODE' }, 'response-type.unsupported'],
      ['a response in the fragment', { response_mode: 'fragment' }, 'response-mode.unsupported'],
      ['a response as a form post', { response_mode: 'form_post' }, 'response-mode.unsupported'],
      ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'pkce.missing'],
      ['the method plain', { code_challenge_method: 'plain' }, 'pkce.method'],
      ['an empty challenge', { code_challenge: '' }, 'pkce.challenge'],
      ['an unknown scope', { scope: 'words admin' }, 'scope.unknown'],
      ['a malformed scope', { scope: 'words "x"' }, 'scope.malformed'],
      ['an unknown resource', { resource: 'https://evil.example/api' }, 'resource.unknown'],
      ['a resource with an added slash', { resource: `${issuer}/api/` }, 'resource.unknown'],
      ['a resource with a similar path', { resource: `${issuer}/api-other` }, 'resource.unknown'],
      ['two resources', { resource: resources }, 'resource.multiple'],
    ])('is refused: %s', async (_, changes, reason) => {
      await expect(parse(queryOf(appRequest, changes))).rejects.toThrow(expect.objectContaining({ reason }));
    });

    it('can name one resource twice, or an empty one', async () => {
      const api = `${issuer}/api`;
      expect((await parse(queryOf(appRequest, { resource: [api, api] }))).resource).toBe(api);
      expect((await parse(queryOf(appRequest, { resource: '' }))).resource).toBe(api);
    });
  });

  it('any query is either a request or refused for a known reason', async () => {
    const name = fc.oneof(fc.constantFrom(...Object.keys(appRequest), 'scope', 'resource'), fc.string());
    const value = fc.oneof(fc.constantFrom(...Object.values(appRequest)), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value)), async (pairs) => {
        const query = new URLSearchParams([...Object.entries(appRequest), ...pairs]);
        try {
          expect((await parse(query)).clientId).toBe('app');
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});

describe('/authorize', () => {
  it('shows the page whatever the values of parameters that only OpenID Connect defines', async () => {
    const names = [
      ...['prompt', 'max_age', 'ui_locales', 'id_token_hint', 'login_hint', 'display', 'acr_values'],
      ...['claims', 'claims_locales', 'nonce', 'registration', 'request', 'request_uri'],
    ];
    const values = ['login', 'consent', 'select_account', 'create', '0', '60', '-1', '1e309', '{}', 'de en'];
    const value = fc.oneof(fc.constantFrom(...values), fc.string({ unit: 'binary' }));
    const parameters = fc.array(fc.tuple(fc.constantFrom(...names), value));
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada', 'google', { refresh: 'r-1' });
    await fc.assert(
      fc.asyncProperty(parameters, async (pairs) => {
        const query = new URLSearchParams([...Object.entries(gptRequest), ...pairs]);
        const isSilent = query.getAll('prompt').some((one) => one.split(' ').includes('none'));
        for (const browser of [accountBrowser, createTestBrowser(deployment)]) {
          const response = await browser.visit(`${issuer}/authorize?${query}`);
          const consent = /name="consent" value="([^"]*)"/.exec(await response.text())?.[1] ?? '';
          expect(response.status).toBe(isSilent ? 303 : 200);
          if (isSilent) continue;
          const next = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
          expect(next.origin).toBe('https://google.example');
        }
      }),
    );
  });

  const pageHeaders = {
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };

  const sealers = createSealers(parseKeyRing(keys), issuer, [], (length) => new Uint8Array(length));

  describe('the sign-in page', () => {
    it('shows client, scopes, redirect host and providers, and stores nothing', async () => {
      const storage = createSpyStorage();
      const deployment = deploy({ storage, branding: { name: 'Words' } });
      const { response } = await createTestBrowser(deployment).openSignInPage(gptRequest);
      expect(response.status).toBe(200);
      expect(await readLines(await response.text())).toEqual([
        'Sign in to continue to Words GPT',
        'W→W',
        'Sign in to continue to Words GPT',
        'Words GPT wants access to your Words account. It will be able to:',
        'read the word lists',
        'see and increase your score',
        'keep access for up to a year, or until you disconnect it in your account',
        'You’ll return to chat.openai.com. If you didn’t come from there, cancel.',
        'Sign in to allow this',
        'Sign in with Google',
        'Sign in with Other',
        'Cancel',
        'We never see your password, and Words GPT doesn’t get your name or email address.',
      ]);
      expect(storage.calls).toEqual([]);
      expect(deployment.log).toEqual([{ event: 'unrestricted-gpt', clientId: 'gpt' }]);
    });

    it('sets the binding cookie of its form, and no other', async () => {
      const { response } = await createTestBrowser(deploy()).openSignInPage(gptRequest);
      expect(response.headers.getSetCookie()).toEqual([
        expect.stringMatching(
          /^__Host-csrf-[\w-]{8}=[\w-]{22}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800$/,
        ),
      ]);
      const headers = [...response.headers].filter(([name]) => name !== 'set-cookie');
      expect(Object.fromEntries(headers)).toEqual(pageHeaders);
    });

    it('contains the verified request, sealed for half an hour and for this browser', async () => {
      const deployment = deploy();
      const browser = createTestBrowser(deployment);
      const { consent } = await browser.openSignInPage({
        ...appRequest,
        scope: 'score offline_access',
        unknown: 'x',
      });
      expect(await sealers.consent.open(consent)).toEqual({
        kind: 'opened',
        value: {
          request: {
            clientId: 'app',
            redirectUri: 'https://app.example/callback',
            state: 'app-state',
            scopes: ['score', 'offline_access'],
            resource: `${issuer}/api`,
            codeChallenge: challenge,
            selectAccount: false,
          },
          csrf: browser.cookies.get(listBindingCookies(browser.cookies)[0] ?? ''),
          expiresAt: deployment.now() + 1800,
        },
      });
    });

    it('has one form, with nothing to fill in except the choice', async () => {
      const { response, consent } = await createTestBrowser(deploy()).openSignInPage(gptRequest);
      const page = await response.text();
      expect(await readAttributes(page, 'form')).toEqual([
        { method: 'post', action: '/authorize/consent', autocomplete: 'off' },
      ]);
      expect(await readAttributes(page, 'input')).toEqual([
        { type: 'hidden', name: 'consent', value: consent },
      ]);
      expect(await readAttributes(page, 'button')).toEqual([
        { name: 'choice', value: 'google' },
        { name: 'choice', value: 'other' },
        { class: 'cancel', name: 'cancel', value: '1' },
      ]);
    });

    it('reuses the browser’s cookie, so that its other tabs keep working', async () => {
      const browser = createTestBrowser(deploy());
      await browser.openSignInPage(gptRequest);
      const before = [...browser.cookies];
      await browser.openSignInPage(appRequest);
      expect([...browser.cookies]).toEqual(before);
    });

    it('replaces a malformed cookie', async () => {
      const browser = createTestBrowser(deploy());
      browser.cookies.set('__Host-csrf-12345678', 'chosen-by-somebody-else');
      browser.cookies.set('__Host-csrf-23456789', 'x'.repeat(22));
      const { response } = await browser.openSignInPage(gptRequest);
      const [line = ''] = response.headers.getSetCookie();
      expect(line).toMatch(/^__Host-csrf-(?!12345678|23456789)[\w-]{8}=[\w-]{22};/);
    });
  });

  describe('the redirect host on the page', () => {
    const readRedirectHostLine = async (redirectUri: string, redirect_uri = redirectUri) => {
      const client = staticClient({ id: 'app', name: 'App', redirectUris: [redirectUri], scopes: ['words'] });
      const { response } = await createTestBrowser(deploy({ clients: [client] })).openSignInPage({
        ...appRequest,
        redirect_uri,
      });
      const lines = await readLines(await response.text());
      return lines[lines.indexOf('Sign in to allow this') - 1];
    };

    it.each([
      ['https://app.example/callback', 'app.example'],
      ['https://app.example:8443/callback', 'app.example:8443'],
      ['https://xn--pp-7kc.example/callback', 'xn--pp-7kc.example'],
    ])('of %s is %s', async (redirectUri, host) => {
      expect(await readRedirectHostLine(redirectUri)).toBe(
        `You’ll return to ${host}. If you didn’t come from there, cancel.`,
      );
    });

    it.each([
      ['http://127.0.0.1/callback', 'http://127.0.0.1:51004/callback', '127.0.0.1:51004'],
      ['http://localhost/callback', 'http://localhost:51004/callback', 'localhost:51004'],
      ['http://[::1]/callback', 'http://[::1]:51004/callback', '[::1]:51004'],
      ['com.example.app:/callback', 'com.example.app:/callback', 'com.example.app:'],
      // What looks like a host has no effect: the code goes to the app that registered the scheme.
      ['com.evil.app://chatgpt.com/callback', 'com.evil.app://chatgpt.com/callback', 'com.evil.app:'],
    ])(
      'L7.3 comes with a warning for an app on the user’s device: %s',
      async (redirectUri, requested, host) => {
        expect(await readRedirectHostLine(redirectUri, requested)).toBe(
          `An app on this device (${host}) will get access. Any app can call itself App, ` +
            'so continue only if you just started this in an app you trust.',
        );
      },
    );
  });

  describe('the redirect host of an issuer on loopback', () => {
    it.each([
      ['http://localhost:8787/callback', 'You’ll return to localhost:8787.'],
      ['http://localhost:18787/callback', 'An app on this device (localhost:18787) will get access.'],
      ['http://localhost:8786/callback', 'An app on this device (localhost:8786) will get access.'],
      ['http://127.0.0.1:8787/callback', 'An app on this device (127.0.0.1:8787) will get access.'],
    ])('L7.3 comes with a warning unless it is the issuer itself: %s', async (redirect_uri, sentence) => {
      const origin = 'http://localhost:8787';
      const client = staticClient({
        ...{ id: 'app', name: 'App', redirectUris: [redirect_uri], scopes: ['words'] },
      });
      const deployment = deploy({ clients: [client], issuer: origin, resources: [origin] });
      const query = new URLSearchParams({ ...appRequest, redirect_uri });
      const response = await deployment.fetch(new Request(`${origin}/authorize?${query}`));
      const lines = await readLines(await response.text());
      expect(lines[lines.indexOf('Sign in to allow this') - 1]).toContain(sentence);
    });
  });

  describe('how long access lasts', () => {
    const redirectUri = 'https://app.example/callback';
    const createClient = (offlineAccess: 'always' | 'on-request') =>
      staticClient({
        ...{ id: 'app', name: 'An app', redirectUris: [redirectUri], scopes: ['words'], offlineAccess },
      });
    const readAccess = async (deployment: Deployment, request: Readonly<Record<string, string>>) => {
      const { response } = await createTestBrowser(deployment).openSignInPage(request);
      return (await readLines(await response.text())).filter((line) => line.includes(' access for up to '));
    };
    const disconnect = 'or until you disconnect it in your account';
    const words = { ...appRequest, scope: 'words' };
    const offline = { ...appRequest, scope: 'words offline_access' };

    it.each([
      ['always', words, `keep access for up to 6 months, ${disconnect}`],
      ['always', offline, `keep access for up to 6 months, ${disconnect}`],
      ['on-request', offline, `keep access for up to 6 months, ${disconnect}`],
      ['on-request', words, 'keep access for up to 30 minutes'],
    ] as const)('for a static client: %s, %j', async (offlineAccess, request, line) => {
      expect(await readAccess(deploy({ clients: [createClient(offlineAccess)] }), request)).toEqual([line]);
    });

    it('for a GPT, with the configured lifetimes, and without an account page', async () => {
      const lifetimes = { stableRefreshAbsolute: 90 * 86_400, stableRefreshIdle: 400 * 86_400, access: 3600 };
      const deployment = deploy({ lifetimes }, { hasAccountPage: false });
      expect(await readAccess(deployment, gptRequest)).toEqual([
        'keep access for up to 3 months, or until you disconnect words.example in Words GPT',
      ]);
      expect(await readAccess(deployment, words)).toEqual(['keep access for up to 60 minutes']);
    });

    it.each([
      [
        ['authorization_code', 'refresh_token'],
        'keep access for up to 6 months, or until you disconnect it in your account',
      ],
      [['authorization_code'], 'keep access for up to 30 minutes'],
    ])('for a metadata document and a registration with the grant types %j', async (grant_types, line) => {
      const id = 'https://client.example/client.json';
      const web = createWeb();
      const metadata = { client_name: 'An app', redirect_uris: [redirectUri], grant_types };
      web.publish(id, buildDocument({ client_id: id, ...metadata }));
      const deployment = deployWith(web, { redirectUris: [redirectUri] }, { fetch: web.fetch });
      const registered: { readonly client_id: string } = await (await register(deployment, metadata)).json();
      for (const client_id of [id, registered.client_id])
        expect(
          await readAccess(deployment, {
            ...documentRequest,
            client_id,
            redirect_uri: redirectUri,
            scope: 'words',
          }),
        ).toEqual([line]);
    });

    it('passes the durations to a page of the publisher', async () => {
      const models: SignInModel[] = [];
      const signIn = (model: SignInModel) => {
        models.push(model);
        return '';
      };
      await createTestBrowser(deploy({ pages: { signIn } })).openSignInPage(gptRequest);
      await createTestBrowser(deploy({ pages: { signIn } }, { hasAccountPage: false })).openSignInPage(
        appRequest,
      );
      expect(models.map(({ access, accountPath }) => ({ access, accountPath }))).toEqual([
        {
          access: { kind: 'refreshed', lifetime: 365 * 86_400, idleLifetime: 60 * 86_400 },
          accountPath: '/account',
        },
        { access: { kind: 'once', lifetime: 1800 } },
      ]);
    });
  });

  describe('the page for a client that is not in the configuration', () => {
    const readPage = async (
      deployment: Deployment,
      client_id: string,
      redirect_uri: string,
    ): Promise<string> => {
      const request = { ...documentRequest, client_id, redirect_uri };
      const { response } = await createTestBrowser(deployment).openSignInPage(request);
      return response.text();
    };

    /** The lines between the heading and the buttons, without the duration of the access. */
    const readFacts = async (
      ...[deployment, id, redirectUri]: Parameters<typeof readPage>
    ): Promise<readonly string[]> => {
      const lines = await readLines(await readPage(deployment, id, redirectUri));
      return lines
        .slice(3, lines.indexOf('Sign in to allow this'))
        .filter((line) => !line.includes(' access for up to '));
    };

    const branding = { name: 'Words' };

    /** Deploys a broker for a client whose metadata document is at `id`. */
    const deployDocument = (
      id: string,
      client_name: string,
      redirectUri: string,
      ...[metadata = {}, changes = {}]: [Readonly<Record<string, unknown>>?, Partial<BrokerOptions>?]
    ): Deployment => {
      const web = createWeb();
      web.publish(
        id,
        buildDocument({ client_id: id, client_name, redirect_uris: [redirectUri], ...metadata }),
      );
      return deployWith(web, {}, { branding, fetch: web.fetch, ...changes });
    };

    it.each([
      ['https://chatgpt.com/oauth/abc/client.json', 'chatgpt.com', issuer],
      ['https://xn--chtgpt-3ve.com/oauth/abc/client.json', 'xn--chtgpt-3ve.com', issuer],
      ['http://localhost:9000/client.json', 'localhost:9000', 'http://localhost:8787'],
    ])(
      'L7.1 shows the host of its ID, if that is the URL of a metadata document: %s',
      async (id, host, own) => {
        const redirectUri = 'https://chatgpt.com/connector/oauth/abc';
        const changes = { issuer: own, resources: [own] } as const;
        const facts = await readFacts(
          deployDocument(id, 'ChatGPT', redirectUri, {}, changes),
          ...([id, redirectUri] as const),
        );
        expect(facts.slice(0, 3)).toEqual([
          `This app is identified by ${host}.`,
          'ChatGPT wants access to your Words account. It will be able to:',
          'read the word lists',
        ]);
      },
    );

    it.each([
      ['https://slack.com/callback', 'You’ll return to slack.com.'],
      ['https://oauth2.slack.com/callback', 'You’ll return to oauth2.slack.com, not slack.com.'],
      ['https://slack.com:8443/callback', 'You’ll return to slack.com:8443, not slack.com.'],
    ])(
      'L7.1 shows the host of the redirect URI, and that of the client ID if it differs: %s',
      async (uri, line) => {
        const id = 'https://slack.com/.well-known/oauth-client-metadata';
        expect(await readFacts(deployDocument(id, 'Slack', uri), id, uri)).toEqual([
          'This app is identified by slack.com.',
          'Slack wants access to your Words account. It will be able to:',
          'read the word lists',
          `${line} If you didn’t come from there, cancel.`,
        ]);
      },
    );

    it('L7.1 says that it chose its name, if it registered itself', async () => {
      const redirectUri = 'https://evil.example/callback';
      const deployment = deployWith(createWeb(), { redirectUris: [redirectUri] }, { branding });
      const metadata = { client_name: 'x\u2069\u202eclaude.ai ✓', redirect_uris: [redirectUri] };
      const registered: { readonly client_id: string } = await (await register(deployment, metadata)).json();
      expect(await readFacts(deployment, registered.client_id, redirectUri)).toEqual([
        'An app that calls itself x claude.ai ✓ wants access to your Words account. We haven’t verified its name. It will be able to:',
        'read the word lists',
        'You’ll return to evil.example. If you didn’t come from there, cancel.',
      ]);
    });

    it('L7.3 shows the host of its ID, and warns if the code is sent to the user’s device', async () => {
      const id = 'https://claude.ai/oauth/claude-code-client-metadata';
      const deployment = deployDocument(id, 'Claude Code', 'http://localhost/callback');
      expect(await readFacts(deployment, id, 'http://localhost:51234/callback')).toEqual([
        'This app is identified by claude.ai.',
        'Claude Code wants access to your Words account. It will be able to:',
        'read the word lists',
        'Did you just start this sign-in?',
        'An app on this device (localhost:51234) will get access. Any app can call itself Claude Code, ' +
          'so continue only if you just started this in an app you trust.',
      ]);
    });

    it('L7.1 shows none of the pictures and links that its metadata names', async () => {
      const [id, redirectUri] = ['https://evil.example/client.json', 'https://evil.example/callback'];
      const metadata = { logo_uri: 'https://evil.example/claude.svg', client_uri: 'https://claude.ai/' };
      const page = await readPage(deployDocument(id, 'Claude', redirectUri, metadata), id, redirectUri);
      expect(await readLines(page)).toContain(
        'Claude wants access to your Words account. It will be able to:',
      );
      expect(await readAttributes(page, 'img')).toEqual([]);
      expect(await readAttributes(page, 'a')).toEqual([{ href: '/account' }]);
      expect(page).not.toMatch(/claude\.(svg|ai)/);
    });
  });

  describe('an invalid request', () => {
    it('shows a page until client and redirect URI are verified', async () => {
      const deployment = deploy();
      const { response } = await createTestBrowser(deployment).openSignInPage({
        ...gptRequest,
        redirect_uri: 'https://evil.example/',
      });
      await expectErrorPage(response, deployment, 'The redirect URI is not registered for this app.');
    });

    it.each([
      [{ response_type: 'token' }, 'unsupported_response_type', 'Only the response type code is supported.'],
      [{ response_mode: 'fragment' }, 'invalid_request', 'Only the response mode query is supported.'],
      [{ code_challenge: '' }, 'invalid_request', 'The parameter code_challenge is malformed.'],
      [
        { scope: 'admin' },
        'invalid_scope',
        'The requested scope is unknown or not available to this client.',
      ],
      [{ resource: 'https://evil.example' }, 'invalid_target', 'The requested resource is unknown.'],
    ])('is redirected to the client after that: %j', async (changes, error, description) => {
      const deployment = deploy();
      const browser = createTestBrowser(deployment);
      const { response } = await browser.openSignInPage({ ...appRequest, ...changes });
      expectErrorRedirect(response, { to: appRequest.redirect_uri, state: 'app-state', error, description });
      expect(browser.cookies.size).toBe(0);
      expect(deployment.log.at(-1)).toMatchObject({
        event: 'refused',
        endpoint: 'authorize',
        clientId: 'app',
      });
    });

    it('shows a page if it is posted', async () => {
      const deployment = deploy();
      const response = await createTestBrowser(deployment).visit(`${issuer}/authorize`, {
        method: 'POST',
        body: new URLSearchParams(gptRequest),
      });
      expect(response.headers.get('allow')).toBe('GET');
      response.headers.delete('allow');
      await expectErrorPage(response, deployment, 'Method not allowed.', 405);
    });
  });

  describe('a custom sign-in page', () => {
    it('gets everything that the consent must show', async () => {
      const deployment = deploy({ pages: { signIn: (model) => JSON.stringify(model) } });
      const { response } = await createTestBrowser(deployment).openSignInPage(gptRequest);
      expect(await response.json()).toMatchObject({
        clientName: 'Words GPT',
        redirectHost: new URL(gptRedirect).host,
        scopes: [
          { name: 'words', description: 'read the word lists' },
          { name: 'score', description: 'see and increase your score' },
        ],
        providers: [
          { id: 'google', displayName: 'Google' },
          { id: 'other', displayName: 'Other' },
        ],
        action: '/authorize/consent',
        stylesheetPath: '/authorize/style.css',
        consent: expect.stringMatching(/^[A-Za-z0-9_-]+$/),
      });
      const headers = [...response.headers].filter(([name]) => name !== 'set-cookie');
      expect(Object.fromEntries(headers)).toEqual(pageHeaders);
    });

    it('that throws an error redirects to the client with server_error', async () => {
      const deployment = deploy({
        pages: {
          signIn: () => {
            throw new Error('template missing');
          },
        },
      });
      const { response } = await createTestBrowser(deployment).openSignInPage(gptRequest);
      expectErrorRedirect(response, {
        to: gptRedirect,
        state: gptRequest.state,
        error: 'server_error',
        description: 'Something went wrong on our side.',
      });
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'unexpected', cause: 'Error: template missing' });
    });
  });
});
