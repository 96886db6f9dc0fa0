/** Environments to read, and parts of them to change. */

export const key = 'k1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
export const secret = 's'.repeat(32);

export const deployed = {
  ORIGIN: 'https://words.example',
  SEALING_KEYS: key,
  GPT_CLIENT_ID: 'words-gpt',
  GPT_CLIENT_SECRET: secret,
  GOOGLE_CLIENT_ID: 'google-id',
  GOOGLE_CLIENT_SECRET: 'google-secret',
};

export const issuer = {
  OIDC_ISSUER: 'https://login.example',
  OIDC_CLIENT_ID: 'oidc-id',
  OIDC_CLIENT_SECRET: 'oidc-secret',
  OIDC_LABEL: 'Example',
};

export const client = { id: 'app', name: 'App', redirectUris: ['https://app.example/callback'] };
export const clients = (...list: readonly object[]) => ({ STATIC_CLIENTS: JSON.stringify(list) });
