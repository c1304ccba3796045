/**
 * JSON Schemas of network configurations, for editors. The rules come from the schema that the plugin itself uses to
 * decode its fields. The words for people are only in this module, which is not part of the plugin.
 */
import * as Schema from "effect/Schema"
import * as CniVersion from "../cni/CniVersion.ts"
import { identifier } from "../cni/Environment.ts"
import { isObject, type JsonObject } from "../json/Json.ts"
import * as Registry from "../sinks/Registry.ts"
import * as MisspelledField from "./MisspelledField.ts"
import * as Settings from "./Settings.ts"

/** The words for a field. */
interface Words {
  readonly title: string
  readonly description: string
  readonly default?: unknown
}

const hooks = (verb: string): Words => ({
  title: `Commands on ${verb}`,
  description: `Commands to run on ${verb}, one after the other: a string for "sh -c", or an object with "command".`,
  default: []
})

const fields: { readonly [name in (typeof Settings.names)[number]]: Words } = {
  logFile: {
    title: "Log file",
    description: "A file to append records to. ${NAME} stands for an environment variable or a key of CNI_ARGS."
  },
  logFormat: {
    title: "Format of the log file",
    description: "The format of logFile: text for people, or one JSON object on each line.",
    default: "text"
  },
  logSinks: { title: "Sinks", description: "Sinks for records, in addition to logFile.", default: [] },
  hookADD: hooks("ADD"),
  hookDEL: hooks("DEL"),
  hookCHECK: hooks("CHECK"),
  hookGC: hooks("GC"),
  hookSTATUS: hooks("STATUS"),
  hookVERSION: hooks("VERSION"),
  label: { title: "Label", description: "Names this tap in every record." },
  redact: {
    title: "Secrets",
    description:
      "Keys and JSON Pointers (RFC 6901) of values to mask in every log; \"secrets\" masks all that looks like one.",
    default: []
  },
  logTimeout: {
    title: "Log timeout",
    description: "How long all records of a request together may wait for sinks; 0 means no limit.",
    default: "2s"
  },
  onLogFailure: {
    title: "On log failure",
    description: "Whether a request fails if its records cannot be written. DEL and GC never fail because of that.",
    default: "fail"
  },
  onHookFailure: {
    title: "On command failure",
    description: "Whether a request fails if one of its commands fails. DEL and GC never fail because of that.",
    default: "ignore"
  },
  hookTimeout: {
    title: "Command timeout",
    description: "How long each command may take before it is killed; 0 means no limit.",
    default: "30s"
  },
  hookNetns: {
    title: "Network namespace",
    description: "The network namespace in which commands run: the host's or the container's.",
    default: "host"
  }
}

/** The fields of sinks and hooks. The defaults of sinks come from their kind. */
const innerFields: { readonly [name: string]: Words } = {
  type: { title: "Kind of sink", description: "The destination of this sink." },
  path: {
    title: "Path",
    description: "The file to append to. ${NAME} stands for an environment variable or a key of CNI_ARGS."
  },
  format: { title: "Format", description: "Text for people, or one JSON object on each line." },
  mode: { title: "Mode", description: "The permissions of a new file, as an octal number." },
  address: {
    title: "Address",
    description: "The address of the daemon: a path, tcp://host:601 or udp://host:514."
  },
  protocol: { title: "Protocol", description: "The format of the messages' header." },
  facility: { title: "Facility", description: "The syslog facility of the messages." },
  tag: { title: "Tag", description: "The program name for the daemon." },
  identifier: { title: "Identifier", description: "The program name in the journal." },
  command: { title: "Command", description: "A string for \"sh -c\", or a program and its arguments." },
  netns: { title: "Network namespace", description: "The network namespace of the command. Default: hookNetns." },
  timeout: { title: "Timeout", description: "How long the command may take. Default: hookTimeout." }
}

/** Returns the type of a sink if a schema describes one. */
const sinkType = (properties: JsonObject): string | undefined => {
  const { type } = properties
  return isObject(type) && Array.isArray(type["enum"]) ? String(type["enum"][0]) : undefined
}

/** Adds words and defaults to the members of an object. A sink allows no other members. */
const objectWithWords = (schema: JsonObject, properties: JsonObject): JsonObject => {
  const type = sinkType(properties)
  const defaults: JsonObject = type === undefined ? {} : { ...Registry.complete({ type } as never) }
  const described = Object.entries(properties).map(([name, value]) => [name, {
    ...withWords(value) as object,
    ...innerFields[name],
    ...(name !== "type" && name in defaults ? { default: defaults[name] } : {})
  }])
  return {
    ...schema,
    ...(type === undefined ? {} : { title: `${type} sink` }),
    properties: Object.fromEntries(described),
    additionalProperties: type === undefined
  }
}

