/** Creates a certificate authority for tests and a certificate of it, with `openssl`. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates {
  /** The certificate of the authority, as PEM. */
  readonly authority: string;
  /** The files of the certificate and its private key. */
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

/** Creates a certificate for `hostname` in `folder`. It is valid for two days. */
export const createCertificates = async (folder: string, hostname: string): Promise<Certificates> => {
  const file = (name: string): string => join(folder, name);
  const [authorityFile, authorityKeyFile] = [file('ca.crt'), file('ca.key')];
  const [certificateFile, privateKeyFile] = [file('tls.crt'), file('tls.key')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder });
  await openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
    '-keyout',
    authorityKeyFile,
    '-out',
    authorityFile,
  );
  await openssl(
    'req',
    ...key,
    '-subj',
    `/CN=${hostname}`,
    '-addext',
    `subjectAltName=DNS:${hostname}`,
    '-keyout',
    privateKeyFile,
    '-out',
    file('tls.csr'),
  );
  await openssl(
    'x509',
    '-req',
    '-in',
    file('tls.csr'),
    '-CA',
    authorityFile,
    '-CAkey',
    authorityKeyFile,
    '-days',
    '2',
    '-copy_extensions',
    'copy',
    '-out',
    certificateFile,
  );
  return { authority: await readFile(authorityFile, 'utf8'), certificateFile, privateKeyFile };
};
