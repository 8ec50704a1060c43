# Read by the default guest's shell as it starts (ENV=/mnt/bench/shell.sh): the disk becomes the root, and a shell runs
# there that has a line editor.

unset ENV
set -- /run/busybox ash
. /mnt/bench/start.sh
