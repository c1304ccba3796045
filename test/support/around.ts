/** What runs around wrapped plugins in tests of folders: a shell script that does no more than to find the plugin. */
import * as Scripts from "./scripts.ts"

/** Writes the script. Called by its own name, it is a plugin; called through a stub, it becomes the plugin of that. */
export const around = (path: string): string =>
  Scripts.script(
    path,
    `own=$(dirname "$(realpath "$0")")
if [ $# -eq 0 ]; then
  if [ -z "$CNI_COMMAND" ]; then echo "CNI plugin passthrough v1" >&2; exit; fi
  echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'
  exit
fi
for try in 1 2 3 4 5; do
  for file in "$own/plugins/\${1##*/}" "$own/../\${1##*/}"; do
    case $(head -c 2 "$file" 2>/dev/null; ) in "") continue ;; esac
    if [ "$(head -n 1 "$file" | tr -d '\\0')" != "#!$own/passthrough" ]; then exec "$file"; fi
  done
done
echo "no plugin $1" >&2
exit 99`
  )
