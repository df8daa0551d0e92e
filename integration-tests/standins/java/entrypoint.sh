#!/bin/sh
# The official images prepare certificates or Maven's settings here; then they run the command.
exec "$@"
