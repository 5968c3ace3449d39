#!/bin/sh
# From a catalog of your own to a live edit, in a folder that is thrown away:
# check the catalog, train an artifact, serve it, bind a word that it has never seen, see it found.
#
#   examples/catalog_to_live_edit.sh
#
# Needs PyTorch (pip install "slotbeam[train]"). The catalog is 24 mugs and lamps and the training 60 steps of the
# configuration `tiny`, so that it takes seconds; docs/training.md says what a real one takes.
set -eu

folder=$(mktemp -d)
up=
trap 'if [ -n "$up" ]; then kill "$up" && wait "$up" || :; fi; rm -rf "$folder"' EXIT
export SLOTBEAM_DATA_DIR="$folder/data" SLOTBEAM_ARTIFACT="$folder/artifact"
export SLOTBEAM_PORT=0 SLOTBEAM_ADMIN_PORT=0 SLOTBEAM_DRAIN_S=0  # any free ports; SIGTERM ends it at once

echo "== a catalog: JSON lines, one item each"
number=0
for what in mug lamp; do
  for color in red green blue black; do
    for brand in Acme Bolt Cobalt; do
      number=$((number + 1))
      echo "{\"id\": \"p$number\", \"title\": \"$brand $color $what\", \"popularity\": $number," \
        "\"attributes\": {\"entity\": \"$what\", \"color\": \"$color\", \"brand\": \"$brand\"}}"
    done
  done
done > "$folder/items.jsonl"
head -n 2 "$folder/items.jsonl"

echo "== what is wrong with it? (without PyTorch)"
slotbeam train --check --catalog "$folder/items.jsonl"

echo "== train an artifact: dictionary, codebook with reserved slots, model, trie, table"
slotbeam train --catalog "$folder/items.jsonl" --out "$SLOTBEAM_ARTIFACT" --config tiny --steps 60 --threads 1 --quiet

echo "== serve it: a store, a data plane and a control plane"
slotbeam up > "$folder/up.log" 2>&1 &
up=$!
until [ -e "$SLOTBEAM_DATA_DIR/up.json" ]; do # written once both planes are ready
  kill -0 "$up" || { cat "$folder/up.log" >&2; exit 1; }
  sleep 0.1
done

echo "== a word that nothing knows"
slotbeam query "labubu mug" -k 3

echo "== is bound to a lamp and a mug"
slotbeam slots bind labubu --category brand --item p20 --item p5

echo "== and is found at once; the rest of the query orders its items"
slotbeam query "labubu mug" -k 3
