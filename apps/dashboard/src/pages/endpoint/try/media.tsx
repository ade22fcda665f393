import { useEffect, useState } from 'react'
import { Button } from '../../../ui/button.tsx'
import { formatBytes } from '../../../ui/format.ts'
import { toBlob, type FoundMedia } from './find-media.ts'
import styles from './try-it.module.css'

/** Shown when somebody asks, from a blob of this page: what it is was read from its bytes, and it cannot run anything. */
export function Media({ media }: { readonly media: FoundMedia }) {
  const [url, setUrl] = useState<string>()
  const [isBroken, setBroken] = useState(false)
  useEffect(() => () => (url === undefined ? undefined : URL.revokeObjectURL(url)), [url])
  const name = media.path === '' ? 'output' : media.path
  const show = (): void => {
    try {
      setUrl(URL.createObjectURL(toBlob(media)))
    } catch {
      setBroken(true)
    }
  }
  if (isBroken) return <p>✕ {name} cannot be shown: it is not what it begins as.</p>
  if (url === undefined) {
    return (
      <Button onClick={show}>
        Show {media.kind} {name} ({formatBytes((media.base64.length * 3) / 4)})
      </Button>
    )
  }
  const failed = (): void => setBroken(true)
  return (
    <figure className={styles.media}>
      {media.kind === 'image' && <img src={url} alt={`The image in ${name}`} onError={failed} />}
      {media.kind === 'audio' && <audio src={url} controls aria-label={`The sound in ${name}`} onError={failed} />}
      {media.kind === 'video' && <video src={url} controls aria-label={`The film in ${name}`} onError={failed} />}
      <figcaption>
        {name}, {media.type}
      </figcaption>
    </figure>
  )
}
