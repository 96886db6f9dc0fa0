/**
 * The client that `npm start` registers, so that MCP clients can connect without any configuration. It is never
 * part of a deployment: only `startLocalSystem` registers it.
 */
import type { Variables } from '../app/variables.ts';

export const localMcpClient = {
  id: 'mcp-client',
  name: 'MCP client',
  // Each matches any port.
  redirectUris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
  offlineAccess: 'always',
} as const;

/** The variable that registers the client, unless other clients are configured. */
export const localMcpClientVariables = { STATIC_CLIENTS: JSON.stringify([localMcpClient]) } as const;

/** Returns the ID of the client, or `undefined` if other clients are configured instead. */
export const findLocalMcpClientId = ({ STATIC_CLIENTS = '' }: Variables): string | undefined =>
  STATIC_CLIENTS === localMcpClientVariables.STATIC_CLIENTS ? localMcpClient.id : undefined;
