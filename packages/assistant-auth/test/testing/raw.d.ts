/** The source of the example as a string, to compare it with the README. */
declare module '*/example.test.ts?raw' {
  const source: string;
  // biome-ignore lint/style/noDefaultExport: Vite exports the text as the default export.
  export default source;
}
