import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readForm } from '../../src/http/request.ts';

const formType = 'application/x-www-form-urlencoded';

const post = (body: BodyInit | null, type: string | null = formType): Request => {
  const request = new Request('https://words.example/token', { method: 'POST', body });
  request.headers.delete('content-type');
  if (type !== null) request.headers.set('content-type', type);
  return request;
};

const entries = async (request: Request) => [...(await readForm(request))];

describe('reading a form', () => {
  test.each([
    [
      'pairs',
      'a=1&b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'repeated names, in order',
      'a=1&a=2',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['escapes', 'a=%C3%A9+%2B', [['a', 'é +']]],
    ['characters outside ASCII', 'a=é', [['a', 'é']]],
    ['nothing', '', []],
  ])('finds %s', async (_, body, pairs) => {
    expect(await entries(post(body))).toEqual(pairs);
  });

  test('finds nothing without a body', async () => {
    expect(await entries(post(null))).toEqual([]);
  });

  test.each([
    `${formType}; charset=UTF-8`,
    'Application/X-WWW-Form-Urlencoded',
    ` ${formType} ;charset=utf-8`,
  ])('reads the type %j', async (type) => {
    expect(await entries(post('a=1', type))).toEqual([['a', '1']]);
  });

  test.each([
    null,
    '',
    'text/plain',
    'application/json',
    'multipart/form-data; boundary=x',
    `${formType}, text/plain`,
    `text/plain; ${formType}`,
    `x${formType}`,
  ])('refuses the type %j', async (type) => {
    await expect(readForm(post('a=1', type))).rejects.toMatchObject({ reason: 'request.content-type' });
  });

  test('puts a character together that was cut by the network', async () => {
    const [first, second] = [Uint8Array.of(0x61, 0x3d, 0xc3), Uint8Array.of(0xa9)];
    const request = post(streamOf([first, second]).stream);
    expect(await entries(request)).toEqual([['a', 'é']]);
  });
});

describe('a body that nobody honest sends', () => {
  test('is read up to 16 KiB', async () => {
    const value = 'x'.repeat(16_382);
    expect(await entries(post(`a=${value}`))).toEqual([['a', value]]);
  });

  test('is refused from the next byte on', async () => {
    await expect(readForm(post(`a=${'x'.repeat(16_383)}`))).rejects.toMatchObject({
      reason: 'request.too-large',
    });
  });

  test('counts as bytes, not as characters', async () => {
    await expect(readForm(post(`a=${'é'.repeat(8_192)}`))).rejects.toMatchObject({
      reason: 'request.too-large',
    });
  });

  test('is not read on once it is too large, even without a declared length', async () => {
    const endless = streamOf(Array.from({ length: 1000 }, () => new Uint8Array(4096).fill(0x61)));
    await expect(readForm(post(endless.stream))).rejects.toMatchObject({ reason: 'request.too-large' });
    expect(endless.pulled()).toBeLessThan(20);
  });

  test.each([
    ['a stray continuation byte', Uint8Array.of(0x61, 0x3d, 0x80)],
    ['an overlong encoding', Uint8Array.of(0x61, 0x3d, 0xc0, 0xaf)],
    ['a character cut off at the end', Uint8Array.of(0x61, 0x3d, 0xc3)],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x61, 0x00)],
  ])('is refused for %s', async (_, body) => {
    await expect(readForm(post(body))).rejects.toMatchObject({ reason: 'request.unreadable' });
  });

  test('is refused when it breaks off', async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new Error('connection lost'));
      },
    });
    await expect(readForm(post(broken))).rejects.toMatchObject({ reason: 'request.unreadable' });
  });

  test('never fails in another way', async () => {
    const reasons = ['request.unreadable', 'request.too-large'];
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 20_000, size: 'max' }), async (bytes) => {
        const outcome = await readForm(post(Uint8Array.from(bytes))).catch((error: unknown) => error);
        if (!(outcome instanceof URLSearchParams)) {
          expect(reasons).toContain(Reflect.get(Object(outcome), 'reason'));
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** A stream that tells how many of its chunks were asked for. */
const streamOf = (chunks: readonly Uint8Array[]) => {
  let at = 0;
  const stream = new ReadableStream({
    pull(controller) {
      const chunk = chunks[at++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
  return { stream, pulled: () => at };
};
