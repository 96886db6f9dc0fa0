/** Reading a form body: of the right type, and never more of it than anybody honest sends. */
import { Refusal } from '../protocol/errors.ts';

/** No honest form here comes near it. */
const longestForm = 16_384;

/**
 * Reads an `application/x-www-form-urlencoded` body.
 * @throws Refusal `request.content-type`, `request.too-large` (without reading on) or `request.unreadable`
 */
export const readForm = async (request: Request): Promise<URLSearchParams> => {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw new Refusal('request.content-type');
  return new URLSearchParams(await readText(request));
};

const readText = async (request: Request): Promise<string> => {
  if (request.body === null) return '';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = request.body.getReader();
  let text = '';
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      length += value.length;
      if (length > longestForm) {
        await reader.cancel();
        throw new Refusal('request.too-large');
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('request.unreadable', { cause });
  }
};
