/** publicFetch: which addresses are public, and requests over TLS to a server on loopback. */
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { publicFetch } from '../../src/node/index.ts';
import { isPublicAddress } from '../../src/node/public-address.ts';
import { createFetch, resolveHost } from '../../src/node/public-fetch.ts';
import { certificate, privateKey } from './certificate.ts';
import { listen } from './server.ts';

beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), certificate]));

describe('a public address', () => {
  it.each([
    ...[
      '1.1.1.1',
      '8.8.8.8',
      '93.184.216.34',
      '100.63.255.255',
      '100.128.0.0',
      '172.15.255.255',
      '172.32.0.0',
    ],
    ...['192.0.1.1', '198.17.255.255', '198.20.0.0', '223.255.255.255', '11.0.0.0', '126.255.255.255'],
    ...['2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001:80b::200e', '2001:200::1', '3ffe::1'],
  ])('is %s', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.255'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1'],
    ...['192.168.1.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1'],
    ...['239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::7f00:1'],
    ...['64:ff9b:1::1', '100::1', 'fc00::1', 'fd12::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'],
    ...[
      '2001::1',
      '2001:0:7f00:1::',
      '2001:20::1',
      '2001:1ff::1',
      '2001:db8::1',
      '2002:7f00:1::1',
      '3fff::1',
    ],
    ...['3fff:fff::1', '4000::1', '5f00::1', '2606:4700::1%eth0'],
    ...['', 'localhost', '1.1.1', '0x7f.1', '2130706433', '127.1', '01.1.1.1', '1.1.1.1 ', '[2606:4700::1]'],
  ])('L5.16 resolved address: is not %s', (address) => expect(isPublicAddress(address)).toBe(false));

  it('is never an IPv6 address with an embedded IPv4 address', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    fc.assert(
      fc.property(group, group, (high, low) => {
        const addresses = [
          `::ffff:${high}:${low}`,
          `::${high}:${low}`,
          `64:ff9b::${high}:${low}`,
          `2002:${high}:${low}::1`,
        ];
        expect(addresses.filter(isPublicAddress)).toEqual([]);
      }),
    );
  });
});

/** The reason why a request failed, without the stack of errors. */
const readCause = async (response: Promise<Response>): Promise<unknown> => {
  const error = await response.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof TypeError)) throw new Error('expected a TypeError', { cause: error });
  expect(error.message).toBe('fetch failed');
  return error.cause instanceof Error ? error.cause.message : error.cause;
};

const notPublic = 'The host must have only public IP addresses.';

describe('publicFetch', () => {
  it.each([
    ...['127.0.0.1', '0x7f.1', '2130706433', '017700000001', '127.1', '０x7f.1', '169.254.169.254'],
    ...[
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[64:ff9b::7f00:1]',
      '[fe80::1]',
      'localhost',
      'localhost.',
    ],
  ])('refuses the host %s', async (host) => {
    expect(await readCause(publicFetch(`https://${host}/`))).toBe(notPublic);
  });

  it.each([
    ['http://1.1.1.1/', 'The URL must use https.'],
    ['data:,a', 'The URL must use https.'],
    ['file:///etc/passwd', 'The URL must use https.'],
  ])('refuses %s', async (url, cause) => {
    expect(await readCause(publicFetch(url))).toBe(cause);
  });

  it('refuses a URL with credentials, and text that is not a URL', async () => {
    await expect(publicFetch('https://user:password@1.1.1.1/')).rejects.toThrow(TypeError);
    await expect(publicFetch('/path')).rejects.toThrow(TypeError);
  });
});

/** Starts a TLS server for `client.example`, and creates a `fetch` that finds it. */
const serveTls = async (
  listener: RequestListener,
  {
    addresses = ['127.0.0.1'],
    isAllowed = () => true,
  }: {
    readonly addresses?: readonly string[];
    readonly isAllowed?: (address: string) => boolean;
  } = {},
) => {
  const port = await listen(createServer({ key: privateKey, cert: certificate }, listener));
  const lookups: string[] = [];
  const fetch = createFetch({
    resolve: async (hostname) => {
      lookups.push(hostname);
      return addresses;
    },
    isAllowed,
  });
  return { fetch, lookups, origin: `https://client.example:${port}`, port };
};

