/** Where a form was posted from: browsers say so, and a form of another origin is nobody's will. */

/** Tells whether a request came from a page of this origin, or from something that is no browser. */
export const isFromOwnPage = ({ headers }: Request, origin: string): boolean => {
  const from = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  return (from === null || from === origin) && (site === null || site === 'same-origin');
};
