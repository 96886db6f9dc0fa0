/** Reads a document as a browser's tokenizer would: what a page really contains, not what its source looks like. */

/** One tag with its attributes, a run of text between tags, or a comment; character references are decoded. */
export type MarkupToken =
  | { readonly tag: string; readonly attributes: Readonly<Record<string, string>> }
  | { readonly text: string }
  | { readonly comment: string };

export const readMarkup = async (document: string): Promise<readonly MarkupToken[]> => {
  const tokens: MarkupToken[] = [];
  let text = '';
  const reader = new HTMLRewriter()
    .onDocument({
      text: (chunk) => {
        text += chunk.text;
        if (chunk.lastInTextNode && text !== '') tokens.push({ text: decode(text) });
        if (chunk.lastInTextNode) text = '';
      },
      comments: (comment) => {
        tokens.push({ comment: comment.text });
      },
    })
    .on('*', {
      element: ({ tagName, attributes }) => {
        tokens.push({
          tag: tagName,
          attributes: Object.fromEntries(
            [...attributes].map(([name = '', value = '']) => [name, decode(value)]),
          ),
        });
      },
    });
  await reader.transform(new Response(document)).text();
  return tokens;
};

/** The visible lines, in order, without blank ones. */
export const readLines = async (document: string): Promise<readonly string[]> =>
  (await readMarkup(document))
    .map((token) => ('text' in token ? token.text : ''))
    .join('')
    .split('\n')
    .filter((line) => line.trim() !== '');

/** The attributes of every element of one kind, in order. */
export const readAttributes = async (document: string, tag: string) =>
  (await readMarkup(document)).flatMap((token) =>
    'tag' in token && token.tag === tag ? [token.attributes] : [],
  );

// The ampersand is decoded last, so that a decoded one cannot start another character reference.
const decode = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
