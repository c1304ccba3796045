/** What we know about a third-party plugin without asking its daemon. */
import type * as Json from "../../json/Json.ts"
import type { Path } from "../../json/JsonText.ts"
import type { Fields } from "../GoFields.ts"

/** A file or a socket that a plugin opens. */
export interface NeededFile {
  /** The field that names it. */
  readonly at: Path
  /** The default path. Without one, the plugin needs no file unless the configuration names it. */
  readonly fallback?: string
  /** Whether a configuration makes the file unnecessary. */
  readonly isOptional?: (config: Json.JsonObject) => boolean
  /** Which program creates it, or what it is for. Messages show it after a colon. */
  readonly purpose: string
}

/** A plugin that is not one of the reference plugins. We know one version of it, so a mismatch is never an error. */
export interface KnownPlugin {
  readonly type: string
  /** The types of its fields. Unknown fields may belong to a newer version. */
  readonly fields: Fields
  readonly files?: ReadonlyArray<NeededFile>
  /** Whether it fails without the result of an earlier plugin. */
  readonly follows?: boolean
  /** Whether it passes its `ipam` unchanged to the IPAM plugin. */
  readonly handsIpamOn?: boolean
  /** Whether it publishes ports without the capability. */
  readonly publishesPorts?: boolean
}
