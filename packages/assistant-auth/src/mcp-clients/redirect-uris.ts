/**
 * Which redirect URIs clients can have, and the rules for them. A client that registers itself proves nothing
 * about itself, so users are protected only by the limits on where its codes can be sent.
 */

import { ConfigurationError } from '../oauth/errors.ts';
import { createRedirectRule, parseRedirectUri, type RedirectRule } from '../oauth/redirect-uri.ts';

/**
 * The redirect URIs of known clients, which clients can register by default: ChatGPT, Claude, VS Code, Cursor,
 * Slack, Microsoft 365 Copilot and Copilot Studio, Perplexity, n8n, and Antigravity. Redirect URIs on loopback
 * are always allowed. The list was collected in November 2026. There was only one source for each entry of
 * Perplexity, n8n, Antigravity and `claude.com`.
 */
export const knownRedirectUris: readonly string[] = [
  'https://chatgpt.com/connector_platform_oauth_redirect',
  'https://chatgpt.com/connector/oauth/*',
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'https://vscode.dev/redirect',
  'https://insiders.vscode.dev/redirect',
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'https://oauth2.slack.com/external/auth/callback',
  'https://teams.microsoft.com/api/platform/v1.0/oAuthRedirect',
  'https://global.consent.azure-apim.net/redirect/*',
  'https://www.perplexity.ai/rest/connections/oauth_callback',
  'https://oauth.n8n.cloud/oauth2/callback',
  'https://antigravity.google/oauth-callback',
];

/** Decides about redirect URIs. */
export interface RedirectPolicy {
  /**
   * Returns the rule for a URI that a client registers.
   * @returns `undefined` if the URI is neither on the list nor on loopback
   */
  readonly allowRegistered: (uri: string) => RedirectRule | undefined;
  /**
   * Returns the rule for a URI in a metadata document, which the owner of the document's host chose.
   * @returns `undefined` if its scheme is neither https, nor http on loopback, nor private-use with a dot (RFC
   *   8252 §7.1), and if it is not on the list
   */
  readonly allowPublished: (uri: string) => RedirectRule | undefined;
  /** Returns whether a URI is on the list or on loopback. */
  readonly isTrusted: (uri: string) => boolean;
}

/**
 * Creates the policy from the option `redirectUris`.
 * @throws ConfigurationError `mcpClients.redirectUris` for an entry that is not allowed
 */
export const createRedirectPolicy = (entries: readonly string[]): RedirectPolicy => {
  const matchers = entries.map(parseEntry);
  const isListed = (uri: string) => matchers.some((matches) => matches(uri));
  const createRule = (uri: string): RedirectRule | undefined => {
    const url = parseRedirectUri(uri);
    // A private-use scheme without a dot can be listed, because the list names one client's exact URI.
    return url && (createRedirectRule(url) ?? (isListed(uri) ? { kind: 'exact', uri } : undefined));
  };
  const isTrusted = (uri: string) => createRule(uri)?.kind === 'loopback' || isListed(uri);
  return {
    isTrusted,
    allowPublished: createRule,
    allowRegistered: (uri) => (isTrusted(uri) ? createRule(uri) : undefined),
  };
};

/** Schemes that run code or read files. */
const dangerousScheme = /^(?:javascript|data|vbscript|blob|file|about|http|ws|wss|ftp|view-source):$/;

const parseEntry = (given: string): ((uri: string) => boolean) => {
  // Callers in JavaScript can pass any value.
  const entry = String(given);
  const url = parseRedirectUri(entry);
  const isPrefix = entry.endsWith('/*');
  if (
    url === undefined ||
    dangerousScheme.test(url.protocol) ||
    (isPrefix && url.protocol !== 'https:') ||
    entry.slice(0, isPrefix ? -1 : undefined).includes('*')
  )
    throw new ConfigurationError(
      'mcpClients.redirectUris',
      `must contain normalized https URIs, whose path can end in /*, or exact URIs with a private-use scheme: ${entry}`,
    );
  if (!isPrefix) return (uri) => uri === entry;
  const prefix = entry.slice(0, -1);
  return (uri) => uri.startsWith(prefix) && /^[\w.~-]+(?:\/[\w.~-]+)*$/.test(uri.slice(prefix.length));
};
