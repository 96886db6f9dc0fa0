/** The ways in which a client gets its client ID. The tests with MCP clients run with each of them. */
import { inject } from 'vitest';
import type { Registration } from './sdk-client.ts';

const { origin, publicClientId } = inject('system');

export const preRegistered: Registration = {
  name: 'a pre-registered client',
  clientInformation: { client_id: publicClientId, issuer: origin },
};

export const registrations: readonly Registration[] = [preRegistered];
