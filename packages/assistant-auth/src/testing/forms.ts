/**
 * Reads the forms of a page without a DOM: their fields, their buttons, and where they are submitted (HTML
 * §4.10). It tolerates markup that is not valid, and ignores scripts, styles and comments.
 */

/** A form of a page. */
export interface Form {
  /** The URL that the form is submitted to, relative to that of the page. Empty: the URL of the page. */
  readonly action: string;
  /** How the form is submitted: with `GET`, the fields are in the query; with `POST`, in the body. */
  readonly method: 'GET' | 'POST';
  /** The names and values that are submitted with every button, in document order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The buttons that submit the form, in document order. */
  readonly buttons: readonly FormButton[];
}

/** A button that submits its form. */
export interface FormButton {
  /** The visible text without markup; each run of whitespace is one space. */
  readonly text: string;
  /** The name and the value that are submitted if this button is clicked. Absent if it has no name. */
  readonly field?: readonly [name: string, value: string];
  /** Replaces the `action` of the form. */
  readonly action?: string;
  /** Replaces the `method` of the form, `GET` or `POST`. */
  readonly method?: 'GET' | 'POST';
}

/** What the browser needs of a page. */
export interface ParsedPage {
  readonly forms: readonly Form[];
  /** The content of the first `<meta http-equiv="refresh">`. */
  readonly refresh?: string;
}

/**
 * Reads the forms of a page.
 * @param html the page
 * @returns the forms, in document order
 * @example
 * ```ts
 * import { readForms } from 'assistant-auth/testing';
 *
 * const [form] = readForms(await (await fetch('http://localhost:8787/account')).text());
 * const labels = form?.buttons.map(({ text }) => text);
 * ```
 */
export const readForms = (html: string): readonly Form[] => parsePage(html).forms;

/** Reads the forms of a page, and the URL that it redirects to. */
export const parsePage = (html: string): ParsedPage => {
  const forms: MutableForm[] = [];
  const formsById = new Map<string, MutableForm>();
  let openForm: MutableForm | undefined;
  let openButton: { readonly form: MutableForm; readonly start: Tag; text: string } | undefined;
  let openSelect: { readonly form: MutableForm; readonly start: Tag; readonly options: Option[] } | undefined;
  let refresh: string | undefined;

  const closeButton = (): void => {
    if (openButton !== undefined) addButton(openButton.form, openButton.start, openButton.text);
    openButton = undefined;
  };
  const closeSelect = (): void => {
    if (openSelect !== undefined) addSelection(openSelect.form, openSelect.start, openSelect.options);
    openSelect = undefined;
  };
  const handleStartTag = (start: Tag): void => {
    // A form within a form is ignored, and its fields belong to the outer one (HTML §13.2.6.4.7).
    if (start.name === 'form' && openForm === undefined) {
      openForm = createForm(start);
      forms.push(openForm);
      formsById.set(start.attributes.get('id') ?? '', openForm);
    }
    if (start.name === 'meta' && start.attributes.get('http-equiv')?.toLowerCase() === 'refresh')
      refresh ??= start.attributes.get('content');
    if (start.name === 'option') openSelect?.options.push({ start, text: '' });
    const owner = start.attributes.get('form');
    const form = owner === undefined ? openForm : formsById.get(owner);
    if (form === undefined) return;
    if (start.name === 'input') addInput(form, start);
    if (start.name === 'textarea') addField(form, start, start.rawText.replace(/^\r?\n/, ''));
    if (start.name === 'button') {
      closeButton();
      openButton = { form, start, text: '' };
    }
    if (start.name === 'select') openSelect = { form, start, options: [] };
  };

  for (const token of readTokens(html)) {
    const option = openSelect?.options.at(-1);
    if (typeof token === 'string') {
      if (openButton !== undefined) openButton.text += token;
      if (option !== undefined) option.text += token;
    } else if (!token.isEnd) handleStartTag(token);
    else if (token.name === 'button') closeButton();
    else if (token.name === 'select') closeSelect();
    else if (token.name === 'form') openForm = undefined;
  }
  closeButton();
  closeSelect();
  return { forms, ...(refresh !== undefined && { refresh }) };
};

interface MutableForm extends Form {
  readonly fields: (readonly [name: string, value: string])[];
  readonly buttons: FormButton[];
}

interface Option {
  readonly start: Tag;
  text: string;
}

const createForm = ({ attributes }: Tag): MutableForm => ({
  action: attributes.get('action')?.trim() ?? '',
  method: parseMethod(attributes.get('method')),
  fields: [],
  buttons: [],
});

const parseMethod = (method = ''): Form['method'] => (method.toLowerCase() === 'post' ? 'POST' : 'GET');

const addField = (form: MutableForm, { attributes }: Tag, value: string): void => {
  const name = attributes.get('name') ?? '';
  if (name !== '' && !attributes.has('disabled')) form.fields.push([name, value]);
};

/** These inputs have no value without a script or a file. */
const inputsWithoutValue = ['button', 'reset', 'image', 'file'];

