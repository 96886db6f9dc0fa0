/** Schemas as JSON Schema (draft 2020-12), the dialect that OpenAPI 3.1 and tool definitions share. */
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';

/**
 * Describes what a schema takes (`input`) or gives (`output`).
 * @throws Error for a schema that has no description, such as a transformation into a date
 */
export const jsonSchema = (
  schema: GenericSchema,
  typeMode: 'input' | 'output',
): Omit<JsonSchema, '$schema'> => {
  // Every reader takes this dialect for granted; naming it in each schema says nothing.
  const { $schema: _, ...rest } = toJsonSchema(schema, { typeMode, target: 'draft-2020-12' });
  return rest;
};

/** The description of one field of a described object, if it has any. */
export const fieldDescription = (
  { properties }: ReturnType<typeof jsonSchema>,
  name: string,
): string | undefined => {
  const field = properties?.[name];
  return typeof field === 'object' ? field.description : undefined;
};
