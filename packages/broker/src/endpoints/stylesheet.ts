/** `GET` of the pages' stylesheet: a file of its own, because the pages' policy allows no style inside them. */
import { documentEndpoint } from '../doors/document.ts';
import type { EndpointPlan } from '../doors/endpoint.ts';
import { publicDocument } from '../http/respond.ts';

export const stylesheetEndpoint = (css: string): EndpointPlan =>
  documentEndpoint('stylesheet', () => publicDocument(css, 'text/css; charset=utf-8'));
