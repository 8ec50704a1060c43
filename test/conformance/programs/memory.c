/* Copying, filling and comparing at all alignments and lengths, overlapping moves, strings. */
#include "conformance.h"

enum { BYTES = 160, GUARD = 16, ALIGNMENTS = 8 };

static uint8_t source[BYTES], target[BYTES];
static const size_t lengths[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 71};

static void fill(uint8_t *bytes, unsigned factor)
{
	for (unsigned i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)(i * factor + (i >> 3) + 1);
}

static uint64_t sum(const uint8_t *bytes)
{
	uint64_t all = EMPTY_HASH;
	for (size_t i = 0; i < BYTES; i += 8) {
		uint64_t word;
		__builtin_memcpy(&word, bytes + i, sizeof word);
		all = hash(all, word);
	}
	return all;
}

/* As a compiler's own code would copy: in words where both sides are aligned alike. */
static void copy_words(uint8_t *to, const uint8_t *from, size_t size)
{
	for (; size > 0 && ((uintptr_t)to & 7) != 0; size--)
		*to++ = *from++;
	if (((uintptr_t)from & 7) == 0) {
		for (; size >= 8; size -= 8, to += 8, from += 8)
			*(uint64_t *)to = *(const uint64_t *)from;
	}
	while (size-- > 0)
		*to++ = *from++;
}

static void blocks(void)
{
	for (size_t to = 0; to < ALIGNMENTS; to++) {
		uint64_t copies = EMPTY_HASH, moves = EMPTY_HASH, fills = EMPTY_HASH, words = EMPTY_HASH;
		for (size_t from = 0; from < ALIGNMENTS; from += 3) {
			for (size_t n = 0; n < LENGTH(lengths); n++) {
				fill(target, 3);
				memcpy(target + GUARD + to, source + GUARD + from, lengths[n]);
				copies = hash(copies, sum(target));
				memmove(target + GUARD + to, target + GUARD + from, lengths[n]);
				memmove(target + GUARD + from + 1, target + GUARD + to, lengths[n]);
				moves = hash(moves, sum(target));
				memset(target + GUARD + to, (int)(0xa5 + n), lengths[n]);
				fills = hash(fills, sum(target));
				copy_words(target + to, source + from, lengths[n]);
				words = hash(words, sum(target));
			}
		}
		put("to %lu: copies %016lx moves %016lx fills %016lx words %016lx\n", to, copies, moves, fills, words);
	}
}

static void comparisons(void)
{
	for (size_t at = 0; at < 12; at++) {
		memcpy(target, source, BYTES);
		target[at * 3] ^= 0x80;
		const int order = memcmp(source, target, BYTES);
		put("differ at %lu: %d, before: %d\n", at * 3, (order > 0) - (order < 0), memcmp(source, target, at * 3));
	}
}

static void reverse_text(char *text)
{
	for (size_t i = 0, j = strlen(text); i + 1 < j; i++) {
		const char byte = text[i];
		text[i] = text[--j];
		text[j] = byte;
	}
}

static void strings(void)
{
	static const char *const words[] = {"", "a", "ab", "abc", "b", "\x7f", "\x80", "abcdefghijklmnopqrstuvwxyz"};
	for (size_t i = 0; i < LENGTH(words); i++) {
		put("%lu", strlen(words[i]));
		for (size_t j = 0; j < LENGTH(words); j++) {
			const int order = strcmp(words[i], words[j]);
			put(" %2d", (order > 0) - (order < 0));
		}
		put("\n");
	}
	char text[] = "A man, a plan, a canal: Panama";
	reverse_text(text);
	put("'%s' '%-8s' '%8s' '%c%c%c' %%\n", text, "left", "right", 'x', 'y', 'z');
	put("%d %5d %05d %-5d| %u %x %08x %lx %ld\n", -42, -42, -42, -42, 4000000000u, 0xbeef, 0xbeef,
	    0xfedcba9876543210ul, INT64_MIN);
}

int main(void)
{
	fill(source, 7);
	blocks();
	comparisons();
	strings();
	return 0;
}
