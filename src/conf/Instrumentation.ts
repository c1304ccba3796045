/** Puts taps into the text of a network configuration list, and takes them out again. No other byte is touched. */
import { isObject, type JsonObject } from "../json/Json.ts"
import type * as JsonSource from "../json/JsonSource.ts"
import * as JsonText from "../json/JsonText.ts"

/** Marks a tap that was put in by us. Other plugins and runtimes pass the field over. */
const mark = "instrumentedBy"
const markValue = "cni-passthrough"

/** One of our taps in a text. */
export interface Tap {
  readonly label: string
  /** As it stands there, on one line. */
  readonly text: string
}

const pluginsOf = ({ value }: JsonSource.Source): ReadonlyArray<unknown> => {
  const plugins = isObject(value) ? value["plugins"] : undefined
  return Array.isArray(plugins) ? plugins : []
}

const isTap = (plugin: unknown): plugin is JsonObject => isObject(plugin) && plugin[mark] === markValue

/** Whether a document is a chain, and not the configuration of one plugin. */
export const isChain = (source: JsonSource.Source): boolean => pluginsOf(source).length > 0

/** Whether a chain has taps that were put in by us. */
export const isInstrumented = (source: JsonSource.Source): boolean => pluginsOf(source).some(isTap)

/** Our taps, in their order. */
export const taps = (source: JsonSource.Source): ReadonlyArray<Tap> =>
  pluginsOf(source).flatMap((plugin, index) => {
    if (!isTap(plugin)) return []
    const { end, start } = rangeOf(source, index)
    const label = plugin["label"]
    return [{
      label: typeof label === "string" ? label : "passthrough",
      text: JsonText.onOneLine(source.text.slice(start, end))
    }]
  })

/** The range of the plugin at an index; that of the whole text where there is none. */
const rangeOf = ({ range, text }: JsonSource.Source, index: number): JsonSource.Range =>
  range(["plugins", index]) ?? { start: 0, end: text.length }

/** The white space that stands between two plugins in this text. */
const spaceBetween = (source: JsonSource.Source): string => {
  const list = source.range(["plugins"])?.start ?? 0
  return source.text.slice(list + 1, rangeOf(source, 0).start)
}

/**
 * Puts a tap after each plugin of a chain. None stands before the first: some runtimes take a network for what its first
 * plugin is. `titles` are what to call the plugins, `fields` is what a tap has besides its type and label.
 */
export const insert = (source: JsonSource.Source, titles: ReadonlyArray<string>, fields: JsonObject): string => {
  const { text } = source
  const space = spaceBetween(source)
  let out = ""
  let copied = 0
  const put = (at: number, added: string) => {
    out += text.slice(copied, at) + added
    copied = at
  }
  titles.forEach((title, index) => {
    const label = `after-${title}`.replaceAll(" ", "-")
    const tap = JSON.stringify({ type: "passthrough", label, ...fields, [mark]: markValue })
    if (index === titles.length - 1) put(rangeOf(source, index).end, `,${space}${tap}`)
    else put(rangeOf(source, index + 1).start, `${tap},${space}`)
  })
  return out + text.slice(copied)
}

/** What to cut out: each tap up to the next plugin, and the taps at the end from the end of the last plugin on. */
const cuts = (source: JsonSource.Source): ReadonlyArray<JsonSource.Range> => {
  const plugins = pluginsOf(source)
  const last = plugins.findLastIndex((plugin) => !isTap(plugin))
  const before = plugins.flatMap((plugin, index) =>
    isTap(plugin) && index < last
      ? [{ start: rangeOf(source, index).start, end: rangeOf(source, index + 1).start }]
      : []
  )
  return [...before, { start: rangeOf(source, last).end, end: rangeOf(source, plugins.length - 1).end }]
}

/** Whether all plugins of a chain are our taps. */
export const hasOnlyTaps = (source: JsonSource.Source): boolean => pluginsOf(source).every(isTap)

/** Takes our taps out of a chain that has other plugins. The rest is byte for byte what it was before. */
export const remove = (source: JsonSource.Source): string => {
  let out = ""
  let copied = 0
  for (const { end, start } of cuts(source)) {
    out += source.text.slice(copied, start)
    copied = end
  }
  return out + source.text.slice(copied)
}
