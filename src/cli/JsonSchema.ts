/** `cni-passthrough schema`: the JSON Schema of the plugin's configuration. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Schema from "effect/Schema"
import * as Settings from "../cni/Settings.ts"

/** The JSON Schema of our fields, made of the schema that decodes them. Other fields are allowed: runtimes add some. */
export const make = (): object => {
  const { schema } = Schema.toJsonSchemaDocument(Settings.schema, {
    generateDescriptions: true, // the words of our error messages
    referencePolicy: () => undefined // those words are no names for definitions
  })
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "passthrough in a CNI network configuration",
    ...schema,
    additionalProperties: true
  }
}

/** `schema` */
export const schema = Command.make("schema", {}, () => Console.log(JSON.stringify(make(), null, 2))).pipe(
  Command.withDescription("Print the JSON Schema of the plugin's configuration, for editors"),
  Command.withExamples([{ command: "cni-passthrough schema > passthrough.schema.json", description: "Save it" }])
)
