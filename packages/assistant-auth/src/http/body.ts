/** Reading a body: of the right type, and never more of it than anybody honest sends. */
import { ProtocolError } from '../oauth/errors.ts';

/** Nothing honest here comes near it. */
const maxBodyBytes = 16_384;

/** The type of a body, without parameters; `undefined` where it has none. */
export const readContentType = (request: Request): string | undefined =>
  request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();

/**
 * Reads a body as text.
 * @throws ProtocolError `request.too-large` (without reading on) or `request.unreadable`
 */
export const readBodyText = async (request: Request): Promise<string> => {
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
      if (length > maxBodyBytes) {
        await reader.cancel();
        throw new ProtocolError('request.too-large');
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    throw new ProtocolError('request.unreadable', { cause });
  }
};

// Reading a form body.

/**
 * Reads an `application/x-www-form-urlencoded` body.
 * @throws ProtocolError `request.content-type`, `request.too-large` (without reading on) or `request.unreadable`
 */
export const readForm = async (request: Request): Promise<URLSearchParams> => {
  if (readContentType(request) !== 'application/x-www-form-urlencoded')
    throw new ProtocolError('request.content-type');
  return new URLSearchParams(await readBodyText(request));
};
