/** Signs every person in at a fresh Google stand-in and reads the subjects; run as a program, prints them as JSON. */
import { createBrowser, freePort, people, startGoogle, type Upstream } from '../../src/index.ts';

export const client = { clientId: 'words', clientSecret: 'a secret of the test' };
export const redirectUri = 'http://localhost:8787/callback/google';

export const startWith = async (starter: typeof startGoogle): Promise<Upstream> =>
  starter({ ...client, port: await freePort(), redirectUris: [redirectUri], people });

export const authorizationUrl = (issuer: string): URL =>
  new URL(
    `${issuer}/o/oauth2/v2/auth?${new URLSearchParams({
      response_type: 'code',
      client_id: client.clientId,
      redirect_uri: redirectUri,
      state: 'a state',
      nonce: 'a nonce',
      scope: 'openid email profile',
    })}`,
  );

export const subjects = async (): Promise<readonly string[]> => {
  const google = await startWith(startGoogle);
  try {
    const found: string[] = [];
    for (const { email } of people) {
      const claims = await redeem(google.issuer, await choose(google.issuer, email));
      found.push(`${Reflect.get(claims, 'email')} ${Reflect.get(claims, 'sub')}`);
    }
    return found;
  } finally {
    await google.close();
  }
};

/** Redeems a code and gives the claims of the id token. */
export const redeem = async (issuer: string, code: string): Promise<object> => {
  const response = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: client.clientId,
      client_secret: client.clientSecret,
    }),
  });
  const idToken: unknown = Reflect.get(Object(await response.json()), 'id_token');
  return Object(JSON.parse(Buffer.from(String(idToken).split('.')[1] ?? '', 'base64url').toString()));
};

const choose = async (issuer: string, email: string): Promise<string> => {
  const browser = createBrowser({ fetch, stopsAt: (url) => url.href.startsWith(redirectUri) });
  const page = await browser.open(authorizationUrl(issuer));
  const back = page.kind === 'page' ? await browser.press(page, email) : page;
  if (back.kind === 'page') throw new Error(back.html);
  return back.location.searchParams.get('code') ?? '';
};

if (import.meta.main) console.log(JSON.stringify(await subjects()));
