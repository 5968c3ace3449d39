#!/bin/sh
# Whether the store of start.sh answers, for health checks; further arguments go to redis-cli.
REDISCLI_AUTH=$SLOTBEAM_REDIS_SERVE_PASSWORD exec redis-cli -e --user serve "$@" ping
