/** Calls the API that `npm run dev` started, as a client of the API does. */
import { createEmulatedClient } from 'assistant-auth/testing';

const issuer = `http://localhost:${process.env.PORT || 8787}`;
const client = createEmulatedClient({
  issuer,
  clientId: 'my-client',
  redirectUri: 'http://127.0.0.1/callback',
  scope: 'account offline_access', // with offline_access, it gets a refresh token
});

const call = async (step, accessToken) => {
  const response = await client.call(`${issuer}/api/me`, accessToken);
  console.log(`${step}: ${response.status} ${await response.text()}`);
};

// Opens the sign-in page, clicks these buttons, and exchanges the code for tokens.
const tokens = await client.signIn(['Sign in with Acme', 'Ada Marlow']);
await call('Signed in', tokens.accessToken);

const refreshed = await client.refresh(tokens.refreshToken);
if (refreshed.kind === 'error') throw new Error(`not refreshed: ${refreshed.error}`);
await call('Refreshed', refreshed.accessToken);

await client.revoke(refreshed.refreshToken);
const refused = await client.refresh(refreshed.refreshToken);
console.log(`Refresh after revocation: ${refused.status} ${refused.error}`);
