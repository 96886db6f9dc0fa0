/** The values to enter in the GPT editor, in the order of its fields. */
import { scopeNames } from '../../apps/words/src/api/scopes.ts';
import { gptInstructions } from '../../apps/words/src/game/instructions.ts';
import type { SetupField, SetupSection, SetupSettings } from './section.ts';

type EditorSettings = Pick<SetupSettings, 'origin' | 'gptClientId' | 'gptClientSecret'>;

/** Returns the sections of the editor with the values of one deployment. */
export const buildGptEditorSections = (settings: EditorSettings): readonly SetupSection[] => [
  { title: 'Configure', fields: configureFields },
  { title: 'Actions, Create new action, Authentication: OAuth', fields: buildAuthenticationFields(settings) },
  { title: 'Schema and privacy policy', fields: buildActionFields(settings) },
];

const configureFields: readonly SetupField[] = [
  { name: 'Name', value: 'Words With Chat' },
  { name: 'Description', value: 'Guess the word, and keep the score.' },
  { name: 'Instructions', value: gptInstructions },
  { name: 'Conversation starters', value: 'Let’s play!\nGive me an animal.\nWhat is my score?' },
];

const buildAuthenticationFields = ({
  origin,
  gptClientId,
  gptClientSecret,
}: EditorSettings): readonly SetupField[] => [
  { name: 'Client ID', value: gptClientId },
  { name: 'Client Secret', value: gptClientSecret },
  { name: 'Authorization URL', value: `${origin}/authorize` },
  { name: 'Token URL', value: `${origin}/token` },
  { name: 'Scope', value: scopeNames.join(' ') },
  { name: 'Token Exchange Method', value: 'Default (POST request)' },
];

const buildActionFields = ({ origin }: EditorSettings): readonly SetupField[] => [
  { name: 'Schema, Import from URL', value: `${origin}/openapi.json` },
  { name: 'Privacy policy', value: `${origin}/privacy` },
];
