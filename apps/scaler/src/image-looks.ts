// What a tag means on a host now. Asked in the background and kept until somebody saves the endpoint again, so that a look costs one request for
// an image and a save. Failure direction: not known, and then nothing is replaced.
import { sentenceOf, type Logger } from '@runyard/kit'
import type { HostDriver } from '@runyard/schema'

export interface ImageLooks {
  /** The image's id as of a time after `since`, epoch ms; undefined while that is not known, and where the image is not there. */
  idSince(image: string, since: number): string | undefined
}

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

export function createImageLooks({ driver, log, onChange }: ImageLookDeps): ImageLooks {
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
    idSince(image, since) {
      const known = looks.get(image)
      if (known !== undefined && (known.isPending || known.askedAt > since)) return known.id
      void ask(image)
      return undefined
    },
  }
}