describe('a host name', () => {
  /** Starts a DNS server that responds with one A record for `found.example`, and never for `slow.example`. */
  const startDns = async () => {
    const server = createSocket('udp4');
    const { promise: queried, resolve: query } = Promise.withResolvers<void>();
    server.on('message', (message, { port, address }) => {
      const name = message.subarray(12, message.indexOf(0, 12) + 5);
      if (message.includes('slow')) return query();
      const isFound = message.includes('found') && name.at(-3) === 1;
      const header = Buffer.from([
        ...message.subarray(0, 2),
        0x81,
        isFound ? 0x80 : 0x83,
        0,
        1,
        0,
        Number(isFound),
        0,
        0,
        0,
        0,
      ]);
      const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4]);
      server.send(Buffer.concat([header, name, ...(isFound ? [answer] : [])]), port, address);
    });
    await once(server.bind(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const resolver = new Resolver({ timeout: 60_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${server.address().port}`]);
    return { resolver, queried };
  };

  it('is resolved through DNS, with the addresses of both families', async () => {
    const { resolver } = await startDns();
    expect(await resolveHost('found.example', undefined, resolver)).toEqual(['1.2.3.4']);
  });

  it('that does not exist is an error', async () => {
    const { resolver } = await startDns();
    await expect(resolveHost('other.example', undefined, resolver)).rejects.toThrow('ENOTFOUND');
  });

  it('that is reserved for loopback is not resolved', async () => {
    expect(await resolveHost('localhost', undefined)).toEqual([]);
    expect(await resolveHost('app.localhost', undefined)).toEqual([]);
  });

  it('whose server does not respond is given up when the signal is aborted', async () => {
    const { resolver, queried } = await startDns();
    const controller = new AbortController();
    const resolved = resolveHost('slow.example', controller.signal, resolver);
    await queried;
    controller.abort();
    await expect(resolved).rejects.toThrow('ECANCELLED');
  });
});

describe('a request', () => {
  it('is sent to four addresses at most', async () => {
    const listed = Array.from({ length: 9 }, (_, index) => `127.0.0.${10 + index}`);
    const { fetch, origin } = await serveTls((_, response) => response.end(), { addresses: listed });
    const error = await fetch(origin).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ cause: { code: 'ECONNREFUSED', address: '127.0.0.13' } });
  });

  it('goes to the address that was checked, with the name of the host', async () => {
    const requests: object[] = [];
    const { fetch, lookups, origin, port } = await serveTls(async (request, response) => {
      const { method, url, headers, socket } = request;
      const servername = 'servername' in socket && socket.servername;
      requests.push({ method, url, headers, servername, body: await text(request) });
      response.writeHead(201, 'Made', { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] }).end('response');
    });
    const response = await fetch(`${origin}/path?query#fragment`, {
      method: 'POST',
      headers: { 'x-b': '2', host: 'other.example', 'accept-encoding': 'gzip', 'content-length': '1' },
      body: new URLSearchParams({ a: 'b' }),
    });
    expect(response.status).toBe(201);
    expect(response.statusText).toBe('Made');
    expect(response.headers.get('x-a')).toBe('1');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('response');
    expect(lookups).toEqual(['client.example']);
    expect(requests).toEqual([
      {
        method: 'POST',
        url: '/path?query',
        servername: 'client.example',
        body: 'a=b',
        headers: {
          accept: '*/*',
          'accept-encoding': 'identity',
          connection: 'close',
          'content-length': '3',
          'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
          host: `client.example:${port}`,
          'user-agent': 'assistant-auth',
          'x-b': '2',
        },
      },
    ]);
  });

  it('is not sent if one of several addresses is not allowed', async () => {
    const requests: unknown[] = [];
    const { fetch, origin } = await serveTls(
      (request, response) => {
        requests.push(request.url);
        response.end();
      },
      { addresses: ['127.0.0.1', '127.0.0.2'], isAllowed: (address) => address === '127.0.0.1' },
    );
    expect(await readCause(fetch(origin))).toBe(notPublic);
    expect(requests).toEqual([]);
  });

  it('is not sent if the host has no address', async () => {
    const { fetch, origin } = await serveTls((_, response) => response.end(), { addresses: [] });
    expect(await readCause(fetch(origin))).toBe(notPublic);
  });

  it('is not sent if the certificate is for another host', async () => {
    const requests: unknown[] = [];
    const { fetch, origin } = await serveTls((request, response) => {
      requests.push(request.url);
      response.end();
    });
    for (const host of ['other.example', '127.0.0.1'])
      expect(await readCause(fetch(origin.replace('client.example', host)))).toMatch(
        /does not match certificate/,
      );
    expect(requests).toEqual([]);
  });

  it('goes to the next address if the first accepts no connection', async () => {
    const { fetch, origin } = await serveTls((_, response) => response.end('second'), {
      addresses: ['127.0.0.2', '127.0.0.1'],
    });
    expect(await (await fetch(origin)).text()).toBe('second');
  });

  it('fails if no address accepts a connection', async () => {
    const { fetch, origin } = await serveTls((_, response) => response.end(), { addresses: ['127.0.0.2'] });
    expect(await readCause(fetch(origin))).toMatch(/ECONNREFUSED/);
  });

  it('fails if the server switches protocols or closes the connection without a response', async () => {
    const { fetch, origin } = await serveTls((request) => {
      request.socket.end(
        request.url === '/upgrade'
          ? 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n'
          : '',
      );
    });
    expect(await readCause(fetch(`${origin}/upgrade`))).toEqual(expect.any(String));
    expect(await readCause(fetch(origin))).toBe('socket hang up');
  });
});

