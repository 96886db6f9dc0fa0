/** What all endpoints share: the handler, error pages, provider icons and the stylesheet. */
import { describe, expect, it } from 'vitest';
import { accountPages, defaultAccountPages } from '../../src/account/index.ts';
import type { Pages } from '../../src/context.ts';
import { createErrorPageResponder } from '../../src/endpoint/error-page.ts';
import {
  createEndpoint,
  type EndpointDefinition,
  type RequestContext,
  toProtocolError,
} from '../../src/endpoint/handler.ts';
import { problemResponse } from '../../src/http/responses.ts';
import { defaultPages } from '../../src/index.ts';
import type { LogEntry } from '../../src/oauth/log.ts';
import {
  apiError,
  authorizationError,
  callbackError,
  type ProtocolError,
  requestError,
} from '../../src/oauth/protocol-error.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { StorageUnavailable } from '../../src/storage/broker-storage.ts';
import { parseLocalizedBranding } from '../../src/ui/branding.ts';
import { createTestBrowser, gptRequest } from '../browser.ts';
import { deploy, issuer } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';
import { readAttributes, readLines } from '../ui/read-markup.ts';

describe('the handler', () => {
  /** Creates an endpoint with the test's handler, and its log. */
  const createTestEndpoint = (handle: EndpointDefinition['handle'], issuer = 'https://words.example') => {
    const log: LogEntry[] = [];
    const definition = {
      name: 'trial',
      methods: ['GET', 'PUT'],
      handle,
      respondToError: (rejection: ProtocolError) => problemResponse(rejection),
    };
    const handleTestRequest = createEndpoint(definition, {
      issuer: parseIssuer(issuer),
      log: (entry) => void log.push(entry),
      randomBytes: (length) => new Uint8Array(length),
      waitUntil: () => {},
      clientAddress: undefined,
    });
    return { handleTestRequest, log };
  };

  const respondOk = async () => new Response('ok');

  /** The request ID if all random bytes are zero. */
  const requestId = 'AAAAAAAAAAAAAAAAAAAAAA';

  describe('an endpoint', () => {
    it('responds to its methods on its own host', async () => {
      const { handleTestRequest, log } = createTestEndpoint(async ({ request, requestId }) =>
        Response.json([request.method, request.url, requestId]),
      );
      const response = await handleTestRequest(new Request('https://words.example/a?b', { method: 'PUT' }));
      expect(await response.json()).toEqual(['PUT', 'https://words.example/a?b', requestId]);
      expect(log).toEqual([]);
    });

    it.each([
      'https://evil.example',
      'https://words.example.evil.example',
      'https://www.words.example',
      'https://words.example:8443',
      'http://words.example',
      'https://words.example.',
    ])('refuses the host %s, and logs it without the rest of the URL', async (origin) => {
      const { handleTestRequest, log } = createTestEndpoint(respondOk);
      const response = await handleTestRequest(new Request(`${origin}/a?code=secret`));
      expect(response.status).toBe(421);
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Misdirected Request',
        status: 421,
        detail: 'This server does not serve the requested host.',
      });
      const cause = `the origin is ${origin}`;
      expect(log).toEqual([
        { event: 'refused', reason: 'request.host', cause, requestId, endpoint: 'trial' },
      ]);
    });

    it('logs only the start of a host that is longer than any host name', async () => {
      const { handleTestRequest, log } = createTestEndpoint(respondOk);
      expect((await handleTestRequest(new Request(`https://${'a'.repeat(5000)}/a`))).status).toBe(421);
      const cause = `the origin is https://${'a'.repeat(259)}`;
      expect(log).toEqual([
        { event: 'refused', reason: 'request.host', cause, requestId, endpoint: 'trial' },
      ]);
    });

    it.each(['https://words.example:443/a', 'https://WORDS.example/a', 'HTTPS://WORDS.EXAMPLE/a'])(
      'responds for another spelling of its host: %s',
      async (url) => {
        // The constructor normalizes the URL, but a Worker gets the host as the client sent it.
        const request = new Request(url);
        Object.defineProperty(request, 'url', { value: url });
        expect(await (await createTestEndpoint(respondOk).handleTestRequest(request)).text()).toBe('ok');
      },
    );

    it.each(['POST', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'PROPFIND'])(
      'refuses the method %s',
      async (method) => {
        const { handleTestRequest } = createTestEndpoint(respondOk);
        const response = await handleTestRequest(new Request('https://words.example/a', { method }));
        expect(response.status).toBe(405);
        expect(response.headers.get('allow')).toBe('GET, PUT');
      },
    );

    it('accepts a method in lowercase that Request converts to uppercase', async () => {
      const { handleTestRequest } = createTestEndpoint(respondOk);
      const response = await handleTestRequest(new Request('https://words.example/a', { method: 'get' }));
      expect(await response.text()).toBe('ok');
    });
  });

  describe('an error', () => {
    it.each([
      ['a protocol error', authorizationError('state.too-long'), 400, { reason: 'state.too-long' }],
      [
        'a protocol error with a cause',
        apiError('token.unreadable', { cause: 'forged' }),
        401,
        { reason: 'token.unreadable', cause: 'forged' },
      ],
      [
        'a storage outage',
        new StorageUnavailable('no route'),
        503,
        { reason: 'storage.unavailable', cause: 'StorageUnavailable: no route' },
      ],
      [
        'a denial at the provider',
        new ProviderError('denied', 'access_denied'),
        403,
        { reason: 'provider.denied', cause: 'ProviderError: access_denied' },
      ],
      [
        'an unavailable provider',
        new ProviderError('unavailable', 'timed out'),
        503,
        { reason: 'provider.unavailable', cause: 'ProviderError: timed out' },
      ],
      [
        'an invalid response from the provider',
        new ProviderError('invalid', 'nonce'),
        500,
        { reason: 'provider.invalid', cause: 'ProviderError: nonce' },
      ],
      [
        'an unexpected error',
        new TypeError('oops'),
        500,
        { reason: 'unexpected', cause: 'TypeError: oops', stack: expect.stringMatching(/^at /) },
      ],
      ['a thrown value that is not an Error', 'oops', 500, { reason: 'unexpected', cause: 'oops' }],
    ])('becomes a response and a log line: %s', async (_, thrown, status, line) => {
      const { handleTestRequest, log } = createTestEndpoint(() => Promise.reject(thrown));
      const response = await handleTestRequest(new Request('https://words.example/a'));
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ status, detail: toProtocolError(thrown).description });
      expect(log).toEqual([{ event: 'refused', requestId, endpoint: 'trial', ...line }]);
    });

    it('that is thrown synchronously is caught, too', async () => {
      const { handleTestRequest } = createTestEndpoint(() => {
        throw new Error('at once');
      });
      expect((await handleTestRequest(new Request('https://words.example/a'))).status).toBe(500);
    });

    it('that is unexpected has no details in the response', async () => {
      const { handleTestRequest } = createTestEndpoint(() => Promise.reject(new Error('password=hunter2')));
      const response = await handleTestRequest(new Request('https://words.example/a'));
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        detail: 'Something went wrong on our side.',
      });
      expect(JSON.stringify([...response.headers])).not.toContain('hunter2');
    });
  });
});

