// Copying: a button, and a text that is made to be pasted elsewhere.
import { useEffect, useState } from 'react'
import { Button } from './button.tsx'
import styles from './copy.module.css'

const SHOWN_MS = 2000

/** A page that is not at https or on this machine has no clipboard of its own: the older way copies what is selected. */
async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  // Outside of an open dialog nothing can be selected.
  const place = document.querySelector('dialog[open]') ?? document.body
  place.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

export interface CopyButtonProps {
  readonly text: string
  /** What is copied, such as `command`; the button says `Copy command`. */
  readonly what?: string
}

export function CopyButton({ text, what = '' }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return undefined
    const timer = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [isCopied])
  return (
    <Button onClick={() => void copyText(text).then(() => setCopied(true))}>
      <span aria-live="polite">{isCopied ? '✓ Copied' : `Copy${what === '' ? '' : ` ${what}`}`}</span>
    </Button>
  )
}

export interface CopyBlockProps {
  readonly text: string
  /** Says to screen readers what it is. */
  readonly label: string
  /** What is seen, where the text itself is not for every eye. */
  readonly shown?: string
}

/** Text to copy, with its button. */
export function CopyBlock({ text, label, shown = text }: CopyBlockProps) {
  return (
    <div className={styles.block}>
      <pre className={styles.text} tabIndex={0} role="region" aria-label={label}>
        {shown}
      </pre>
      <CopyButton text={text} />
    </div>
  )
}
