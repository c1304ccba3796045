/** The Kubernetes manifests of `conf/`. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Yaml from "yaml"
import { repository } from "./plugin.ts"

const folder = Path.join(repository, "conf/kubernetes")

/** The names of its files. */
export const files = Fs.readdirSync(folder).sort()

/** One of its documents. */
export const read = (file: string) => Yaml.parse(Fs.readFileSync(Path.join(folder, file), "utf8"), { strict: true })

/** The image that the base puts in place of the DaemonSet's. */
export const image = (): string => {
  const [{ newName, newTag }] = read("kustomization.yaml").images
  return `${newName}:${newTag}`
}

/** The DaemonSet's pod, and its container. */
export const pod = () => {
  const { spec } = read("daemonset.yaml").spec.template
  return { spec, container: spec.containers[0] }
}

interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
  readonly mountPropagation?: string
}

/** What `podman run` is told for the rights and mounts of the pod. Volumes of the pod's own are folders in `own`. */
export const podmanFlags = (own: string): ReadonlyArray<string> => {
  const { container: { resources, securityContext, volumeMounts }, spec } = pod()
  const sources = new Map<string, string>(
    spec.volumes.map(({ hostPath, name }: { readonly hostPath?: { readonly path: string }; readonly name: string }) => [
      name,
      hostPath?.path ?? Path.join(own, name)
    ])
  )
  const { allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, runAsGroup, runAsUser } = securityContext
  return [
    ...(spec.hostNetwork ? ["--network=host"] : []),
    ...(spec.hostPID ? ["--pid=host"] : []),
    ...(readOnlyRootFilesystem ? ["--read-only", "--read-only-tmpfs=false"] : []),
    ...(allowPrivilegeEscalation ? [] : ["--security-opt=no-new-privileges"]),
    `--user=${runAsUser}:${runAsGroup}`,
    ...capabilities.drop.map((name: string) => `--cap-drop=${name}`),
    ...capabilities.add.map((name: string) => `--cap-add=${name}`),
    `--memory=${resources.limits.memory.replace(/i$/, "").toLowerCase()}`,
    ...volumeMounts.map(({ mountPath, mountPropagation, name, readOnly }: VolumeMount) =>
      `--volume=${sources.get(name)}:${mountPath}:${readOnly === true ? "ro" : "rw"}${
        mountPropagation === "HostToContainer" ? ",rslave" : ""
      }`
    )
  ]
}
