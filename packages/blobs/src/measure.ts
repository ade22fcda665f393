// Counts and hashes a stream while it passes, and ends it with an error if it breaks the caller's limits.
import { createHash } from 'node:crypto'
import { RunyardError, type BlobDigest, type WriteLimits } from '@runyard/schema'

export interface Measured {
  /** Ends without an error only if the stream keeps all limits. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** Size and hash of the bytes that have passed. */
  digest(): BlobDigest
}

export function measure(source: AsyncIterable<Uint8Array>, limits: WriteLimits): Measured {
  const hash = createHash('sha256')
  let size = 0
  let sha256: string | undefined
  const digest = (): BlobDigest => ({ size, sha256: (sha256 ??= hash.digest('hex')) })
  async function* pass(): AsyncGenerator<Uint8Array> {
    checkSize(limits.size ?? 0, limits)
    for await (const chunk of source) {
      size += chunk.length
      checkSize(size, limits)
      hash.update(chunk)
      yield chunk
    }
    checkDigest(digest(), limits)
  }
  return { bytes: pass(), digest }
}

function checkSize(size: number, limits: WriteLimits): void {
  if (size <= limits.maxBytes) return
  throw new RunyardError('payload_too_large', `The upload is larger than the ${limits.maxBytes} bytes that are allowed.`)
}

function checkDigest({ size, sha256 }: BlobDigest, limits: WriteLimits): void {
  if (limits.size !== undefined && size !== limits.size) {
    throw new RunyardError('bad_request', `The upload has ${size} bytes and not the announced ${limits.size}.`)
  }
  if (limits.sha256 !== undefined && sha256 !== limits.sha256.toLowerCase()) {
    throw new RunyardError('bad_request', `The SHA-256 of the upload is ${sha256} and not the announced ${limits.sha256}.`)
  }
}
