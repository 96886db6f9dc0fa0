/**
 * Prints a message if Node is too old, instead of a syntax error. `node --import` loads this file before a
 * script. It is JavaScript, because a Node that is too old cannot run TypeScript.
 */
if (!process.features.typescript) {
  console.error(
    `This is Node ${process.version}, which cannot run these scripts. \`npm ci\` installs the right one (the package "node", ` +
      'which needs its install script), and the npm scripts of this project use it.',
  );
  process.exit(1);
}
