#!/bin/sh
# Start the bindings store with the users of users.acl: an acknowledged edit is on disk, and bindings are never evicted.
# Needs SLOTBEAM_REDIS_SERVE_PASSWORD and SLOTBEAM_REDIS_ADMIN_PASSWORD; arguments are further settings of redis-server.
set -eu
umask 077

# The SHA-256 of the password $2 of the user $1. It stands in a URL, too, so only what needs no escape there is allowed.
hash() {
  case $2 in
    *[!A-Za-z0-9._~-]*) echo "the password of $1 may have letters, digits and . _ ~ - only" >&2; exit 1 ;;
  esac
  if [ "${#2}" -lt 16 ]; then
    echo "the password of $1 has ${#2} characters; give at least 16" >&2
    exit 1
  fi
  printf %s "$2" | sha256sum | cut -c 1-64
}

serve=$(hash serve "${SLOTBEAM_REDIS_SERVE_PASSWORD:?is not set}")
admin=$(hash admin "${SLOTBEAM_REDIS_ADMIN_PASSWORD:?is not set}")
unset SLOTBEAM_REDIS_SERVE_PASSWORD SLOTBEAM_REDIS_ADMIN_PASSWORD
users=$(mktemp)
awk -v serve="$serve" -v admin="$admin" '
  /^#/ || /^$/ { next }
  /^user / && begun++ { print "" }
  { sub(/^ +/, " "); sub(/#SERVE/, "#" serve); sub(/#ADMIN/, "#" admin); printf "%s", $0 }
  END { print "" }
' "$(dirname "$0")/users.acl" >"$users"
exec redis-server --aclfile "$users" \
  --appendonly yes --appendfsync always --maxmemory-policy noeviction --save "" "$@"
