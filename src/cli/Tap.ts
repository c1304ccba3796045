/** Puts taps into the text of a network configuration, and takes them out again, without touching a byte of the rest. */
import type { Conflist } from "./Conflist.ts"
import type { Source } from "./JsonSource.ts"

/** Marks a tap that was put in by us. Unknown to everybody else, it is passed over. */
const mark = "instrumentedBy"
const markValue = "cni-passthrough"

/** What a tap that is put in has besides its type and label. */
export type Fields = { readonly [field: string]: unknown }

/** A text, with the ranges in it that were put in. */
export interface Instrumented {
  readonly text: string
  readonly inserted: ReadonlyArray<{ readonly start: number; readonly end: number }>
}

const isTap = (plugin: unknown): boolean =>
  typeof plugin === "object" && plugin !== null && (plugin as Fields)[mark] === markValue

/** The indices of the plugins that are taps of ours. */
export const indices = (source: Source): ReadonlyArray<number> => {
  const { plugins } = source.value as { readonly plugins: ReadonlyArray<unknown> }
  return plugins.flatMap((plugin, index) => isTap(plugin) ? [index] : [])
}

/** `before-bridge`, `before-portmap`, and behind the last one `after-portmap`. */
const labels = (titles: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...titles.map((title) => `before-${title}`), `after-${titles.at(-1)}`].map((label) => label.replaceAll(" ", "-"))

/** The white space that stands between two plugins in this text. */
const spaceBetween = (text: string, source: Source): string => {
  const first = source.ranges.get("plugins[0]")?.start ?? 0
  const list = source.ranges.get("plugins")?.start ?? 0
  return /^[ \t\r\n]*$/.test(text.slice(list + 1, first)) ? text.slice(list + 1, first) : ""
}

/** Puts a tap before, between and behind all plugins of a chain. */
export const insert = ({ plugins, text }: Conflist, source: Source, fields: Fields): Instrumented => {
  const space = spaceBetween(text, source)
  const names = labels(plugins.map(({ title }) => title))
  const taps = names.map((label) => JSON.stringify({ type: "passthrough", label, ...fields, [mark]: markValue }))
  const inserted: Array<{ readonly start: number; readonly end: number }> = []
  let out = ""
  let copied = 0
  const put = (at: number, added: string) => {
    out += text.slice(copied, at)
    inserted.push({ start: out.length, end: out.length + added.length })
    out += added
    copied = at
  }
  plugins.forEach((_, index) => put(source.ranges.get(`plugins[${index}]`)?.start ?? 0, `${taps[index]},${space}`))
  put(source.ranges.get(`plugins[${plugins.length - 1}]`)?.end ?? 0, `,${space}${taps.at(-1)}`)
  return { text: out + text.slice(copied), inserted }
}

/** Takes our taps out. The rest is byte for byte what it was before. */
export const remove = (text: string, source: Source): string => {
  const { plugins } = source.value as { readonly plugins: ReadonlyArray<unknown> }
  const ours = new Set(indices(source))
  const range = (index: number) => source.ranges.get(`plugins[${index}]`)
  let out = ""
  let copied = 0
  for (let index = 0; index < plugins.length; index++) {
    if (!ours.has(index)) continue
    // Up to the next plugin; behind the last one, from the end of the previous.
    const isLast = index === plugins.length - 1
    const start = isLast ? range(index - 1)?.end : range(index)?.start
    const end = isLast ? range(index)?.end : range(index + 1)?.start
    out += text.slice(copied, start)
    copied = end ?? copied
  }
  return out + text.slice(copied)
}
