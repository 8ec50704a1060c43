/* A lexer as a state machine over 64 KiB of text: words, numbers, strings with escapes, comments, line counting. */
#include "kernel.h"

ROUNDS(4000);

enum { SIZE = 64 * 1024 };
enum state { BETWEEN, WORD, NUMBER, FRACTION, STRING, ESCAPE, SLASH, COMMENT, STAR, STATES };

static uint8_t text[SIZE];

void prepare(void)
{
	static const char alphabet[] = "etaoinshrdlucmf__   \n\n0123456789..\"\"\\//**+-;(){}";
	uint64_t state = random_from(3);
	for (size_t i = 0; i < SIZE; i++)
		text[i] = (uint8_t)alphabet[next_random(&state) % (sizeof alphabet - 1)];
}

static int is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

static int is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static enum state begin(uint8_t c)
{
	if (is_letter(c))
		return WORD;
	if (is_digit(c))
		return NUMBER;
	return c == '"' ? STRING : c == '/' ? SLASH : BETWEEN;
}

static enum state follow(enum state state, uint8_t c)
{
	switch (state) {
	case WORD: return is_letter(c) || is_digit(c) ? WORD : begin(c);
	case NUMBER: return is_digit(c) ? NUMBER : c == '.' ? FRACTION : begin(c);
	case FRACTION: return is_digit(c) ? FRACTION : begin(c);
	case STRING: return c == '"' || c == '\n' ? BETWEEN : c == '\\' ? ESCAPE : STRING;
	case ESCAPE: return STRING;
	case SLASH: return c == '*' ? COMMENT : begin(c);
	case COMMENT: return c == '*' ? STAR : COMMENT;
	case STAR: return c == '/' ? BETWEEN : c == '*' ? STAR : COMMENT;
	default: return begin(c);
	}
}

uint64_t kernel(uint64_t seed)
{
	uint32_t tokens[STATES] = {0};
	uint32_t lines = 0;
	enum state state = (enum state)(seed % STATES);
	for (size_t i = 0; i < SIZE; i++) {
		const enum state next = follow(state, text[i]);
		lines += text[i] == '\n';
		if (next != state)
			tokens[next]++;
		state = next;
	}
	uint64_t sum = mix(seed, lines);
	for (size_t i = 0; i < STATES; i++)
		sum = mix(sum, tokens[i]);
	return sum;
}
