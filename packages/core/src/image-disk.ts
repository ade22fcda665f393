// When a host pulls no more images because its disk would be full (ADR 59). Failure direction: a host that cannot say how much is free pulls on, and says
// so (`doctor`, `hosts add`).
import { RunyardError, type DiskSpace } from '@runyard/schema'

/** Why the host pulls no image now, as a sentence without an end; undefined: it may pull. */
export function lowDisk(space: DiskSpace | undefined, keepFreeBytes: number): string | undefined {
  if (space === undefined || space.freeBytes >= keepFreeBytes) return undefined
  return `${gigabytes(space.freeBytes)} of ${gigabytes(space.totalBytes)} are free on the disk of ${space.path}, and images.keepFreeBytes keeps ${gigabytes(keepFreeBytes)} free`
}

/** What has to be removed until the host pulls again; 0: it does. */
export function bytesToFree(space: DiskSpace | undefined, keepFreeBytes: number): number {
  return space === undefined ? 0 : Math.max(0, keepFreeBytes - space.freeBytes)
}

/** The refusal of a pull: the host's matter, and neither the image's nor the endpoint's. */
export function diskError(image: string, low: string, during: 'before' | 'during' = 'before'): RunyardError {
  const what = during === 'before' ? 'is not pulled' : 'is not pulled to its end'
  return new RunyardError(
    'internal',
    `The image ${image} ${what}, because ${low}: remove images that nothing uses, or lower that setting.`,
    {
      fault: 'disk',
    },
  )
}

/** For sentences. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
