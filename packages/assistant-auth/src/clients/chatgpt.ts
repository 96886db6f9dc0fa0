/**
 * Recognizes ChatGPT as an MCP client. Only ChatGPT learns about a missing scope from the result of a tool; other
 * clients learn about it from a 403 response.
 */

/**
 * The URL of ChatGPT's metadata document, with or without a callback ID. With `codex` in place of the callback
 * ID, it is that of Codex, which is treated like any other MCP client.
 */
const clientIdPattern = /^https:\/\/chatgpt\.com\/oauth\/(?:(?!codex\/)[\w-]+\/)?client\.json$/;

const redirectUriPattern =
  /^https:\/\/chatgpt\.com\/(?:connector_platform_oauth_redirect|connector\/oauth\/[\w-]+)$/;

/**
 * Returns whether a grant belongs to ChatGPT as an MCP client. Any program can start a sign-in with ChatGPT's
 * client ID, but only ChatGPT receives a code that is sent to its redirect URI. The `User-Agent` header is not
 * used, because any program can send any value.
 * @param redirectUri the verified redirect URI that the code was sent to
 */
export const isChatGptMcpClient = (clientId: string, redirectUri: string): boolean =>
  clientIdPattern.test(clientId) && redirectUriPattern.test(redirectUri);
