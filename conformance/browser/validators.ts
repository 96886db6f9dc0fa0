/** Validates the markup of a page and its Content Security Policy with validators that others maintain. */
import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js';
import { CspParser } from 'csp_evaluator/dist/parser.js';
import { HtmlValidate } from 'html-validate';
import { expect } from 'vitest';

/** The rules of the HTML standard, without those about style. */
const htmlValidate = new HtmlValidate({ extends: ['html-validate:standard'] });

/** Expects HTML without errors. */
export const expectValidHtml = async (html: string): Promise<void> => {
  const { results } = await htmlValidate.validateString(html);
  const messages = results.flatMap((result) => result.messages);
  expect(messages.map(({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}`)).toEqual([]);
};

/**
 * Expects a policy without findings, of any severity, except that `script-src` has a URL: a person must know what it
 * serves.
 */
export const expectSafePolicy = (policy: string | null): void => {
  // In production, the site uses https.
  const deployed = (policy ?? '').replaceAll(/http:\/\/localhost:\d+/g, 'https://words.example');
  const findings = new CspEvaluator(new CspParser(deployed).csp).evaluate();
  const unexpected = findings.filter(({ description }) => !description.startsWith('No bypass found;'));
  expect(unexpected.map(({ directive, description }) => `${directive}: ${description}`)).toEqual([]);
};
