/** The clients' parts, played: what each asks for, how it redeems a code, and how it refreshes. */
import { type Deployment, gptSecret, serverSecret } from './deployment.ts';
import {
  appRequest,
  askForTokens,
  createPerson,
  gptRedemption,
  gptRequest,
  serverRequest,
  type TokenBody,
  tokensOf,
  verifier,
} from './person.ts';

type Form = Readonly<Record<string, string>>;

/** One client's requests, as forms. */
export interface Player {
  readonly request: Form;
  readonly redemption: (code: string) => Form;
  readonly refreshment: (token: string) => Form;
}

/** ChatGPT: confidential, without PKCE, with a stable refresh token. */
export const gpt: Player = {
  request: gptRequest,
  redemption: gptRedemption,
  refreshment: (token) => ({
    grant_type: 'refresh_token',
    client_id: 'gpt',
    client_secret: gptSecret,
    refresh_token: token,
  }),
};

/** A public client that asks for rotating refresh tokens. */
export const app: Player = {
  request: { ...appRequest, scope: 'words score offline_access' },
  redemption: (code) => ({
    grant_type: 'authorization_code',
    client_id: 'app',
    redirect_uri: 'https://app.example/callback',
    code_verifier: verifier,
    code,
  }),
  refreshment: (token) => ({ grant_type: 'refresh_token', client_id: 'app', refresh_token: token }),
};

/** A confidential client that gets rotating refresh tokens unasked. */
export const server: Player = {
  request: { ...serverRequest, scope: 'words score' },
  redemption: (code) => ({
    ...app.redemption(code),
    client_id: 'server',
    client_secret: serverSecret,
    redirect_uri: 'https://server.example/cb',
  }),
  refreshment: (token) => ({ ...app.refreshment(token), client_id: 'server', client_secret: serverSecret }),
};

/** Signs a person in and gives the code that the client is sent; `changes` replace what it asks for. */
export const codeFor = async (
  deployment: Deployment,
  { request }: Player,
  changes: Form = {},
): Promise<string> => {
  const back = await createPerson(deployment).signIn({ ...request, ...changes });
  const code = back.searchParams.get('code');
  if (code === null) throw new Error(`no code: ${back}`);
  return code;
};

/** Asks for tokens with a code; `changes` replace what the client sends. */
export const redeem = (
  deployment: Deployment,
  player: Player,
  code: string,
  changes: Form = {},
): Promise<Response> => askForTokens(deployment, { ...player.redemption(code), ...changes });

/** Asks for tokens with a refresh token; `changes` replace what the client sends. */
export const refresh = (
  deployment: Deployment,
  player: Player,
  token: string,
  changes: Form = {},
): Promise<Response> => askForTokens(deployment, { ...player.refreshment(token), ...changes });

/** Signs a person in, all the way to the client's tokens. */
export const tokensFor = async (deployment: Deployment, player: Player): Promise<TokenBody> =>
  tokensOf(await redeem(deployment, player, await codeFor(deployment, player)));

/** The same form without some of its fields. */
export const without = (form: Form, ...names: readonly string[]): Form =>
  Object.fromEntries(Object.entries(form).filter(([name]) => !names.includes(name)));
