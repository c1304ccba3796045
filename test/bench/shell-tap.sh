#!/usr/bin/env bash
# The job of the plugin with bash and jq, for comparison: log the request, run the hooks, hand prevResult on.
config=$(cat)
log=$(jq -r '.logFile // "/dev/null"' <<<"$config")
eval "log=\"$log\""
{
  echo
  date -R
  for name in CNI_COMMAND CNI_CONTAINERID CNI_NETNS CNI_ARGS CNI_PATH; do echo "$name: ${!name}"; done
  jq . <<<"$config"
  if [ "$(jq ".hook$CNI_COMMAND | length" <<<"$config")" -gt 0 ]; then
    echo "Executing hook $CNI_COMMAND commands:"
    jq -r ".hook$CNI_COMMAND[]" <<<"$config" | while read -r command; do
      echo "COMMAND: $command"
      sh -c "$command"
    done
  else
    echo "No $CNI_COMMAND hook"
  fi
} >>"$log" 2>&1
case $CNI_COMMAND in
  ADD) jq -c .prevResult <<<"$config" ;;
  VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}' ;;
esac
