/**
 * Formats the values for the GPT editor for a terminal. Values with several lines are not indented, so that
 * they can be copied.
 */
import { styleText } from 'node:util';
import type { EditorField, EditorSection } from './gpt-editor.ts';

export const formatSections = (sections: readonly EditorSection[]): string =>
  sections.map(formatSection).join('\n');

const formatSection = ({ title, fields }: EditorSection): string => {
  const width = Math.max(...fields.filter(isShort).map(({ name }) => name.length));
  return `${styleText('bold', title)}\n\n${fields.map((field) => formatField(field, width)).join('')}`;
};

const formatField = (field: EditorField, width: number): string =>
  isShort(field)
    ? `  ${styleText('dim', field.name.padEnd(width))}  ${field.value}\n`
    : `  ${styleText('dim', field.name)}\n\n${field.value}\n\n`;

const isShort = ({ value }: EditorField): boolean => !value.includes('\n');
