// Runs simulations beside the page, which stays quick meanwhile.
import { previewScaling, type PreviewInput } from '@runyard/core/preview'

self.addEventListener('message', ({ data }: MessageEvent<PreviewInput>) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has only its page
  self.postMessage(previewScaling(data))
})
