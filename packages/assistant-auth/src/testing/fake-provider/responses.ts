/** The responses of the fake provider: its page, JSON, redirects and errors. None of them can be cached. */
import { randomId, systemRandom } from '../../oauth/secrets.ts';
import { type Html, html, renderHtml } from '../../ui/layout.ts';

const commonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** What the page of the users shows. */
interface UserList {
  readonly displayName: string;
  readonly users: readonly { readonly name: string; readonly email: string }[];
}

/** Returns the page with a button for each user, which posts the email address as `user`. */
export const userListPage = ({ displayName, users }: UserList): Response =>
  page(
    200,
    `Sign in to ${displayName}`,
    html`<p>${displayName} (fake provider for testing): choose the user to sign in as. No password is needed.</p>
<form method="post">
${users.map(
  ({ name, email }) => html`<button name="user" value="${email}">${name} <small>${email}</small></button>\n`,
)}<button name="user" value="">Cancel</button>
</form>`,
  );

/** Returns an authorization error that must not be redirected (RFC 6749 §4.1.2.1). */
export const errorPage = (message: string): Response =>
  page(400, 'Invalid request', html`<p>The fake provider refused the request: ${message}</p>`);

/** Returns a page without scripts. No `form-action`, which would also apply to the redirect to the broker. */
const page = (status: number, title: string, content: Html): Response => {
  const nonce = randomId(systemRandom);
  const document = renderHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<style nonce="${nonce}">
body { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
form { display: grid; gap: 0.75rem; }
button { padding: 0.75rem; font: inherit; }
small { display: block; }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`);
  return new Response(document, {
    status,
    headers: {
      ...commonHeaders,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; img-src data:; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
    },
  });
};

export const redirectTo = ({ href }: URL): Response =>
  new Response(null, {
    status: 303,
    headers: { ...commonHeaders, location: href, 'referrer-policy': 'no-referrer' },
  });

export const json = (body: object): Response => Response.json(body, { headers: commonHeaders });

/** Returns an error of the token endpoint (RFC 6749 §5.2). */
export const tokenError = (error: string, description: string): Response =>
  Response.json({ error, error_description: description }, { status: 400, headers: commonHeaders });

/** Returns the error for wrong client credentials (RFC 6749 §5.2). */
export const clientError = (): Response =>
  Response.json(
    { error: 'invalid_client', error_description: 'The client credentials are missing or wrong.' },
    { status: 401, headers: { ...commonHeaders, 'www-authenticate': 'Basic realm="fake provider"' } },
  );

/**
 * Returns the challenge of UserInfo (RFC 6750 §3).
 * @param error Default: none, for a request without a token
 */
export const bearerError = (error?: 'invalid_token'): Response =>
  new Response(null, {
    status: 401,
    headers: {
      ...commonHeaders,
      'www-authenticate': `Bearer realm="fake provider"${error === undefined ? '' : `, error="${error}"`}`,
    },
  });

export const notFound = (): Response =>
  new Response('The fake provider has no such endpoint.\n', { status: 404, headers: commonHeaders });

export const methodNotAllowed = (methods: readonly string[]): Response =>
  new Response(`The method must be ${methods.join(' or ')}.\n`, {
    status: 405,
    headers: { ...commonHeaders, allow: methods.join(', ') },
  });
