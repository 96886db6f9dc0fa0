/** Signs a user in, and calls the API that `npm run dev` started. */
import { createEmulatedClient } from 'assistant-auth/testing';

const issuer = `http://localhost:${process.env.PORT || 8787}`;
const client = createEmulatedClient({
  issuer,
  clientId: 'my-client',
  redirectUri: 'http://127.0.0.1/callback',
  scope: 'account dice offline_access', // offline_access is for the refresh token
});

// Opens the sign-in page, clicks these buttons, and exchanges the authorization code for tokens.
const tokens = await client.signIn(['Sign in with Acme', 'Ada Marlow']);

const me = await client.call(`${issuer}/api/me`, tokens.accessToken);
console.log(`GET /api/me: ${me.status} ${await me.text()}`);

const request = new Request(`${issuer}/api/rolls`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ sides: 6 }),
});
const roll = await client.call(request, tokens.accessToken);
console.log(`POST /api/rolls: ${roll.status} ${await roll.text()}`);

const refreshed = await client.refresh(tokens.refreshToken);
console.log(`Refresh: ${refreshed.kind}`);

await client.revoke(refreshed.refreshToken);
const rejected = await client.refresh(refreshed.refreshToken);
console.log(`Refresh after revocation: ${rejected.status} ${rejected.error}`);
