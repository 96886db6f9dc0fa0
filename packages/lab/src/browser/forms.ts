/** Reads the forms of a page as far as our pages and the fake providers' need it: inputs, buttons, the five usual entities. */

export interface Button {
  readonly name?: string;
  readonly value: string;
  /** What a person reads on it, white space collapsed. */
  readonly text: string;
}

export interface Form {
  /** As written; empty means the page's own address. */
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

/** Turns character references back into the characters they stand for. */
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
