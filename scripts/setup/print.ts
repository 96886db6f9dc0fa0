/**
 * Formats the groups for a terminal. Values with several lines are not indented, so that they can be copied.
 */
import { styleText } from 'node:util';
import { escapeControls, escapeControlsInLines } from '../app/command.ts';
import type { SetupField, SetupGroup, SetupSection } from './section.ts';

/** Formats groups with their sections. */
export const formatGroups = (groups: readonly SetupGroup[]): string => groups.map(formatGroup).join('\n');

const formatGroup = ({ title, status, introduction, fields, sections }: SetupGroup): string =>
  [
    `${styleText(['bold', 'underline'], title)}${status === undefined ? '' : ` (${status})`}\n`,
    introduction.map((paragraph) => `${paragraph}\n`).join(''),
    ...(fields === undefined ? [] : [formatFields(fields)]),
    ...sections.map(formatSection),
  ].join('\n');

const formatSection = ({ title, steps = [], fields, note }: SetupSection): string => {
  const parts = [
    steps.map((step, index) => `  ${steps.length > 1 ? `${index + 1}. ` : ''}${step}\n`).join(''),
    formatFields(fields),
    note === undefined ? '' : `  ${note}\n`,
  ];
  return `${styleText('bold', title)}\n\n${parts.filter((part) => part !== '').join('\n')}`;
};

const formatFields = (fields: readonly SetupField[]): string => {
  const width = Math.max(...fields.filter(isShort).map(({ name }) => name.length));
  return fields.map((field) => formatField(field, width)).join('');
};

const formatField = (field: SetupField, width: number): string =>
  isShort(field)
    ? `  ${styleText('dim', field.name.padEnd(width))}  ${escapeControls(field.value)}\n`
    : `  ${styleText('dim', field.name)}\n\n${escapeControlsInLines(field.value)}\n\n`;

const isShort = ({ value }: SetupField): boolean => !value.includes('\n');
