/** Bills of materials (CycloneDX): one of what is inside, and one of what it was built with. */

const time = (epoch) => new Date(Number(epoch) * 1000).toISOString()

/** The package URL of a part whose sources are on GitHub, by its version. */
const purl = ({ source, version }) => {
  const [, repository] = /^https:\/\/github\.com\/([^/]+\/[^/]+)$/.exec(source) ?? []
  return repository === undefined || version === undefined
    ? {}
    : { purl: `pkg:github/${repository.toLowerCase()}@${version}` }
}

const partOf = (part) => ({
  type: "library",
  "bom-ref": part.name,
  name: part.name,
  ...part.version === undefined ? {} : { version: part.version },
  ...part.note === undefined ? {} : { description: part.note },
  licenses: [{ expression: part.licence }],
  ...part.copyright.length === 0 ? {} : { copyright: part.copyright.join("\n") },
  ...purl(part),
  externalReferences: [{ type: "website", url: part.source }]
})

/** A package of npm that the scripts are made of. */
const packageOf = ({ licence, name, version }) => ({
  type: "library",
  "bom-ref": `pkg:npm/${name.replace("@", "%40")}@${version}`,
  name,
  version,
  licenses: [{ license: { id: licence } }],
  purl: `pkg:npm/${name.replace("@", "%40")}@${version}`
})

/** What is inside executables: `packages` of npm, and parts. */
export const inside = ({ epoch, name, packages, parts: { beside, bun, linked }, version }) => {
  const own = { type: "application", "bom-ref": name, name, version, licenses: [{ license: { id: "MIT" } }] }
  const direct = [...packages.map(packageOf), ...[bun, ...beside].map(partOf)]
  const refs = (components) => components.map((component) => component["bom-ref"])
  const below = linked.map(partOf)
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { timestamp: time(epoch), component: own },
    components: [...direct, ...below],
    dependencies: [
      { ref: name, dependsOn: refs(direct) },
      { ref: bun.name, dependsOn: refs(below) }
    ]
  }
}

/** What the executables were built with: what npm says of the lock file, without what differs each time. */
export const builtWith = (sbom, { epoch, name }) => {
  const { serialNumber: _, ...rest } = sbom
  const component = { ...sbom.metadata.component, name } // npm takes the name of the folder
  return { ...rest, metadata: { ...sbom.metadata, timestamp: time(epoch), component } }
}

export const text = (bill) => `${JSON.stringify(bill, null, 2)}\n`
