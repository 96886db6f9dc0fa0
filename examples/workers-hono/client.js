/** Signs in to the app that `npm run dev` started, as an OAuth client does, and calls the API. */
import { createEmulatedClient } from 'assistant-auth/testing';

const issuer = `http://localhost:${process.env.PORT || 8787}`;
const client = createEmulatedClient({
  issuer,
  clientId: 'my-client',
  redirectUri: 'http://127.0.0.1/callback',
  scope: 'hello offline_access',
});

const call = async (step, accessToken) => {
  const response = await client.call(`${issuer}/api/hello`, accessToken);
  console.log(`${step}: ${response.status} ${await response.text()}`);
};

await call('An invalid token', 'invalid').catch((cause) => {
  throw new Error(`Can't reach ${issuer}. Start the app with: npm run dev`, { cause });
});
// Opens the sign-in page, clicks these buttons, and redeems the code.
const tokens = await client.signIn(['Sign in with Acme', 'Ada Marlow']);
await call('Signed in', tokens.accessToken);

const refreshed = await client.refresh(tokens.refreshToken);
if (refreshed.kind === 'error') throw new Error(`not refreshed: ${refreshed.error}`);
await call('Refreshed', refreshed.accessToken);

await client.revoke(refreshed.refreshToken);
const refused = await client.refresh(refreshed.refreshToken);
console.log(`Refresh after revocation: ${refused.status} ${refused.error}`);
