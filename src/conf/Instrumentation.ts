/** Inserts taps into the text of a network configuration list, and removes them again. No other byte changes. */
import { isObject, type JsonObject } from "../json/Json.ts"
import type * as JsonSource from "../json/JsonSource.ts"
import * as JsonText from "../json/JsonText.ts"

/** Marks a tap that we inserted. Other plugins and runtimes ignore the field. */
const mark = "instrumentedBy"
const markValue = "cni-passthrough"

/** One of our taps in a text. */
export interface Tap {
  readonly label: string
  /** Its JSON text on one line. */
  readonly text: string
}

const pluginsOf = ({ value }: JsonSource.Source): ReadonlyArray<unknown> => {
  const plugins = isObject(value) ? value["plugins"] : undefined
  return Array.isArray(plugins) ? plugins : []
}

const isTap = (plugin: unknown): plugin is JsonObject => isObject(plugin) && plugin[mark] === markValue

/** Whether a document is a chain, not the configuration of one plugin. */
export const isChain = (source: JsonSource.Source): boolean => pluginsOf(source).length > 0

/** Whether a chain has taps that we inserted. */
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

/** The range of the plugin at an index; the whole text if there is none. */
const rangeOf = ({ range, text }: JsonSource.Source, index: number): JsonSource.Range =>
  range(["plugins", index]) ?? { start: 0, end: text.length }

/** The white space between two plugins of this text. */
const spaceBetween = (source: JsonSource.Source): string => {
  const list = source.range(["plugins"])?.start ?? 0
  return source.text.slice(list + 1, rangeOf(source, 0).start)
}

/**
 * Inserts a tap after each plugin of a chain. No tap comes first, since some runtimes judge a network by its first
 * plugin. `titles` are the names of the plugins, `fields` are the members of a tap besides its type and label.
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

/**
 * The ranges to cut: each tap up to the next plugin, and everything from the end of the last plugin to the end of the
 * last tap.
 */
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

/** Removes our taps from a chain that has other plugins. The rest stays byte for byte the same. */
export const remove = (source: JsonSource.Source): string => {
  let out = ""
  let copied = 0
  for (const { end, start } of cuts(source)) {
    out += source.text.slice(copied, start)
    copied = end
  }
  return out + source.text.slice(copied)
}
