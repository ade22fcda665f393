// Renders the demo's timeline as lines: when each step happened since the call, and how long it took since the step before.
import { alignColumns, formatDuration, type Terminal } from '../output/terminal.ts'
import type { Moment, Story } from './timeline.ts'

type Style = Pick<Terminal, 'bold' | 'dim'>

export function renderStory(story: Story, style: Style): readonly string[] {
  const chapters: readonly (readonly [string, readonly Moment[]])[] = [
    ['Cold call', story.cold],
    ['Warm call', story.warm],
    ['Back to zero', story.toZero],
  ]
  const rows = chapters.flatMap(([title, moments]) => chapter(title, moments, style))
  return alignColumns(rows)
}

function chapter(title: string, moments: readonly Moment[], style: Style): readonly (readonly string[])[] {
  const [first] = moments
  const last = moments.at(-1)
  if (first === undefined || last === undefined) return []
  return [
    [''],
    [style.bold(title), style.bold(padded(formatDuration(last.at - first.at)))],
    ...moments.map(({ at, what }, index) => {
      const took = at - (moments[index - 1]?.at ?? at)
      return [`  ${what}`, padded(formatDuration(at - first.at)), index === 0 ? '' : style.dim(`+${formatDuration(took)}`)]
    }),
  ]
}

/** Right-aligned, because that is easier to read for numbers. */
function padded(text: string): string {
  return text.padStart(8)
}
