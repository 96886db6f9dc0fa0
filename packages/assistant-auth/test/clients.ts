/** The requests of each test client: authorization, code redemption and refresh. */

import {
  appRequest,
  buildGptCodeRequest,
  createTestBrowser,
  expectTokens,
  gptRequest,
  requestTokens,
  serverRequest,
  type TokenBody,
  verifier,
} from './browser.ts';
import { type Deployment, gptSecret, serverSecret } from './deployment.ts';

type Form = Readonly<Record<string, string>>;

/** One client's requests, as forms. */
export interface TestClient {
  readonly request: Form;
  readonly codeRequest: (code: string) => Form;
  readonly refreshRequest: (token: string) => Form;
}

/** ChatGPT: confidential, without PKCE, with a stable refresh token. */
export const gpt: TestClient = {
  request: gptRequest,
  codeRequest: buildGptCodeRequest,
  refreshRequest: (token) => ({
    grant_type: 'refresh_token',
    client_id: 'gpt',
    client_secret: gptSecret,
    refresh_token: token,
  }),
};

/** A public client that requests rotating refresh tokens. */
export const app: TestClient = {
  request: { ...appRequest, scope: 'words score offline_access' },
  codeRequest: (code) => ({
    grant_type: 'authorization_code',
    client_id: 'app',
    redirect_uri: 'https://app.example/callback',
    code_verifier: verifier,
    code,
  }),
  refreshRequest: (token) => ({ grant_type: 'refresh_token', client_id: 'app', refresh_token: token }),
};

/** A confidential client that gets rotating refresh tokens without requesting them. */
export const server: TestClient = {
  request: { ...serverRequest, scope: 'words score' },
  codeRequest: (code) => ({
    ...app.codeRequest(code),
    client_id: 'server',
    client_secret: serverSecret,
    redirect_uri: 'https://server.example/cb',
  }),
  refreshRequest: (token) => ({
    ...app.refreshRequest(token),
    client_id: 'server',
    client_secret: serverSecret,
  }),
};

/** Signs a user in, and returns the client's code. `changes` replace parameters of the request. */
export const obtainCode = async (
  deployment: Deployment,
  { request }: TestClient,
  changes: Form = {},
): Promise<string> => {
  const redirect = await createTestBrowser(deployment).signIn({ ...request, ...changes });
  const code = redirect.searchParams.get('code');
  if (code === null) throw new Error(`no code: ${redirect}`);
  return code;
};

/** Redeems a code. `changes` replace parameters of the request. */
export const redeem = (
  deployment: Deployment,
  testClient: TestClient,
  code: string,
  changes: Form = {},
): Promise<Response> => requestTokens(deployment, { ...testClient.codeRequest(code), ...changes });

/** Uses a refresh token. `changes` replace parameters of the request. */
export const refresh = (
  deployment: Deployment,
  testClient: TestClient,
  token: string,
  changes: Form = {},
): Promise<Response> => requestTokens(deployment, { ...testClient.refreshRequest(token), ...changes });

/** Signs a user in, and returns the client's tokens. */
export const obtainTokens = async (deployment: Deployment, testClient: TestClient): Promise<TokenBody> =>
  expectTokens(await redeem(deployment, testClient, await obtainCode(deployment, testClient)));

/** Returns a copy of the form without some of its fields. */
export const without = (form: Form, ...names: readonly string[]): Form =>
  Object.fromEntries(Object.entries(form).filter(([name]) => !names.includes(name)));
