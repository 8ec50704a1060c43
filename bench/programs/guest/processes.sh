# A hundred times: fork, execute a program that does nothing, wait for it.

n=0
while [ $n -lt 100 ]; do
	/usr/bin/true || exit 1
	n=$((n + 1))
done
echo $n
