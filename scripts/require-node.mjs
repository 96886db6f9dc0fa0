/**
 * Stops an old Node with a sentence instead of a syntax error. Loaded before a script by `node --import`, and written in
 * JavaScript, because what it guards against is a Node that cannot read TypeScript.
 */
if (!process.features.typescript) {
  console.error(
    `This is Node ${process.version}, which cannot run these scripts. \`npm ci\` installs the right one (the package "node", ` +
      'which needs its install script), and `npm start`, `npm run demo` and `npm run keys` use it.',
  );
  process.exit(1);
}
