// Parses rarely read records with their schema, so that a wrong record, e.g. of an earlier version, is reported in one clear sentence. Jobs, streams
// and worker facts are read far more often and are written only by scripts, so they are not validated.
import {
  Artifact,
  CardClaim,
  CardRest,
  Endpoint,
  HostRecord,
  LedgerRow,
  LoginRequest,
  Release,
  RunyardError,
  ScalerReport,
  StoredApiKey,
  StoredRegistry,
  Template,
  Upload,
} from '@runyard/schema'

/** The part of a schema that is used here. */
interface Parser<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] } }
}

export const readEndpoint = (text: string): Endpoint => readRecord('endpoint', Endpoint, text)
export const readTemplate = (text: string): Template => readRecord('template', Template, text)
/** With user and password in it. */
export const readRegistry = (text: string): StoredRegistry => readRecord('registry', StoredRegistry, text)
/** With its secrets. */
export const readResource = <R>(kind: { readonly name: string; readonly schema: Parser<R> }, text: string): R =>
  readRecord(kind.name, kind.schema, text)
export const readRelease = (text: string): Release => readRecord('release', Release, text)
export const readApiKey = (text: string): StoredApiKey => readRecord('API key', StoredApiKey, text)
export const readArtifact = (text: string): Artifact => readRecord('artifact', Artifact, text)
export const readLogin = (text: string): LoginRequest => readRecord('login request', LoginRequest, text)
/** With its secret. */
export const readUpload = (text: string): Upload => readRecord('upload', Upload, text)
export const readLedgerRow = (text: string): LedgerRow => readRecord('ledger row', LedgerRow, text)

export const readCardClaim = (text: string): CardClaim => readRecord('card', CardClaim, text)
export const readCardRest = (text: string): CardRest => readRecord('card', CardRest, text)
export const readScalerReport = (text: string): ScalerReport => readRecord('report of the scaler', ScalerReport, text)
export const readHostRecord = (text: string): HostRecord => readRecord('host', HostRecord, text)

/** @throws RunyardError('conflict') that names the record and the field, and none of its values: some are secrets. */
export function readRecord<T>(kind: string, schema: Parser<T>, text: string): T {
  const value = parseJson(text)
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  throw new RunyardError('conflict', `The record of ${kind} ${nameIn(value)} in Redis cannot be read (${field}${issue?.message ?? ''}).`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function nameIn(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '(no object)'
  const { id, workerId, hostId } = value as { id?: unknown; workerId?: unknown; hostId?: unknown }
  return [id, workerId, hostId].find((name) => typeof name === 'string') ?? '(without an id)'
}
