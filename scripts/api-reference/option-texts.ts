/** Shortens docstrings and types for the cells of a table. */
import {
  ArrayType,
  Comment,
  type CommentDisplayPart,
  DeclarationReflection,
  LiteralType,
  ReferenceType,
  Reflection,
  ReflectionType,
  type SignatureReflection,
  type SomeType,
  UnionType,
} from 'typedoc';

/** Returns the URL of a declaration. */
export type GetUrl = (target: Reflection) => string;

/** The docstring of an option, in parts. */
export interface OptionText {
  /** Its first sentences. */
  readonly description: string;
  /** What applies if the option is not set. Empty if the docstring does not say it. */
  readonly default: string;
}

/** Reads the docstring of an option. */
export const readOptionText = (option: DeclarationReflection, getUrl: GetUrl): OptionText => {
  const sentences = splitSentences(readSummary(option, getUrl));
  const isDefault = (sentence: string): boolean => /^(Default|Required)\b/.test(sentence);
  return {
    description: shorten(sentences.filter((sentence) => !isDefault(sentence))),
    default: sentences.filter(isDefault).map(formatDefault).join('. '),
  };
};

/** Returns the first sentence of a docstring. */
export const readFirstSentence = (declaration: DeclarationReflection, getUrl: GetUrl): string =>
  splitSentences(readSummary(declaration, getUrl))[0] ?? '';

const readSummary = ({ comment, signatures, type }: DeclarationReflection, getUrl: GetUrl): string => {
  const declared = type instanceof ReflectionType ? type.declaration.signatures : undefined;
  const { summary = [] } = comment ?? signatures?.[0]?.comment ?? declared?.[0]?.comment ?? {};
  const text = summary.map((part) => formatPart(part, getUrl)).join('');
  // A list follows the sentences.
  return (text.split(/\n+- /)[0] ?? '').replaceAll(/\s+/g, ' ').trim();
};

const formatPart = (part: CommentDisplayPart, getUrl: GetUrl): string =>
  part.kind === 'inline-tag' && part.target instanceof Reflection
    ? `[\`${part.text}\`](${getUrl(part.target)})`
    : Comment.combineDisplayParts([part]);

const splitSentences = (text: string): readonly string[] => text.split(/(?<=[.!?]) (?=[A-Z`[(])/);

/** If the description would be longer than this, it is only the first sentence. */
const maxLength = 170;

const shorten = ([first = '', ...others]: readonly string[]): string => {
  const end = others.findIndex(
    (_, index) => [first, ...others.slice(0, index + 1)].join(' ').length > maxLength,
  );
  const description = [first, ...others.slice(0, end === -1 ? undefined : end)].join(' ');
  return others.includes('Secret.') && !description.includes('Secret.')
    ? `${description} Secret.`
    : description;
};

/** `10 minutes` for `Default: 10 minutes.`, and `On Workers: …` for `Default on Workers: ….` */
const formatDefault = (sentence: string): string => {
  const text = sentence
    .replace(/^Default:? /, '')
    .replace(/^Required/, '**required**')
    .replace(/\.$/, '');
  return sentence.startsWith('Default ') ? text.charAt(0).toUpperCase() + text.slice(1) : text;
};

/** Formats the type of an option as Markdown. */
export const formatOptionType = (
  { type, signatures, parent }: DeclarationReflection,
  getUrl: GetUrl,
): string => {
  if (signatures?.[0] !== undefined) return formatSignature(signatures[0]);
  const parameters = parent instanceof DeclarationReflection ? (parent.typeParameters ?? []) : [];
  const parameter = parameters.find(({ name }) => type instanceof ReferenceType && type.name === name);
  return formatType(parameter?.type ?? type, getUrl);
};

const formatType = (type: SomeType | undefined, getUrl: GetUrl): string => {
  if (type instanceof UnionType) return type.types.map((one) => formatType(one, getUrl)).join(' or ');
  if (type instanceof ArrayType) return formatArray(type, getUrl);
  if (type instanceof ReferenceType) return formatReference(type, getUrl);
  if (type instanceof ReflectionType) {
    const [signature] = type.declaration.signatures ?? [];
    return signature === undefined ? '`object`' : formatSignature(signature);
  }
  if (type?.type === 'typeOperator') return formatType(type.target, getUrl);
  return type?.type === 'templateLiteral' ? '`string`' : formatCode(String(type));
};

const formatArray = ({ elementType }: ArrayType, getUrl: GetUrl): string => {
  const items = formatType(elementType, getUrl);
  return elementType instanceof UnionType ? `array of ${items}` : items.replace(/`(?=$|\])/, '[]`');
};

const formatReference = (type: ReferenceType, getUrl: GetUrl): string => {
  const { reflection, name, typeArguments: [first] = [] } = type;
  if (!(reflection instanceof DeclarationReflection))
    return ['Partial', 'Readonly'].includes(name) ? formatType(first, getUrl) : formatCode(String(type));
  const values = reflection.type instanceof UnionType ? reflection.type.types : [];
  return values.length > 0 && values.every((value) => value instanceof LiteralType)
    ? formatType(reflection.type, getUrl)
    : `[\`${name}\`](${getUrl(reflection)})`;
};

const formatSignature = ({ parameters = [], type }: SignatureReflection): string =>
  formatCode(`(${parameters.map(({ name }) => name).join(', ')}) => ${type}`);

/** Leaves out what makes a type longer and says nothing about the values. */
const formatCode = (text: string): string => {
  const short = text.replaceAll(/\breadonly |\b(?:Readonly|Partial)<(.*?>|[^<>]*)>/g, '$1');
  return `\`${short.replaceAll('"', "'")}\``;
};
