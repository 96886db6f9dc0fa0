/** The cookies of `/play`. Only this host can set cookies with the prefix `__Host-` (RFC 6265bis §4.1.3.2). */

/** Returns the value of a cookie. */
export const readCookie = ({ headers }: Request, name: string): string | undefined =>
  headers
    .get('cookie')
    ?.split(/; */)
    .find((cookie) => cookie.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/**
 * Returns a `Set-Cookie` value. Scripts cannot read the cookie, and forms of other sites do not send it. `maxAge` is in
 * seconds.
 */
export const setCookie = (name: string, value: string, maxAge: number): string =>
  `${name}=${value}; Max-Age=${maxAge}; Path=/; Secure; HttpOnly; SameSite=Lax`;

/** Returns the `Set-Cookie` value that deletes a cookie. */
export const clearCookie = (name: string): string => setCookie(name, '', 0);
