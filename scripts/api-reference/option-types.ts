/**
 * Finds the options of the public functions in typedoc's model of the API: which functions take options, and
 * the members of these options.
 */
import {
  ArrayType,
  DeclarationReflection,
  type ProjectReflection,
  ReferenceType,
  ReflectionKind,
  ReflectionType,
  type SignatureReflection,
  type SomeType,
  UnionType,
} from 'typedoc';

/** A public function, or a method of what a public function returns. */
export interface PublicFunction {
  /** `createBroker`, or `broker.protect` for a method. */
  readonly name: string;
  /** The module that exports it, or the type of the method. */
  readonly module: string;
  readonly reflection: DeclarationReflection;
  readonly signature: SignatureReflection;
}

/** A declared type within another type. */
interface NamedType {
  readonly type: DeclarationReflection;
  /** Whether each member is optional, because of `Partial`. */
  readonly isPartial: boolean;
  /** Whether it is the type of the items of an array. */
  readonly isItem: boolean;
  /** The members that `Omit` removes. */
  readonly omitted: readonly string[];
}

/** A parameter of a function whose members are options. */
export interface OptionParameter extends NamedType {
  readonly parameter: string;
}

/** One option. */
export interface Option {
  /** Its path within its table, for example `colors.light.accent`. */
  readonly path: string;
  readonly reflection: DeclarationReflection;
  /** Whether it must be set if the object that contains it is set. */
  readonly isRequired: boolean;
}

/** The options of one type. */
export interface OptionTable {
  readonly type: DeclarationReflection;
  /** The path of the option whose members these are, for example `lifetimes`. Empty for a parameter. */
  readonly path: string;
  readonly options: readonly Option[];
}

/** The public API, as far as it is about options. */
export interface OptionModel {
  /** All exported functions, in the order of the entry points. */
  readonly functions: readonly PublicFunction[];
  /** The methods with a parameter `options`, of the interfaces that exported functions return. */
  readonly methods: readonly PublicFunction[];
  /** Returns the parameters of a function whose members are options. */
  readonly findOptionParameters: (one: PublicFunction) => readonly OptionParameter[];
  /** Returns the options of a type, followed by a table for each of them that has members itself. */
  readonly buildTables: (type: NamedType) => readonly OptionTable[];
}

/**
 * Builds the model. The members of a type that an exported function returns are no options, because a
 * publisher gets the value from that function.
 * @param excluded the names of other types whose members are no options
 */
export const readOptionModel = (project: ProjectReflection, excluded: readonly string[]): OptionModel => {
  const declarations = (project.children ?? []).flatMap(({ children = [] }) => children);
  const functions = declarations.flatMap(readFunction);
  const returned = new Set(
    functions.flatMap(({ signature }) => findNamedTypes(signature.type)).map(readType),
  );
  const findMembers = (type: SomeType | undefined): readonly NamedType[] =>
    findNamedTypes(type).filter(
      (found) =>
        found.type.kind === ReflectionKind.Interface &&
        !returned.has(found.type) &&
        !excluded.includes(found.type.name),
    );
  return {
    functions,
    methods: declarations
      .filter((owner) => owner.kind === ReflectionKind.Interface && returned.has(owner))
      .flatMap(readMethods)
      .filter(({ signature: { parameters = [] } }) => parameters.some(({ name }) => name === 'options')),
    findOptionParameters: ({ signature: { parameters = [] } }) =>
      parameters.flatMap(({ name, type }) =>
        findMembers(type).map((found) => ({ ...found, parameter: name + (found.isItem ? '[]' : '') })),
      ),
    buildTables: (named) => buildTables(named, findMembers),
  };
};

type FindMembers = (type: SomeType | undefined) => readonly NamedType[];

const buildTables = (named: NamedType, findMembers: FindMembers): readonly OptionTable[] => {
  const options = listMembers(named, '', () => []);
  const nested = options.flatMap((option) =>
    findMembers(option.reflection.type).map((found) => ({
      type: found.type,
      path: option.path + (found.isItem ? '[]' : ''),
      options: listMembers(found, '', findMembers),
    })),
  );
  return [{ type: named.type, path: '', options }, ...nested];
};

/** Lists the members of a type, each followed by its own members. */
const listMembers = (
  { type, isPartial, omitted }: NamedType,
  prefix: string,
  findMembers: FindMembers,
): readonly Option[] =>
  (type.children ?? [])
    .filter(({ name }) => !omitted.includes(name))
    .flatMap((reflection) => {
      const path = prefix + reflection.name;
      const isRequired = !isPartial && !reflection.flags.isOptional;
      const members = [...findLiteral(reflection.type), ...findMembers(reflection.type)];
      return [
        { path, reflection, isRequired },
        ...members.flatMap((found) => listMembers(found, `${path}${found.isItem ? '[]' : ''}.`, findMembers)),
      ];
    });

/** Returns the type that a member declares in place. */
const findLiteral = (type: SomeType | undefined): readonly NamedType[] =>
  type instanceof ReflectionType && type.declaration.signatures === undefined
    ? [{ type: type.declaration, ...asDeclared }]
    : [];

/** Returns a function, or nothing for another declaration. */
const readFunction = (reflection: DeclarationReflection): readonly PublicFunction[] => {
  const { name, kind, type, signatures = [], parent } = reflection;
  const declared = type instanceof ReflectionType ? (type.declaration.signatures ?? []) : [];
  const [signature] = kind === ReflectionKind.TypeAlias ? [] : [...signatures, ...declared];
  return signature === undefined ? [] : [{ name, module: parent?.name ?? '', reflection, signature }];
};

const readMethods = ({ name: owner, children = [] }: DeclarationReflection): readonly PublicFunction[] =>
  children.flatMap(readFunction).map((method) => ({
    ...method,
    name: `${owner.charAt(0).toLowerCase()}${owner.slice(1)}.${method.name}`,
  }));

const readType = ({ type }: NamedType): DeclarationReflection => type;

const asDeclared = { isPartial: false, isItem: false, omitted: [] } as const;

/** Finds the declared types that a type consists of, without those in the signatures of functions. */
const findNamedTypes = (type: SomeType | undefined): readonly NamedType[] => {
  if (type instanceof ArrayType) return findNamedTypes(type.elementType).map(toItem);
  if (type instanceof UnionType) return type.types.flatMap(findNamedTypes);
  if (type?.type === 'typeOperator') return findNamedTypes(type.target);
  if (type?.type === 'tuple') return type.elements.flatMap(findNamedTypes).map(toItem);
  if (type?.type === 'rest') return findNamedTypes(type.elementType);
  if (!(type instanceof ReferenceType)) return [];
  const { reflection, name, typeArguments: [first, ...others] = [] } = type;
  if (reflection instanceof DeclarationReflection) return [{ type: reflection, ...asDeclared }];
  if (name === 'Partial') return findNamedTypes(first).map((found) => ({ ...found, isPartial: true }));
  if (name === 'Omit')
    return findNamedTypes(first).map((found) => ({ ...found, omitted: others.flatMap(readNames) }));
  return [first, ...others].flatMap(findNamedTypes);
};

const toItem = (found: NamedType): NamedType => ({ ...found, isItem: true });

/** Returns the strings of a union such as `'resource' | 'cors'`. */
const readNames = (type: SomeType): readonly string[] => {
  if (type instanceof UnionType) return type.types.flatMap(readNames);
  return type.type === 'literal' ? [String(type.value)] : [];
};
