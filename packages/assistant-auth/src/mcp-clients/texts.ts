/** The default texts of the sign-in page for clients that are not in the configuration. */

import type { McpClientTexts } from '../ui/texts.ts';

export const defaultMcpClientTexts: McpClientTexts = {
  unverifiedRequest: 'An app that calls itself {client} asks to use {product} on your behalf.',
  unverifiedName: 'The app chose this name itself, and we haven’t verified it.',
  identifiedBy: 'This app is identified by {site}.',
  otherDestination:
    'Afterwards you return to {host}, not {site}. If that is not where you came from, cancel.',
};
