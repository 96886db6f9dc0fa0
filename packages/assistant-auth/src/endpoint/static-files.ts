/** `GET` of a provider's mark: a file of its own, because the pages' policy lets pictures come from this origin alone. */

import { publicDocument, publicPicture } from '../http/responses.ts';
import { documentEndpoint, type EndpointPlan } from './handler.ts';

export const markEndpoint = (svg: string): EndpointPlan => documentEndpoint('mark', () => publicPicture(svg));

// `GET` of the pages' stylesheet: a file of its own, because the pages' policy allows no style inside them.

export const stylesheetEndpoint = (css: string): EndpointPlan =>
  documentEndpoint('stylesheet', () => publicDocument(css, 'text/css; charset=utf-8'));
