# Reads commands from the console, one a line, and runs each on its own. After its output comes a line
# "@done STATUS NANOSECONDS", with the exit status and the time that it took by the guest's clock.

stty -echo
ulimit -c 0
cd /tmp
echo '@ready'
while read -r line; do
	begun=$(date +%s%N)
	sh -c "$line" </dev/null >/run/output 2>&1
	status=$?
	ended=$(date +%s%N)
	cat /run/output
	echo "@done $status $((ended - begun))"
	rm -rf /tmp/* /run/output
done