describe('a response', () => {
  it.each([301, 302, 303, 307, 308])('that redirects with %i is not followed', async (status) => {
    const urls: unknown[] = [];
    const { fetch, origin } = await serveTls((request, response) => {
      urls.push(request.url);
      response.writeHead(status, { location: '/next' }).end();
    });
    for (const init of [{}, { redirect: 'follow' }, { redirect: 'error' }] as const)
      expect(await readCause(fetch(origin, init))).toBe('The response is a redirect, which is not followed.');
    const response = await fetch(origin, { redirect: 'manual' });
    expect(response.status).toBe(status);
    expect(response.headers.get('location')).toBe('/next');
    expect(urls).toEqual(['/', '/', '/', '/']);
  });

  it('can have no body', async () => {
    const { fetch, origin } = await serveTls((request, response) => {
      response.writeHead(request.method === 'HEAD' ? 200 : 204).end();
    });
    for (const method of ['HEAD', 'GET']) expect((await fetch(origin, { method })).body).toBeNull();
  });

  it('that is cut off fails', async () => {
    const { fetch, origin } = await serveTls((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('part', () => response.destroy());
    });
    await expect(fetch(origin).then((response) => response.text())).rejects.toThrow('terminated');
  });

  it('closes the connection if its body is canceled', async () => {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    const { fetch, origin } = await serveTls((_, response) => {
      response.on('close', close).write('part');
    });
    const { body } = await fetch(origin);
    await body?.cancel();
    await closed;
    expect(body?.locked).toBe(false);
  });
});

describe('a signal', () => {
  const reason = new Error('stopped');

  it('that was already aborted prevents the request', async () => {
    const requests: unknown[] = [];
    const { fetch, origin } = await serveTls((request) => void requests.push(request.url));
    await expect(fetch(origin, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(fetch(origin, { signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    expect(requests).toEqual([]);
  });

  it('stops waiting for the addresses', async () => {
    const controller = new AbortController();
    const fetch = createFetch({
      resolve: () => {
        queueMicrotask(() => controller.abort(reason));
        return new Promise(() => {});
      },
      isAllowed: () => true,
    });
    await expect(fetch('https://client.example', { signal: controller.signal })).rejects.toBe(reason);
  });

  it('stops waiting for the connection', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    const controller = new AbortController();
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      controller.abort(reason);
    });
    const fetch = createFetch({ resolve: async () => ['127.0.0.1'], isAllowed: () => true });
    const request = new Request(`https://client.example:${port}`, { signal: controller.signal });
    await expect(fetch(request)).rejects.toBe(reason);
  });

  it('stops waiting for the response, and for its body', async () => {
    for (const path of ['/response', '/body']) {
      const controller = new AbortController();
      const { fetch, origin } = await serveTls(async (request, response) => {
        if (request.url === '/body') response.write('part');
        else controller.abort(reason);
        await once(response, 'close');
      });
      const read = async () => {
        const { body } = await fetch(origin + path, { signal: controller.signal });
        const reader = body?.getReader();
        expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('part');
        controller.abort(reason);
        await reader?.read();
      };
      await expect(read()).rejects.toBe(reason);
    }
  });
});
