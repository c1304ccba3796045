/**
 * A report as one HTML file, which opens from disk and loads nothing. It holds the page, its data, and the records,
 * which can be read back. Content of the records can enter the page only as text.
 */
import * as Crypto from "node:crypto"
import { beginning, recordsBegin } from "../../log/EmbeddedRecords.ts"
import * as Escape from "../../record/Escape.ts"
import type * as PageData from "./PageData.ts"

/** The files that the build makes from `html/`. */
export interface Assets {
  readonly script: string
  readonly style: string
}

/**
 * JSON as text inside an element. Escapes what would end the element, and the characters that once ended lines in
 * scripts.
 */
const embedded = (json: string): string =>
  json.replace(/[<\u2028\u2029]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, "0")}`)

const hash = (text: string): string => `'sha256-${Crypto.createHash("sha256").update(text).digest("base64")}'`

/** The page loads nothing, and runs only our script, which its hash identifies. */
const policy = ({ script, style }: Assets): string =>
  `default-src 'none'; script-src ${hash(script)}; style-src ${
    hash(style)
  }; img-src data:; base-uri 'none'; form-action 'none'`

/** What a report shows, as JSON. Visible text must not change its direction, or hide parts of it. */
const shown = (value: unknown): string =>
  embedded(JSON.stringify(value, (_, value) => typeof value === "string" ? Escape.inLines(value) : value))

/** Elements of a JSON list, each after what separates it from the one before. */
function* elements<A>(values: Iterable<A>, separator: string, render: (value: A) => string): Generator<string> {
  let before = ""
  for (const value of values) {
    yield `${before}${render(value)}`
    before = separator
  }
}

/** What a report has: its operations may be made when they are asked for. */
export type Content = Omit<PageData.Report, "operations"> & { readonly operations: Iterable<PageData.Operation> }

/**
 * Renders a report in pieces, because it may be many times larger than what is worth keeping in memory. `records` are
 * JSON texts, each on one line, which are read back unchanged.
 */
export function* pieces(
  { operations, ...more }: Content,
  records: Iterable<string>,
  assets: Assets
): Generator<string> {
  const others = shown(more)
  yield `${beginning}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(assets)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>cni-passthrough report</title>
<style>${assets.style}</style>
</head>
<body>
<div id="page"><noscript>The records are in this file: cni-passthrough show FILE draws them without a browser.</noscript></div>
<script type="application/json" id="report">{"operations":[`
  yield* elements(operations, ",", shown)
  yield `]${others === "{}" ? "}" : `,${others.slice(1)}`}</script>
${recordsBegin}[
`
  yield* elements(records, ",\n", (text) => embedded(JSON.stringify(text)))
  yield `
]</script>
<script>${assets.script}</script>
</body>
</html>
`
}
