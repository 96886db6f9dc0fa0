/** `GET` of a provider's mark: a file of its own, because the pages' policy lets pictures come from this origin alone. */
import { documentEndpoint } from '../doors/document.ts';
import type { EndpointPlan } from '../doors/endpoint.ts';
import { publicPicture } from '../http/respond.ts';

export const markEndpoint = (svg: string): EndpointPlan => documentEndpoint('mark', () => publicPicture(svg));
