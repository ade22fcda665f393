// Reads S3 listings page by page. They are XML, with a thousand entries per page.
import { XMLParser } from 'fast-xml-parser'
import type { S3Client } from './s3-client.ts'

interface ListedObject {
  readonly key: string
  readonly size: number
  /** Epoch ms. */
  readonly writtenAt: number
}

interface ListedUpload {
  readonly key: string
  readonly uploadId: string
  readonly begunAt: number
}

interface Listing {
  readonly ListBucketResult?: {
    readonly Contents?: readonly { readonly Key: string; readonly Size: string; readonly LastModified: string }[]
    readonly NextContinuationToken?: string
  }
  readonly ListMultipartUploadsResult?: {
    readonly Upload?: readonly { readonly Key: string; readonly UploadId: string; readonly Initiated: string }[]
    readonly IsTruncated?: string
    readonly NextKeyMarker?: string
    readonly NextUploadIdMarker?: string
  }
}

type Query = Readonly<Record<string, string>>

const parser = new XMLParser({ isArray: (name) => name === 'Contents' || name === 'Upload', parseTagValue: false })

export async function* listObjects(client: S3Client, query: Query): AsyncGenerator<ListedObject> {
  let token: string | undefined
  do {
    const place: Query = token === undefined ? {} : { 'continuation-token': token }
    const { ListBucketResult: page } = await readPage(client, { 'list-type': '2', ...query, ...place })
    for (const { Key: key, Size, LastModified } of page?.Contents ?? []) {
      yield { key, size: Number(Size), writtenAt: Date.parse(LastModified) }
    }
    token = page?.NextContinuationToken
  } while (token !== undefined)
}

/** Multipart uploads that were neither completed nor aborted. */
export async function* listUploads(client: S3Client, prefix: string): AsyncGenerator<ListedUpload> {
  let place: Query | undefined = {}
  while (place !== undefined) {
    const { ListMultipartUploadsResult: page }: Listing = await readPage(client, { uploads: '', prefix, ...place })
    for (const { Key: key, UploadId: uploadId, Initiated } of page?.Upload ?? []) yield { key, uploadId, begunAt: Date.parse(Initiated) }
    const { IsTruncated, NextKeyMarker = '', NextUploadIdMarker = '' } = page ?? {}
    place = IsTruncated === 'true' ? { 'key-marker': NextKeyMarker, 'upload-id-marker': NextUploadIdMarker } : undefined
  }
}

async function readPage(client: S3Client, query: Query): Promise<Listing> {
  return parser.parse(Buffer.from(await client.ask('', { method: 'GET', query })).toString()) as Listing
}
