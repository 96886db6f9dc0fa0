/** `GET` of a provider's mark: a file of its own, because the pages' policy lets pictures come from this origin alone. */

import { publicDocument, publicSvg } from '../http/responses.ts';
import { defineStaticDocument, type EndpointDefinition } from './handler.ts';

export const iconEndpoint = (svg: string): EndpointDefinition =>
  defineStaticDocument('icon', () => publicSvg(svg));

// `GET` of the pages' stylesheet: a file of its own, because the pages' policy allows no style inside them.

export const stylesheetEndpoint = (css: string): EndpointDefinition =>
  defineStaticDocument('stylesheet', () => publicDocument(css, 'text/css; charset=utf-8'));