describe('error pages', () => {
  const request = new Request('https://words.example/authorize');

  const createLoggedContext = () => {
    const lines: object[] = [];
    const log = (line: object) => void lines.push(line);
    const requestContext: RequestContext = {
      request,
      requestId: 'request-1',
      log,
      waitUntil: () => {},
      findAddressBlock: () => undefined,
    };
    return { requestContext, lines };
  };

  const respond = (
    protocolError: ProtocolError,
    pages: Partial<Pages> = {},
    { requestContext } = createLoggedContext(),
  ) =>
    createErrorPageResponder({
      pages: { ...defaultPages, ...pages },
      branding: parseLocalizedBranding({ branding: { name: 'Words' } }),
    })(protocolError, requestContext);

  it.each([
    [
      authorizationError('client.unknown'),
      400,
      'We couldn’t sign you in',
      'The app that sent you here is not registered with us.',
    ],
    [
      callbackError('provider.unknown'),
      404,
      'We couldn’t sign you in',
      'This sign-in method does not exist.',
    ],
    [requestError('request.method'), 405, 'We couldn’t sign you in', 'Method not allowed.'],
    [requestError('unexpected'), 500, 'Something went wrong', 'Something went wrong on our side.'],
    [
      requestError('storage.unavailable'),
      503,
      'Something went wrong',
      'The service is temporarily unavailable. Try again in a moment.',
    ],
  ] as const)('show %s with status %i', async (protocolError, status, title, message) => {
    const response = respond(protocolError);
    expect(response.status).toBe(status);
    const lines = await readLines(await response.text());
    expect(lines).toEqual(
      expect.arrayContaining([title, message, expect.stringMatching(/ include this reference: request-1$/)]),
    );
  });

  it('pass all values to a custom page', async () => {
    const response = respond(authorizationError('state.too-long'), {
      error: ({ title, message, detail, reference, stylesheetPath, branding }) =>
        JSON.stringify({ title, message, detail, reference, stylesheetPath, name: branding.name }),
    });
    expect(await response.json()).toEqual({
      title: 'We couldn’t sign you in',
      message: 'The request that opened this page isn’t valid.',
      detail: 'The parameter state is too long.',
      reference: 'request-1',
      stylesheetPath: '/authorize/style.css',
      name: 'Words',
    });
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('use the built-in page if the custom page fails, and log why it failed', async () => {
    const loggedContext = createLoggedContext();
    const failingPages = {
      error: () => {
        throw new Error('template missing');
      },
    };
    const response = respond(authorizationError('state.too-long'), failingPages, loggedContext);
    expect(response.status).toBe(400);
    expect(await response.text()).toBe(await respond(authorizationError('state.too-long')).text());
    expect(loggedContext.lines).toEqual([
      {
        event: 'page-failed',
        cause: 'Error: template missing',
        stack: expect.stringMatching(/^at /),
      },
    ]);
  });
});

describe('provider icons', () => {
  const icon = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  const deployWithIcon = () =>
    deploy({
      providers: [{ ...createProvider('acme', 'Acme'), icon }, createProvider('other', 'Other')],
    });

  it('are served at the path that the page uses, with a restrictive policy', async () => {
    const deployment = deployWithIcon();
    const page = await (await createTestBrowser(deployment).openSignInPage(gptRequest)).response.text();
    expect(await readAttributes(page, 'img')).toEqual([
      { class: 'icon', src: '/authorize/icons/acme.svg', alt: '', width: '20', height: '20' },
    ]);
    const response = await deployment.fetch(new Request(`${issuer}/authorize/icons/acme.svg`));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(icon);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'public, max-age=3600',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'content-type': 'image/svg+xml',
      'x-content-type-options': 'nosniff',
    });
  });

  it('have no path for a provider without one', () => {
    expect(deployWithIcon().paths.filter((path) => path.includes('icons'))).toEqual([
      '/authorize/icons/acme.svg',
    ]);
  });

  it('respond to HEAD like GET, without a body', async () => {
    const request = new Request(`${issuer}/authorize/icons/acme.svg`, { method: 'HEAD' });
    const response = await deployWithIcon().fetch(request);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    expect(await response.text()).toBe('');
  });

  it('refuse any other method with 405', async () => {
    const request = new Request(`${issuer}/authorize/icons/acme.svg`, { method: 'POST' });
    const response = await deployWithIcon().fetch(request);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });
});

