/**
 * Parses the forms of a page, as far as the broker's and the fake providers' pages need it: inputs, buttons,
 * and character references.
 */

export interface Button {
  readonly name?: string;
  readonly value: string;
  /** The visible text, with white space collapsed. */
  readonly text: string;
}

export interface Form {
  /** As written in the page. Empty means the page's own URL. */
  readonly action: string;
  readonly method: 'GET' | 'POST';
  /** Names and values of the inputs, in document order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly buttons: readonly Button[];
}

export const readForms = (html: string): readonly Form[] =>
  [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, attributes = '', content = '']) => {
    const form = readAttributes(attributes);
    return {
      action: form.get('action') ?? '',
      method: form.get('method')?.toLowerCase() === 'post' ? 'POST' : 'GET',
      fields: readFields(content),
      buttons: readButtons(content),
    };
  });

/** Replaces character references: numeric ones, and the five predefined names. */
export const decodeEntities = (text: string): string =>
  text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/gi,
    (_, hex?: string, decimal?: string, name?: string) =>
      name === undefined
        ? String.fromCodePoint(Number.parseInt(hex ?? decimal ?? '', hex === undefined ? 10 : 16))
        : (namedEntities.get(name.toLowerCase()) ?? ''),
  );

const namedEntities = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

const readFields = (content: string): Form['fields'] =>
  [...content.matchAll(/<input\b([^>]*)>/gi)].flatMap(([, attributes = '']) => {
    const input = readAttributes(attributes);
    const name = input.get('name');
    return name === undefined ? [] : [[name, input.get('value') ?? ''] as const];
  });

const readButtons = (content: string): readonly Button[] =>
  [...content.matchAll(/<button\b([^>]*)>(.*?)<\/button>/gis)].map(([, attributes = '', label = '']) => {
    const button = readAttributes(attributes);
    const name = button.get('name');
    const text = decodeEntities(label.replaceAll(/<[^>]*>/g, ' '))
      .replaceAll(/\s+/g, ' ')
      .trim();
    return { ...(name === undefined ? {} : { name }), value: button.get('value') ?? '', text };
  });

const readAttributes = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [...text.matchAll(/([a-z][\w-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi)].map(
      ([, name = '', double, single, bare]) => [
        name.toLowerCase(),
        decodeEntities(double ?? single ?? bare ?? ''),
      ],
    ),
  );
