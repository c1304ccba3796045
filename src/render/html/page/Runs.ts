/** The content of the records of one run, extracted when the run is shown. */
import * as JsonText from "../../../json/JsonText.ts"
import type { Step } from "../PageData.ts"
import { records } from "./Model.ts"

/** A named text of a run. */
export interface Text {
  readonly name: string
  /** The original text. */
  readonly text: string
  readonly isJson: boolean
}

/** The output of a hook. */
export interface Output {
  readonly stdout: string
  readonly stderr: string
}

/** The details of a run. */
export interface Run {
  readonly file: string | undefined
  readonly stdout: string
  readonly stderr: string
  readonly isTruncated: boolean
  readonly hooks: ReadonlyArray<Output>
  readonly documents: ReadonlyArray<Text>
  readonly environment: ReadonlyArray<readonly [name: string, value: string]>
  /** The records, one a line. */
  readonly lines: string
}

type Fields = { readonly [name: string]: unknown }

const own = (fields: unknown, name: string): unknown =>
  typeof fields === "object" && fields !== null && Object.hasOwn(fields, name) ? (fields as Fields)[name] : undefined

const textOf = (fields: unknown, name: string): string => {
  const value = own(fields, name)
  return typeof value === "string" ? value : ""
}

/** Hooks are shown in the order of time. */
const byTime = (left: { readonly fields: unknown }, right: { readonly fields: unknown }): number =>
  textOf(left.fields, "time") < textOf(right.fields, "time") ? -1 : 1

const variables = [
  ["CNI_COMMAND", "command"],
  ["CNI_CONTAINERID", "containerId"],
  ["CNI_NETNS", "netns"],
  ["CNI_IFNAME", "ifname"],
  ["CNI_ARGS", "args"],
  ["CNI_PATH", "path"],
  ["TRACEPARENT", "traceparent"],
  ["TRACESTATE", "tracestate"],
  ["BAGGAGE", "baggage"]
] as const

/** A member of a record as JSON text, byte for byte. */
const member = (text: string, name: string, title: string): ReadonlyArray<Text> => {
  const found = JsonText.member(text, name)
  return found === undefined ? [] : [{ name: title, text: found, isJson: true }]
}

const plain = (request: unknown, name: string, title: string): ReadonlyArray<Text> => {
  const text = textOf(request, name)
  return text === "" ? [] : [{ name: title, text, isJson: false }]
}

/** The run of a step. */
export const of = (step: Step): Run => {
  const texts = (step.records ?? []).map((index) => records[index] ?? "{}")
  const parsed = texts.map((text) => ({ text, fields: JSON.parse(text) as unknown }))
  const find = (event: string) => parsed.find(({ fields }) => own(fields, "event") === event)
  const request = find("request")
  const plugin = own(find("plugin")?.fields, "plugin")
  const stdout = textOf(plugin, "stdout")
  const ending = (event: string, name: string, title: string) => member(find(event)?.text ?? "{}", name, title)
  return {
    file: textOf(plugin, "file") || undefined,
    stdout,
    stderr: textOf(plugin, "stderr"),
    isTruncated: own(plugin, "truncated") === true,
    hooks: parsed.filter(({ fields }) => own(fields, "event") === "hook").sort(byTime).map(({ fields }) => ({
      stdout: textOf(own(fields, "hook"), "stdout"),
      stderr: textOf(own(fields, "hook"), "stderr")
    })),
    documents: [
      ...member(request?.text ?? "{}", "config", "stdin"),
      ...plain(request?.fields, "stdin", "stdin"),
      ...plain(request?.fields, "stdinBase64", "stdin, in Base64"),
      ...ending("result", "result", "stdout"),
      ...ending("error", "error", "error")
    ],
    environment: variables.flatMap(([name, field]) => {
      const value = textOf(request?.fields, field)
      return value === "" ? [] : [[name, value] as const]
    }),
    lines: texts.map((text) => `${text}\n`).join("")
  }
}
