/** Schemas as JSON Schema (draft 2020-12), the dialect that OpenAPI 3.1 and tool definitions share. */
import { type core, toJSONSchema } from 'zod/mini';

/** Describes what a schema takes (`input`) or gives (`output`). */
export const jsonSchema = (schema: core.$ZodType, io: 'input' | 'output') => {
  // Every reader takes this dialect for granted; naming it in each schema says nothing.
  const { $schema: _, '~standard': __, ...rest } = toJSONSchema(schema, { io });
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
