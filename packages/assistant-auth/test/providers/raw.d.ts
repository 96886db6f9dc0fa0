/** The source of the Discord example as a string, to compare it with docs/guides/write-a-provider.md. */
declare module '*/discord.ts?raw' {
  const source: string;
  // biome-ignore lint/style/noDefaultExport: Vite exports the text as the default export.
  export default source;
}
