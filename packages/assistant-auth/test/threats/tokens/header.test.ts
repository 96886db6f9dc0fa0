/** Where a token may stand: in one Authorization header, alone. */
import { describe, expect, it } from 'vitest';
import { gpt, obtainTokens } from '../../clients.ts';
import { deploy, issuer } from '../../deployment.ts';
import { createSpyStorage } from '../../spy-storage.ts';

type Header = readonly [name: string, value: string];

/** Calls the API with a genuine token, put into a request in a way of the caller's own. */
const call = async (place: (token: string) => Request) => {
  const storage = createSpyStorage();
  const deployment = deploy({ storage });
  const { access_token } = await obtainTokens(deployment, gpt);
  const before = storage.calls.length;
  const protection = await deployment.broker.protect(place(access_token));
  return { protection, reads: storage.calls.length - before, log: deployment.log };
};

const withHeaders = (...headers: readonly Header[]): Request => {
  const request = new Request(`${issuer}/api/scoring`);
  for (const [name, value] of headers) request.headers.append(name, value);
  return request;
};

const signIn = { status: 401, challenge: `Bearer realm="${issuer}"` };
const invalid = {
  status: 401,
  challenge: `Bearer realm="${issuer}", error="invalid_token", error_description="The access token is not valid."`,
};

const expectRefused = async (place: (token: string) => Request, { status, challenge }: typeof invalid) => {
  const { protection, reads } = await call(place);
  if (protection.kind === 'granted') throw new Error('the API answered');
  expect(protection.response.status).toBe(status);
  expect(protection.response.headers.get('www-authenticate')).toBe(challenge);
  expect(reads).toBe(0);
};

it('a token in one Authorization header is the way in', async () => {
  const { protection } = await call((token) => withHeaders(['authorization', `Bearer ${token}`]));
  expect(protection.kind).toBe('granted');
});

describe('T13', () => {
  it.each(['access_token', 'token', 'authorization', 'bearer_token'])(
    'T13.1 query string: %s in it is nothing, and is not logged',
    async (name) => {
      const inQuery = (token: string) => new Request(`${issuer}/api/scoring?${name}=${token}`);
      await expectRefused(inQuery, signIn);
      const { log } = await call(inQuery);
      expect(log.filter(({ endpoint }) => endpoint === 'protect')).toEqual([]);
    },
  );

  it('T13.1 query string: nor in a body, a cookie, a fragment or the path', async () => {
    const url = `${issuer}/api/scoring`;
    await expectRefused(
      (access_token) => new Request(url, { method: 'POST', body: new URLSearchParams({ access_token }) }),
      signIn,
    );
    await expectRefused((token) => withHeaders(['cookie', `access_token=${token}`]), signIn);
    await expectRefused((token) => new Request(`${url}#access_token=${token}`), signIn);
    await expectRefused((token) => new Request(`${url}/${token}`), signIn);
  });
});

describe('T14', () => {
  it('T14.1 repeated: two headers are refused, even with the same token', async () => {
    await expectRefused((token) => {
      const header: Header = ['authorization', `Bearer ${token}`];
      return withHeaders(header, header);
    }, invalid);
  });

  it.each<readonly [string, (token: string) => readonly Header[]]>([
    [
      'a wrong one before it',
      (token) => [
        ['authorization', 'Bearer x'],
        ['authorization', `Bearer ${token}`],
      ],
    ],
    [
      'a wrong one after it',
      (token) => [
        ['authorization', `Bearer ${token}`],
        ['authorization', 'Bearer x'],
      ],
    ],
    [
      'Basic before it',
      (token) => [
        ['authorization', 'Basic eDp5'],
        ['authorization', `Bearer ${token}`],
      ],
    ],
    [
      'Basic after it',
      (token) => [
        ['authorization', `Bearer ${token}`],
        ['authorization', 'Basic eDp5'],
      ],
    ],
    [
      'an empty one before it',
      (token) => [
        ['authorization', ''],
        ['authorization', `Bearer ${token}`],
      ],
    ],
  ])('T14.1 repeated: refused with %s', async (_, headers) => {
    await expectRefused((token) => withHeaders(...headers(token)), invalid);
  });

  it.each<readonly [string, (token: string) => string]>([
    ['twice', (token) => `Bearer ${token}, Bearer ${token}`],
    ['twice under one scheme', (token) => `Bearer ${token},${token}`],
    ['then a parameter', (token) => `Bearer ${token}, realm="x"`],
    ['then a comma', (token) => `Bearer ${token},`],
    ['after a comma', (token) => `, Bearer ${token}`],
    ['after another scheme', (token) => `Basic eDp5, Bearer ${token}`],
    ['after a wrong token', (token) => `Bearer x, Bearer ${token}`],
    ['then another token, by a space', (token) => `Bearer ${token} ${token}`],
  ])('T14.2 joined by commas: refused %s', async (_, value) => {
    await expectRefused((token) => withHeaders(['authorization', value(token)]), invalid);
  });

  it.each<readonly [string, (token: string) => string]>([
    ['Basic', (token) => `Basic ${token}`],
    ['Basic with the token as password', (token) => `Basic ${btoa(`gpt:${token}`)}`],
    ['DPoP', (token) => `DPoP ${token}`],
    ['Token', (token) => `Token ${token}`],
    ['none', (token) => token],
    ['a longer word', (token) => `BearerX ${token}`],
    ['a word before it', (token) => `X Bearer ${token}`],
    ['a colon', (token) => `Bearer: ${token}`],
    ['a tab for a space', (token) => `Bearer\t${token}`],
    ['no space', (token) => `Bearer${token}`],
    ['quotes', (token) => `Bearer "${token}"`],
    ['a parameter’s name', (token) => `Bearer token=${token}`],
  ])('T14.3 other schemes: refused with %s', async (_, value) => {
    await expectRefused((token) => withHeaders(['authorization', value(token)]), invalid);
  });

  it('T14.3 other schemes: nor another header', async () => {
    const names = ['x-authorization', 'proxy-authorization', 'x-access-token', 'x-forwarded-authorization'];
    for (const name of names) await expectRefused((token) => withHeaders([name, `Bearer ${token}`]), signIn);
  });
});
