import { execFile } from 'node:child_process';
import crypto, { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { people, startGoogle, startRememberingGoogle, type Upstream } from '../../src/index.ts';
import { authorizationUrl, redeem, redirectUri, startWith, subjects } from './subjects.ts';

const run = promisify(execFile);
const realRandomBytes = crypto.randomBytes;
const [ada] = people;

describe('the Google stand-in', () => {
  it('listens on 127.0.0.1 and names itself so', async () => {
    const { issuer, close } = await startWith(startGoogle);
    const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    await close();
    expect(issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(metadata).toMatchObject({ issuer, token_endpoint: `${issuer}/oauth2/token` });
  });

  it('vouches for every person by the same subject after a restart', async () => {
    const first = await subjects();
    expect(first.map((line) => line.split(' ')[0])).toEqual(people.map(({ email }) => email));
    expect(new Set(first.map((line) => line.split(' ')[1])).size).toBe(people.length);
    expect(await subjects()).toEqual(first);
  });

  it('vouches by the same subjects in a fresh process', async () => {
    const program = new URL('subjects.ts', import.meta.url).pathname;
    const { stdout } = await run(process.execPath, [program]);
    expect(JSON.parse(stdout)).toEqual(await subjects());
  });

  it('leaves randomness as it found it', async () => {
    const { close } = await startWith(startGoogle);
    await close();
    expect(crypto.randomBytes).toBe(realRandomBytes);
    expect(randomBytes).toBe(realRandomBytes);
    expect(randomBytes(16)).not.toEqual(randomBytes(16));
  });

  it('says that its port is taken', async () => {
    const { issuer, close } = await startWith(startGoogle);
    const port = Number(new URL(issuer).port);
    const options = { port, clientId: 'words', clientSecret: 'another', redirectUris: [], people };
    await expect(startGoogle(options)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(startRememberingGoogle(options)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await close();
  });
});

describe('the Google stand-in that remembers', () => {
  let google: Upstream;
  beforeEach(async () => {
    google = await startWith(startRememberingGoogle);
  });
  afterEach(() => google.close());

  const authorize = (cookie: string): Promise<Response> =>
    fetch(authorizationUrl(google.issuer), { redirect: 'manual', headers: { cookie } });

  it('answers somebody who is signed in with a redirect at once, and vouches for her', async () => {
    const response = await authorize(`other=1; signed-in=${ada.email}`);
    const location = new URL(response.headers.get('location') ?? '');
    expect(response.status).toBe(302);
    expect(location.origin + location.pathname).toBe(redirectUri);
    expect(location.searchParams.get('state')).toBe('a state');
    const claims = await redeem(google.issuer, location.searchParams.get('code') ?? '');
    expect(claims).toMatchObject({ iss: google.issuer, email: ada.email, nonce: 'a nonce' });
  });

  it('shows everybody else the page', async () => {
    const response = await authorize('');
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(ada.email);
  });

  it('vouches for nobody whom it does not know', async () => {
    const response = await authorize('signed-in=nobody@example.com');
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
  });
});
