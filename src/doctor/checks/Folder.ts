/** The folder of configurations: which file a runtime takes, and which it never comes to. */
import * as ConfFolder from "../../conf/ConfFolder.ts"
import * as JsonSource from "../../json/JsonSource.ts"
import type { Check } from "../Check.ts"
import { nameOf, placeOf } from "../ConfigFile.ts"
import * as BuiltIn from "../facts/BuiltIn.ts"
import type { Found } from "../Finding.ts"
import * as NearMiss from "../NearMiss.ts"

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

export const networkFound: Check = {
  id: "network-found",
  phase: "configuration",
  find: ({ asked, file, files, folder, unloaded, unseen }) => {
    if (folder === undefined || file !== undefined) return []
    if (unseen.length > 0) return { skipped: "not everything could be looked at" }
    const names = files.flatMap((each) => nameOf(each) ?? [])
    if (asked === undefined) {
      return [{
        level: "error",
        message: `no network configuration in ${folder}: runtimes find no network at all`,
        evidence: unloaded.map(ConfFolder.notLoaded),
        fix: unloaded[0] !== undefined
          ? ConfFolder.loadingAdvice(unloaded[0])
          : `put a .conflist into ${folder}, or name the folder that the runtime uses with --conf-dir`
      }]
    }
    if (asked === BuiltIn.name) {
      return [{
        level: "note",
        message: "podman has this network without a file, and nothing is attached to it: there is nothing to look at",
        evidence: [],
        fix: "start a container, and ask again"
      }]
    }
    const similar = NearMiss.nearest(asked, names)
    const [passedOver] = unloaded
    return [{
      level: "error",
      message: `no network ${JSON.stringify(asked)} in ${folder}${
        similar === undefined ? "" : `: did you mean ${similar}?`
      }`,
      evidence: [
        ...unloaded.map(ConfFolder.notLoaded),
        ...files.map((each) => `${each.path}: ${nameOf(each) ?? "no name"}`)
      ],
      fix: passedOver !== undefined
        ? ConfFolder.loadingAdvice(passedOver)
        : similar === undefined
        ? `put a .conflist with "name": "${asked}" into ${folder}`
        : `use the name ${similar}, or rename the network`
    }]
  }
}

export const folderOrder: Check = {
  id: "folder",
  phase: "configuration",
  find: ({ file, files }) => {
    if (file === undefined) return { skipped: "there is no file" }
    const name = nameOf(file)
    const own = files.findIndex(({ path }) => path === file.path)
    const found: Array<Found> = []
    const broken = files.slice(0, Math.max(own, 0)).filter(({ outcome }) => !JsonSource.isSource(outcome))
    for (const each of broken) {
      const { outcome } = each
      found.push({
        level: "error",
        message: `${baseName(each.path)} stands before ${baseName(file.path)} and is not JSON: ` +
          "runtimes that look for the network stop there",
        evidence: JsonSource.isSource(outcome) ? [] : [outcome.message],
        fix: `correct ${each.path}, or remove it from the folder`,
        ...placeOf(each, [])
      })
    }
    const same = name === undefined ? [] : files.filter((each) => nameOf(each) === name)
    const [winner, ...shadowed] = same
    if (winner !== undefined && own >= 0) {
      for (const each of shadowed) {
        found.push({
          level: "warning",
          message: `the network ${JSON.stringify(name)} is in two files: ` +
            `${baseName(winner.path)} is used, and ${baseName(each.path)} is shadowed by it`,
          evidence: same.map(({ path }) => path),
          fix: `give one of them another name, or remove ${each.path}`,
          ...placeOf(each, ["name"])
        })
      }
    }
    return found
  }
}
