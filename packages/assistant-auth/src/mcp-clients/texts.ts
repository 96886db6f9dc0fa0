/** The default texts of the sign-in page for clients that are not in the configuration. */

import type { McpClientTexts } from '../ui/texts.ts';

export const defaultMcpClientTexts: McpClientTexts = {
  unverifiedRequest:
    'An app that calls itself {client} wants access to your {product} account. It will be able to:',
  unverifiedName: 'This app chose its own name, and we haven’t verified it.',
  identifiedBy: 'This app is identified by {site}.',
  otherDestination: 'You’ll return to {host}, not {site}. If you didn’t come from there, cancel.',
};
