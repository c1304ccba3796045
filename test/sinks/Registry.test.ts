/** The fields of sinks as people write them, and what they read where one is wrong. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as SchemaParser from "effect/SchemaParser"
import * as JsonText from "../../src/json/JsonText.ts"
import * as SchemaProblem from "../../src/json/SchemaProblem.ts"
import * as Registry from "../../src/sinks/Registry.ts"

const problemsOf = (fields: unknown): ReadonlyArray<string> => {
  const outcome = SchemaParser.decodeUnknownResult(Registry.fields(), { errors: "all" })(fields)
  return Result.isSuccess(outcome)
    ? []
    : SchemaProblem.of(outcome.failure, fields).map(({ message, path }) => `${JsonText.pathText(path)}: ${message}`)
}

describe("the fields of a sink", () => {
  const right: ReadonlyArray<object> = [
    { type: "file", path: "/a" },
    { type: "file", path: "a", format: "text", mode: "0640" },
    { type: "file", path: "$A", format: "json", mode: "777" },
    { type: "syslog" },
    { type: "syslog", address: "/run/log", facility: "local7", tag: "t", format: "text", protocol: "rfc5424" },
    { type: "syslog", address: "tcp://loghost", protocol: "rfc3164", format: "json" },
    { type: "syslog", address: "udp://10.0.0.1:514" },
    { type: "syslog", address: "tcp://[fd00::1]:1" },
    { type: "journald" },
    { type: "journald", identifier: "tap" },
    { type: "stderr" },
    { type: "stderr", format: "json" }
  ]
  for (const fields of right) {
    it(`may be ${JSON.stringify(fields)}`, () => assert.deepStrictEqual(problemsOf(fields), []))
  }

  const types = `"file" or "syslog" or "journald" or "stderr"`
  const format = `expected "text" or "json"`
  const address = `expected a path such as "/dev/log", "tcp://host:601" or "udp://host:514"`
  const wrong: ReadonlyArray<readonly [fields: unknown, problem: string]> = [
    ["file", ": found \"file\", expected an object with \"type\""],
    [{}, `type: found nothing, expected ${types}`],
    [{ type: "kafka" }, `type: found "kafka", expected ${types}`],
    [{ type: "file" }, "path: found nothing, expected the path of a file"],
    [{ type: "file", path: "" }, "path: found \"\", expected a string that is not empty"],
    [{ type: "file", path: "/a", mode: "0888" }, "mode: found \"0888\", expected an octal mode such as \"0640\""],
    [{ type: "file", path: "/a", mode: "07777" }, "mode: found \"07777\", expected an octal mode such as \"0640\""],
    [{ type: "file", path: "/a", mode: 0o640 }, "mode: found 416, expected an octal mode such as \"0640\""],
    [{ type: "file", path: "/a", format: "yaml" }, `format: found "yaml", ${format}`],
    [{ type: "stderr", format: "" }, `format: found "", ${format}`],
    [{ type: "syslog", format: 1 }, `format: found 1, ${format}`],
    [{ type: "syslog", address: "loghost:514" }, `address: found "loghost:514", ${address}`],
    [{ type: "syslog", address: "http://h" }, `address: found "http://h", ${address}`],
    [{ type: "syslog", address: "tcp://fd00::1" }, `address: found "tcp://fd00::1", ${address}`],
    [{ type: "syslog", address: "" }, `address: found "", ${address}`],
    [{ type: "syslog", protocol: "" }, "protocol: found \"\", expected \"rfc3164\" or \"rfc5424\""],
    [{ type: "syslog", tag: "a b" }, "tag: found \"a b\", expected 1 to 48 visible ASCII characters"],
    [{ type: "journald", identifier: "" }, "identifier: found \"\", expected 1 to 48 visible ASCII characters"]
  ]
  for (const [fields, problem] of wrong) {
    it(`are wrong as ${JSON.stringify(fields)}`, () => assert.deepStrictEqual(problemsOf(fields), [problem]))
  }
})
