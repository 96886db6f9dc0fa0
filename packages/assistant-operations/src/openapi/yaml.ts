/**
 * Serializes JSON values as YAML 1.2 in block style. Strings that YAML could read as another type or as
 * syntax are quoted.
 */

/**
 * Serializes a JSON value as a YAML document. Members that are `undefined` are omitted, as by
 * `JSON.stringify`.
 */
export const toYaml = (value: unknown): string => `${writeBlock(value, '').trimStart()}\n`;

const writeBlock = (value: unknown, indent: string): string => {
  if (Array.isArray(value) && value.length > 0) {
    return value.map((item) => `\n${indent}- ${writeBlock(item, `${indent}  `).trimStart()}`).join('');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length > 0)
      return members
        .map(([key, member]) => `\n${indent}${writeScalar(key)}:${writeBlock(member, `${indent}  `)}`)
        .join('');
  }
  return ` ${writeScalar(value)}`;
};

// Quoted strings are written as JSON, which is valid YAML 1.2.
const writeScalar = (value: unknown): string =>
  typeof value === 'string' && plain.test(value) && !reserved.test(value) ? value : JSON.stringify(value);

/** Strings that need no quotes: words without characters that have a meaning in YAML. */
const plain = /^[A-Za-z/$](?:[A-Za-z0-9_./$-]| (?=[A-Za-z]))*$/;

/** Words that some YAML versions read as a boolean or null. */
const reserved = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
