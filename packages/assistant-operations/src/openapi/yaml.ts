/** JSON values written as YAML 1.2: block style, every text that YAML could take for something else in quotes. */

/** Writes a JSON-like value as a YAML document; members that are `undefined` are left out, as `JSON.stringify` does. */
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

// Quoted texts are written as JSON, which YAML 1.2 reads as it stands.
const writeScalar = (value: unknown): string =>
  typeof value === 'string' && plain.test(value) && !reserved.test(value) ? value : JSON.stringify(value);

/** Texts that are nothing but themselves in YAML: words, without any of its signs where they would mean something. */
const plain = /^[A-Za-z/$](?:[A-Za-z0-9_./$-]| (?=[A-Za-z]))*$/;

const reserved = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
