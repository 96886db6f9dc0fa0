/** The ways in which a client gets its client ID. The tests with MCP clients run with each of them. */
import type { AddClientAuthentication, StoredOAuthClientInformation } from '@modelcontextprotocol/client';
import { type Configuration, None } from 'openid-client';
import { inject } from 'vitest';
import { discover, registerClient } from '../openid-client.ts';

const { origin, publicClientId, documentClientId } = inject('system');

/** How a client gets its client ID. */
export interface Registration {
  readonly name: string;
  /** The client ID. Default: the client registers itself, and gets one. */
  readonly clientId?: string;
  /** The client information of a client that is registered before it connects. */
  readonly clientInformation?: StoredOAuthClientInformation;
  /** The URL of the client's metadata document. */
  readonly clientMetadataUrl?: string;
  /** Adds the client authentication to requests to the token endpoint. Default: the SDK does. */
  readonly authenticate?: AddClientAuthentication;
  /** The requests with which the client gets its client ID. */
  readonly requests: readonly string[];
  /** The name that the user sees. */
  readonly appName: string;
  /** The prefix of the names of its users. Each client has its own users, because one can sign in 20 times at most. */
  readonly users: 'mcp' | 'mcp-document' | 'mcp-registered';
  /** Creates such a client with another library, `openid-client`. */
  readonly configure: () => Promise<Configuration>;
}

export const preRegistered: Registration = {
  name: 'a pre-registered client',
  clientId: publicClientId,
  clientInformation: { client_id: publicClientId, issuer: origin },
  requests: [],
  appName: 'Demo desktop app',
  users: 'mcp',
  configure: () => discover(publicClientId, None()),
};

const withDocument: Registration = {
  name: 'a client with a metadata document',
  clientId: documentClientId,
  clientMetadataUrl: documentClientId,
  requests: [],
  appName: 'Demo app with a document',
  users: 'mcp-document',
  configure: () => discover(documentClientId, None()),
};

const selfRegistered: Registration = {
  name: 'a client that registers itself',
  requests: ['POST /register 201'],
  appName: 'Conformance test',
  users: 'mcp-registered',
  configure: () => registerClient({ token_endpoint_auth_method: 'none' }, None()),
};

export const registrations: readonly Registration[] = [preRegistered, withDocument, selfRegistered];
