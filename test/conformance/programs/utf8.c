/* UTF-8: strict decoding of every kind of right and wrong sequence, and encoding back. */
#include "conformance.h"

/* The code point at the front, and its length; -1 for a sequence that is none. */
static int32_t decode(const uint8_t *text, size_t size, size_t *length)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	*length = 1;
	if (text[0] < 0x80)
		return text[0];
	const unsigned count = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc0 ? 2 : 0;
	if (count == 0 || text[0] > 0xf4 || count > size)
		return -1;
	uint32_t point = text[0] & (0x7fu >> count);
	for (unsigned i = 1; i < count; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (text[i] & 0x3fu);
	}
	if (point < least[count] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return -1;
	*length = count;
	return (int32_t)point;
}

static size_t encode(uint32_t point, uint8_t *text)
{
	if (point < 0x80) {
		text[0] = (uint8_t)point;
		return 1;
	}
	const unsigned count = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (unsigned i = count - 1; i > 0; i--, point >>= 6)
		text[i] = (uint8_t)(0x80 | (point & 0x3f));
	text[0] = (uint8_t)((0xf00u >> count) | point);
	return count;
}

int main(void)
{
	uint64_t all = EMPTY_HASH;
	unsigned wrong = 0;
	for (uint32_t point = 0; point < 0x110000; point += point < 0x1000 ? 1 : 61) {
		uint8_t text[4];
		size_t length;
		const size_t size = encode(point, text);
		const int32_t back = decode(text, size, &length);
		const bool is_surrogate = point >= 0xd800 && point < 0xe000;
		wrong += back != (is_surrogate ? -1 : (int32_t)point);
		all = hash(all, (uint64_t)back);
	}
	put("round trips: %u wrong, %016lx\n", wrong, all);
	uint64_t state = 2;
	for (int round = 0; round < 20; round++) {
		uint8_t text[64];
		unsigned points = 0, errors = 0;
		for (size_t i = 0; i < sizeof text; i++)
			text[i] = (uint8_t)(next_random(&state) >> (state & 7));
		for (size_t at = 0, length; at < sizeof text; at += length) {
			const int32_t point = decode(text + at, sizeof text - at, &length);
			points += point >= 0;
			errors += point < 0;
		}
		put("%d: %u points, %u errors\n", round, points, errors);
	}
	return 0;
}
