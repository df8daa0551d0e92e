#!/bin/sh
# Debian's Java moved to where the official images have it, as a tree that needs no file outside.
set -eu
kind=$1 # jdk or jre
export DEBIAN_FRONTEND=noninteractive JAVA_HOME=/opt/java/openjdk
apt-get update -qq

# Java's trust store is made from single certificates.
mkdir -p /usr/local/share/ca-certificates
awk '/BEGIN CERT/ {n++} n {print > ("/usr/local/share/ca-certificates/machine-" n ".crt")}' /roots/ca-certificates.crt
mkdir -p /usr/share/man/man1 # alternatives are set there
tools=''
[ "$kind" = jre ] || tools=binutils # jlink's --strip-debug
# shellcheck disable=SC2086 # a list
apt-get install -y -qq --no-install-recommends "openjdk-21-$kind-headless" $tools ca-certificates curl fontconfig libharfbuzz0b tzdata unzip >/dev/null 2>&1
cd /usr/lib/jvm/java-21-openjdk-*/
rm -rf docs man lib/src.zip
mkdir -p /opt/java
cp -rL --preserve=mode,timestamps . "$JAVA_HOME"

# The libraries that it links stay.
cd /
apt-get purge -y -qq 'openjdk-21-*' >/dev/null
apt-mark manual '.*' >/dev/null
apt-get clean
rm -rf /usr/lib/jvm /var/lib/apt/lists/* /var/cache/apt
"$JAVA_HOME/bin/java" -Xshare:dump >/dev/null
