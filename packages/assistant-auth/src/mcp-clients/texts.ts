/** The English texts of the sign-in page for clients that are not in the configuration. */

import type { McpClientTexts } from '../ui/texts.ts';

export const defaultMcpClientTexts: McpClientTexts = {
  unverifiedRequest:
    'An app that calls itself {client} wants access to your {product} account. ' +
    'We haven’t verified its name. It will be able to:',
  identifiedBy: 'This app is identified by {site}.',
  otherDestination: 'You’ll return to {host}, not {site}. If you didn’t come from there, cancel.',
};
