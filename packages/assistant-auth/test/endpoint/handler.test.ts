import { describe, expect, test } from 'vitest';
import { createEndpoint, type EndpointDefinition, toProtocolError } from '../../src/endpoint/handler.ts';
import { problemResponse } from '../../src/http/responses.ts';
import type { LogEntry } from '../../src/oauth/log.ts';
import { apiError, authorizationError, type ProtocolError } from '../../src/oauth/protocol-error.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { StorageUnavailable } from '../../src/storage/broker-storage.ts';

/** An endpoint with a handler of the test's, and its log. */
const endpointWith = (handle: EndpointDefinition['handle'], issuer = 'https://words.example') => {
  const log: LogEntry[] = [];
  const definition = {
    name: 'trial',
    methods: ['GET', 'PUT'],
    handle,
    respondToError: (rejection: ProtocolError) => problemResponse(rejection),
  };
  const answer = createEndpoint(definition, {
    issuer: parseIssuer(issuer),
    log: (entry) => void log.push(entry),
    randomBytes: (length) => new Uint8Array(length),
  });
  return { answer, log };
};

const answered = async () => new Response('answered');

/** What the broker makes of random bytes that are all zero. */
const requestId = 'AAAAAAAAAAAAAAAAAAAAAA';

describe('an endpoint', () => {
  test('answers its methods on its own host', async () => {
    const { answer, log } = endpointWith(async ({ request, url, requestId }) =>
      Response.json([request.method, url.pathname, requestId]),
    );
    const response = await answer(new Request('https://words.example/a?b', { method: 'PUT' }));
    expect(await response.json()).toEqual(['PUT', '/a', requestId]);
    expect(log).toEqual([]);
  });

  test.each([
    'https://evil.example/a',
    'https://words.example.evil.example/a',
    'https://www.words.example/a',
    'https://words.example:8443/a',
    'http://words.example/a',
    'https://words.example./a',
  ])('does not answer for %s', async (url) => {
    const { answer, log } = endpointWith(answered);
    const response = await answer(new Request(url));
    expect(response.status).toBe(421);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Misdirected Request',
      status: 421,
      detail: 'This server does not answer for that host.',
    });
    expect(log).toEqual([{ event: 'refused', reason: 'request.host', requestId, endpoint: 'trial' }]);
  });

  test.each(['https://words.example:443/a', 'HTTPS://WORDS.EXAMPLE/a'])(
    'answers for another spelling of its host: %s',
    async (url) => {
      expect(await (await endpointWith(answered).answer(new Request(url))).text()).toBe('answered');
    },
  );

  test.each(['POST', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'PROPFIND', 'get'])(
    'does not answer %s',
    async (method) => {
      const { answer } = endpointWith(answered);
      const response = await answer(new Request('https://words.example/a', { method }));
      // Fetch itself writes the usual names in capitals.
      if (method === 'get') return expect(await response.text()).toBe('answered');
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, PUT');
    },
  );
});

describe('whatever is thrown', () => {
  test.each([
    ['a refusal', authorizationError('state.too-long'), 400, { reason: 'state.too-long' }],
    [
      'a refusal with a cause',
      apiError('token.unreadable', { cause: 'forged' }),
      401,
      { reason: 'token.unreadable', cause: 'forged' },
    ],
    [
      'an outage of storage',
      new StorageUnavailable('no route'),
      503,
      { reason: 'storage.unavailable', cause: 'StorageUnavailable: no route' },
    ],
    [
      'a provider that says no',
      new ProviderError('denied', 'access_denied'),
      403,
      { reason: 'provider.denied', cause: 'ProviderError: access_denied' },
    ],
    [
      'a provider that is away',
      new ProviderError('unavailable', 'timed out'),
      503,
      { reason: 'provider.unavailable', cause: 'ProviderError: timed out' },
    ],
    [
      'a provider whose word does not hold',
      new ProviderError('invalid', 'nonce'),
      500,
      { reason: 'provider.invalid', cause: 'ProviderError: nonce' },
    ],
    [
      'an error nobody foresaw',
      new TypeError('oops'),
      500,
      { reason: 'unexpected', cause: 'TypeError: oops', stack: expect.stringMatching(/^at /) },
    ],
    ['what is no error at all', 'oops', 500, { reason: 'unexpected', cause: 'oops' }],
  ])('becomes a response and a line in the log: %s', async (_, thrown, status, line) => {
    const { answer, log } = endpointWith(() => Promise.reject(thrown));
    const response = await answer(new Request('https://words.example/a'));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ status, detail: toProtocolError(thrown).description });
    expect(log).toEqual([{ event: 'refused', requestId, endpoint: 'trial', ...line }]);
  });

  test('before anything is awaited is caught, too', async () => {
    const { answer } = endpointWith(() => {
      throw new Error('at once');
    });
    expect((await answer(new Request('https://words.example/a'))).status).toBe(500);
  });

  test('unforeseen says nothing of itself to the outside', async () => {
    const { answer } = endpointWith(() => Promise.reject(new Error('password=hunter2')));
    const response = await answer(new Request('https://words.example/a'));
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Something went wrong on our side.',
    });
    expect(JSON.stringify([...response.headers])).not.toContain('hunter2');
  });
});
