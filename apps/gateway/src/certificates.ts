// Runyard's own certificate authority, and the certificate of the public listener that it signs (ADR 70). Made on first use in `<data>/tls`: keys are
// readable by this user alone, the authority lives for ten years and the certificate for 90 days. `bundle.pem` holds the system's roots and the authority,
// since clients take one file for all (production §3.4).
import { createHash, webcrypto } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import 'reflect-metadata' // oxlint-disable-line import/no-unassigned-import -- a polyfill that @peculiar/x509 asks for
import * as x509 from '@peculiar/x509'
import { systemCode } from '@runyard/schema'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3650
const CERTIFICATE_DAYS = 90
const RENEW_DAYS = 30

export interface TlsFiles {
  readonly key: string
  /** With the authority's. */
  readonly cert: string
}

/** The current files; renewed when less than 30 days are left, or when it does not cover these names. */
export async function ownCertificate(directory: string, names: readonly string[], now = Date.now()): Promise<TlsFiles> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const authority = await openAuthority(directory, now)
  const [keyPath, certPath, namesPath] = ['server.key', 'server.pem', 'server.names'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  const wanted = digestOf([authority.pem, ...names])
  const isFresh = existsSync(namesPath) && readFileSync(namesPath, 'utf8') === wanted && existsSync(keyPath) && expiresAfter(certPath, now)
  if (!isFresh) {
    const made = await signBy(authority, names, now)
    writePrivate(keyPath, made.key)
    write(certPath, made.cert)
    write(namesPath, wanted)
  }
  return { key: readFileSync(keyPath, 'utf8'), cert: readFileSync(certPath, 'utf8') }
}

/** A certificate for these names that is kept in no file. */
export async function signCertificate(directory: string, names: readonly string[], now = Date.now()): Promise<TlsFiles> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return signBy(await openAuthority(directory, now), names, now)
}

async function signBy(authority: Authority, names: readonly string[], now: number): Promise<TlsFiles> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(now, CERTIFICATE_DAYS),
    serialNumber: serial(),
    subject: 'CN=Runyard',
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1']),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const)),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { key: await toPem(keys.privateKey), cert: `${certificate.toString('pem')}\n${authority.pem}` }
}

interface Authority {
  readonly key: webcrypto.CryptoKey
  readonly certificate: x509.X509Certificate
  readonly pem: string
}

async function openAuthority(directory: string, now: number): Promise<Authority> {
  const [keyPath, certPath] = [join(directory, 'ca.key'), join(directory, 'ca.pem')]
  if (!existsSync(certPath) || !existsSync(keyPath)) await makeAuthority({ keyPath, certPath }, now)
  const pem = readFileSync(certPath, 'utf8')
  // Roots of the system change: the bundle is written at each start.
  write(join(directory, 'bundle.pem'), [...getCACertificates('system'), pem].join('\n'))
  const der = x509.PemConverter.decode(readFileSync(keyPath, 'utf8'))[0]
  if (der === undefined) throw new Error(`${keyPath} holds no key`)
  const key = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign'])
  return { key, certificate: new x509.X509Certificate(pem), pem }
}

/** Gateways that start together agree on one: the first key file that is linked into its place wins, and it holds its certificate, too. */
async function makeAuthority({ keyPath, certPath }: { keyPath: string; certPath: string }, now: number): Promise<void> {
  if (existsSync(keyPath) && certificateIn(keyPath) === undefined) rmSync(keyPath)
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(now, AUTHORITY_DAYS),
    serialNumber: serial(),
    name: 'CN=Runyard local CA',
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const own = `${keyPath}.${process.pid}`
  writePrivate(own, `${await toPem(keys.privateKey)}${certificate.toString('pem')}\n`)
  try {
    linkSync(own, keyPath)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  } finally {
    rmSync(own)
  }
  write(certPath, `${certificateIn(keyPath)}\n`)
}

function certificateIn(keyPath: string): string | undefined {
  return /-----BEGIN CERTIFICATE-----[\s\S]*-----END CERTIFICATE-----/.exec(readFileSync(keyPath, 'utf8'))?.[0]
}

/** An hour back, for clocks that are a little behind. */
function validity(now: number, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + days * DAY_MS) }
}

function expiresAfter(path: string, now: number): boolean {
  if (!existsSync(path)) return false
  const [first = ''] = readFileSync(path, 'utf8').split('\n-----BEGIN', 1)
  return new x509.X509Certificate(first).notAfter.getTime() - now > RENEW_DAYS * DAY_MS
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  // Positive, as RFC 5280 §4.1.2.2 asks.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex')
}

function writePrivate(path: string, text: string): void {
  replace(path, text, 0o600)
}

function write(path: string, text: string): void {
  replace(path, text, 0o644)
}

function replace(path: string, text: string, mode: number): void {
  const next = `${path}.${process.pid}.new`
  writeFileSync(next, text, { mode })
  renameSync(next, path)
}
