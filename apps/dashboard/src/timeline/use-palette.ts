import { useEffect, useState } from 'react'
import { useTheme } from '../app/preferences.ts'
import { readPalette, type Palette } from './palette.ts'
import { createPatterns, type Patterns } from './patterns.ts'

export interface Look {
  readonly palette: Palette
  readonly patterns: Patterns
}

/** Colours of the theme that is seen now; undefined until the page has one. */
export function useLook(): Look | undefined {
  const theme = useTheme()
  const [look, setLook] = useState<Look>()
  useEffect(() => {
    const read = (): void => {
      const palette = readPalette(document.body)
      setLook({ palette, patterns: createPatterns(palette) })
    }
    read()
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', read)
    return () => system.removeEventListener('change', read)
  }, [theme])
  return look
}
