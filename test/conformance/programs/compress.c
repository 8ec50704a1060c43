/* A text compressed by references to what came before, and restored. */
#include "conformance.h"

enum { TEXT = 6000, WINDOW = 2048, LEAST = 4, MOST = 130, TABLE = 1024 };

static unsigned place_of(const uint8_t *at)
{
	uint32_t head;
	memcpy(&head, at, sizeof head);
	return (head * 2654435761u) >> 22;
}

static size_t compress(const uint8_t *text, size_t size, uint8_t *packed)
{
	static size_t last[TABLE];
	size_t at = 0, out = 0;
	memset(last, 0xff, sizeof last);
	while (at < size) {
		size_t length = 0, from = 0;
		if (at + LEAST <= size) {
			const unsigned place = place_of(text + at);
			from = last[place];
			last[place] = at;
			if (from != (size_t)-1 && at - from < WINDOW)
				while (length < MOST && at + length < size && text[from + length] == text[at + length])
					length++;
		}
		if (length >= LEAST) {
			packed[out++] = (uint8_t)(0x80 | (length - LEAST));
			packed[out++] = (uint8_t)(at - from);
			packed[out++] = (uint8_t)((at - from) >> 8);
			at += length;
		} else {
			packed[out++] = text[at++] & 0x7f;
		}
	}
	return out;
}

static size_t restore(const uint8_t *packed, size_t size, uint8_t *text)
{
	size_t out = 0;
	for (size_t at = 0; at < size;) {
		const uint8_t token = packed[at++];
		if (token < 0x80) {
			text[out++] = token;
			continue;
		}
		const size_t distance = packed[at] | (size_t)packed[at + 1] << 8;
		at += 2;
		for (unsigned i = 0; i < (token & 0x7fu) + LEAST; i++, out++)
			text[out] = text[out - distance];
	}
	return out;
}

int main(void)
{
	static uint8_t text[TEXT], packed[2 * TEXT], back[TEXT];
	static const char *const words[] = {"the ", "guest ", "reads ", "a page ", "of memory ", "and ", "writes ", "it.\n"};
	uint64_t state = 4;
	for (int round = 0; round < 8; round++) {
		size_t size = 0;
		while (size + 16 < TEXT) {
			const char *word = words[next_random(&state) % LENGTH(words)];
			const size_t length = strlen(word);
			memcpy(text + size, word, length);
			size += length;
		}
		const size_t small = compress(text, size, packed);
		const size_t again = restore(packed, small, back);
		uint64_t all = EMPTY_HASH;
		for (size_t i = 0; i < small; i++)
			all = hash(all, packed[i]);
		put("%lu -> %lu -> %lu %s %016lx\n", size, small, again, memcmp(text, back, size) == 0 ? "same" : "other", all);
	}
	return 0;
}
