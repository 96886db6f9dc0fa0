/** The source of the worked example as text, to be held against the page that shows it. */
declare module '*/discord.ts?raw' {
  const source: string;
  // biome-ignore lint/style/noDefaultExport: that is how Vite hands it over.
  export default source;
}
