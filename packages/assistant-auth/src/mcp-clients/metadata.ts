/** The client metadata (RFC 7591 §2) that metadata documents and registrations have in common. */

import type { Client } from '../clients/client.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** @returns `undefined` if the text is not a JSON object */
export const parseJsonObject = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};

/** What both kinds of clients have in common. */
export type McpClientTraits = Pick<
  Client,
  'scopes' | 'defaultScopes' | 'unknownScopes' | 'pkce' | 'refresh' | 'refreshFailureStatus'
>;

/** In characters. */
const maxNameLength = 80;

/**
 * Reads the name of a client: one line, without control and formatting characters, with at most three marks on
 * one letter, cut after 80 characters.
 * @param fallback the name of a client without one
 */
export const readClientName = (value: unknown, fallback: string): string => {
  const text = typeof value === 'string' ? value : '';
  // `\p{C}` also contains the characters that change the direction of text, and lone surrogates.
  const line = text.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  // No script needs more marks on one letter. Many would cover the lines below, which identify the client.
  const name = line.replace(/(\p{M}{3})\p{M}+/gu, '$1');
  return [...(name === '' ? fallback : name)].slice(0, maxNameLength).join('');
};

/**
 * Reads the grant types that a client uses. Default: `authorization_code` (RFC 7591 §2).
 * @returns `undefined` if the client does not use authorization codes, or if a value is malformed
 */
export const readGrantTypes = ({
  grant_types: grantTypes = ['authorization_code'],
  response_types: responseTypes = ['code'],
}: JsonObject): readonly unknown[] | undefined =>
  Array.isArray(grantTypes) &&
  Array.isArray(responseTypes) &&
  grantTypes.includes('authorization_code') &&
  responseTypes.includes('code')
    ? grantTypes
    : undefined;
