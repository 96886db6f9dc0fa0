/** Starts the app in production, behind a proxy that terminates TLS. */
import { google } from 'assistant-auth';
import { createApp } from './app.ts';

const {
  ISSUER = '',
  SEALING_KEYS = '',
  GOOGLE_CLIENT_ID = '',
  GOOGLE_CLIENT_SECRET = '',
  PORT = '3000',
} = process.env;

// Throws an error that names the option if a value is missing or wrong, so the process does not start.
const app = createApp({
  issuer: ISSUER,
  sealingKeys: SEALING_KEYS,
  providers: [google({ clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET })],
  // The proxy must overwrite this header.
  clientAddress: ({ headers }) => headers.get('x-real-ip') ?? undefined,
});

app.listen(Number(PORT), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`listening on port ${PORT}`);
});
