/** Reads the docstrings of the public API with typedoc, and finds what is missing in them. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  Application,
  Comment,
  type Converter,
  DeclarationReflection,
  LiteralType,
  LogLevel,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
  ReflectionType,
  type TypeDocOptions,
  UnionType,
} from 'typedoc';
import type ts from 'typescript';
import { type EntryPoint, findPublishedPackages, listEntryPoints } from '../packages/package.ts';
import { readOptionsPage } from './options-page.ts';
import { categorize, findUrl, prepareRenderer, renderingOptions } from './rendering.ts';

const validation: Partial<TypeDocOptions> = {
  requiredToBeDocumented: [
    'Module',
    'Variable',
    'Function',
    'Class',
    'Interface',
    'Property',
    'Method',
    'Accessor',
    'TypeAlias',
  ],
  validation: { notDocumented: true, notExported: true, invalidLink: true },
};

/** The public API, and whether its docstrings are complete. */
export interface Reference {
  /** Whether no problem was found. All problems were printed. */
  readonly isComplete: boolean;
  /** Writes `options.md` and the pages in `api`. Deletes everything else in `api`. */
  readonly write: (folder: string) => Promise<void>;
}

/**
 * Reads the public API. Prints every export, member and value of a union that has no docstring, links that do
 * not resolve, and types that a public type refers to but that are not exported. `tsc -b` finds type errors.
 */
export const readReference = async (): Promise<Reference> => {
  const entryPoints = findPublishedPackages().flatMap(listEntryPoints);
  const application = await Application.bootstrapWithPlugins({
    ...renderingOptions,
    ...validation,
    plugin: ['typedoc-plugin-markdown'],
    tsconfig: 'tsconfig.api.json',
    entryPoints: entryPoints.map(({ file }) => file),
    skipErrorChecking: true,
    logLevel: LogLevel.Warn,
  });
  prepareRenderer(application);
  useDeclaredTypes(application.converter);
  const project = convert(application, entryPoints);
  const declarations = listDeclarations(project);
  declarations.forEach(describeVariants);
  categorize(project);
  validate(application, project, new Set(entryPoints.map((entryPoint) => entryPoint.packageName)));
  const optionsPage = readOptionsPage(project);
  const problems = [
    ...declarations.flatMap(findUndocumentedValues),
    ...project.getReflectionsByKind(ReflectionKind.Parameter).flatMap(findUnnamedParameter),
    ...optionsPage.problems,
  ];
  for (const problem of problems) application.logger.warn(problem);
  declarations.forEach(listValues);
  return {
    isComplete: !application.logger.hasErrors() && !application.logger.hasWarnings(),
    write: async (folder) => {
      const { renderer } = application;
      // The anchors are known only while the pages are rendered.
      renderer.postRenderAsyncJobs.push(() =>
        writeFile(
          join(folder, 'options.md'),
          optionsPage.render((target) => `api/${findUrl(renderer, target)}`),
        ),
      );
      await application.outputs.writeOutput({ name: 'markdown', path: join(folder, 'api') }, project);
      if (application.logger.hasErrors()) throw new Error('typedoc could not write the pages');
    },
  };
};

/**
 * Makes typedoc show types as they are declared. Otherwise it resolves aliases of primitive types, so that
 * `EpochSeconds` becomes `number`, and orders the members of unions as the compiler does.
 */
const useDeclaredTypes = (converter: Converter): void => {
  const convertType = converter.convertType.bind(converter);
  converter.convertType = (context, declared, node?: ts.TypeNode) => {
    if (node !== undefined) return convertType(context, node);
    return declared === undefined || 'kind' in declared
      ? convertType(context, declared)
      : convertType(context, declared);
  };
};

/** Names each module by its specifier. typedoc would name it by its file. */
const convert = (application: Application, entryPoints: readonly EntryPoint[]): ProjectReflection => {
  const specifiers = new Map(entryPoints.map(({ specifier, file }) => [resolve(file), specifier]));
  const found = application.getEntryPoints() ?? [];
  if (found.length !== entryPoints.length) throw new Error('typedoc did not find all entry points');
  return application.converter.convert(
    found.map((entryPoint) => ({
      ...entryPoint,
      displayName: specifiers.get(resolve(entryPoint.sourceFile.fileName)) ?? entryPoint.displayName,
    })),
  );
};

/**
 * Validates each package by itself: typedoc checks only the types and docstrings of the package that the
 * project is named after.
 */
const validate = (
  application: Application,
  project: ProjectReflection,
  packageNames: ReadonlySet<string>,
): void => {
  for (const packageName of packageNames) {
    project.packageName = packageName;
    application.validate(project);
  }
};

const listDeclarations = (project: ProjectReflection): readonly DeclarationReflection[] =>
  project.getReflectionsByKind(ReflectionKind.All).filter((one) => one instanceof DeclarationReflection);

/**
 * Moves the comment above each variant of a discriminated union to the property that tells the variants
 * apart, so that the variant is one table.
 */
const describeVariants = ({ type }: DeclarationReflection): void => {
  if (!(type instanceof UnionType)) return;
  const { elementSummaries = [] } = type;
  for (const [index, variant] of type.types.entries()) {
    const summary = elementSummaries[index] ?? [];
    const discriminant = variant instanceof ReflectionType ? findDiscriminant(variant) : undefined;
    if (summary.length === 0 || discriminant === undefined || discriminant.hasComment()) continue;
    discriminant.comment = new Comment(summary);
    elementSummaries[index] = [];
  }
};

/** Finds a parameter that is destructured and that no `@param` names. */
const findUnnamedParameter = ({ name, parent }: Reflection): readonly string[] =>
  name === '__namedParameters' ? [`${parent?.getFriendlyFullName()} has a parameter without a @param`] : [];

/** Adds the comments of a union's strings, which typedoc does not render, to the comment of the alias. */
const listValues = ({ type, kind, comment }: DeclarationReflection): void => {
  if (!(type instanceof UnionType) || kind !== ReflectionKind.TypeAlias) return;
  for (const [index, member] of type.types.entries()) {
    const [first, ...rest] = type.elementSummaries?.[index] ?? [];
    if (!(member instanceof LiteralType) || first === undefined) continue;
    const start = index === 0 ? '\n\n- ' : '\n- ';
    comment?.summary.push(
      { kind: 'text', text: start },
      { kind: 'code', text: `\`${member.value}\`` },
      { kind: 'text', text: ': ' },
      first,
      ...rest,
    );
  }
};

const findDiscriminant = (variant: ReflectionType): DeclarationReflection | undefined =>
  variant.declaration.children?.find(({ type }) => type instanceof LiteralType);

/** Finds the strings of a union such as `'any-origin' | 'off'` that no docstring explains. */
const findUndocumentedValues = (declaration: DeclarationReflection): readonly string[] => {
  const { type } = declaration;
  if (!(type instanceof UnionType)) return [];
  const described = Comment.combineDisplayParts(declaration.comment?.summary);
  const undocumented = type.types.flatMap((member, index) => {
    if (!(member instanceof LiteralType) || typeof member.value !== 'string') return [];
    const hasComment = (type.elementSummaries?.[index] ?? []).length > 0;
    return hasComment || described.includes(`\`${member.value}\``) ? [] : [`\`${member.value}\``];
  });
  return undocumented.length === 0
    ? []
    : [`${declaration.getFriendlyFullName()} does not explain ${undocumented.join(', ')}`];
};
