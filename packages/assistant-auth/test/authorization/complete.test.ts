/** The authorization response (RFC 6749 §4.1.2), and the reconsent request for a refresh token. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ResponseTarget,
  redirectWithCode,
  withErrorRedirect,
} from '../../src/authorization/response.ts';
import { staticClient } from '../../src/clients/static.ts';
import { defaultPages } from '../../src/context.ts';
import {
  type BrokerOptions,
  type BrokerStorage,
  type IdentityProvider,
  ProviderError,
  StorageUnavailable,
  type UpstreamRequest,
} from '../../src/index.ts';
import type { LogEntry } from '../../src/oauth/log.ts';
import {
  accountErrors,
  apiErrors,
  authorizationError,
  authorizationErrors,
  callbackError,
  callbackErrors,
  eventEndpointErrors,
  parameterErrors,
  requestErrors,
  tokenEndpointErrors,
  userErrors,
} from '../../src/oauth/protocol-error.ts';
import { verifyRedirect } from '../../src/oauth/redirect-uri.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { parseLocalizedBranding } from '../../src/ui/branding.ts';
import { createTestBrowser, expectTokens, gptRequest, readRedirect } from '../browser.ts';
import { gpt, redeem, refresh } from '../clients.ts';
import { type Deployment, deploy, gptRedirect, issuer } from '../deployment.ts';
import {
  expectCompletedPage,
  expectCookiesPage,
  expectErrorPage,
  gptDestination,
  missingTransactionMessage,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { buildCookieHeader, continueToProvider, listTransactionCookies } from '../flows.ts';

describe('the authorization response', () => {
  const buildTarget = (redirectUri: string, state: string | undefined = 'state-1'): ResponseTarget => {
    const client = staticClient({ id: 'app', name: 'App', redirectUris: [redirectUri], scopes: ['words'] });
    return {
      redirect: verifyRedirect(client, redirectUri),
      client,
      state,
      issuer: parseIssuer('https://words.example'),
    };
  };

  const createLoggedContext = () => {
    const lines: Omit<LogEntry, 'requestId' | 'endpoint'>[] = [];
    const request = new Request('https://words.example/authorize');
    const requestContext = {
      request,
      url: new URL(request.url),
      requestId: 'request-1',
      log: (line: Omit<LogEntry, 'requestId' | 'endpoint'>) => void lines.push(line),
      waitUntil: () => {},
      findAddressBlock: () => undefined,
    };
    return { requestContext, lines };
  };

  const respond = (target: ResponseTarget, rejection: Error, cookies: readonly string[] = []) => {
    const { requestContext, lines } = createLoggedContext();
    return {
      response: withErrorRedirect(
        { branding: parseLocalizedBranding({}), pages: defaultPages },
        target,
        requestContext,
        () => Promise.reject(rejection),
        async () => cookies,
      ),
      lines,
    };
  };

  describe('a successful response', () => {
    it('carries code, state and issuer', () => {
      const response = redirectWithCode(buildTarget('https://app.example/cb'), 'code-1', ['a=1']);
      expect(response.status).toBe(303);
      expect(response.headers.get('location')).toBe(
        'https://app.example/cb?code=code-1&state=state-1&iss=https%3A%2F%2Fwords.example',
      );
      expect(response.headers.getSetCookie()).toEqual(['a=1']);
    });

    it('carries no state if the client sent none', () => {
      const target = { ...buildTarget('https://app.example/cb'), state: undefined };
      expect(redirectWithCode(target, 'code-1', []).headers.get('location')).toBe(
        'https://app.example/cb?code=code-1&iss=https%3A%2F%2Fwords.example',
      );
    });

    it.each([
      ['https://app.example/cb?tenant=1', '&'],
      ['https://app.example/cb?a=b%20c&d=e+f', '&'],
      ['https://app.example/cb?flag', '&'],
      ['https://app.example/cb?q=~!*()', '&'],
      ['https://app.example/cb?', ''],
      ['https://app.example/cb?a=1&', ''],
      ['https://app.example/', '?'],
      ['com.example.app:/cb', '?'],
      ['http://127.0.0.1/cb', '?'],
      ['http://127.0.0.1/cb?a=%2F', '&'],
    ])('keeps the query of the registered redirect URI: %s', (redirectUri, separator) => {
      expect(redirectWithCode(buildTarget(redirectUri), 'code-1', []).headers.get('location')).toBe(
        `${redirectUri}${separator}code=code-1&state=state-1&iss=https%3A%2F%2Fwords.example`,
      );
    });

    it('returns any state unchanged, however the client decodes it', () => {
      fc.assert(
        fc.property(fc.stringMatching(/^[\x20-\x7E]+$/), (state) => {
          const location = redirectWithCode(
            buildTarget('https://app.example/cb', state),
            'c',
            [],
          ).headers.get('location');
          const raw = /&state=([^&#]*)&iss=/.exec(location ?? '')?.[1] ?? '';
          expect(new URL(location ?? '').searchParams.get('state')).toBe(state);
          expect(decodeURIComponent(raw)).toBe(state);
        }),
      );
    });
  });

  describe('an error response', () => {
    it('redirects to the client with the error, state and iss, and sets the cookies', async () => {
      const { response, lines } = respond(
        buildTarget('https://app.example/cb'),
        authorizationError('scope.unknown'),
        ['a=1'],
      );
      const { status, headers } = await response;
      expect(status).toBe(303);
      expect(Object.fromEntries(new URL(headers.get('location') ?? '').searchParams)).toEqual({
        error: 'invalid_scope',
        error_description: 'The requested scope is unknown or not available to this client.',
        state: 'state-1',
        iss: 'https://words.example',
      });
      expect(headers.getSetCookie()).toEqual(['a=1']);
      expect(lines).toEqual([{ event: 'refused', reason: 'scope.unknown', clientId: 'app' }]);
    });

    it('for an unexpected error has no details', async () => {
      const { response, lines } = respond(
        buildTarget('https://app.example/cb'),
        new Error('password=hunter2'),
      );
      const location = (await response).headers.get('location') ?? '';
      expect(new URL(location).searchParams.get('error')).toBe('server_error');
      expect(location).not.toContain('hunter2');
      expect(lines).toEqual([
        {
          event: 'refused',
          reason: 'unexpected',
          clientId: 'app',
          cause: 'Error: password=hunter2',
          stack: expect.stringMatching(/^at /),
        },
      ]);
    });

    it('is not a redirect if the login transaction was already completed', async () => {
      const { response, lines } = respond(
        buildTarget('https://app.example/cb'),
        callbackError('transaction.replayed'),
      );
      await expect(response).rejects.toMatchObject({ reason: 'transaction.replayed' });
      expect(lines).toEqual([]);
    });

    it('is not created if there is no error', async () => {
      const { requestContext, lines } = createLoggedContext();
      const response = new Response('fine');
      expect(
        await withErrorRedirect(
          { branding: parseLocalizedBranding({}), pages: defaultPages },
          buildTarget('https://app.example/cb'),
          requestContext,
          async () => response,
          async () => ['a=1'],
        ),
      ).toBe(response);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(lines).toEqual([]);
    });
  });

  const errorDefinitions = {
    ...userErrors,
    ...requestErrors,
    ...parameterErrors,
    ...authorizationErrors,
    ...callbackErrors,
    ...accountErrors,
    ...tokenEndpointErrors,
    ...apiErrors,
    ...eventEndpointErrors,
  };

  it.each(Object.entries(errorDefinitions))(
    'the description of %s uses only the characters of RFC 6749 §4.1.2.1',
    (_, [, description]) => {
      expect(description).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/);
    },
  );
});

describe('reconsent for a refresh token', () => {
  type Query = Readonly<Record<string, string>>;

  /** A provider that supports reconsent, as Google does, and the refresh tokens that it had to validate. */
  const createForgetfulProvider = (changes: Partial<IdentityProvider> = {}) => {
    const baseProvider = createProvider('google', 'Google');
    const validatedTokens: string[] = [];
    const provider: IdentityProvider = {
      ...baseProvider,
      async reconsentUrl(subject, upstreamRequest, io) {
        const url = await baseProvider.authorizationUrl(upstreamRequest, io);
        url.searchParams.set('again', subject);
        return url;
      },
      validateRefreshToken: async (refreshToken) => {
        validatedTokens.push(refreshToken);
        return { kind: 'active' };
      },
      ...changes,
    };
    return { provider, validatedTokens };
  };

  const deployWith = (changes: Partial<BrokerOptions> = {}, provider: Partial<IdentityProvider> = {}) => {
    const forgetfulProvider = createForgetfulProvider(provider);
    return {
      validatedTokens: forgetfulProvider.validatedTokens,
      deployment: deploy({ providers: [forgetfulProvider.provider], ...changes }),
    };
  };

  /** Signs Ada in without a refresh token. Returns her next redirect, and a function to return from there. */
  const afterSignIn = async (deployment: Deployment, request: Query = gptRequest) => {
    const { browser, returnFromProvider } = await continueToProvider(deployment, request);
    const response = await returnFromProvider({ code: 'ada' });
    const redirect = readRedirect(response);
    const callbackUrl = (providerResponse: Query) => {
      const state = redirect.searchParams.get('state') ?? '';
      return `${issuer}/callback/google?${new URLSearchParams({ state, ...providerResponse })}`;
    };
    return {
      browser,
      response,
      redirect,
      callbackUrl,
      returnFromReconsent: (providerResponse: Query) => browser.visit(callbackUrl(providerResponse)),
    };
  };

  /** Expects a redirect to the client with a code, and that its tokens can be refreshed. */
  const expectSignedIn = async (
    deployment: Deployment,
    response: Response,
    { state }: Query = gptRequest,
  ) => {
    const redirect = readRedirect(response);
    expect(redirect.origin + redirect.pathname).toBe(gptRedirect);
    expect([...redirect.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
    expect(redirect.searchParams.get('state')).toBe(state);
    const tokens = await expectTokens(await redeem(deployment, gpt, redirect.searchParams.get('code') ?? ''));
    await expectTokens(await refresh(deployment, gpt, tokens.refresh_token));
  };

  const eventsOf = ({ log }: Deployment, event: string) => log.filter((entry) => entry.event === event);

  describe('a user without a new or stored refresh token', () => {
    it('is redirected to the provider once more, and then to the client', async () => {
      const { validatedTokens, deployment } = deployWith();
      const { browser, response, redirect, returnFromReconsent } = await afterSignIn(deployment);
      expect(response.status).toBe(303);
      expect([redirect.origin, redirect.searchParams.get('again')]).toEqual([
        'https://google.example',
        'ada',
      ]);
      expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
      await expectSignedIn(deployment, await returnFromReconsent({ code: 'ada', refresh: 'their-2' }));
      expect(listTransactionCookies(browser.cookies)).toEqual([]);
      expect(validatedTokens).toEqual(['their-2']);
      expect(eventsOf(deployment, 'signed-in')).toHaveLength(1);
      expect(eventsOf(deployment, 'no-upstream-token')).toEqual([]);
    });

    it('gets a new state and nonce for it, and the same redirect URI', async () => {
      const { deployment } = deployWith();
      const { authorizationUrl: first, returnFromProvider } = await continueToProvider(deployment);
      const second = readRedirect(await returnFromProvider({ code: 'ada' }));
      for (const name of ['state', 'nonce'])
        expect(second.searchParams.get(name)).not.toBe(first.searchParams.get(name));
      expect(second.searchParams.get('redirect_uri')).toBe(first.searchParams.get('redirect_uri'));
      expect(second.href).not.toContain(gptRequest.state);
    });

    it('is not redirected a third time', async () => {
      const { deployment } = deployWith();
      await (await afterSignIn(deployment)).returnFromReconsent({ code: 'ada', refresh: 'their-2' });
      await expectSignedIn(deployment, (await afterSignIn(deployment)).response);
    });

    it.each<[string, Query, string]>([
      ['they deny the request', { error: 'access_denied' }, 'ProviderError: access_denied'],
      [
        'the provider is unavailable',
        { error: 'temporarily_unavailable' },
        'ProviderError: temporarily_unavailable',
      ],
      ['the response can’t be verified', { error: 'x' }, 'ProviderError: x'],
      [
        'the response has no refresh token again',
        { code: 'ada' },
        'ProviderError: the response has no refresh token',
      ],
      [
        'another user returns',
        { code: 'eve', refresh: 'their-eve' },
        'ProviderError: another user signed in',
      ],
    ])('is signed in without an upstream token if %s', async (_, providerResponse, cause) => {
      const { validatedTokens, deployment } = deployWith();
      const { returnFromReconsent } = await afterSignIn(deployment);
      await expectSignedIn(deployment, await returnFromReconsent(providerResponse));
      expect(validatedTokens).toEqual([]);
      expect(eventsOf(deployment, 'no-upstream-token')).toMatchObject([{ provider: 'google', cause }]);
    });

    it('is signed in if the provider fails unexpectedly, and the log has the stack', async () => {
      const baseProvider = createProvider('google', 'Google');
      const { deployment } = deployWith(
        {},
        {
          async handleCallback(callbackUrl, upstreamRequest, io) {
            if (callbackUrl.searchParams.get('code') === 'broken') throw new TypeError('not a function');
            return baseProvider.handleCallback(callbackUrl, upstreamRequest, io);
          },
        },
      );
      const { returnFromReconsent } = await afterSignIn(deployment);
      await expectSignedIn(deployment, await returnFromReconsent({ code: 'broken' }));
      expect(eventsOf(deployment, 'no-upstream-token')).toMatchObject([
        { cause: 'TypeError: not a function', stack: expect.any(String) },
      ]);
    });

    it('is signed in at once if the provider can’t be reached', async () => {
      const unavailableError = new ProviderError('unavailable', 'google.example could not be reached');
      const { deployment } = deployWith({}, { reconsentUrl: () => Promise.reject(unavailableError) });
      await expectSignedIn(deployment, (await afterSignIn(deployment)).response);
      expect(eventsOf(deployment, 'no-upstream-token')).toMatchObject([{ cause: String(unavailableError) }]);
    });

    it('is signed in at once if the provider does not support reconsent', async () => {
      const deployment = deploy();
      await expectSignedIn(deployment, (await afterSignIn(deployment)).response);
      expect(eventsOf(deployment, 'no-upstream-token')).toEqual([]);
    });

    it('is signed in at once if the login transaction does not fit into a cookie', async () => {
      const { deployment } = deployWith();
      // The transaction of the sign-in fits into a cookie. The one of the reconsent also contains the subject.
      const request = { ...gptRequest, state: 'x'.repeat(1900) };
      const longSubject = '猫'.repeat(255);
      const { returnFromProvider } = await continueToProvider(deployment, request);
      await expectSignedIn(deployment, await returnFromProvider({ code: longSubject }), request);
      expect(eventsOf(deployment, 'no-upstream-token')).toMatchObject([
        { cause: 'ProtocolError: request.sign-in-too-large' },
      ]);
    });

    it.each([1, 2, 4])('is signed in, and the token is stored after %i failures', async (failures) => {
      let remainingFailures = failures;
      const memory = memoryStorage();
      const storeUpstreamToken: BrokerStorage['storeUpstreamToken'] = async (token) => {
        remainingFailures -= 1;
        if (remainingFailures >= 0) throw new StorageUnavailable('no route');
        return memory.storeUpstreamToken(token);
      };
      const { validatedTokens, deployment } = deployWith({ storage: { ...memory, storeUpstreamToken } });
      const { returnFromReconsent } = await afterSignIn(deployment);
      const response = await returnFromReconsent({ code: 'ada', refresh: 'their-2' });
      await deployment.flushBackgroundWork();
      expect(eventsOf(deployment, 'write-failed')).toEqual([]);
      await expectSignedIn(deployment, response);
      expect(validatedTokens).toEqual(['their-2']);
    });

    it('is signed in if the token can’t be stored, and the log says so', async () => {
      const storeUpstreamToken: BrokerStorage['storeUpstreamToken'] = () =>
        Promise.reject(new StorageUnavailable('no route'));
      const { deployment } = deployWith({ storage: { ...memoryStorage(), storeUpstreamToken } });
      const { returnFromReconsent } = await afterSignIn(deployment);
      await expectSignedIn(deployment, await returnFromReconsent({ code: 'ada', refresh: 'their-2' }));
      await deployment.flushBackgroundWork();
      expect(eventsOf(deployment, 'write-failed')).toMatchObject([
        { cause: 'storage was unavailable at every attempt' },
      ]);
    });
  });

  describe('no reconsent', () => {
    it('for a user with a refresh token', async () => {
      const { deployment } = deployWith();
      const { returnFromProvider } = await continueToProvider(deployment);
      await expectSignedIn(deployment, await returnFromProvider({ code: 'ada', refresh: 'their-1' }));
      await expectSignedIn(deployment, (await afterSignIn(deployment)).response);
    });

    it('for a user whom resolveUser refuses', async () => {
      const resolveUser: BrokerOptions['resolveUser'] = async () => ({
        kind: 'refused',
        reason: 'not on the list',
      });
      const { deployment } = deployWith({ resolveUser });
      const { redirect } = await afterSignIn(deployment);
      expect(redirect.searchParams.get('error')).toBe('access_denied');
    });
  });

  describe('the login transaction of the reconsent request', () => {
    it('requires neither reauthentication nor account selection, which the sign-in has met', async () => {
      const upstreamRequests: UpstreamRequest[] = [];
      const baseProvider = createProvider('google', 'Google');
      const record =
        <Result>(method: (request: UpstreamRequest) => Result) =>
        (request: UpstreamRequest): Result => {
          upstreamRequests.push(request);
          return method(request);
        };
      const { deployment } = deployWith(
        {},
        {
          authorizationUrl: (request, io) => record((one) => baseProvider.authorizationUrl(one, io))(request),
          reconsentUrl: (_, request, io) => record((one) => baseProvider.authorizationUrl(one, io))(request),
          handleCallback: (url, request, io) =>
            record((one) => baseProvider.handleCallback(url, one, io))(request),
        },
      );
      const request = { ...gptRequest, prompt: 'login select_account', max_age: '60' };
      const { returnFromReconsent } = await afterSignIn(deployment, request);
      await expectSignedIn(deployment, await returnFromReconsent({ code: 'ada', refresh: 'their-2' }));
      expect(
        upstreamRequests.map(({ reauthenticate, selectAccount }) => ({ reauthenticate, selectAccount })),
      ).toEqual([
        { reauthenticate: { since: deployment.now() }, selectAccount: true },
        { reauthenticate: { since: deployment.now() }, selectAccount: true },
        {},
        {},
      ]);
    });

    it('B2.1 is refused in another browser', async () => {
      const { deployment } = deployWith();
      const { callbackUrl } = await afterSignIn(deployment);
      const otherBrowser = createTestBrowser(deployment);
      const response = await otherBrowser.visit(callbackUrl({ code: 'ada', refresh: 'their-2' }));
      await expectCookiesPage(response, deployment, 'callback');
    });

    it('B7.2 expires like the first one', async () => {
      const { deployment } = deployWith();
      const { returnFromReconsent } = await afterSignIn(deployment);
      deployment.advance(600);
      await expectErrorPage(
        await returnFromReconsent({ code: 'ada', refresh: 'their-2' }),
        deployment,
        missingTransactionMessage,
      );
    });

    it('B7.1 creates one code if it is completed twice, in either order', async () => {
      const { validatedTokens, deployment } = deployWith();
      const { browser, callbackUrl } = await afterSignIn(deployment);
      const cookie = buildCookieHeader(browser.cookies);
      const repeatCallback = (providerResponse: Query) =>
        deployment.fetch(new Request(callbackUrl(providerResponse), { headers: { cookie } }));
      const responses = await Promise.all([
        repeatCallback({ code: 'ada', refresh: 'their-2' }),
        repeatCallback({ error: 'access_denied' }),
      ]);
      const [first] = responses.filter(({ status }) => status === 303);
      const [repeated] = responses.filter(({ status }) => status === 400);
      if (first === undefined || repeated === undefined) throw new Error('expected exactly one code');
      await expectCompletedPage(repeated, 'signed-in', gptDestination);
      await expectSignedIn(deployment, first);
      await expectCompletedPage(
        await repeatCallback({ code: 'ada', refresh: 'their-3' }),
        'signed-in',
        gptDestination,
      );
      expect(validatedTokens).not.toContain('their-3');
    });
  });
});
