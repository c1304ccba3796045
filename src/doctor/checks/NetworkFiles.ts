/** The folder of configurations: which file a runtime takes, and which files it never reaches. */
import * as ConfFolder from "../../conf/ConfFolder.ts"
import * as JsonSource from "../../json/JsonSource.ts"
import * as Cidr from "../../network/Cidr.ts"
import * as Attachments from "../../runtime/Attachments.ts"
import type { Check } from "../Check.ts"
import { type ConfigFile, nameOf, placeOf, pluginsOf } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import * as BuiltIn from "../facts/BuiltIn.ts"
import type { Found } from "../Finding.ts"
import * as NearMiss from "../NearMiss.ts"
import * as Roles from "../Roles.ts"
import { subnetsOf } from "./IpamConfiguration.ts"

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

export const networkFound: Check = {
  id: "network-found",
  phase: "configuration",
  find: ({ asked, file, files, folder, isWithoutPlugins, unloaded, unseen }) => {
    if (folder === undefined || file !== undefined) return []
    if (unseen.length > 0) return { skipped: "not everything could be looked at" }
    const names = files.flatMap((each) => nameOf(each) ?? [])
    if (asked === undefined && isWithoutPlugins) {
      return [{
        level: "note",
        message: `no network configuration in ${folder}, and no runtime of this host needs one: ` +
          "there is nothing to look at",
        evidence: [],
        fix: "ask the runtime about its networks, such as podman network inspect"
      }]
    }
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
    if (asked === Attachments.loopbackNetwork) {
      return [{
        level: "note",
        message: `${asked} is the loopback link of each container, which its runtime sets up without a file: ` +
          "there is nothing to look at",
        evidence: [],
        fix: "ask about a network of the folder"
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

/** Whether a runtime of Kubernetes made this ADD, going by its arguments. Such a runtime takes only the first file. */
const isOfKubernetes = ({ args }: { readonly args: string }): boolean => args.includes("K8S_POD_")

/** Whether two networks give out the same addresses, as two files for one purpose do. */
const haveOneSubnet = (left: ConfigFile, right: ConfigFile): boolean => {
  const [own, theirs] = [left, right].map((file) => {
    const ipam = Roles.ipamOf(pluginsOf(file))
    return ipam === undefined ? [] : subnetsOf(ipam)
  })
  return own?.some((subnet) => theirs?.some((each) => Cidr.overlap(subnet, each)) === true) === true
}

/** Whether a network is only for `lo`: CRI-O brings such a file, and nobody expects containers to be attached to it. */
const isLoopback = (file: ConfigFile): boolean => pluginsOf(file).every(({ type }) => type === "loopback")

/**
 * A network without containers, while a network of an earlier file has some: containerd and CRI-O take the first file
 * of the folder. Other runtimes, such as podman, choose a network by name.
 */
const passedOver = ({ all, file, files, store }: Facts): ReadonlyArray<Found> => {
  const name = file === undefined ? undefined : nameOf(file)
  if (file === undefined || name === undefined || all.length === 0 || isLoopback(file)) return []
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

/** What follows from the order of the files in a folder. */
interface Order {
  readonly indexes: ReadonlyMap<string, number>
  /** The files that are not JSON, with their indexes. */
  readonly broken: ReadonlyArray<readonly [file: ConfigFile, index: number]>
  readonly byName: ReadonlyMap<string | undefined, ReadonlyArray<ConfigFile>>
}

const orders = new WeakMap<ReadonlyArray<ConfigFile>, Order>()

/** The order of a folder. It is cached, because the check of each file needs it. */
const orderOf = (files: ReadonlyArray<ConfigFile>): Order => {
  const known = orders.get(files)
  if (known !== undefined) return known
  const byName = new Map<string | undefined, Array<ConfigFile>>()
  for (const file of files) {
    const name = nameOf(file)
    const same = byName.get(name)
    if (same === undefined) byName.set(name, [file])
    else same.push(file)
  }
  const order: Order = {
    byName,
    // A file that is given twice counts at its first position.
    indexes: new Map(files.map(({ path }, index) => [path, index] as const).toReversed()),
    broken: files.map((file, index) => [file, index] as const).filter(([{ outcome }]) => !JsonSource.isSource(outcome))
  }
  orders.set(files, order)
  return order
}

/** The most files to name that stop runtimes. */
const mostBroken = 20

const problemOf = ({ outcome }: ConfigFile): string => JsonSource.isSource(outcome) ? "" : outcome.message

/** The earlier files that stop runtimes, as one finding, because all of them have to be fixed. */
const stopsBefore = (file: ConfigFile, broken: ReadonlyArray<ConfigFile>): ReadonlyArray<Found> => {
  const [first, ...others] = broken
  if (first === undefined) return []
  const more = others.length === 0 ? "" : `, as ${others.length} more do${others.length === 1 ? "es" : ""}`
  return [{
    level: "error",
    message: `${baseName(first.path)} stands before ${baseName(file.path)} and is not JSON${more}: ` +
      "runtimes that look for the network stop there",
    evidence: [
      problemOf(first),
      ...others.slice(0, mostBroken).map((each) => `${baseName(each.path)}: ${problemOf(each)}`)
    ],
    fix: `correct ${first.path}, or remove it from the folder`,
    ...placeOf(first, [])
  }]
}

export const folderOrder: Check = {
  id: "folder",
  phase: "configuration",
  find: (facts) => {
    const { file, files } = facts
    if (file === undefined) return { skipped: "there is no file" }
    const { broken, byName, indexes } = orderOf(files)
    const own = indexes.get(file.path)
    if (own === undefined) return []
    const name = nameOf(file)
    const stops = stopsBefore(file, broken.filter(([, index]) => index < own).map(([each]) => each))
    const [winner, ...shadowed] = name === undefined ? [] : byName.get(name) ?? []
    if (winner === undefined) return stops
    // The finding for the winning file names all others with its name; the finding for each of those names only that
    // file.
    const named = winner.path === file.path ? shadowed : shadowed.filter(({ path }) => path === file.path)
    return [
      ...stops,
      ...named.map((each): Found => ({
        level: "warning",
        message: `the network ${JSON.stringify(name)} is in two files: ` +
          `${baseName(winner.path)} is used, and ${baseName(each.path)} is shadowed by it`,
        evidence: [winner.path, each.path],
        fix: `give one of them another name, or remove ${each.path}`,
        ...placeOf(each, ["name"])
      })),
      ...passedOver(facts)
    ]
  }
}
