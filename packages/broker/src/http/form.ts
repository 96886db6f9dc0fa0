/** Reading a form body. */
import { Refusal } from '../protocol/errors.ts';
import { contentTypeOf, readText } from './body.ts';

/**
 * Reads an `application/x-www-form-urlencoded` body.
 * @throws Refusal `request.content-type`, `request.too-large` (without reading on) or `request.unreadable`
 */
export const readForm = async (request: Request): Promise<URLSearchParams> => {
  if (contentTypeOf(request) !== 'application/x-www-form-urlencoded')
    throw new Refusal('request.content-type');
  return new URLSearchParams(await readText(request));
};
