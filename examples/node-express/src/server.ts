/** Starts the app in production, behind a proxy that terminates TLS. */
import { google } from 'assistant-auth';
import { createApp } from './app.ts';

const {
  ISSUER = '',
  SEALING_KEYS = '',
  GOOGLE_CLIENT_ID = '',
  GOOGLE_CLIENT_SECRET = '',
  DATABASE_FILE,
  PORT,
} = process.env;
const port = Number(PORT || 3000);

// Throws an error that names the option if a value is missing or malformed, so the process does not start.
const app = await createApp({
  issuer: ISSUER,
  sealingKeys: SEALING_KEYS,
  databaseFile: DATABASE_FILE || 'auth.db',
  clients: [], // API clients; MCP clients need no entry here
  providers: [google({ clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET })],
  // The proxy must overwrite this header.
  clientAddress: ({ headers }) => headers.get('x-real-ip') ?? undefined,
});

app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`listening on port ${port}`);
});