/**
 * Adds words to a generated schema. Drops `prefixItems`, because `minItems` already requires the first element of a
 * list.
 */
const withWords = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(withWords)
  if (!isObject(schema)) return schema
  const { prefixItems: _, properties, ...rest } = schema
  const known = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, withWords(value)]))
  return isObject(properties) ? objectWithWords(known, properties) : known
}

/** Returns the schema of our fields, and that of hooks, to which it refers as `#/$defs/commands`. */
const generated = (): { readonly ours: JsonObject; readonly commands: unknown } => {
  const { schema } = Schema.toJsonSchemaDocument(Settings.schema(), {
    generateDescriptions: true, // the same words as in our error messages
    referencePolicy: () => undefined // identifiers are words for people, not names of definitions
  })
  const properties = isObject(schema["properties"]) ? schema["properties"] : {}
  const ours = Settings.names.map((name) => [name, {
    ...(/^hook[A-Z]+$/.test(name) ? { $ref: "#/$defs/commands" } : withWords(properties[name]) as object),
    ...fields[name]
  }])
  return { ours: Object.fromEntries(ours), commands: withWords(properties["hookADD"]) }
}

const dialect = "https://json-schema.org/draft/2020-12/schema"

const pluginType = {
  title: "Plugin",
  description: "The name of the plugin, which is a file on the CNI path."
}

/** The schema of our configuration. Allows other fields, because runtimes add some, but not misspellings of ours. */
const passthrough = (ours: JsonObject): JsonObject => ({
  title: "passthrough in a CNI network configuration",
  description: "A plugin that changes nothing: it logs each request, runs commands, and passes prevResult on.",
  type: "object",
  properties: { type: { ...pluginType, const: "passthrough" }, ...ours },
  patternProperties: { [MisspelledField.pattern(Settings.names)]: false },
  additionalProperties: true
})

/** Returns the JSON Schema of our plugin's configuration. */
export const plugin = (): JsonObject => {
  const { commands, ours } = generated()
  return { $schema: dialect, $id: "urn:cni-passthrough:plugin", ...passthrough(ours), $defs: { commands } }
}

const booleanSwitch = (title: string, description: string) => ({
  title,
  description,
  anyOf: [{ type: "boolean" }, { type: "string", pattern: "^(?:[tT][rR][uU][eE]|[fF][aA][lL][sS][eE])$" }],
  default: false
})

/** Returns the JSON Schema of a network configuration list. Source: CNI specification, section 1. */
export const list = (): JsonObject => {
  const { commands, ours } = generated()
  return {
    $schema: dialect,
    $id: "urn:cni-passthrough:network-configuration-list",
    title: "CNI network configuration list",
    description: "A network, and the chain of plugins that attaches containers to it.",
    type: "object",
    properties: {
      cniVersion: {
        title: "Version",
        description: "The version of the CNI specification for which the list is written.",
        enum: CniVersion.supported,
        default: CniVersion.implied
      },
      cniVersions: {
        title: "Versions",
        description: "All versions with which the list can be used. Runtimes choose the newest one that they support.",
        type: "array",
        items: { type: "string", pattern: "^\\d+(?:\\.\\d+){0,2}$" }
      },
      name: {
        title: "Name",
        description: "The name of the network, which no other network of the host has.",
        type: "string",
        pattern: identifier.source
      },
      disableCheck: booleanSwitch("No CHECK", "If true, runtimes never call the plugins with CHECK."),
      disableGC: booleanSwitch(
        "No GC",
        "If true, runtimes never call the plugins with GC."
      ),
      loadOnlyInlinedPlugins: booleanSwitch(
        "No plugins from a folder",
        "If true, runtimes ignore the folder named after the network, which can add plugins."
      ),
      plugins: {
        title: "Plugins",
        description: "The chain. Runtimes call the plugins in this order, and in reverse order to detach.",
        type: "array",
        minItems: 1,
        items: { $ref: "#/$defs/plugin" }
      }
    },
    required: ["name", "plugins"],
    additionalProperties: true,
    $defs: {
      plugin: {
        type: "object",
        properties: {
          type: { ...pluginType, type: "string", pattern: "^[^/\\s]+$" },
          capabilities: {
            title: "Capabilities",
            description: "The data that the runtime may pass to the plugin in runtimeConfig, such as portMappings.",
            type: "object",
            additionalProperties: { type: "boolean" }
          }
        },
        required: ["type"],
        if: { type: "object", properties: { type: { const: "passthrough" } } },
        // oxlint-disable-next-line unicorn/no-thenable -- the word of JSON Schema; nothing awaits this
        then: { $ref: "#/$defs/passthrough" }
      },
      passthrough: passthrough(ours),
      commands
    }
  }
}
