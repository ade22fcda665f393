// PUT /runyard/v1/uploads/:upload: takes an artifact (production §3.2). The URL is the whole credential: it names one upload of one size, expires, and
// ends when the upload becomes a build. Until then a client may send the bytes again, as both do after a broken connection. Everything that can be
// refused is refused before the body is read.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RunyardError, type Config, type Upload } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { guardWith } from '../http/access.ts'
import { answerErrors } from '../http/errors.ts'
import { askForBody } from '../http/expect-continue.ts'
import { queryOf } from '../http/query.ts'
import { isSameSecret } from '../http/same-secret.ts'
import { lookIntoArchive, type ArchiveLook } from './look-into-archive.ts'

const PATH = '/runyard/v1/uploads'

declare module 'fastify' {
  interface FastifyRequest {
    upload: Upload | null
  }
}

export interface UploadDeps {
  readonly store: Pick<Store, 'uploads' | 'artifacts'>
  readonly config: Pick<Config, 'apps'>
  readonly log: Parameters<typeof answerErrors>[1]['log']
}

/** `base`: where the client reaches the gateway. */
export const uploadUrl = (base: string, { id, secret }: Upload): string => `${base}${PATH}/${id}?signature=${secret}`

export function registerUploads(app: FastifyInstance, deps: UploadDeps): void {
  app.decorateRequest('upload', null)
  answerErrors(app, deps)
  guardWith(app, async (request) => {
    request.upload = await findUpload(deps.store, request)
  })
  app.removeAllContentTypeParsers()
  // The handler reads the body.
  app.addContentTypeParser('application/json', async () => undefined)
  app.put(`${PATH}/:upload`, { bodyLimit: deps.config.apps.artifactBytes }, createTake(deps))
}

/** @throws RunyardError('not_found' | 'bad_request') */
async function findUpload(store: UploadDeps['store'], request: FastifyRequest): Promise<Upload> {
  const { upload: id } = request.params as { readonly upload: string }
  const { signature = '' } = queryOf(request)
  const upload = await store.uploads.find(id)
  if (upload === undefined || typeof signature !== 'string' || !isSameSecret(signature, upload.secret))
    throw new RunyardError('not_found', 'This upload URL is unknown, has expired, or was used; deploy again to get another one.')
  const length = Number(request.headers['content-length'])
  if (length !== upload.size)
    throw new RunyardError(
      'bad_request',
      `This upload has ${upload.size} bytes; the request's Content-Length is ${request.headers['content-length'] ?? 'missing'}.`,
    )
  return upload
}

function createTake({ store, config }: UploadDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { upload } = request
    if (upload === null) throw new Error('an upload ran without its guard')
    const look = lookIntoArchive(config.apps)
    try {
      const artifact = await store.artifacts.write(passing(request.raw, look), { maxBytes: upload.size, size: upload.size })
      const stored = { artifactId: artifact.id, sha256: artifact.sha256, finding: await look.end() }
      if (!(await store.uploads.conclude(upload, stored))) throw new RunyardError('not_found', 'This upload URL has expired; deploy again.')
    } finally {
      look.abandon()
    }
    return reply.code(204).send()
  }
}

/** At the pace of the slower of the two: the blob store, and the look into the archive. */
async function* passing(body: IncomingMessage, look: ArchiveLook): AsyncGenerator<Uint8Array> {
  askForBody(body)
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    await look.write(chunk)
    yield chunk
  }
}
