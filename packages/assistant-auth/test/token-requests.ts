/** Requests to the revocation and introspection endpoints. */
import { type Deployment, gptSecret, serverSecret } from './deployment.ts';

type Form = Readonly<Record<string, string>>;

/** The credentials of each client. */
export const clientCredentials = {
  gpt: { client_id: 'gpt', client_secret: gptSecret },
  server: { client_id: 'server', client_secret: serverSecret },
  app: { client_id: 'app' },
} as const satisfies Readonly<Record<string, Form>>;

export const postForm = (
  { fetch, issuer }: Deployment,
  path: '/revoke' | '/introspect',
  form: Form,
  headers: Form = {},
): Promise<Response> =>
  fetch(new Request(issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) }));
