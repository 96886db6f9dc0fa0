/** The values to enter in the GPT editor, in the order of its fields. */
import { readFile } from 'node:fs/promises';
import { scopeNames } from '../../apps/words/src/api/scopes.ts';
import { instructionsFile } from '../app/paths.ts';

export interface EditorField {
  /** The name in the editor. */
  readonly name: string;
  readonly value: string;
}

export interface EditorSection {
  /** The place in the editor. */
  readonly title: string;
  readonly fields: readonly EditorField[];
}

export interface EditorSettings {
  /** The origin of the app. */
  readonly origin: string;
  readonly clientId: string;
  /** The secret, or a text that says where to find it. */
  readonly clientSecret: string;
}

/** Returns the sections of the editor with the values of one deployment. */
export const buildGptEditorSections = async (settings: EditorSettings): Promise<readonly EditorSection[]> => [
  { title: 'Configure', fields: buildConfigureFields(await readInstructions()) },
  { title: 'Actions, Create new action, Authentication: OAuth', fields: buildAuthenticationFields(settings) },
  { title: 'Schema and privacy policy', fields: buildActionFields(settings) },
];

/** Reads the same text for the command and the setup page. */
const readInstructions = async (): Promise<string> => (await readFile(instructionsFile, 'utf8')).trimEnd();

const buildConfigureFields = (instructions: string): readonly EditorField[] => [
  { name: 'Name', value: 'Words With Chat' },
  { name: 'Description', value: 'Guess the word, and keep the score.' },
  { name: 'Instructions', value: instructions },
  { name: 'Conversation starters', value: 'Let’s play!\nGive me an animal.\nWhat is my score?' },
];

const buildAuthenticationFields = ({
  origin,
  clientId,
  clientSecret,
}: EditorSettings): readonly EditorField[] => [
  { name: 'Client ID', value: clientId },
  { name: 'Client Secret', value: clientSecret },
  { name: 'Authorization URL', value: `${origin}/authorize` },
  { name: 'Token URL', value: `${origin}/token` },
  { name: 'Scope', value: scopeNames.join(' ') },
  { name: 'Token Exchange Method', value: 'Default (POST request)' },
];

const buildActionFields = ({ origin }: EditorSettings): readonly EditorField[] => [
  { name: 'Schema, Import from URL', value: `${origin}/openapi.json` },
  { name: 'Privacy policy', value: `${origin}/privacy` },
];
