/** Declares the APIs of Bun and Deno that the programs use. Their own types need other versions of `@types/node`. */
declare module 'bun:sqlite' {
  export class Database {
    constructor(file: string);
    exec(sql: string): unknown;
    prepare(sql: string): { all(parameters: Record<string, string | number | null>): unknown[] };
  }
}

interface ServerOptions {
  readonly hostname: string;
  readonly port: number;
}

type FetchHandler = (request: Request) => Promise<Response>;

declare const Bun:
  | { serve(options: ServerOptions & { readonly fetch: FetchHandler }): { readonly port: number } }
  | undefined;

declare const Deno: {
  serve(
    options: ServerOptions & { readonly onListen: () => void },
    handler: FetchHandler,
  ): { readonly addr: { readonly port: number } };
};
