/* Cyclic redundancy checks: bit by bit, by table, eight bytes at a time; CRC-32, CRC-32C and CRC-64. */
#include "conformance.h"

enum { BYTES = 600 };

static uint32_t tables[8][256];
static uint64_t table64[256];

static uint32_t by_bits(uint32_t polynomial, const uint8_t *bytes, size_t size)
{
	uint32_t crc = ~0u;
	while (size-- > 0) {
		crc ^= *bytes++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (polynomial & -(crc & 1));
	}
	return ~crc;
}

static void make_tables(uint32_t polynomial)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
		tables[0][i] = crc;
	}
	for (int n = 1; n < 8; n++) {
		for (uint32_t i = 0; i < 256; i++)
			tables[n][i] = tables[n - 1][i] >> 8 ^ tables[0][tables[n - 1][i] & 0xff];
	}
}

static uint32_t by_table(const uint8_t *bytes, size_t size)
{
	uint32_t crc = ~0u;
	while (size-- > 0)
		crc = crc >> 8 ^ tables[0][(crc ^ *bytes++) & 0xff];
	return ~crc;
}

static uint32_t by_eight(const uint8_t *bytes, size_t size)
{
	uint32_t crc = ~0u;
	for (; size >= 8; size -= 8, bytes += 8) {
		uint64_t word;
		__builtin_memcpy(&word, bytes, sizeof word);
		word ^= crc;
		crc = 0;
		for (int n = 0; n < 8; n++)
			crc ^= tables[7 - n][word >> 8 * n & 0xff];
	}
	while (size-- > 0)
		crc = crc >> 8 ^ tables[0][(crc ^ *bytes++) & 0xff];
	return ~crc;
}

static uint64_t crc64(const uint8_t *bytes, size_t size)
{
	uint64_t crc = ~0ul;
	while (size-- > 0)
		crc = crc >> 8 ^ table64[(crc ^ *bytes++) & 0xff];
	return ~crc;
}

int main(void)
{
	static uint8_t bytes[BYTES];
	static const uint32_t polynomials[] = {0xedb88320, 0x82f63b78};
	const uint8_t *const check = (const uint8_t *)"123456789";
	uint64_t state = 7;
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)next_random(&state);
	for (size_t n = 0; n < LENGTH(polynomials); n++) {
		make_tables(polynomials[n]);
		put("%08x: %08x %08x %08x\n", polynomials[n], by_bits(polynomials[n], check, 9), by_table(check, 9),
		    by_eight(check, 9));
		for (size_t size = 0; size < BYTES; size += 97) {
			put("  %3lu: %08x %08x %08x\n", size, by_bits(polynomials[n], bytes + 1, size),
			    by_table(bytes + 1, size), by_eight(bytes + 1, size));
		}
	}
	for (uint64_t i = 0; i < 256; i++) {
		uint64_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xc96c5795d7870f42 & -(crc & 1));
		table64[i] = crc;
	}
	put("crc64: %016lx %016lx\n", crc64(check, 9), crc64(bytes, BYTES));
	return 0;
}
