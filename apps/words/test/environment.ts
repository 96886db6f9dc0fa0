/** The variables of a valid deployment, and optional variables to add to them. */
import { exportPKCS8, generateKeyPair } from 'jose';

export const sealingKey = 'k1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g';
export const dailySecret = 'mM1yfqXAxbJCn-QXtYIIQ6f9n0cnRKq1rYHk0cI2Yso';
export const secret = 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ';
export const otherSecret = 'Y_EWFDw4Pt7muInnvySzcV8LKWyYjQ_TqZFlDL80OFM';

export const validVariables = {
  ORIGIN: 'https://words.example',
  PUBLISHER_NAME: 'Example Games',
  CONTACT_EMAIL: 'help@words.example',
  SEALING_KEYS: sealingKey,
  DAILY_SECRET: dailySecret,
  GPT_CLIENT_ID: 'words-gpt',
  GPT_CLIENT_SECRET: secret,
  GOOGLE_CLIENT_ID: 'google-id',
  GOOGLE_CLIENT_SECRET: 'google-secret',
};

export const gitHub = { GITHUB_CLIENT_ID: 'github-id', GITHUB_CLIENT_SECRET: 'github-secret' };
export const microsoft = { MICROSOFT_CLIENT_ID: 'microsoft-id', MICROSOFT_CLIENT_SECRET: 'microsoft-secret' };

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
/** On one line, as in a variables file. */
export const applePrivateKey = (await exportPKCS8(privateKey)).trim().replaceAll('\n', '\\n');

export const apple = {
  APPLE_CLIENT_ID: 'example.words.signin',
  APPLE_TEAM_ID: 'ABCDE12345',
  APPLE_KEY_ID: 'FGHIJ67890',
  APPLE_PRIVATE_KEY: applePrivateKey,
};

export const issuer = {
  id: 'login',
  displayName: 'Example',
  issuer: 'https://login.example',
  clientId: 'oidc-id',
  clientSecret: 'oidc-secret',
};
export const issuers = (...list: readonly object[]) => ({ OIDC_PROVIDERS: JSON.stringify(list) });

export const client = { id: 'app', name: 'App', redirectUris: ['https://app.example/callback'] };
export const clients = (...list: readonly object[]) => ({ STATIC_CLIENTS: JSON.stringify(list) });
