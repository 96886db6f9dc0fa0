/** Declares Vite's `?raw` imports: the content of a file as a string. */
declare module '*.html?raw' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: Vite exports the string as default.
  export default text;
}
declare module '*.md?raw' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: Vite exports the string as default.
  export default text;
}

/** The same for an HTML file. */
declare module '*.html?raw' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: Vite exports the string as default.
  export default text;
}
