/**
 * Network namespaces that are mounted somewhere by any program: `ip netns`, containerd, Docker, or a runtime whose
 * pods have no process that holds their namespace. Source: proc(5), `/proc/pid/mountinfo`.
 */

/** A network namespace that is mounted. */
export interface Pinned {
  /** Such as `net:[4026532008]`. */
  readonly name: string
  readonly path: string
}

/** The kernel writes spaces, tabs, line ends and backslashes of paths as octal numbers. */
const unescape = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** The network namespaces in a mountinfo file, in its order. */
export const inMountinfo = (mountinfo: string): ReadonlyArray<Pinned> =>
  mountinfo.split("\n").flatMap((line) => {
    const [fields = "", rest = ""] = line.split(" - ", 2)
    const [, , , root = "", path = ""] = fields.split(" ")
    return rest.startsWith("nsfs ") && root.startsWith("net:[") ? [{ name: root, path: unescape(path) }] : []
  })

const first = "/proc/1/root"

/** The path of a file as the first process sees it. That of a host may have mounts that a container has not. */
export const onFirst = (path: string): string => `${first}${path}`

/** The path on the host of {@link onFirst}'s. */
export const onHost = (path: string): string => path.startsWith(`${first}/`) ? path.slice(first.length) : path
