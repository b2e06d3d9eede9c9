#!/usr/bin/env bash
# Generates the Collector's Go module from collector/manifest.yaml. Needed only after a change of that manifest.
#   regenerate.sh             writes into servers/collector
#   regenerate.sh DIRECTORY   writes there instead (the drift test compares)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
manifest="$here/../../../collector/manifest.yaml"
target=${1:-$here/collector}
version=$(sed -n 's/^  version: //p' "$manifest")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The manifest replaces a module by this folder.
mkdir "$work/out"
cp -r "$here/collector/sqlquery" "$work/out/sqlquery"
# The builder knows its output folder only from the manifest.
sed "s|^dist:|dist:\n  output_path: $work/out|" "$manifest" >"$work/manifest.yaml"
go run "go.opentelemetry.io/collector/cmd/builder@v$version" --skip-compilation --config "$work/manifest.yaml" >&2
mkdir -p "$target"
for file in main.go main_others.go main_windows.go components.go go.mod go.sum; do
  cp "$work/out/$file" "$target/$file"
done