describe('the stylesheet', () => {
  const fetchStylesheet = (deployment = deploy(), init: RequestInit = {}) =>
    deployment.fetch(new Request(`${issuer}/authorize/style.css`, init));

  it('is served at the path that the pages use, cached for an hour', async () => {
    const response = await fetchStylesheet();
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(defaultAccountPages.stylesheet + defaultPages.stylesheet);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'public, max-age=3600',
      'content-type': 'text/css; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    const page = await (await createTestBrowser(deploy()).openSignInPage(gptRequest)).response.text();
    expect(await readAttributes(page, 'link')).toEqual([{ rel: 'stylesheet', href: '/authorize/style.css' }]);
  });

  it('can be replaced by the publisher', async () => {
    const stylesheet = `${defaultPages.stylesheet}:root { --accent: #123456; }`;
    const account = accountPages({ pages: { stylesheet: 'h3 { margin: 0; }\n' } });
    expect(await (await fetchStylesheet(deploy({ pages: { stylesheet }, account }))).text()).toBe(
      `h3 { margin: 0; }\n${stylesheet}`,
    );
  });

  it('has no rules of the account page if there is none', async () => {
    expect(await (await fetchStylesheet(deploy({}, { hasAccountPage: false }))).text()).toBe(
      defaultPages.stylesheet,
    );
  });

  it('is served to HEAD without a body', async () => {
    const response = await fetchStylesheet(deploy(), { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
    expect(await response.text()).toBe('');
  });

  it('responds to another method with a problem document', async () => {
    const response = await fetchStylesheet(deploy(), { method: 'POST' });
    expect(response.status).toBe(405);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Method Not Allowed',
      status: 405,
      detail: 'Method not allowed.',
    });
    expect(Object.fromEntries(response.headers)).toEqual({
      allow: 'GET, HEAD',
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'x-content-type-options': 'nosniff',
    });
  });
});
