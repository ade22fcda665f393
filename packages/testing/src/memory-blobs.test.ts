import type { Bytes } from '@runyard/schema'
import { describeBlobConformance } from './blob-conformance.ts'
import { createMemoryBlobs } from './memory-blobs.ts'

describeBlobConformance('the fake in memory', async () => {
  const shared = new Map<string, Bytes>()
  return {
    open: async () => createMemoryBlobs(shared),
    async openBroken() {
      const blobs = createMemoryBlobs(shared)
      blobs.fault.away = true
      return blobs
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
})
