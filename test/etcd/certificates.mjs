// Certificates of the tests' own, made by openssl: an authority, and whom it vouches for.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** An authority with a folder of its own. */
export class Authority {
  #folder = mkdtempSync(path.join(tmpdir(), 'mortise-certificates-'));

  constructor() {
    this.#run('req', '-x509', '-subj', '/CN=authority', ...this.#newKey('authority'));
  }

  /** The files and the text of a certificate for somebody at this machine, who is client or server. */
  issue(name, passphrase = '') {
    const request = this.#file(`${name}.csr`);
    this.#run('req', '-subj', `/CN=${name}`, ...this.#newKey(name, passphrase), '-out', request);
    const extensions = this.#file('extensions');
    // The JSON gateway of a member is a client of that member, with the same certificate.
    writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    const [ca, caKey] = [this.#file('authority.pem'), this.#file('authority.key')];
    const certFile = this.#file(`${name}.pem`);
    const by = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
    this.#run('x509', '-req', '-in', request, '-out', certFile, ...by);
    const keyFile = this.#file(`${name}.key`);
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }

  get caFile() {
    return this.#file('authority.pem');
  }

  get ca() {
    return readFileSync(this.caFile, 'utf8');
  }

  discard() {
    rmSync(this.#folder, { recursive: true });
  }

  #file(name) {
    return path.join(this.#folder, name);
  }

  #newKey(name, passphrase = '') {
    const words = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    words.push('-keyout', this.#file(`${name}.key`));
    words.push(...(passphrase === '' ? ['-nodes'] : ['-passout', `pass:${passphrase}`]));
    return name === 'authority' ? [...words, '-out', this.caFile] : words;
  }

  #run(...words) {
    const { status, error, stderr } = spawnSync('openssl', words, { encoding: 'utf8' });
    if (error !== undefined) throw new Error(`These tests need openssl: ${error.message}`);
    if (status !== 0) throw new Error(`openssl ${words[0]} failed: ${stderr}`);
  }
}
