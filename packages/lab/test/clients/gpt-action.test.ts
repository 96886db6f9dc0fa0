import { describe, expect, it } from 'vitest';
import {
  buildGptCallbackUrl,
  callApi,
  type GptAction,
  readCallback,
  redeemCode,
  refreshTokens,
  startSignIn,
} from '../../src/index.ts';

const action: GptAction = {
  authorizationUrl: 'https://words.example/authorize',
  tokenUrl: 'https://words.example/token',
  clientId: 'gpt',
  clientSecret: 'a secret: with % and +',
  scope: 'words,score',
  redirectUri: buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
};
const state = 'a6f1c1a4-8d0f-4c41-9b0b-1f1f3a3f9b10';
const startedSignIn = startSignIn(action, state);

/** Responds to every request in the same way, and records the requests. */
const createFakeFetch = (respond: () => Response) => {
  const requests: Request[] = [];
  const send: typeof fetch = async (input, init) => {
    requests.push(new Request(input, init));
    return respond();
  };
  return { requests, send };
};

const readSingleRequest = async (requests: readonly Request[]) => {
  const [request, ...rest] = requests;
  if (request === undefined || rest.length > 0) throw new Error(`${requests.length} requests`);
  const { method, url, headers } = request;
  return {
    method,
    url,
    headers: Object.fromEntries(headers),
    body: Object.fromEntries(new URLSearchParams(await request.text())),
  };
};

const respondWithTokens = () =>
  Response.json({ access_token: 'at', token_type: 'bearer', refresh_token: 'rt', expires_in: 59 });

describe('the authorization request', () => {
  it('has five parameters: no PKCE, no nonce, no resource', () => {
    expect(startedSignIn.url.origin + startedSignIn.url.pathname).toBe(action.authorizationUrl);
    expect([...startedSignIn.url.searchParams]).toEqual([
      ['response_type', 'code'],
      ['client_id', 'gpt'],
      ['redirect_uri', 'https://chatgpt.com/aip/g-0123456789abcdef0123456789abcdef/oauth/callback'],
      ['state', state],
      ['scope', 'words,score'],
    ]);
  });

  it.each([
    [`code=c&state=${state}&iss=x`, { kind: 'code', code: 'c' }],
    [`error=access_denied&state=${state}`, { kind: 'error', error: 'access_denied' }],
    ['code=c&state=another', { kind: 'state-mismatch' }],
    ['code=c', { kind: 'state-mismatch' }],
  ])('gets its result from the callback ?%s', (query, expected) => {
    expect(readCallback(startedSignIn, new URL(`${action.redirectUri}?${query}`))).toEqual(expected);
  });
});

describe('the token request', () => {
  it('redeems a code with the credentials in the form', async () => {
    const { requests, send } = createFakeFetch(respondWithTokens);
    expect(await redeemCode(action, 'c', send)).toEqual({
      kind: 'tokens',
      accessToken: 'at',
      refreshToken: 'rt',
      expiresIn: 59,
    });
    expect(await readSingleRequest(requests)).toEqual({
      method: 'POST',
      url: action.tokenUrl,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
      },
      body: {
        grant_type: 'authorization_code',
        code: 'c',
        redirect_uri: action.redirectUri,
        client_id: 'gpt',
        client_secret: action.clientSecret,
      },
    });
  });

  it('refreshes with Basic authentication if configured, without credentials in the form', async () => {
    const { requests, send } = createFakeFetch(() => Response.json({ access_token: 'at2' }));
    expect(await refreshTokens({ ...action, tokenExchange: 'basic' }, 'rt', send)).toEqual({
      kind: 'tokens',
      accessToken: 'at2',
    });
    const { headers, body } = await readSingleRequest(requests);
    const authorization = new Headers(headers).get('authorization') ?? '';
    expect(atob(authorization.slice('Basic '.length))).toBe('gpt:a%20secret%3A%20with%20%25%20and%20%2B');
    expect(body).toEqual({ grant_type: 'refresh_token', refresh_token: 'rt' });
  });

  it('ignores tokens in an error response', async () => {
    const body = { error: 'invalid_grant', access_token: 'at' };
    const { send } = createFakeFetch(() => Response.json(body, { status: 401 }));
    expect(await refreshTokens(action, 'rt', send)).toEqual({ kind: 'error', status: 401, body });
  });
});

describe('an API call', () => {
  const apiRequest = { method: 'GET', url: 'https://words.example/api/scoring' } as const;

  it('sends the token as Bearer and parses the response', async () => {
    const { requests, send } = createFakeFetch(() => Response.json({ score: 1 }));
    expect(await callApi(apiRequest, 'at', send)).toEqual({
      kind: 'response',
      status: 200,
      body: { score: 1 },
    });
    expect((await readSingleRequest(requests)).headers).toEqual({
      accept: 'application/json',
      authorization: 'Bearer at',
    });
  });

  it('sends the fields of a body as JSON', async () => {
    const { requests, send } = createFakeFetch(() => Response.json({ result: 'correct' }));
    const body = { guess: 'é' };
    expect(await callApi({ ...apiRequest, method: 'POST', body }, 'at', send)).toMatchObject({ status: 200 });
    expect(requests[0]?.method).toBe('POST');
    expect(requests[0]?.headers.get('content-type')).toBe('application/json');
    expect(await requests[0]?.json()).toEqual(body);
  });

  it.each([
    [401, { kind: 'unauthorized' }],
    [403, { kind: 'response', status: 403, body: { title: 'no' } }],
    [400, { kind: 'response', status: 400, body: { title: 'no' } }],
  ])('interprets a %i as %o', async (status, expected) => {
    const respondWithProblem = () =>
      new Response('{"title":"no"}', { status, headers: { 'content-type': 'application/problem+json' } });
    expect(await callApi(apiRequest, 'at', createFakeFetch(respondWithProblem).send)).toEqual(expected);
  });
});
