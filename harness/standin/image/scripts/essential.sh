#!/bin/sh
# Essential hook: answers for packages that would ask.
set -eu
chroot "$1" debconf-set-selections < "$LAB_RECIPE/scripts/debconf-answers.txt"
