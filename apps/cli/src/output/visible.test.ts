import { describe, expect, it } from 'vitest'
import { cutEnd, cutMiddle, toVisible, widthOf, wrap } from './visible.ts'

const ESC = '\u001B'

describe('toVisible', () => {
  it.each([
    ['a cursor movement', `a${ESC}[2Kb`, 'a␛[2Kb'],
    ['a title', `${ESC}]0;pwned\u0007`, '␛]0;pwned␇'],
    ['the clipboard, OSC 52', `${ESC}]52;c;cm0gLXJm\u0007`, '␛]52;c;cm0gLXJm␇'],
    ['a carriage return', 'real\rfake', 'real␍fake'],
    ['a line feed', 'row\nroot@host:~# ', 'row␊root@host:~# '],
    ['a bell and a backspace', '\u0007\b', '␇␈'],
    ['NUL and DEL', '\0\u007F', '␀␡'],
    ['an 8-bit CSI', '\u009B2J', '⟨9b⟩2J'],
    ['a bidirectional override', 'user\u202Etxt.exe', 'user⟨202e⟩txt.exe'],
    ['isolates and marks', '\u2066a\u2069\u200F', '⟨2066⟩a⟨2069⟩⟨200f⟩'],
    ['separators of lines', 'a\u2028b\u2029', 'a⟨2028⟩b⟨2029⟩'],
    ['colours that are not ours', `${ESC}[35;5mx${ESC}[0m`, '␛[35;5mx␛[0m'],
    ['a hyperlink', `${ESC}]8;;http://x${ESC}\\y`, '␛]8;;http://x␛\\y'],
  ])('shows %s', (_title, text, shown) => {
    expect(toVisible(text, true)).toBe(shown)
    expect(toVisible(text, false)).toBe(shown)
  })

  it('keeps tabs, letters of all scripts and emoji', () => {
    const text = 'a\tä 漢字 नमस्ते 👩‍🚀'
    expect(toVisible(text, true)).toBe(text)
  })

  it('keeps our own styles only on a terminal that supports them', () => {
    expect(toVisible(`${ESC}[1mx${ESC}[22m`, true)).toBe(`${ESC}[1mx${ESC}[22m`)
    expect(toVisible(`${ESC}[1mx`, false)).toBe('␛[1mx')
  })
})

describe('columns', () => {
  it('are counted like a terminal does', () => {
    expect(widthOf('abc')).toBe(3)
    expect(widthOf('漢字')).toBe(4)
    expect(widthOf('e\u0301')).toBe(1)
    expect(widthOf('🚀')).toBe(2)
    expect(widthOf(`${ESC}[31mred${ESC}[39m`)).toBe(3)
  })

  it('are limited by cutting at the end or in the middle', () => {
    expect(cutEnd('abcdef', 6)).toBe('abcdef')
    expect(cutEnd('abcdefg', 6)).toBe('abcde…')
    expect(cutMiddle('live-caption-large', 9)).toBe('live…arge')
    expect(widthOf(cutMiddle('漢字漢字漢字', 7))).toBeLessThanOrEqual(7)
  })

  it('are limited by wrapping between words', () => {
    expect(wrap('one two three four', { columns: 9, most: 2 })).toEqual(['one two', 'three fo…'])
    expect(wrap('unbreakable', { columns: 5, most: 2 })).toEqual(['unbr…'])
    expect(wrap('', { columns: 5, most: 2 })).toEqual([''])
  })
})
