/** Finds the names of the environment variables that source code reads. */
import ts from 'typescript';

/**
 * Returns the names, without repetitions. Code reads a variable by destructuring
 * (`const { PORT } = process.env`, or a parameter `{ PORT }: NodeJS.ProcessEnv`), or as a member of
 * `process.env`, `env` or `environment`.
 */
export const findNamesInCode = (code: string): readonly string[] => {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const name = readName(node);
    if (name !== undefined && /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(name)) names.add(name);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('code.ts', code, ts.ScriptTarget.Latest));
  return [...names];
};

const readName = (node: ts.Node): string | undefined => {
  if (ts.isBindingElement(node)) {
    const name = node.propertyName ?? node.name;
    return ts.isIdentifier(name) ? name.text : undefined;
  }
  if (!ts.isPropertyAccessExpression(node)) return undefined;
  const { expression, name } = node;
  const object = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  return ts.isIdentifier(object) && ['env', 'environment'].includes(object.text) ? name.text : undefined;
};

/** Returns the names that the scripts of a `package.json` read, such as `${PORT:-8787}`. */
export const findNamesInScripts = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/\$\{?([A-Z][A-Z0-9_]*)/g)].map(([, name = '']) => name)),
];
