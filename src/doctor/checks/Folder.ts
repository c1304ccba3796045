/** The folder of configurations: which file a runtime takes, and which it never comes to. */
import * as ConfFolder from "../../conf/ConfFolder.ts"
import * as JsonSource from "../../json/JsonSource.ts"
import * as Cidr from "../../network/Cidr.ts"
import type { Check } from "../Check.ts"
import { type ConfigFile, nameOf, placeOf, pluginsOf } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import * as BuiltIn from "../facts/BuiltIn.ts"
import type { Found } from "../Finding.ts"
import * as NearMiss from "../NearMiss.ts"
import * as Roles from "../Roles.ts"
import { subnetsOf } from "./Addressing.ts"

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

/** Whether the arguments of an ADD are those of a runtime of Kubernetes, which takes the first file only. */
const isOfKubernetes = ({ args }: { readonly args: string }): boolean => args.includes("K8S_POD_")

/** Whether two networks give the same addresses, as two files for one purpose do. */
const haveOneSubnet = (left: ConfigFile, right: ConfigFile): boolean => {
  const [own, theirs] = [left, right].map((file) => {
    const ipam = Roles.ipamOf(pluginsOf(file))
    return ipam === undefined ? [] : subnetsOf(ipam)
  })
  return own?.some((subnet) => theirs?.some((each) => Cidr.overlap(subnet, each)) === true) === true
}

/**
 * A network that no container is attached to, while one of a file before it is used: containerd and CRI-O take the first
 * file of the folder. Others, such as podman, take a network by its name.
 */
const passedOver = ({ all, file, files, store }: Facts): ReadonlyArray<Found> => {
  const name = file === undefined ? undefined : nameOf(file)
  if (file === undefined || name === undefined) return []
  const own = files.findIndex(({ path }) => path === file.path)
  const isUsed = all.some(({ network }) => network === name) || (store?.reservations.length ?? 0) > 0
  if (own <= 0 || isUsed) return []
  const before = files.slice(0, own).find((each) => {
    const attached = all.filter(({ network }) => network === nameOf(each))
    return attached.length > 0 && (attached.some(isOfKubernetes) || haveOneSubnet(each, file))
  })
  const winner = before === undefined ? undefined : nameOf(before)
  if (before === undefined || winner === undefined || winner === name) return []
  return [{
    level: "warning",
    message:
      `the network ${JSON.stringify(name)} is never used by a runtime that takes the first file, as containerd ` +
      `and CRI-O do: ${baseName(before.path)} comes before ${baseName(file.path)}, and containers are attached to ` +
      JSON.stringify(winner),
    evidence: files.slice(0, own + 1).map(({ path }) => path),
    fix: `if ${name} is the one to use, remove ${before.path} from the folder, and restart the containers`,
    ...placeOf(before, ["name"])
  }]
}

export const folderOrder: Check = {
  id: "folder",
  phase: "configuration",
  find: (facts) => {
    const { file, files } = facts
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
    return [...found, ...passedOver(facts)]
  }
}
