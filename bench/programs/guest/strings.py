# Dictionaries and strings: 150,000 made-up words, counted, joined, split and sorted.

syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
state = 7
counts = {}
for i in range(150_000):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    word = syllables[state % 70] + syllables[(state >> 8) % 70] + syllables[(state >> 16) % 70]
    counts[word] = counts.get(word, 0) + 1
text = " ".join(f"{word}={count}" for word, count in counts.items())
pairs = sorted((part.partition("=") for part in text.split()), key=lambda p: (-int(p[2]), p[0]))
checksum = 0
for word, _, count in pairs:
    for c in word:
        checksum = (checksum * 31 + ord(c) * int(count)) & 0xFFFFFFFF
print(len(counts), pairs[0][0].upper(), checksum)
