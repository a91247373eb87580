# Writes numbered records, each with its checksum, and lets each reach the disk before the next.
# Usage: sh writer.sh RECORDS ACKNOWLEDGED; it runs until it is stopped or a write fails.
# RECORDS, on the file system under test: "NUMBER UPTIME CHECKSUM"; the checksum is of the other two.
# ACKNOWLEDGED, in memory: "NUMBER UPTIME" once the record is on disk; uptimes are in seconds.
# Needs a POSIX shell and coreutils 8.20 or newer. The checksum is plain arithmetic, so that a record
# costs one program: the writer shall show how long the disk keeps it waiting, not how fast it starts.
records=$1
acknowledged=$2
number=0
while :; do
    number=$((number + 1))
    read -r uptime rest < /proc/uptime
    sum=$(((number * 2654435761 + 1${uptime%.*}${uptime#*.} * 40503) % 4294967296))
    printf '%s\n' "$number $uptime $sum" |
        dd of="$records" oflag=append conv=notrunc,fsync status=none || exit 1
    read -r uptime rest < /proc/uptime
    printf '%s\n' "$number $uptime" >> "$acknowledged"
    sleep 0.2
done
