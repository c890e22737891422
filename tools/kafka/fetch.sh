#!/usr/bin/env bash
# Prints the folder with the libraries of Apache Kafka's broker; fetches them with Maven, once, into .tools.
# What is fetched must be what jars.sha512 says, to the last bit.
set -euo pipefail
cd "$(dirname "$0")/../.."

version="$(sed -n 's:.*<version>\([0-9.]*\)</version>.*:\1:p' tools/kafka/pom.xml | sed -n 2p)"
folder=".tools/kafka-$version"

say() { printf '%s\n' "$*" >&2; }
stop() { say "error: $*"; exit 1; }

command -v java >/dev/null 2>&1 || stop "no Java was found; Apache Kafka needs 17 or newer"

if [ ! -f "$folder/complete" ]; then
    if ! command -v mvn >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Fetching Maven (apt-get install maven) ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq maven; } >/dev/null 2>&1 || true
    fi
    command -v mvn >/dev/null 2>&1 || stop "no Maven (mvn) was found; it fetches Apache Kafka's libraries"
    say "Fetching Apache Kafka $version for the tests of the log (about 100 MB) into $folder ..."
    rm -rf "$folder"
    mvn --quiet --batch-mode --strict-checksums --file tools/kafka/pom.xml \
        org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$PWD/$folder/libs" >&2 \
        || stop "Apache Kafka could not be fetched; is the network reachable?"
    (cd "$folder/libs" && sha512sum --quiet --strict --check "$OLDPWD/tools/kafka/jars.sha512" >&2) \
        || stop "the libraries fetched are not those that tools/kafka/jars.sha512 names"
    touch "$folder/complete"
fi
echo "$PWD/$folder/libs"
