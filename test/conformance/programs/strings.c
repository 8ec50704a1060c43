/* Strings and memory: comparisons, searches, copies that overlap, at every alignment. */
#include "conformance.h"

static const char *find(const char *text, const char *part)
{
	const size_t length = strlen(part);
	for (; *text; text++)
		if (memcmp(text, part, length) == 0)
			return text;
	return NULL;
}

static bool matches(const char *pattern, const char *text)
{
	if (*pattern == 0)
		return *text == 0;
	if (*pattern == '*')
		return matches(pattern + 1, text) || (*text && matches(pattern, text + 1));
	return *text && (*pattern == '?' || *pattern == *text) && matches(pattern + 1, text + 1);
}

static size_t reverse_words(char *text)
{
	size_t words = 0, length = strlen(text);
	for (size_t i = 0, j = length; i + 1 < j; i++) {
		const char held = text[--j];
		text[j] = text[i];
		text[i] = held;
	}
	for (size_t start = 0; start < length; words++) {
		size_t end = start;
		while (end < length && text[end] != ' ')
			end++;
		for (size_t i = start, j = end; i + 1 < j; i++) {
			const char held = text[--j];
			text[j] = text[i];
			text[i] = held;
		}
		start = end + 1;
	}
	return words;
}

int main(void)
{
	static char buffer[256], copy[256];
	for (size_t i = 0; i < sizeof buffer; i++)
		buffer[i] = (char)(33 + i % 90);
	uint64_t all = EMPTY_HASH;
	for (unsigned from = 0; from < 20; from++)
		for (unsigned to = 0; to < 20; to += 3)
			for (unsigned size = 0; size < 60; size += 7) {
				memcpy(copy, buffer, sizeof copy);
				memmove(copy + to, copy + from, size);
				memset(copy + 100 + from, (int)size, to);
				for (size_t i = 0; i < sizeof copy; i += 8) {
					uint64_t word;
					memcpy(&word, copy + i, sizeof word);
					all = hash(all, word);
				}
				all = hash(all, (uint64_t)(memcmp(copy + from, buffer + to, size) > 0));
			}
	put("moves %016lx\n", all);
	char text[] = "the quick brown fox jumps over the lazy dog";
	put("%s\n", find(text, "fox"));
	put("%lu words: ", reverse_words(text));
	put("%s, %lu characters\n", text, strlen(text));
	static const char *const patterns[] = {"*", "a*b", "?b*", "*a*a*", "", "ab?", "*ba"};
	static const char *const texts[] = {"", "ab", "aab", "abba", "banana", "b", "aba"};
	for (size_t p = 0; p < LENGTH(patterns); p++) {
		put("%8s:", patterns[p]);
		for (size_t t = 0; t < LENGTH(texts); t++)
			put(" %d%d", matches(patterns[p], texts[t]), strcmp(patterns[p], texts[t]) < 0);
		put("\n");
	}
	return 0;
}
