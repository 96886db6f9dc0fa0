/**
 * Replaces a module of the MCP SDK in the Worker (`alias` in wrangler.jsonc): the one that adds a JSON Schema
 * validator, which assistant-operations does not use.
 */

/** The name that the SDK imports. Nothing creates one. */
export class DefaultJsonSchemaValidator {}