const addInput = (form: MutableForm, start: Tag): void => {
  const { attributes } = start;
  const type = attributes.get('type')?.toLowerCase() ?? 'text';
  if (type === 'submit') addButton(form, start, attributes.get('value') ?? 'Submit');
  else if (type === 'checkbox' || type === 'radio') {
    if (attributes.has('checked')) addField(form, start, attributes.get('value') ?? 'on');
  } else if (!inputsWithoutValue.includes(type)) addField(form, start, attributes.get('value') ?? '');
};

const addButton = (form: MutableForm, { name: element, attributes }: Tag, text: string): void => {
  const type = attributes.get('type')?.toLowerCase() ?? 'submit';
  if (attributes.has('disabled') || type === 'button' || type === 'reset') return;
  const name = attributes.get('name') ?? '';
  const value = attributes.get('value') ?? (element === 'input' ? 'Submit' : '');
  const action = attributes.get('formaction');
  const method = attributes.get('formmethod');
  form.buttons.push({
    text: collapseSpace(text),
    ...(name !== '' && { field: [name, value] }),
    ...(action !== undefined && { action: action.trim() }),
    ...(method !== undefined && { method: parseMethod(method) }),
  });
};

/** Adds the options that are selected. A list that allows one option selects the first by default. */
const addSelection = (form: MutableForm, select: Tag, options: readonly Option[]): void => {
  const enabled = options.filter(({ start }) => !start.attributes.has('disabled'));
  const selected = enabled.filter(({ start }) => start.attributes.has('selected'));
  const chosen = select.attributes.has('multiple') ? selected : [selected.at(-1) ?? enabled[0]];
  for (const option of chosen)
    if (option !== undefined)
      addField(form, select, option.start.attributes.get('value') ?? collapseSpace(option.text));
};

const collapseSpace = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

// The tokens of a page: tags, and the text between them.

interface Tag {
  /** In lower case. */
  readonly name: string;
  readonly isEnd: boolean;
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, string>;
  /** The text up to the end tag, for elements that contain no markup. */
  readonly rawText: string;
}

const tokenPattern =
  /<!--.*?(?:--!?>|$)|<[!?][^>]*>|<(\/?)([a-z][^\s/>]*)(?=[\s/>])((?:[^>"']|"[^"]*"|'[^']*')*)>/gis;

/** Elements whose content is text and not markup (HTML §13.2.5). Only that of `textarea` is a value. */
const rawTextElements = ['script', 'style', 'textarea', 'title', 'iframe', 'xmp', 'noembed', 'noframes'];

/** Returns tags, and text with resolved character references. */
const readTokens = (html: string): readonly (Tag | string)[] => {
  const tokens: (Tag | string)[] = [];
  const pattern = new RegExp(tokenPattern);
  let position = 0;
  for (let match = pattern.exec(html); match !== null; match = pattern.exec(html)) {
    const [whole, slash, givenName, attributeText = ''] = match;
    if (match.index > position) tokens.push(decodeReferences(html.slice(position, match.index)));
    position = match.index + whole.length;
    if (givenName === undefined) continue;
    const name = givenName.toLowerCase();
    const isEnd = slash === '/';
    const isRaw = !isEnd && rawTextElements.includes(name);
    const rawText = isRaw ? readRawText(html, name, position) : '';
    position += rawText.length;
    pattern.lastIndex = position;
    tokens.push({
      ...{ name, isEnd, attributes: parseAttributes(attributeText) },
      rawText: decodeReferences(rawText),
    });
  }
  tokens.push(decodeReferences(html.slice(position)));
  return tokens;
};

const readRawText = (html: string, name: string, start: number): string => {
  const length = html.slice(start).search(new RegExp(`</${name}[\\s/>]`, 'i'));
  return html.slice(start, length < 0 ? html.length : start + length);
};

/** The first attribute of a name counts. */
const parseAttributes = (text: string): ReadonlyMap<string, string> => {
  const attributes = new Map<string, string>();
  const matches = text.matchAll(/([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?/g);
  for (const [, givenName = '', doubleQuoted, singleQuoted, unquoted] of matches) {
    const name = givenName.toLowerCase();
    if (!attributes.has(name))
      attributes.set(name, decodeReferences(doubleQuoted ?? singleQuoted ?? unquoted ?? ''));
  }
  return attributes;
};

const namedCharacters: ReadonlyMap<string, string> = new Map([
  ...([
    ['amp', '&'],
    ['lt', '<'],
    ['gt', '>'],
    ['quot', '"'],
    ['apos', "'"],
  ] as const),
  ...([
    ['nbsp', '\u00A0'],
    ['hellip', '…'],
    ['ndash', '–'],
    ['mdash', '—'],
  ] as const),
  ...([
    ['lsquo', '‘'],
    ['rsquo', '’'],
    ['ldquo', '“'],
    ['rdquo', '”'],
    ['rarr', '→'],
  ] as const),
]);

/** Resolves numeric references and those of common names (HTML §13.5). Any other is left unchanged. */
const decodeReferences = (text: string): string =>
  text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]+));/gi, (whole, hex, decimal, name) => {
    if (typeof name === 'string') return namedCharacters.get(name) ?? whole;
    const codePoint = typeof hex === 'string' ? Number.parseInt(hex, 16) : Number(decimal);
    return codePoint > 0 && codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : whole;
  });
