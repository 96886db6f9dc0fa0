/** What the test runner brings along: a document of the project as text. */
declare module '*.md?raw' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is how the text is given.
  export default text;
}
