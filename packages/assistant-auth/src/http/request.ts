/** Reading a body: of the right type, and never more of it than anybody honest sends. */
import { ProtocolError } from '../oauth/errors.ts';
import type { Seconds } from '../oauth/identifiers.ts';

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

// Cookies with the `__Host-` prefix (RFC 6265bis §4.1.3.2): for this host alone, over TLS or on loopback, out of scripts' reach.

const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** The cookies that a browser sent, by name; the first of a name counts. */
export const readCookies = (request: Request): ReadonlyMap<string, string> => {
  const cookies = new Map<string, string>();
  for (const pair of request.headers.get('cookie')?.split(';') ?? []) {
    const at = pair.indexOf('=');
    const name = stripWhitespace(pair.slice(0, at));
    if (at > 0 && !cookies.has(name)) cookies.set(name, stripWhitespace(pair.slice(at + 1)));
  }
  return cookies;
};

/**
 * Without the white space that browsers strip (RFC 6265bis §5.6), and no other: `trim` would make `__Host-` of a name that only
 * looks like it, for which no browser keeps the promises of the prefix, and which a neighbouring domain may set.
 */
const stripWhitespace = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, '');

/** @param maxAge left out, the cookie ends with the browser's session */
export const setCookie = (name: string, value: string, maxAge?: Seconds): string =>
  `${name}=${value}; ${attributes}${maxAge === undefined ? '' : `; Max-Age=${maxAge}`}`;

export const clearCookie = (name: string): string => setCookie(name, '', 0);
