// Opens the configured blob store: a bucket if one is named, else a directory.
import { RunyardError, type BlobStore, type Config } from '@runyard/schema'
import { openDirectoryBlobStore } from './directory.ts'
import { createS3BlobStore } from './s3.ts'

export type BlobSettings = Config['blobs']

/** @throws RunyardError with one sentence if settings are missing or the directory cannot be created. */
export async function openBlobStore({ directory, s3 }: BlobSettings, fallbackDirectory: string): Promise<BlobStore> {
  const { bucket, accessKeyId, secretAccessKey } = s3
  if (bucket === undefined) return openDirectoryBlobStore(directory ?? fallbackDirectory)
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new RunyardError('bad_request', 'blobs.s3.bucket needs blobs.s3.accessKeyId and blobs.s3.secretAccessKey beside it.')
  }
  return createS3BlobStore({ ...s3, bucket, accessKeyId, secretAccessKey })
}
