/** What can be known of a plugin of others without its daemon. */
import type * as Json from "../../json/Json.ts"
import type { Path } from "../../json/JsonText.ts"
import type { Fields } from "../GoFields.ts"

/** A file or a socket that a plugin opens. */
export interface NeededFile {
  /** The member of the configuration that names it. */
  readonly at: Path
  /** The file where the configuration names none; without it, the plugin then needs none. */
  readonly fallback?: string
  /** Whether a configuration makes it unnecessary. */
  readonly isOptional?: (config: Json.JsonObject) => boolean
  /** Who makes it, or what it is for, after a colon. */
  readonly purpose: string
}

/** A plugin that is not one of the reference plugins. Facts are of one version: they never make an error of another. */
export interface KnownPlugin {
  readonly type: string
  /** The types of its fields. Other fields may be of a newer version. */
  readonly fields: Fields
  readonly files?: ReadonlyArray<NeededFile>
  /** Whether it fails where no plugin before it has a result. */
  readonly follows?: boolean
  /** Whether it hands its `ipam` to the IPAM plugin as it is written. */
  readonly handsIpamOn?: boolean
  /** Whether it publishes ports without the capability. */
  readonly publishesPorts?: boolean
}
