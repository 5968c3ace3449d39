#!/bin/sh
# A campaign from the shell: a word that brings chosen items from now to an end, with an owner and a reason.
#
#   examples/campaign.sh plush style 2026-12-31                         # every item whose text holds the word
#   examples/campaign.sh labubu brand 2026-12-31 --item B07 --item B08  # these items
#
# Needs a running `slotbeam up` on the same SLOTBEAM_DATA_DIR; elsewhere set SLOTBEAM_ADMIN_URL, SLOTBEAM_ADMIN_TOKEN
# and SLOTBEAM_DATA_URL. A date that ends a campaign is its whole last day, in SLOTBEAM_ZONE, else in UTC.
set -eu

if [ $# -lt 3 ]; then
  echo "usage: $0 WORD CATEGORY LAST_DAY [--item ID …]" >&2
  exit 2
fi
word=$1 category=$2 last_day=$3 now=$(date -u +%FT%TZ)
shift 3
[ $# -gt 0 ] || set -- --match

echo "== what it would do; nothing is changed"
slotbeam slots preview "$word" --category "$category" "$@" --starts "$now" --ends "$last_day"

echo "== bind it; the answer says which replicas serve it, and after how long"
slotbeam slots bind "$word" --category "$category" "$@" --starts "$now" --ends "$last_day" \
  --owner merchandising --reason "campaign until $last_day"

echo "== searches have it"
slotbeam query "$word" -k 5

echo "== who holds which slot, until when"
slotbeam slots list --q "$word"

# A campaign ends by itself: from the end of its last day on nothing is bound, two minutes later its slot is free again.
echo "== end it early"
slotbeam slots unbind "$word"
