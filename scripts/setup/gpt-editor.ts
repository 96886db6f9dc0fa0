/** The values to enter in the GPT editor, in the order of its fields. */
import { scopeNames } from '../../apps/words/src/api/scopes.ts';
import { gptInstructions } from '../../apps/words/src/game/instructions.ts';

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
export const buildGptEditorSections = (settings: EditorSettings): readonly EditorSection[] => [
  { title: 'Configure', fields: configureFields },
  { title: 'Actions, Create new action, Authentication: OAuth', fields: buildAuthenticationFields(settings) },
  { title: 'Schema and privacy policy', fields: buildActionFields(settings) },
];

const configureFields: readonly EditorField[] = [
  { name: 'Name', value: 'Words With Chat' },
  { name: 'Description', value: 'Guess the word, and keep the score.' },
  { name: 'Instructions', value: gptInstructions },
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
