/** Opens the same message repeatedly, with WebCrypto alone and with the seal's `open`. */
import { createSealer, generateKey, parseKeyRing } from 'assistant-auth/seal';

/** About as long as the content of an access token. */
const plaintext = new Uint8Array(110).fill(65);

/** Decrypts with WebCrypto, and nothing else. */
export const decryptRepeatedly = async (times: number): Promise<void> => {
  const { key, parameters, ciphertext } = await getWebCryptoMessage();
  for (let repetition = 0; repetition < times; repetition++)
    await crypto.subtle.decrypt(parameters, key, ciphertext);
};

/** Opens a sealed message: base64url, header, key, decryption. */
export const openRepeatedly = async (times: number): Promise<void> => {
  const { sealer, sealed } = await getSealedMessage();
  for (let repetition = 0; repetition < times; repetition++) {
    const { kind } = await sealer.open(sealed);
    if (kind !== 'opened') throw new Error('the message does not open');
  }
};

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

const createWebCryptoMessage = async () => {
  const parameters = { name: 'AES-GCM', iv: random(12), additionalData: random(7) };
  const key = await crypto.subtle.importKey('raw', random(32), 'AES-GCM', false, ['encrypt', 'decrypt']);
  return { key, parameters, ciphertext: await crypto.subtle.encrypt(parameters, key, plaintext) };
};

const createSealedMessage = async () => {
  const sealer = createSealer(parseKeyRing(generateKey('bench', random)), {
    name: 'bench',
    issuer: 'https://words.example',
  });
  return { sealer, sealed: await sealer.seal(plaintext) };
};

// Caches values and no promises, because on Workers a request must not wait for another request's promise.
let webCryptoMessage: Awaited<ReturnType<typeof createWebCryptoMessage>> | undefined;
let sealedMessage: Awaited<ReturnType<typeof createSealedMessage>> | undefined;

const getWebCryptoMessage = async () => {
  webCryptoMessage ??= await createWebCryptoMessage();
  return webCryptoMessage;
};

const getSealedMessage = async () => {
  sealedMessage ??= await createSealedMessage();
  return sealedMessage;
};
