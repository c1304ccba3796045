/** Metrics in the text format of Prometheus, parsed by a library that is not ours. */
import { createRequire } from "node:module"

/** One series. */
interface Series {
  readonly labels?: { readonly [name: string]: string }
  readonly value: string
}

/** A metric with all its series. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly metrics: ReadonlyArray<Series>
}

// The package has no types.
const parseText: (text: string) => ReadonlyArray<Family> = createRequire(import.meta.url)(
  "parse-prometheus-text-format"
)

/** Parses all metrics. Fails if they are not in the format. */
export const parse = (text: string) => {
  const typed = parseText(text)
  // The parser merges histograms that differ in their labels, unless they are plain series.
  const families = parseText(text.replaceAll(/^# TYPE \S+ histogram\n/gm, ""))
  return {
    families,
    typeOf: (name: string) => typed.find((family) => family.name === name)?.type,
    /** All series of a metric. */
    seriesOf: (name: string): ReadonlyArray<Series> =>
      families.filter((family) => family.name === name).flatMap(({ metrics }) => metrics),
    /** The value of the series with exactly these labels; NaN if there is none. */
    value: (name: string, labels: { readonly [name: string]: string }): number => {
      const series = families.filter((family) => family.name === name).flatMap(({ metrics }) => metrics).find((each) =>
        Object.keys(each.labels ?? {}).length === Object.keys(labels).length &&
        Object.entries(labels).every(([label, value]) => each.labels?.[label] === value)
      )
      return Number(series?.value)
    }
  }
}
