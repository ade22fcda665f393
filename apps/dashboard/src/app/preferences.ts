// What this browser keeps: the theme and the zone that a person has chosen, the hues of endpoints. Everything else that can be chosen is in the address.
import { useSyncExternalStore } from 'react'
import type { Zone } from '../ui/format.ts'

export type Theme = 'system' | 'light' | 'dark'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']
const listeners = new Set<() => void>()

/** A browser may refuse to keep anything. */
export function readKept(name: string): string | null {
  try {
    return localStorage.getItem(`runyard.${name}`)
  } catch {
    return null
  }
}

export function writeKept(name: string, value: string): void {
  try {
    localStorage.setItem(`runyard.${name}`, value)
  } catch {
    // It counts until the page is loaded again.
  }
}

function choose(name: string, value: string): void {
  writeKept(name, value)
  for (const onChange of listeners) onChange()
}

function subscribe(onChange: () => void): () => void {
  listeners.add(onChange)
  return () => listeners.delete(onChange)
}

const chosen: { theme: Theme; zone: Zone } = {
  theme: THEMES.find((theme) => theme === readKept('theme')) ?? 'system',
  zone: readKept('zone') === 'utc' ? 'utc' : 'local',
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, () => chosen.theme)
export const useZone = (): Zone => useSyncExternalStore(subscribe, () => chosen.zone)

export function applyTheme(): void {
  if (chosen.theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = chosen.theme
}

export function chooseTheme(theme: Theme): void {
  chosen.theme = theme
  applyTheme()
  choose('theme', theme)
}

export function chooseZone(zone: Zone): void {
  chosen.zone = zone
  choose('zone', zone)
}
