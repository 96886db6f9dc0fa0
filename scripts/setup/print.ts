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
  return `${styleText('bold', title)}\n\n${fields.map((each) => formatField(each, width)).join('')}`;
};

const formatField = (each: EditorField, width: number): string =>
  isShort(each)
    ? `  ${styleText('dim', each.name.padEnd(width))}  ${each.value}\n`
    : `  ${styleText('dim', each.name)}\n\n${each.value}\n\n`;

const isShort = ({ value }: EditorField): boolean => !value.includes('\n');
