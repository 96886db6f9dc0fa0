/**
 * Formats JSON for reading: each value that fits is on one line, and long lists and texts are truncated, so the
 * result is not always valid JSON.
 */

/** Formats a value as lines. */
export const formatJson = (value: unknown): string => format(value, '', '');

/** Formats a value as one line. */
export const formatJsonLine = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(shortenText(value));
  if (Array.isArray(value)) return `[${shorten(value, formatJsonLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}: ${formatJsonLine(member)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
};

const lineWidth = 100;
const maxItems = 5;
const maxTextLength = 120;

/**
 * @param indentation precedes each line except the first one
 * @param prefix the text before the value on its first line, such as the name of a member
 */
const format = (value: unknown, indentation: string, prefix: string): string => {
  const line = formatJsonLine(value);
  if (typeof value !== 'object' || value === null) return line;
  if (indentation.length + prefix.length + line.length <= lineWidth) return line;
  const inner = `${indentation}  `;
  const members = Array.isArray(value)
    ? shorten(value, (item) => format(item, inner, ''))
    : Object.entries(value).map(([name, member]) => {
        const key = `${JSON.stringify(name)}: `;
        return key + format(member, inner, key);
      });
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${members.map((member) => inner + member).join(',\n')}\n${indentation}${close}`;
};

/** Formats the first items of a list, or the first object, and the number of all if there are more. */
const shorten = (items: readonly unknown[], formatItem: (item: unknown) => string): readonly string[] => {
  const firstItems = items.slice(0, typeof items[0] === 'object' ? 1 : maxItems);
  const more = items.length > firstItems.length ? [`… (${items.length} in all)`] : [];
  return [...firstItems.map(formatItem), ...more];
};

const shortenText = (text: string): string =>
  text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength)}… (${text.length} characters)`;
