// The digest that a tag has on a host now. Read in the background and kept until the endpoint is saved again, so that each save costs one request per
// image. Failure direction: an unknown digest replaces nothing.
import { sentenceOf, type Logger } from '@runyard/kit'
import type { HostDriver } from '@runyard/schema'

export type ImageLooks = ReturnType<typeof createImageLooks>

interface Look {
  readonly askedAt: number
  id: string | undefined
  isPending: boolean
}

export interface ImageLookDeps {
  readonly driver: Pick<HostDriver, 'imageId'>
  readonly log: Logger
  readonly onChange: () => void
}

const MOST_IMAGES = 1000

export function createImageLooks({ driver, log, onChange }: ImageLookDeps) {
  const looks = new Map<string, Look>()

  async function ask(image: string): Promise<void> {
    const look: Look = { askedAt: Date.now(), id: undefined, isPending: true }
    if (looks.size >= MOST_IMAGES) looks.clear()
    looks.set(image, look)
    try {
      look.id = await driver.imageId(image)
      look.isPending = false
      onChange()
    } catch (error) {
      looks.delete(image)
      log.debug({ image, problem: sentenceOf(error) }, 'an image was not looked up')
    }
  }

  return {
    /** The image's id as of a time after `since`, epoch ms; undefined while that is not known, and where the image is not there. */
    idSince(image: string, since: number): string | undefined {
      const known = looks.get(image)
      if (known !== undefined && (known.isPending || known.askedAt > since)) return known.id
      void ask(image)
      return undefined
    },
  }
}
