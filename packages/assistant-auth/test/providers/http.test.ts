/** A provider that is down, slow, endless, or sends us elsewhere: at each of the three addresses that are asked. */
import { describe, expect, test } from 'vitest';
import { fetchFromProvider } from '../../src/providers/http.ts';
import {
  callback,
  captureProviderError,
  createIssuer,
  createOidcProvider,
  type Endpoint,
  endpoints,
  upstreamRequest,
} from './hostile-issuer.ts';

type Answer = () => Response | Promise<Response>;

const limit = 262_144;
const timeOut = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError');

/** A body that says something and then fails. */
const breakOff = (error: Error) =>
  new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"issuer":')),
    pull: (controller) => controller.error(error),
  });

const unavailable = 'unavailable';
const outages: readonly (readonly [name: string, answer: Answer, reason: string])[] = [
  ['B13.1 500', () => new Response('their-page', { status: 500 }), 'answered with status 500'],
  ['B13.1 503', () => new Response(null, { status: 503 }), 'answered with status 503'],
  ['B13.2 429', () => Response.json({ error: 'slow_down' }, { status: 429 }), 'answered with status 429'],
  ['B13.3 no answer in time', () => Promise.reject(timeOut()), 'took too long'],
  ['B13.3 no end in time', () => new Response(breakOff(timeOut())), 'took too long'],
  ['no connection', () => Promise.reject(new TypeError('their-network')), 'is out of reach'],
  ['a broken connection', () => new Response(breakOff(new Error('their-network'))), 'is out of reach'],
];

const everywhere = <Row extends readonly unknown[]>(rows: readonly Row[]) =>
  endpoints.flatMap((endpoint) => rows.map((row) => [endpoint, ...row] as const));

/** Lets one endpoint fail, then makes sure that the next person gets in: no failure is remembered. */
const failOnce = async (endpoint: Endpoint, answer: Answer) => {
  const issuer = createIssuer();
  const provider = createOidcProvider(issuer);
  issuer.override({ endpointOverrides: { [endpoint]: answer } });
  const refused = await captureProviderError(provider.handleCallback(callback(), upstreamRequest, issuer.io));
  const asked = issuer.asked();
  issuer.override({});
  expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).toMatchObject({
    subject: 'person-1',
  });
  return { refused, asked };
};

describe('the provider', () => {
  test.each(everywhere(outages))('%s: %s makes it unavailable', async (endpoint, _, answer, reason) => {
    const { refused, asked } = await failOnce(endpoint, answer);
    expect(refused).toEqual({ kind: unavailable, reason: `id.example ${reason}` });
    expect(asked).toEqual(endpoints.slice(0, endpoints.indexOf(endpoint) + 1));
  });

  test.each(everywhere([[301], [302], [303], [307], [308]]))(
    '%s: a redirect with %i is not followed',
    async (endpoint, status) => {
      const headers = { location: 'https://evil.example/' };
      const { refused, asked } = await failOnce(endpoint, () => new Response(null, { status, headers }));
      expect(refused).toEqual({ kind: 'invalid', reason: `id.example answered with status ${status}` });
      expect(asked).not.toContain('unknown');
    },
  );

  test.each([
    ['discovery', '"response" content-type must be application/json'],
    ['token', '"response" content-type must be application/json'],
    ['keys', 'the signing keys could not be read'],
  ] as const)('%s: a page instead of JSON is refused', async (endpoint, reason) => {
    const headers = { 'content-type': 'text/html' };
    const { refused } = await failOnce(endpoint, () => new Response('<p>their-page</p>', { headers }));
    expect(refused).toEqual({ kind: 'invalid', reason });
  });

  test.each([
    [
      'discovery',
      '"response" is not a conform Authorization Server Metadata response (unexpected HTTP status code)',
    ],
    ['token', '"response" content-type must be application/json'],
    ['keys', 'the signing keys could not be read'],
  ] as const)('%s: a missing page is refused', async (endpoint, reason) => {
    const { refused } = await failOnce(endpoint, () => new Response('their-page', { status: 404 }));
    expect(refused).toEqual({ kind: 'invalid', reason });
  });

  test.each(endpoints)('%s: an endless answer is refused and hung up on', async (endpoint) => {
    let sent = 0;
    let hungUp = false;
    const chunk = new Uint8Array(65_536).fill(0x20);
    const endless = () =>
      new ReadableStream({
        pull(controller) {
          sent += chunk.length;
          controller.enqueue(chunk);
        },
        cancel() {
          hungUp = true;
        },
      });
    const { refused } = await failOnce(endpoint, () => new Response(endless()));
    expect(refused).toEqual({ kind: 'invalid', reason: `id.example sent more than ${limit} bytes` });
    expect(hungUp).toBe(true);
    expect(sent).toBeLessThan(limit + 4 * chunk.length);
  });
});

describe('an answer', () => {
  test.each(everywhere([[201], [202], [204], [206]]))(
    '%s: that is a success of another kind (%i) is refused',
    async (endpoint, status) => {
      const { refused } = await failOnce(endpoint, () => new Response(null, { status }));
      expect(refused).toEqual({ kind: 'invalid', reason: `id.example answered with status ${status}` });
    },
  );

  test('of keys is not believed when it says that there is none', async () => {
    const missing = () => Response.json({ keys: [] }, { status: 404 });
    const { refused } = await failOnce('keys', missing);
    expect(refused).toEqual({ kind: 'invalid', reason: 'the signing keys could not be read' });
  });

  test.each(endpoints)('%s: with an endless challenge is refused unparsed', async (endpoint) => {
    const headers = { 'www-authenticate': 'a '.repeat(513) };
    const { refused } = await failOnce(endpoint, () => Response.json({}, { status: 401, headers }));
    expect(refused).toEqual({
      kind: 'invalid',
      reason: 'id.example sent a challenge of more than 1024 characters',
    });
  });
});

describe('a request', () => {
  const ask = (answer: Answer) =>
    fetchFromProvider(
      'https://id.example/x',
      { method: 'GET', headers: {} },
      { fetch: async () => answer(), now: () => 0, allowLoopbackHttp: false, timeoutMs: 10_000 },
    );

  test(`gives ${limit} bytes and refuses one more`, async () => {
    const whole = await ask(() => new Response('x'.repeat(limit)));
    expect(await whole.text()).toHaveLength(limit);
    expect(await captureProviderError(ask(() => new Response('x'.repeat(limit + 1))))).toEqual({
      kind: 'invalid',
      reason: `id.example sent more than ${limit} bytes`,
    });
  });

  test('gives a 4xx with its body, so that the error in it can be read', async () => {
    const response = await ask(() => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ error: 'invalid_grant' });
  });

  test('calls fetch as a plain function, as Workers’ own demands', async () => {
    let receiver: unknown = 'not called';
    const io = {
      fetch: async function (this: unknown) {
        receiver = this;
        return new Response('{}');
      },
      now: () => 0,
      allowLoopbackHttp: false,
      timeoutMs: 10_000,
    };
    await fetchFromProvider('https://id.example/x', { method: 'GET', headers: {} }, io);
    expect(receiver).toBeUndefined();
  });
});
