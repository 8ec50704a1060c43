# Small integers: a linear congruential generator and a few bits of its state, a million times.

state = 1
total = 0
for i in range(1_000_000):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    total += (state >> 16) & 7
print(state, total)
